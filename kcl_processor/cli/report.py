"""The lines of ``verify --report``, and on stderr how far it is."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

import orjson

from kcl_processor.cli.verified import ComparisonLines
from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.launch.proof_part import PartProof
from kcl_processor.table.compare import Difference
from kcl_processor.table.repair import Outcome
from kcl_processor.table.sides import Pair
from kcl_processor.table.verify_share import SegmentResult
from kcl_processor.table.verify_task import VerifyListener


class ReportLines(VerifyListener):
    """Told of a verification by the command that was typed.

    Args:
        args: the command's.
    """

    def __init__(self, task: Task, args: argparse.Namespace, clock: Clock) -> None:
        self._name = task.name
        self._path: Path | None = args.report
        self._show_values: bool = args.show_values
        # What an earlier run has found, that this one goes on with, is not looked at again.
        self._fresh = not (args.resume or args.continuous)
        self._file: IO[bytes] | None = None
        self._lines = ComparisonLines(task.name, clock, seldom=args.continuous)

    def __enter__(self) -> Self:
        if self._path:
            try:
                mode = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if self._fresh else os.O_APPEND)
                self._file = os.fdopen(os.open(self._path, mode, 0o600), "wb")
            except OSError as error:
                raise self._unwritten(error) from error
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file:
            # What could not be written was told when it was.
            with suppress(OSError):
                self._file.close()

    def difference(self, found: Difference, outcome: Outcome | None) -> None:
        line: dict[str, Any] = {
            "kind": found.kind.value,
            **_keys(found.pair),
            "attributes": found.attributes,
            "segment": found.segment,
        }
        if found.reason:
            line["reason"] = found.reason
        if outcome:
            line["outcome"] = outcome.value
        if self._show_values:
            line["source"] = orjson.loads(found.source or b"null")
            line["destination"] = orjson.loads(found.destination or b"null")
        self._write(line)

    def undecided(self, segment: int, pair: Pair) -> None:
        self._write({"kind": "undecided", **_keys(pair), "segment": segment})

    def progress(self, results: Sequence[SegmentResult], pending: int) -> None:
        self._lines.tell(results, pending)

    def part(self, part: PartProof) -> None:
        what = "proven" if part.proven_at == part.compared_at else "not proven"
        left = part.open
        print(
            f"{self._name}  part {part.part} of {part.parts} {what}  "
            f"{part.counts.get('source', 0):,} items  {len(left.known) + left.more} differ  "
            f"{left.unsure} undecided",
            file=sys.stderr,
            flush=True,
        )

    def warn(self, text: str) -> None:
        print(f"Warning: {text}", file=sys.stderr, flush=True)

    def _write(self, line: dict[str, Any]) -> None:
        if not self._file:
            return
        try:
            self._file.write(orjson.dumps(line) + b"\n")
            self._file.flush()
        except OSError as error:
            raise self._unwritten(error) from error

    def _unwritten(self, error: OSError) -> ConfigError:
        return ConfigError(f"{self._path} cannot be written: {error.strerror}.", "--report FILE")


def _keys(pair: Pair) -> dict[str, Any]:
    """A pair's keys; the source's only where it is another."""
    keys = {"key": orjson.loads(pair.key)}
    if pair.origin != pair.key:
        keys["source_key"] = orjson.loads(pair.origin or b"null")
    return keys
