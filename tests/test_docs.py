"""The documents say what the product does: help texts, exit codes, commands, examples."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.cli import COMMANDS, build_parser, with_action
from kcl_processor.cli.transform import item_lines
from kcl_processor.config.access import Access, Role
from kcl_processor.config.task import SKIP, Kcl, Metrics, Source, Task, ThrottleWhen
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import MEANINGS, ExitCode
from kcl_processor.launch.service_units import FINAL, systemd_unit, unit_name
from kcl_processor.operate.lineage import STATES
from kcl_processor.operate.uneven import UNEVEN
from kcl_processor.replicate.metrics import LATENCY_METRIC, METRICS
from kcl_processor.table.laid_sample import laid
from kcl_processor.transform.item_text import read_item
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Transform
from tests import readme
from tests.aws_settings import SETTINGS

ROOT = Path(__file__).parents[1]
README, GUIDE, PAGES = readme.README, readme.GUIDE, readme.PAGES
RULES = "kcl_processor/transform/README.md"
PARSER = build_parser()
# Where systemd keeps what it calls %S, for a unit of the system (systemd.unit(5)).
STATE = "/var/lib"


def commands_of(text: str) -> set[str]:
    """Each command that a text shows: at a prompt, in a unit, as a probe, or in a sentence.

    In sentences the program's name may be left out. A choice of words gives a command for each.
    """
    inline = [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
    named = [f"kcl-processor {span}" for span in inline if span.split()[0] in COMMANDS]
    shown = [
        *re.findall(r"^ *\$ (kcl-processor .*)$", text, re.MULTILINE),
        *re.findall(r"'(kcl-processor [^'|]+)", text),
        *(probe.replace(",", "") for probe in re.findall(r"command: \[([^]]+)\]", text)),
        *(span for span in inline if span.startswith("kcl-processor ")),
        *(span for span in named if " --" in span),
    ]
    words = [[word.split("|") for word in shlex.split(line, comments=True)] for line in shown]
    return {shlex.join(chosen) for line in words for chosen in itertools.product(*line)}


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse words its help anew in 3.13")
def test_what_is_generated_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """scripts/update_readme.py would change nothing."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import update_readme

    assert update_readme.pages().items() <= PAGES.items()


def test_the_readme_is_read_in_a_sitting() -> None:
    """And leads to every page."""
    front = PAGES["README.md"]
    assert len(front.splitlines()) < 200
    assert set(PAGES) - set(links("README.md")) == {"README.md"}


def test_the_readme_lists_every_exit_code() -> None:
    """The table of exit codes is complete, but for those of `status` alone."""
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert listed == {int(code) for code in ExitCode} - {ExitCode.NOT_RUNNING, ExitCode.UNKNOWN}


def test_the_readme_and_the_product_say_the_same_of_each_exit_code() -> None:
    """What `status` says of an end is found again in the table."""
    rows = dict(re.findall(r"^\| (\d+) \| (.*?) \|", README, re.MULTILINE))
    of_switchover = rows.pop(str(int(ExitCode.WRITTEN)))
    assert of_switchover.startswith("`switchover` alone")
    assert rows.keys() == {str(int(code)) for code in MEANINGS}
    for code, meaning in MEANINGS.items():
        assert meaning in rows[str(int(code))]


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of the commands, or of the actions of one that has some."""
    below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    yield from (found for a in below for choice in a.choices.values() for found in parsers(choice))
    if not below:
        yield parser


def test_every_command_that_prints_a_result_takes_json() -> None:
    """The others go on until they are stopped, write files, or print JSON as it is."""
    every = {parser.prog.removeprefix("kcl-processor "): parser for parser in parsers(PARSER)}
    without = {name for name, parser in every.items() if "--json" not in parser.format_help()}
    others = {"start", "run", "demo", "exporter", "render", "iam", "dashboard"}
    assert without == others | {"completion", "man"}


def test_the_readme_and_the_units_restart_after_the_same_exit_codes() -> None:
    """A row that says `no` is a code that leaves a supervised daemon stopped."""
    said = dict(re.findall(r"^\| (\d+) \| .* \| (yes|no|) ?\|$", README, re.MULTILINE))
    assert {code for code, restart in said.items() if restart == "no"} == {
        str(int(code)) for code in FINAL
    }
    never = {str(int(code)) for code in (ExitCode.OK, ExitCode.WRITTEN)}
    assert {code for code, restart in said.items() if not restart} == never
    (left,) = re.findall(r"leave it stopped on ([\d, and]+),", " ".join(README.split()))
    assert re.findall(r"\d+", left) == [str(int(code)) for code in FINAL]


def test_every_command_has_a_module_of_its_own() -> None:
    """One command, one module, and no module of a command that is not offered."""
    modules = {path.stem for path in (ROOT / "kcl_processor" / "cli").glob("*.py")}
    printing = {"hint", "managed", "output", "plan", "progress", "rechecked", "report"}
    printing |= {"verified", "watch"}
    helpers = {"__init__", "beside", "described", "parser", "ranges", "streams", "task"}
    helpers |= printing
    assert modules - helpers == set(COMMANDS)


def links(page: str) -> list[str]:
    """The files that a page leads to, by their paths in the project."""
    found = re.findall(r"\]\(([^)#]+)[^)]*\)", PAGES[page])
    near = (target for target in found if not target.startswith("http"))
    return [os.path.normpath(Path(page).parent / target) for target in near]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page: str) -> None:
    """No link, no heading behind one, and no path leads nowhere."""
    named = re.findall(r"`((?:scripts|properties|tests|integration)/[\w./-]+)`", PAGES[page])
    assert not [path for path in [*links(page), *named] if not (ROOT / path).exists()]
    for target, heading in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", PAGES[page]):
        there = PAGES[os.path.normpath(Path(page).parent / target) if target else page]
        titles = re.findall(r"^#+ (.+)$", there, re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in titles}


@pytest.mark.parametrize("command", sorted(commands_of(GUIDE)))
def test_the_commands_of_the_guide_can_be_typed(command: str) -> None:
    """Capital words stand for something, and are something for the parser, too."""
    _, *words = shlex.split(command.replace("I/N", "0/8"))
    PARSER.parse_args(with_action(words))


def test_the_example_shows_every_key() -> None:
    """The README says so. Some of them stand behind a `#`; a task's name is its key."""
    text = (ROOT / "properties" / "example.yml").read_text()
    shown = set(re.findall(r"^ +(?:# )?(\w+):", text, re.MULTILINE))
    parts = (Task, Source, Kcl, Metrics, Rules, Access, Role, ThrottleWhen)
    keys = {one.name for part in parts for one in fields(part)} | {"queue"}
    # Those of Access stand beside the others.
    keys -= {"access", "letters_access"}
    spelled = {"rules": "transform", "arn": "role_arn"}
    assert {spelled.get(key, key) for key in keys} - shown == {"name"}


