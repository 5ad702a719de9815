"""The rooms and their floors, and the tests, which stand as the package does:
tests/<room>/test_<module>.py, or a reason why not."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import kcl_processor
from tests.readme import README

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "kcl_processor", ROOT / "tests"

# Module: why it has no test file of its name, and what covers it instead.
COVERED_ELSEWHERE = {
    "__main__": (
        "it hands over to cli.main; every story starts its commands through it",
        ["integration/test_replicate.py"],
    ),
    "aws/credential_errors": (
        "it words what a look for credentials raises; each look that fails meets it",
        ["tests/aws/test_credentials.py"],
    ),
    "cli/exporter": (
        "it serves what operate/prometheus and operate/page_server have, until it is stopped",
        ["tests/operate/test_page_server.py", "integration/test_metrics.py"],
    ),
    "cli/start": (
        "it becomes a daemon after prepare and copy, so it takes a whole replica",
        ["integration/test_copy_then_follow.py"],
    ),
    "demo/dynamodb_local": (
        "it starts the Java program that integration/ runs on",
        ["integration/test_simulator_local.py"],
    ),
    "operate/uneven": (
        "it is what the doctor warns of, and the README's table holds it",
        ["tests/operate/test_doctor.py", "tests/test_docs.py"],
    ),
    "replicate/destination": (
        "it has no branches: what it sends is read back from a table, and counted",
        ["tests/replicate/test_types.py", "tests/replicate/test_cost.py"],
    ),
    "replicate/shard": (
        "it wires what one child needs; the real child is spoken to",
        ["tests/replicate/test_child.py"],
    ),
    "table/access": (
        "it wires a side of a task; whole tables are read and written through it",
        ["tests/cli/test_verify.py", "integration/test_copy.py"],
    ),
    "table/copy_book": (
        "it is where a copy's reports go, and what it goes on from is read there",
        ["tests/table/test_table_copy.py"],
    ),
    "table/held_row": (
        "it is a part's row as one process holds it, whatever is done to the part",
        ["tests/table/test_parts.py"],
    ),
    "table/laid_sample": (
        "it reads what `transform` shows, and whole commands are run on tables",
        ["tests/cli/test_transform.py"],
    ),
    "table/managed_row": (
        "it is what a copy that AWS makes goes on from",
        ["tests/table/test_managed_copy.py"],
    ),
    "table/hold": (
        "it is what the holds on whole copies and on parts share, and both are held",
        ["tests/table/test_copy_hold.py", "tests/table/test_parts.py"],
    ),
    "table/part_hold": (
        "it is a part's side of a copy's mark; parts are copied beside each other",
        ["tests/table/test_parts.py", "integration/test_copy_in_parts.py"],
    ),
    "table/part_row": (
        "it is what a part goes on from, on any host",
        ["tests/table/test_parts.py", "integration/test_copy_in_parts.py"],
    ),
    "table/live_share": (
        "it wires what one process of a live copy needs; whole copies run in several",
        ["tests/table/test_live_task.py", "integration/test_live_copy.py"],
    ),
    "table/copy_progress": (
        "it is what a copy that died goes on from",
        ["tests/table/test_table_copy.py"],
    ),
    "table/copy_share": (
        "it wires what one process of a copy needs; whole copies run in several",
        ["integration/test_copy.py"],
    ),
    "table/copy_sides": (
        "it describes a task's tables; plans and whole runs begin with it",
        ["tests/cli/test_copy.py", "integration/test_copy.py"],
    ),
    "table/copy_task": (
        "it joins locks, checks and the copy: whole runs, also killed ones",
        ["tests/cli/test_copy.py", "integration/test_copy.py"],
    ),
    "table/proof_notes": (
        "it notes what whole runs and looks at single keys come to",
        ["tests/table/test_recheck.py", "tests/table/test_proof_task.py"],
    ),
    "table/verify_task": (
        "it joins processes that compare: whole runs on real tables",
        ["tests/cli/test_verify.py", "integration/test_verify.py"],
    ),
}

# Test files that hold for several modules together, or for what is no module.
OF_NO_MODULE = {
    "test_hostile": "files and rows of anything, over all that read them",
    "cli/test_unfinished_copy": "a copy that is not whole, over all commands",
    "table/test_ruled_tables": "whole runs of copy, verify and replay under rules",
    "table/test_from_export": "whole copies of exports, over manifests, files, marks and parts",
    "table/test_parts": "a copy in parts, over the rows and the mark",
    "table/test_live_argument": "why a copy may run beside the daemon, on a model",
    "cli/test_others_tables": "whose checkpoints these are, over all commands",
    "cli/test_one_table": "a table under two spellings, over all commands that write",
    "aws/test_settings": "the README's table of AWS settings, over wire and clients",
    "launcher/test_java_source": "what Java and Python both keep, and must keep alike",
    "replicate/test_cost": "the price of a change, over all stages",
    "replicate/test_types": "any item, over all stages, unchanged",
    "test_audit": "properties/requirements.lock and scripts/audit",
    "test_deploy": "deploy/, the workflow and the hooks, over all that they name",
    "test_docs": "README.md and the pages beside the code",
    "test_packages": "what setup.py makes of the project's pages",
    "test_parts_examples": "properties/copy-*, which run parts on many machines",
    "test_helper_script": "scripts/kcl_processor_helper.py",
    "test_rooms": "this rule",
    "test_versions": "what must not name a version twice: the build, the scripts, the README",
}


def modules() -> set[str]:
    """The package's modules; an ``__init__`` that holds code counts under its room's name."""
    found = {path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py")}
    plain = {path.as_posix() for path in found if path.name != "__init__"}
    rooms = {path.parent.as_posix() for path in found if path.name == "__init__"}
    return plain | {room for room in rooms if room != "." and holds_code(room)}


def holds_code(room: str) -> bool:
    """Whether a room's ``__init__`` defines anything."""
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)


