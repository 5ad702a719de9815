variable "task" {
  description = "The task's name: it names the checkpoint tables, the role and the alarms."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,37}$", var.task))
    error_message = "Up to 38 letters, digits, _, . and -, for the roles' names end with it."
  }
}

variable "source_table" {
  description = "The table to replicate, which is there, with its stream on (NEW_AND_OLD_IMAGES)."
  type        = string
}

variable "replica_table" {
  description = "The replica's name; the source's if not given."
  type        = string
  default     = null
}

variable "create_replica" {
  description = "Make the replica, with the source's keys, on demand. Indexes, and a key that rules make, are not made: leave it to `kcl-processor prepare` then."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Of the replica and of the checkpoints, which nothing else brings back."
  type        = bool
  default     = true
}

variable "settings" {
  description = "What else stands in the task's YAML (on_poison, kcl, transform, ...), as in properties/example.yml."
  type        = any
  default     = {}

  validation {
    condition     = try(var.settings.kcl.worker_id, null) == null
    error_message = "Workers that share one id would take each other's shards: leave kcl.worker_id out."
  }
}

variable "dead_letter_queue_arn" {
  description = "An SQS queue for items that the destination never accepts; without it the daemon ends there (8)."
  type        = string
  default     = null
}

variable "tools" {
  description = "Allow what copy, verify, replay, switchover and uninstall need, too."
  type        = bool
  default     = true
}

variable "assume_role_policy" {
  description = "Who may take the role on; ECS tasks if not given. For EKS: the trust of IRSA or of pod identity."
  type        = string
  default     = null
}

variable "alarm_actions" {
  description = "ARNs that an alarm tells, of an SNS topic for instance."
  type        = list(string)
  default     = []
}

variable "service" {
  description = "The ECS service on Fargate; none if not given. The image is that of deploy/Dockerfile."
  type = object({
    image           = string
    cluster_arn     = string
    subnets         = list(string)
    security_groups = list(string)
    workers         = optional(number, 2)
    cpu             = optional(number, 1024)
    memory          = optional(number, 2048)
    log_days        = optional(number, 30)
    architecture    = optional(string, "X86_64")
  })
  default = null
}