def test_the_guide_names_the_unit_that_is_rendered_and_its_state() -> None:
    """A probe that looked elsewhere would find no worker there, and nothing to complain of."""
    task = load_tasks(ROOT / "properties" / "example.yml")[0]
    units = re.findall(r"systemctl [\w-]+ ([\w@.-]+)", GUIDE)
    assert units and set(units) == {unit_name(task).replace(task.name, "orders")}
    (state,) = re.findall(r"--state-dir %S/(\S+)", systemd_unit(task, []))
    assert set(re.findall(r"--state-dir (/[\w/-]+)", GUIDE)) == {f"{STATE}/{state}"}


def filter_and_transform(language: str) -> list[str]:
    """The blocks about rules, in a language; in none, for outputs."""
    blocks: list[tuple[str, str]] = re.findall(
        r"^```(\w*)\n(.*?)^```$", PAGES[RULES], re.M | re.DOTALL
    )
    return [text for name, text in blocks if name == language]


def test_the_readmes_rules_can_be_used(tmp_path: Path) -> None:
    """It has all of them, and its table, too."""
    (text,) = filter_and_transform("yaml")
    path = tmp_path / "kcl-processor.yml"
    path.write_text(text)
    (task,) = load_tasks(path)
    assert task.rules is not None and task.ttl_deletes == SKIP
    left_out = {name for name, value in asdict(task.rules).items() if not value}
    assert left_out == {"include", "allow_collisions"}
    (table,) = re.findall(r"^\| key of `transform`.*\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    listed = [
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])
    ]
    assert listed == [field.name for field in fields(Rules)]


def test_the_readme_shows_what_its_rules_make_of_an_item(tmp_path: Path) -> None:
    """Those in the YAML; its function leaves such an item alone."""
    (text,), (shown,) = filter_and_transform("yaml"), filter_and_transform("")
    path = tmp_path / "kcl-processor.yml"
    path.write_text(re.sub("^ +python: .*\n", "", text, flags=re.MULTILINE))
    (task,) = load_tasks(path)
    assert task.rules is not None
    order = {"tenant": "acme", "id": "17", "status": "paid", "total": 12.5, "card": "4111"}
    item = read_item(json.dumps({**order, "customer": "c-9"}))
    keys = {"tenant": "S", "id": "S"}
    one = laid(Transform(task.rules, keys, {"pk": "S"}), item)
    assert "\n".join(item_lines(one, list(keys))) == shown.partition("\n")[2].rstrip()


def test_the_readmes_function_and_its_test_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they stand."""
    rule, test = filter_and_transform("python")
    (tmp_path / "mypackage").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "mypackage" / "rules.py").write_text(rule)
    keys, new = {"id": {"S": "7"}}, {"address": {"M": {"city": {"S": "Oslo"}}}}
    record = {"Keys": keys, "NewImage": {**keys, **new}, "SequenceNumber": "1"}
    line = json.dumps({"eventName": "INSERT", "dynamodb": record})
    (tmp_path / "tests" / "order.jsonl").write_text(line)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(test, names)
    names["test_an_address_is_flattened"]()


def test_the_guide_says_of_each_state_what_the_product_says() -> None:
    """`leases --help` prints the product's words."""
    (table,) = re.findall(r"^\| state \|.*\n\|[-|]+\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    assert dict(re.findall(r"^\| `([\w-]+)` \| (.+?) \|", table, re.MULTILINE)) == STATES


def test_the_guide_lists_every_metric() -> None:
    """All that a record processor publishes, and nothing else."""
    listed = re.findall(r"^\| `(\w+)` \| (?:Count|Milliseconds) \|", GUIDE, re.MULTILINE)
    assert sorted(listed) == sorted([*METRICS, LATENCY_METRIC])


def test_each_aws_setting_of_the_table_is_tested() -> None:
    """A row without a scene would be a claim without a proof."""
    assert list(readme.settings()) == list(SETTINGS)


def test_the_doctor_warns_of_what_not_everybody_obeys() -> None:
    """Where the cells of a row disagree, what passes here fails there."""
    uneven = {
        name
        for name, said in readme.settings().items()
        if len({readme.obeyed_by(asker, name) for asker in said}) > 1
    }
    assert {re.findall(r"`(\w+)`", name)[0] for name in uneven} == set(UNEVEN)
