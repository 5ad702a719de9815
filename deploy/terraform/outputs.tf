output "role_arn" {
  description = "For the chart's serviceAccount.roleArn, or wherever else the task runs."
  value       = aws_iam_role.task.arn
}

output "tasks" {
  description = "The tasks' file, for the commands on another host."
  value       = local.tasks
}

output "replica_arn" {
  value = var.create_replica ? aws_dynamodb_table.replica[0].arn : data.aws_dynamodb_table.replica[0].arn
}
