terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
      # aws: where the source and the checkpoints are. aws.destination: where the replica is.
      configuration_aliases = [aws.destination]
    }
  }
}
