"""What the launcher's Java must hold as well as the Python: read from its source, and compared."""

from __future__ import annotations

import re

import pytest

from kcl_processor.aws import codes
from kcl_processor.config.access import Access, Role
from kcl_processor.config.kcl_properties import DEFAULTS
from kcl_processor.config.task import Task
from kcl_processor.costs import QUIET_READ_SECONDS
from kcl_processor.errors import ExitCode
from kcl_processor.fleet import coordinator, limit, pause, throttle
from kcl_processor.fleet.leases import BEGIN, BEGIN_FOUND
from kcl_processor.fleet.stream import EMPTY_PAGES, RETENTION
from kcl_processor.launch import copy_mark, daemon, identity, switch_mark
from kcl_processor.launcher import class_archive
from kcl_processor.launcher.jars import LAUNCHER
from kcl_processor.operate.host import LOG_BYTES
from kcl_processor.replicate import look, trouble
from kcl_processor.replicate.work import LAST_ANSWERS
from kcl_processor.state.worker_lock import DAEMON, RECORD_PROCESSORS
from tests.readme import README

JAVA = LAUNCHER / "src/io/github/kclprocessor/launcher"
MAP = "package-info"
_SECONDS = {"Seconds": 1, "Minutes": 60, "Hours": 3600}


def source(java_class: str) -> str:
    return (JAVA / f"{java_class}.java").read_text(encoding="utf-8")


def strings(java_class: str, constant: str) -> set[str]:
    """The strings of a ``Set.of(…)``."""
    (listed,) = re.findall(rf"\b{constant} = Set\.of\(([^)]*)\);", source(java_class))
    return set(re.findall(r'"([^"]*)"', listed))


def seconds(java_class: str, constant: str) -> int:
    """The seconds of a ``Duration``."""
    pattern = rf"\b{constant} = Duration\.of(Seconds|Minutes|Hours)\((\d+)\)"
    ((unit, count),) = re.findall(pattern, source(java_class))
    return _SECONDS[unit] * int(count)


def test_both_languages_read_the_same_words_of_credentials() -> None:
    """What a section's access is rendered as, the launcher reads: names, numbers, the default."""
    role = Role("r", "e")
    written = Access("p", (role, role, role), "s-1").properties("source")
    java = source("Access")
    assert '"replica." + section + "."' in java and '"." + (roles.size() + 1)' in java
    read = set(re.findall(r'prefix \+ "(\w+)"', java))
    names = {name.removeprefix("replica.source.") for name in written}
    assert names == read | {
        f"{name}.{n}" for name in read & {"roleArn", "externalId"} for n in (2, 3)
    }
    assert f'SESSION_NAME = "{Access.session_name}"' in java
    sections = {"source", "destination", "kcl", "metrics"}
    used = "".join(map(source, ("StreamsMultiLangDaemon", "Clients", "Destination")))
    assert set(re.findall(r'\.access\("(\w+)"\)', used)) == sections


@pytest.mark.parametrize("name", ["DENIED", "RENEW"])
def test_both_languages_have_the_same_error_codes(name: str) -> None:
    """A refusal means the same to the reader of the source and to the writer."""
    assert strings("ErrorCodes", name) == getattr(codes, name)


def test_both_languages_wait_as_long_for_credentials() -> None:
    """Whoever renews them has as much time for the source as for the destination."""
    assert seconds("ErrorCodes", "RENEWAL") == codes.RENEWAL_SECONDS


def test_both_languages_have_the_same_exit_codes() -> None:
    """A number means the same whether the daemon ends with it or a record processor."""
    named = re.findall(r"static final int (\w+) = (\d+);", source("ExitStatus"))
    assert (
        named
        and {name: int(code) for name, code in named}.items()
        <= {code.name: int(code) for code in ExitCode}.items()
    )


def test_both_languages_name_a_shards_beginning_alike() -> None:
    """The launcher writes it into the lease, and a reset keeps it there."""
    assert re.findall(r'(?:ATTRIBUTE|FOUND) = "(\w+)"', source("Begins")) == [BEGIN, BEGIN_FOUND]
    assert "SURELY_KEPT = Gap.KEPT.minusHours(1)" in source("Begins")


def test_both_languages_follow_as_many_empty_pages() -> None:
    """A shard has nothing left for the reader when it has nothing left for who looks on."""
    assert f"EMPTY_PAGES = {EMPTY_PAGES};" in source("SourceStream")


def test_doctor_knows_how_large_the_logs_grow() -> None:
    """Each of the two has as many files as its policy keeps, and they are as large as is set."""
    files = re.findall(r"<maxIndex>(\d+)</maxIndex>", (LAUNCHER / "logback.xml").read_text())
    sizes = re.findall(r"<maxFileSize>(\d+)MB<", (LAUNCHER / "logback.xml").read_text())
    assert sum(int(n) * int(mb) << 20 for n, mb in zip(files, sizes, strict=True)) == LOG_BYTES


