"""The engines that run one table on many machines: each part once, as the command takes it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kcl_processor.cli import build_parser
from kcl_processor.table.table_reader import Segment

PROPERTIES = Path(__file__).parents[1] / "properties"
TASK = "orders-to-west"


def parts_of(script: str, variable: str, count: int) -> list[Segment]:
    """The parts that a shell makes of a script when its variable counts from 0."""
    found = []
    for number in range(count):
        said = script.replace("exec kcl-processor", "printf '%s\\n'")
        ran = subprocess.run(
            ["sh", "-c", said], env={variable: str(number)}, capture_output=True, text=True
        )
        args = build_parser().parse_args(ran.stdout.splitlines())
        assert args.task == TASK
        found.append(args.part)
    return found


def test_the_pods_of_the_indexed_job_copy_each_part_once() -> None:
    """As many as the Job completes, and there is a state directory that a pod may write."""
    job: dict[str, Any] = yaml.safe_load((PROPERTIES / "copy-kubernetes.yml").read_text())
    assert job["spec"]["completionMode"] == "Indexed"
    count = job["spec"]["completions"]
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    shell, option, script = container["command"]
    assert (shell, option) == ("sh", "-c")
    parts = parts_of(script, "JOB_COMPLETION_INDEX", count)
    assert parts == [Segment(number, count) for number in range(count)]
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {entry["value"] for entry in container["env"]} <= mounted
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }


def test_the_jobs_of_the_array_copy_each_part_once() -> None:
    """As many as the array has."""
    job = json.loads((PROPERTIES / "copy-batch.json").read_text())
    count = job["arrayProperties"]["size"]
    script = job["containerOverrides"]["command"][2]
    parts = parts_of(script, "AWS_BATCH_JOB_ARRAY_INDEX", count)
    assert parts == [Segment(number, count) for number in range(count)]


@pytest.mark.parametrize("broken", ["", "b"])
def test_each_machine_copies_a_part_and_a_failure_is_told(tmp_path: Path, broken: str) -> None:
    """All of them are waited for, whichever fails."""
    ssh = tmp_path / "ssh"
    said = tmp_path / "said"
    ssh.write_text(f'#!/bin/sh\necho "$@" >> {said}\n[ "$1" != "{broken}" ]\n')
    ssh.chmod(0o755)
    ran = subprocess.run(
        [PROPERTIES / "copy-machines.sh", TASK, "a", "b", "c"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
    )
    assert ran.returncode == bool(broken)
    assert sorted(said.read_text().splitlines()) == [
        f"{machine} kcl-processor copy {TASK} --part {number}/3"
        for number, machine in enumerate("abc")
    ]
