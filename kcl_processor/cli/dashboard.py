"""Print a CloudWatch dashboard and alarms for a task, as JSON that the aws command takes.

  kcl-processor dashboard TASK > body.json
  aws cloudwatch put-dashboard --dashboard-name TASK --dashboard-body file://body.json

  kcl-processor dashboard TASK --alarms --alarm-action TOPIC_ARN | jq -c '.[]' |
      while read -r alarm; do aws cloudwatch put-metric-alarm --cli-input-json "$alarm"; done

Alarms: a latency over 5 minutes; 6 and 18 hours of it, when the stream trims after 24; dead
letters; gaps; leases without an owner; no data from any record processor; no leader.
"""

from __future__ import annotations

import argparse

from kcl_processor.cli.output import print_json
from kcl_processor.cli.task import add_task_arguments, chosen_task
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.operate.dashboard import alarms, dashboard

HELP = "print a CloudWatch dashboard and alarms"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    parser.add_argument("--alarms", action="store_true", help="alarms instead of the dashboard")
    parser.add_argument(
        "--alarm-action",
        metavar="ARN",
        action="append",
        default=[],
        help="whom an alarm tells; may be given several times",
    )


def run(args: argparse.Namespace) -> int:
    task = chosen_task(args)
    if not task.metrics.publish:
        raise ConfigError(
            f"Task {task.name} publishes no metrics to CloudWatch.", "set metrics.publish to true"
        )
    print_json(alarms(task, args.alarm_action) if args.alarms else dashboard(task))
    return ExitCode.OK
