# What `kcl-processor iam TASK` prints, with this task's ARNs. scripts/update_readme.py writes the
# template, and a test holds it to the product. What a customer's KMS key, heal_bucket and the alarm of
# throttle_when take is not in it: attach to the role what `kcl-processor iam` prints for such a task.

locals {
  policies = jsondecode(templatefile("${path.module}/templates/policies.json.tftpl", {
    application = local.application
    source      = data.aws_dynamodb_table.source.arn
    stream      = data.aws_dynamodb_table.source.stream_arn
    destination = var.create_replica ? aws_dynamodb_table.replica[0].arn : data.aws_dynamodb_table.replica[0].arn
    leases      = aws_dynamodb_table.leases.arn
    coordinator = aws_dynamodb_table.coordinator.arn
    workers     = aws_dynamodb_table.workers.arn
    letters     = coalesce(var.dead_letter_queue_arn, "none")
  }))
  parts = toset(concat(["source", "kcl", "destination"], var.dead_letter_queue_arn == null ? [] : ["dead-letters"]))
}

data "aws_iam_policy_document" "ecs" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "task" {
  name               = "kcl-processor-${var.task}"
  assume_role_policy = coalesce(var.assume_role_policy, data.aws_iam_policy_document.ecs.json)
}

resource "aws_iam_role_policy" "task" {
  for_each = local.parts

  name = each.key
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = local.policies[each.key].Version
    Statement = [
      for statement in local.policies[each.key].Statement : statement
      if var.tools || !startswith(statement.Sid, "Tools")
    ]
  })
}
