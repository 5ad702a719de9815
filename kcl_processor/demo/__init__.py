"""A replica at work on one machine, without an AWS account: ``story`` on ``dynamodb_local``."""
