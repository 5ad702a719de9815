# What `kcl-processor dashboard TASK --alarms` prints; written and held as the policies are.

locals {
  alarms = jsondecode(templatefile("${path.module}/templates/alarms.json.tftpl", {
    application = local.application
    task        = var.task
  }))
}

resource "aws_cloudwatch_metric_alarm" "task" {
  for_each = { for alarm in local.alarms : trimprefix(alarm.AlarmName, "${local.application}-") => alarm }

  alarm_name          = each.value.AlarmName
  alarm_description   = each.value.AlarmDescription
  namespace           = each.value.Namespace
  metric_name         = each.value.MetricName
  dimensions          = { for dimension in each.value.Dimensions : dimension.Name => dimension.Value }
  statistic           = each.value.Statistic
  period              = each.value.Period
  evaluation_periods  = each.value.EvaluationPeriods
  threshold           = each.value.Threshold
  comparison_operator = each.value.ComparisonOperator
  treat_missing_data  = each.value.TreatMissingData
  alarm_actions       = var.alarm_actions
}
