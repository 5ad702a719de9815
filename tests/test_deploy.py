"""deploy/, .github/ and .pre-commit-config.yaml say what the product says. The tools that they are
for (docker, helm, terraform) are not asked here."""

from __future__ import annotations

import math
import re
import shlex
import subprocess
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from kcl_processor import __version__
from kcl_processor.cli import COMMANDS, build_parser, health
from kcl_processor.config.kcl_properties import DEFAULTS
from kcl_processor.config.task import APPLICATION_PREFIX, NAMED_TABLES
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.fleet.kcl_tables import KEYS, LEASE_INDEX
from kcl_processor.launch.service_units import systemd_unit
from kcl_processor.launcher.jars import read_manifest
from kcl_processor.table.table_reader import Segment

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
ENDS = {"", ".dockerignore", ".md", ".py", ".tf", ".tpl", ".txt", ".yaml", ".yml"}
TEXTS = {
    path.relative_to(DEPLOY).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(DEPLOY.rglob("*"))
    # Terraform puts its providers into .terraform, where it was run.
    if path.suffix in ENDS and path.is_file() and ".terraform" not in path.parts
}
DOCKERFILE, COMPOSE = TEXTS["Dockerfile"], yaml.safe_load(TEXTS["compose/compose.yml"])
STATEFUL_SET = TEXTS["chart/templates/statefulset.yaml"]
CONTAINER = TEXTS["chart/templates/_helpers.tpl"]
MAIN, ECS = TEXTS["terraform/main.tf"], TEXTS["terraform/ecs.tf"]
VALUES = yaml.safe_load(TEXTS["chart/values.yaml"])
WORKERS = [one for name, one in COMPOSE["services"].items() if name.startswith("worker")]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
PYTHONS = re.findall(
    r"Python :: (3\.\d+)", "\n".join(metadata("kcl-processor").get_all("Classifier") or [])
)


def spelled(text: str) -> str:
    """A text with a word in the place of each that is filled in later."""
    return re.sub(
        r"\{\{.*?\}\}|\$\(\w+\)|\$\{[\w-]+\}|\\?\"\$\w+\\?\"|\bvar\.task\b", "orders", text
    )


def commands_of(text: str) -> list[list[str]]:
    """Each command line in a text, without the product's name: as a list of words, as a shell has
    it, or as a job of the chart is put together."""
    text = spelled(text)
    lists = [
        [word.strip(" \"'") for word in one.split(",")]
        for one in re.findall(r"\[([^][\n]+)\]", text)
    ]
    found = [one[one.index("kcl-processor") + 1 :] for one in lists if "kcl-processor" in one]
    found += [one for one in lists if one[0] in COMMANDS]
    names = "|".join(COMMANDS)
    shell = rf"kcl-processor(?::[\d.]+)? ((?:{names})\b[^\"'`#|;&\n]*)"
    found += [shlex.split(line) for line in re.findall(shell, text)]
    jobs = r"task: ([\w-]+), command: (\w+)(?:, parts: \d+)?(?:, args: \[(.*?)\])?"
    for task, command, more in re.findall(jobs, text):
        words = (word.strip(' "') for word in more.split(","))
        found.append([command, task, *filter(None, words)])
    return [line for line in found if line]


PARSER = build_parser()
EVERY = sorted({(name, shlex.join(line)) for name in TEXTS for line in commands_of(TEXTS[name])})


@pytest.mark.parametrize("line", sorted({line for _, line in EVERY}))
def test_each_command_is_one_of_the_product(line: str) -> None:
    """With all its flags."""
    PARSER.parse_args(shlex.split(line))


def test_the_commands_are_found() -> None:
    """Or the test above would pass for want of any."""
    found: dict[str, set[str]] = {}
    for name, line in EVERY:
        found.setdefault(name, set()).add(line.partition(" ")[0])
    assert found["Dockerfile"] == {"health", "run"}
    assert found["compose/compose.yml"] == {"run", "start", "status", "verify"}
    assert found["chart/templates/statefulset.yaml"] == {"exporter", "health", "run"}
    assert found["chart/values.yaml"] >= {"copy", "verify"}
    assert found["terraform/ecs.tf"] == {"health", "run"}


