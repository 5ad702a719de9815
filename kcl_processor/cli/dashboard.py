"""Print a dashboard and alarms for a task, for CloudWatch or for Grafana and Prometheus.

CloudWatch's are JSON that the aws command takes:

  kcl-processor dashboard TASK > body.json
  aws cloudwatch put-dashboard --dashboard-name TASK --dashboard-body file://body.json

  kcl-processor dashboard TASK --alarms --alarm-action TOPIC_ARN | jq -c '.[]' |
      while read -r alarm; do aws cloudwatch put-metric-alarm --cli-input-json "$alarm"; done

Alarms: a latency over 5 minutes; 6 and 18 hours of it, when the stream trims after 24; dead
letters; gaps; leases without an owner; no data from any record processor; no leader.

The others are over what `exporter` serves: import the first, name the second under rule_files.

  kcl-processor dashboard TASK --grafana > TASK.json
  kcl-processor dashboard TASK --prometheus-rules > TASK.yml

Alerts: no exporter; no daemon on any host that is scraped; 5 minutes, 6 and 18 hours behind; a
shard of which nothing is applied; dead letters; gaps; differences that verify has found.
"""

from __future__ import annotations

import argparse

import yaml

from kcl_processor.cli.hint import again
from kcl_processor.cli.output import print_json
from kcl_processor.cli.task import add_task_arguments, chosen_task
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.operate.dashboard import alarms, dashboard
from kcl_processor.operate.grafana import alert_rules, grafana

HELP = "print a dashboard and alarms, for CloudWatch or for Grafana"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--alarms", action="store_true", help="alarms instead of the dashboard")
    kind.add_argument("--grafana", action="store_true", help="a dashboard for Grafana 10 or later")
    kind.add_argument(
        "--prometheus-rules", action="store_true", help="alert rules for Prometheus, in YAML"
    )
    parser.add_argument(
        "--alarm-action",
        metavar="ARN",
        action="append",
        default=[],
        help="whom an alarm tells; may be given several times",
    )


def run(args: argparse.Namespace) -> int:
    task = chosen_task(args)
    if args.alarm_action and not args.alarms:
        kept = again(args, "--grafana", "--prometheus-rules")
        raise ConfigError("--alarm-action is of --alarms.", f"{kept} --alarms")
    if args.grafana:
        print_json(grafana(task))
        return ExitCode.OK
    if args.prometheus_rules:
        print(yaml.safe_dump(alert_rules(task), sort_keys=False, width=100), end="")
        return ExitCode.OK
    if not task.metrics.publish:
        raise ConfigError(
            f"Task {task.name} publishes no metrics to CloudWatch.", "set metrics.publish to true"
        )
    print_json(alarms(task, args.alarm_action) if args.alarms else dashboard(task))
    return ExitCode.OK
