# Workers on Fargate, which share the task. Each new one has an id of its own, for its host's name is
# new; one that is stopped hands its shards over first. Its files go with it: name a queue of dead letters.

locals {
  services = var.service == null ? {} : { service = var.service }
  # Beyond shutdownGraceMillis, so that last checkpoints are not cut. Fargate grants 120 seconds.
  stop_seconds = ceil(tonumber(try(var.settings.kcl.properties.shutdownGraceMillis, 30000)) / 1000) + 15
  folders      = { state = "/state", logs = "/logs", tmp = "/tmp" }
}

resource "aws_cloudwatch_log_group" "task" {
  for_each = local.services

  name              = "/kcl-processor/${var.task}"
  retention_in_days = each.value.log_days
}

# Fetches the image and writes the log; the containers themselves have the task's role.
resource "aws_iam_role" "execution" {
  for_each = local.services

  name               = "kcl-processor-start-${var.task}"
  assume_role_policy = data.aws_iam_policy_document.ecs.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  for_each = local.services

  role       = aws_iam_role.execution[each.key].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_ecs_task_definition" "task" {
  for_each = local.services

  family                   = "kcl-processor-${replace(var.task, ".", "_")}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution[each.key].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = each.value.architecture
  }

  # They belong to the image's user, as the image declares them.
  dynamic "volume" {
    for_each = local.folders
    content {
      name = volume.key
    }
  }

  container_definitions = jsonencode([{
    name                   = "kcl-processor"
    image                  = each.value.image
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = local.stop_seconds
    entryPoint             = ["sh", "-c"]
    command = [
      "printf %s \"$TASKS\" > /state/kcl-processor.yml && exec kcl-processor run \"$TASK\" --log-dir /logs"
    ]
    environment = [
      { name = "KCL_PROCESSOR_CONFIG", value = "/state/kcl-processor.yml" },
      { name = "TASK", value = var.task },
      { name = "TASKS", value = local.tasks },
    ]
    mountPoints = [for name, path in local.folders : { sourceVolume = name, containerPath = path, readOnly = false }]
    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { drop = ["ALL"] }
    }
    healthCheck = {
      command     = ["CMD", "kcl-processor", "health", var.task, "--local"]
      startPeriod = 60
      interval    = 30
      timeout     = 20
      retries     = 3
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.task[each.key].name
        awslogs-region        = local.region
        awslogs-stream-prefix = "worker"
      }
    }
  }])

  lifecycle {
    precondition {
      condition     = local.stop_seconds <= 120
      error_message = "Fargate grants a stop 120 seconds: shutdownGraceMillis may be 105000 at most."
    }
  }
}

resource "aws_ecs_service" "task" {
  for_each = local.services

  name            = "kcl-processor-${replace(var.task, ".", "_")}"
  cluster         = each.value.cluster_arn
  task_definition = aws_ecs_task_definition.task[each.key].arn
  desired_count   = each.value.workers
  launch_type     = "FARGATE"

  network_configuration {
    subnets         = each.value.subnets
    security_groups = each.value.security_groups
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  depends_on = [aws_iam_role_policy.task, aws_iam_role_policy_attachment.execution]
}