def named() -> set[str]:
    """The modules after which test files are named."""
    files = {path.relative_to(TESTS).with_suffix("") for path in TESTS.rglob("test_*.py")}
    names = {path.as_posix() for path in files} - OF_NO_MODULE.keys()
    return {name.replace("test_", "", 1) for name in names}


def floors() -> list[set[str]]:
    """The rooms by their floors, from the top, as lint-imports has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    return [set(re.findall(r"\w+", layer)) for layer in layers]


def test_the_readme_shows_the_floors_that_are_checked() -> None:
    """Each room on its floor, for whoever looks where a thing belongs."""
    (table,) = re.findall(r"^\| room, .*\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    rows = [line.split("|")[1] for line in table.splitlines()]
    assert [set(re.findall(r"`(\w+)(?:/|\.py)`", row)) for row in rows] == floors()


def test_the_package_tells_the_floors_that_are_checked() -> None:
    """From the top; what stands between two semicolons is one floor."""
    (text,) = re.findall(r"from a floor above: (.*?)\.\n", kcl_processor.__doc__ or "", re.DOTALL)
    assert [set(re.findall(r"``(\w+)``", floor)) for floor in text.split(";")] == floors()


def test_every_module_has_a_test_file_or_a_reason() -> None:
    """And not both."""
    assert not modules() - named() - COVERED_ELSEWHERE.keys()
    assert not COVERED_ELSEWHERE.keys() & named()


def test_every_test_file_has_a_module() -> None:
    """One that was renamed or is gone takes its tests along."""
    assert not named() - modules()
    assert not COVERED_ELSEWHERE.keys() - modules()
    assert not [name for name in OF_NO_MODULE if not (TESTS / f"{name}.py").exists()]


def test_what_is_said_to_cover_a_module_is_there() -> None:
    """Each reason names a file at least."""
    files = [name for _, names in COVERED_ELSEWHERE.values() for name in names]
    assert not [name for name in files if not (ROOT / name).exists()]
    assert all(names for _, names in COVERED_ELSEWHERE.values())