@pytest.mark.parametrize("command", ["copy", "verify"])
def test_the_pods_of_an_indexed_job_do_each_part_once(command: str) -> None:
    """What their shell makes of the job's words and of the pod's index."""
    (line,) = re.findall(r"command: (\[sh.*\])", TEXTS["chart/templates/job.yaml"])
    words = yaml.safe_load(line.replace("{{ $job.parts }}", "8"))
    words = [word.replace("exec kcl-processor", "printf '%s\\n'") for word in words]
    parts = []
    for number in range(8):
        ran = subprocess.run(
            [*words, command, "orders"],
            env={"JOB_COMPLETION_INDEX": str(number)},
            capture_output=True,
            text=True,
            check=True,
        )
        args = PARSER.parse_args(ran.stdout.splitlines())
        assert args.task == "orders"
        parts.append(args.part)
    assert parts == [Segment(number, 8) for number in range(8)]


def test_the_versions_are_the_packages() -> None:
    """Of the chart, of every image's tag, of DynamoDB Local, and of Python."""
    chart = yaml.safe_load(TEXTS["chart/Chart.yaml"])
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
    tags = re.findall(r"kcl-processor:(\d[\w.]*)", "\n".join(TEXTS.values()))
    assert len(tags) > 3 and set(tags) == {__version__}
    local = COMPOSE["services"]["dynamodb"]["image"].partition(":")[2]
    assert local in {jar.version for jar in read_manifest().jars if jar.artifact == "DynamoDBLocal"}
    (python,) = re.findall(r"^ARG PYTHON=(.*)$", DOCKERFILE, re.MULTILINE)
    assert python in PYTHONS


def test_what_terraform_takes_from_the_product_is_up_to_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The policies that `iam` prints and the alarms that `dashboard` prints, action by action."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import deploy_templates

    made = deploy_templates.templates()
    assert made == {path: (ROOT / path).read_text(encoding="utf-8") for path in made}
    for path in made:
        assert (
            f"templates/{Path(path).name}"
            in TEXTS["terraform/iam.tf"] + TEXTS["terraform/alarms.tf"]
        )


def test_the_checkpoint_tables_are_kcls() -> None:
    """By their names, keys and the index."""
    tables = re.findall(
        r'resource "aws_dynamodb_table" "(leases|coordinator|workers)" \{\n'
        r'.*?name += (?:local\.application|"\$\{local\.application\}(.*?)")\n'
        r'.*?hash_key += "(\w+)"',
        MAIN,
        re.DOTALL,
    )
    suffixes = {"leases": "", "coordinator": "", "workers": ""}
    suffixes["coordinator"], suffixes["workers"] = NAMED_TABLES.values()
    assert {name: (suffix, key) for name, suffix, key in tables} == {
        name: (suffixes[name], key) for name, key in KEYS.items()
    }
    assert f'"{LEASE_INDEX}"' in MAIN
    assert f'"{APPLICATION_PREFIX}${{var.task}}")' in MAIN


def test_a_stop_has_the_time_of_a_systemd_unit() -> None:
    """In compose, in the chart and on ECS: shutdownGraceMillis and a margin."""
    (task,) = load_tasks(DEPLOY / "compose" / "kcl-processor.yml")
    (stop,) = re.findall(r"TimeoutStopSec=(\d+)", systemd_unit(task, []))
    grace = int(DEFAULTS["shutdownGraceMillis"])
    margin = int(stop) - math.ceil(grace / 1000)
    assert [worker["stop_grace_period"] for worker in WORKERS] == [f"{stop}s"] * 2
    assert f'"shutdownGraceMillis" | default {grace} |' in STATEFUL_SET
    assert f"add (ceil (divf $grace 1000)) {margin} }}}}" in STATEFUL_SET
    assert f"shutdownGraceMillis, {grace})) / 1000) + {margin}\n" in ECS


def test_a_worker_is_probed_as_the_help_of_health_says() -> None:
    """By Docker, Kubernetes and ECS: from when on, how often, and for how long."""
    probe = r"initialDelaySeconds: (\d+),?\s+periodSeconds: (\d+),?\s+timeoutSeconds: (\d+)"
    (said,) = re.findall(probe, health.__doc__ or "")
    assert re.findall(rf"livenessProbe:\n.*\n\s+{probe}", STATEFUL_SET) == [said]
    docker = r"--start-period=(\d+)s --interval=(\d+)s --timeout=(\d+)s --retries=(\d+)"
    ecs = r"startPeriod = (\d+)\s+interval += (\d+)\s+timeout += (\d+)\s+retries += (\d+)"
    (ours,) = re.findall(docker, DOCKERFILE)
    assert ours[:3] == said and re.findall(ecs, ECS) == [ours]