def test_both_languages_tell_of_trouble_as_often() -> None:
    """A source that does not answer is told of as a destination that does not."""
    assert seconds("ReadTrouble", "FIRST_REMINDER") == trouble._FIRST_REMINDER
    assert seconds("ReadTrouble", "LONGEST_REMINDER") == trouble._LONGEST_REMINDER


def test_the_launchers_map_names_each_class() -> None:
    """The package's own page has a place for every class, and none for one that is gone."""
    named = {name.rpartition(".")[2] for name in re.findall(r"@link ([\w.]+)", source(MAP))}
    assert named == {path.stem for path in (LAUNCHER / "src").rglob("*.java")} - {MAP}


def test_both_languages_have_one_grace_for_a_stop() -> None:
    """Rendered properties name it; the launcher's own default is for those written by hand."""
    (grace,) = re.findall(r'"shutdownGraceMillis", ([\d_]+)\)', source("ReplicaProperties"))
    assert int(grace) == int(DEFAULTS["shutdownGraceMillis"])


@pytest.mark.parametrize(
    ("java_class", "key"),
    [
        ("Claim", identity.KEY),
        ("CopyMark", copy_mark.KEY),
        ("Limits", limit.KEY),
        ("Pauses", pause.KEY),
        ("SwitchMark", switch_mark.KEY),
        ("Presence", coordinator.PRESENCE),
    ],
)
def test_both_languages_mean_the_same_rows(java_class: str, key: str) -> None:
    """What the one writes beside KCL's state, the other looks at."""
    assert f'KEY = "{key}"' in source(java_class)


def test_workers_look_for_a_pause_as_often_as_is_said_and_paid_for() -> None:
    """And both mean all shards by one word."""
    assert f"LOOKS = Duration.ofSeconds({pause.LOOKS:.0f});" in source("Pauses")
    assert f"LOOKS = Duration.ofSeconds({limit.LOOKS:.0f});" in source("Limits")
    assert f'ALL = "{pause.ALL}";' in source("Pauses")


def test_both_languages_mean_the_same_by_a_look() -> None:
    """How long it may take, how it says that it took longer, and where what it found is told."""
    assert f"LONGEST = Duration.ofSeconds({look.LONGEST:.0f});" in source("Throttle")
    assert f'case "{look.LATE}":' in source("ThrottleCommand")
    assert f'THROTTLED = "{throttle.THROTTLED}";' in source("Presence")


def test_a_workers_row_moves_as_often_as_is_said_and_paid_for() -> None:
    """The launcher moves it, `size` counts it, and the README tells it."""
    assert re.findall(r"BEATS = (\d+);", source("Presence")) == [str(coordinator.PRESENCE_BEATS)]
    (said,) = re.findall(r"moves (\w+) times in a failover", README)
    assert said == {4: "four"}[coordinator.PRESENCE_BEATS]


def test_both_languages_share_one_lock() -> None:
    """The daemon holds one byte, and waits for the other longer than record processors live."""
    for name, byte in (("DAEMON", DAEMON), ("RECORD_PROCESSORS", RECORD_PROCESSORS)):
        assert f"{name} = {byte};" in source("WorkerLock")
    assert seconds("StreamsMultiLangDaemon", "PREDECESSORS") == 2 * LAST_ANSWERS


def test_both_languages_have_one_time_for_an_unread_shard() -> None:
    """Rendered properties name it; those written by hand get the same."""
    (unread,) = re.findall(r'"replica.unreadSeconds", (\d+)\)', source("ReplicaProperties"))
    assert int(unread) == Task.unread_seconds


def test_both_languages_know_how_long_a_stream_keeps_a_change() -> None:
    """A gap's end is reckoned by it in Java, every warning in Python."""
    assert seconds("Gap", "KEPT") == RETENTION


def test_both_languages_know_how_rarely_a_quiet_shard_is_read() -> None:
    """The one reads, the other says what it costs."""
    (millis,) = re.findall(r"QUIET_PAUSE_MILLIS = ([\d_]+);", source("ReadPace"))
    assert int(millis) == QUIET_READ_SECONDS * 1000


def test_both_languages_mean_one_archive_of_classes() -> None:
    """The start says what makes it, and the daemon runs that."""
    assert f'PROPERTY = "{class_archive.PROPERTY}"' in source("ClassArchive")
    assert f"WORD_END = {class_archive.WORD_END!r}".replace("'", '"') in source("Arguments")


def test_both_languages_mean_one_who_heals() -> None:
    """The start says what heals beside the daemon, and the daemon runs that."""
    assert f'PROPERTY = "{daemon.HEALER}"' in source("Healer")
