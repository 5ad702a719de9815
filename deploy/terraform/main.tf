# One task: its replica, its checkpoint tables, its role. The service and the alarms stand beside.

data "aws_dynamodb_table" "source" {
  name = var.source_table

  lifecycle {
    postcondition {
      condition     = self.stream_enabled && self.stream_view_type == "NEW_AND_OLD_IMAGES"
      error_message = "The source's stream is to be on, with NEW_AND_OLD_IMAGES. Try: kcl-processor prepare"
    }
  }
}

data "aws_region" "destination" {
  provider = aws.destination
}

locals {
  # arn:partition:dynamodb:region:account:table/name
  arn         = split(":", data.aws_dynamodb_table.source.arn)
  partition   = local.arn[1]
  region      = local.arn[3]
  application = try(var.settings.kcl.application_name, "DynamoDBCrossRegionReplication${var.task}")
  replica     = coalesce(var.replica_table, var.source_table)
  letters     = var.dead_letter_queue_arn == null ? {} : { on_poison = "dead-letter", dead_letters = var.dead_letter_queue_arn }

  # The tasks' file.
  tasks = yamlencode({
    tasks = {
      (var.task) = merge(local.letters, var.settings, {
        source      = merge({ region = local.region, table = var.source_table }, try(var.settings.source, {}))
        destination = merge({ region = data.aws_region.destination.name, table = local.replica }, try(var.settings.destination, {}))
      })
    }
  })
}

resource "aws_dynamodb_table" "replica" {
  count    = var.create_replica ? 1 : 0
  provider = aws.destination

  name                        = local.replica
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = data.aws_dynamodb_table.source.hash_key
  range_key                   = try(coalesce(data.aws_dynamodb_table.source.range_key), null)
  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = [
      for attribute in data.aws_dynamodb_table.source.attribute : attribute
      if contains([data.aws_dynamodb_table.source.hash_key, data.aws_dynamodb_table.source.range_key], attribute.name)
    ]
    content {
      name = attribute.value.name
      type = attribute.value.type
    }
  }

  point_in_time_recovery {
    enabled = true
  }
}

data "aws_dynamodb_table" "replica" {
  count    = var.create_replica ? 0 : 1
  provider = aws.destination
  name     = local.replica
}

# As `kcl-processor run` makes them where they are missing. Without the first the whole stream is read anew.
resource "aws_dynamodb_table" "leases" {
  name                        = local.application
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "leaseKey"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "leaseKey"
    type = "S"
  }

  attribute {
    name = "leaseOwner"
    type = "S"
  }

  global_secondary_index {
    name            = "LeaseOwnerToLeaseKeyIndex"
    hash_key        = "leaseOwner"
    range_key       = "leaseKey"
    projection_type = "KEYS_ONLY"
  }
}

resource "aws_dynamodb_table" "coordinator" {
  name                        = "${local.application}-CoordinatorState"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "key"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "key"
    type = "S"
  }
}

resource "aws_dynamodb_table" "workers" {
  name         = "${local.application}-WorkerMetricStats"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "wid"

  attribute {
    name = "wid"
    type = "S"
  }
}