def test_the_exporter_listens_where_it_does_by_itself() -> None:
    """The port that the chart names is its own."""
    port = PARSER.parse_args(["exporter"]).port
    assert f'--port, "{port}"]' in STATEFUL_SET and f"containerPort: {port}}}" in STATEFUL_SET
    assert f"at port {port} of each worker" in TEXTS["chart/values.yaml"]


def test_the_tasks_are_the_products(tmp_path: Path) -> None:
    """Those of the chart's values and of compose can be loaded."""
    path = tmp_path / "kcl-processor.yml"
    path.write_text(yaml.safe_dump({"tasks": VALUES["tasks"]}))
    assert [task.name for task in load_tasks(path)] == list(VALUES["tasks"])
    (task,) = load_tasks(DEPLOY / "compose" / "kcl-processor.yml")
    assert not task.metrics.publish
    ends = {task.source.endpoint, task.destination.endpoint, task.kcl.endpoint}
    assert ends == {"http://dynamodb:8000"}


def test_nothing_is_written_but_to_volumes() -> None:
    """The image's are mounted by whoever makes its root read-only, and nobody is root."""
    (line,) = re.findall(r"^VOLUME (.*)$", DOCKERFILE, re.MULTILINE)
    volumes = set(yaml.safe_load(line))
    environment = dict(re.findall(r"(KCL_PROCESSOR_\w+)=(\S+)", DOCKERFILE))
    assert environment["KCL_PROCESSOR_STATE"] in volumes
    user = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert int(user[0]) >= 10000
    assert f"runAsUser: {user[0]}" in CONTAINER and f"fsGroup: {user[1]}" in CONTAINER
    config = environment["KCL_PROCESSOR_CONFIG"]
    mounts = re.findall(r"- \{name: (\w+), mountPath: ([\w/]+)(, readOnly: true)?\}", CONTAINER)
    assert {path for _, path, read_only in mounts if not read_only} == volumes
    assert {path for _, path, read_only in mounts if read_only} == {str(Path(config).parent)}
    assert f"{Path(config).name}: |" in TEXTS["chart/templates/configmap.yaml"]
    (folders,) = re.findall(r"folders += \{(.*)\}", ECS)
    assert set(re.findall(r'"(.*?)"', folders)) == volumes
    for worker in WORKERS:
        places = {volume.partition(":")[2] for volume in worker["volumes"]}
        places |= {place.partition(":")[0] for place in worker["tmpfs"]}
        assert worker["read_only"] and places == volumes
        assert worker["configs"][0]["target"] == config


def test_the_image_is_built_of_what_is_let_through() -> None:
    """All that setup.py reads is there, and all that is let through."""
    let = re.findall(r"^!(.*)$", TEXTS["Dockerfile.dockerignore"], re.MULTILINE)
    assert [name for name in let if not (ROOT / name).exists()] == []
    read = {"README.md", "pyproject.toml", "setup.py", "LICENSE", "LICENSES", "THIRD_PARTY.md"}
    assert read | {"kcl_processor"} <= set(let)
    copied = re.findall(r"^COPY (\S+) /src/", DOCKERFILE, re.MULTILINE)
    assert copied and set(copied) <= set(let)


def test_the_usual_host_runs_the_tests_on_each_python() -> None:
    """By the same scripts as everybody."""
    (job,) = WORKFLOW["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == PYTHONS
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        "scripts/test",
        "scripts/coverage",
    ]


def test_the_hooks_are_the_checks_of_the_tests() -> None:
    """Each line of scripts/test that comes before pytest, and no other."""
    script = (ROOT / "scripts" / "test").read_text(encoding="utf-8")
    checks = re.findall(r"^((?:ruff|lint-imports|mypy)[^&\n]*?)(?: &)?$", script, re.MULTILINE)
    (repository,) = HOOKS["repos"]
    entries: list[Any] = [hook["entry"] for hook in repository["hooks"]]
    assert len(checks) == 4
    assert entries == [f".venv/bin/{check}" for check in checks]
