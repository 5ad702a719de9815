terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

provider "aws" {
  alias  = "west"
  region = "us-west-2"
}

module "orders_to_west" {
  source    = "../"
  providers = { aws = aws, aws.destination = aws.west }

  task         = "orders-to-west"
  source_table = "orders"
  settings     = { on_gap = "continue" }

  service = {
    image           = "registry.example.com/kcl-processor:0.1.0"
    cluster_arn     = "arn:aws:ecs:us-east-1:123456789012:cluster/replicas"
    subnets         = ["subnet-0123456789abcdef0"]
    security_groups = ["sg-0123456789abcdef0"]
  }
}
