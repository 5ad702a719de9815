"""What a soak found, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from integration.soak.judge import FAULTS, Verdict
from integration.soak.supervisor import Ending


@dataclass(frozen=True)
class Report:
    """The figures of a soak.

    Attributes:
        faults: how often each kind struck.
        changes, keys: what was written at the source.
        endings: how often daemons ended, by fault and exit code.
        gaps_made, gaps_told: how often a shard lost changes that had not arrived, and gaps noted.
        old_writes: images laid over newer ones by a process that had lost its shard, or that had
            written the newer one itself; they may have been mended since.
        replayed: writes that a restart made again.
        longest_lag: seconds from a change to its arrival.
        whole_after: seconds from the last fault until nothing was missing; None if it never was so.
        findings: what else was not as it must be.
    """

    faults: dict[str, int]
    changes: int
    keys: int
    endings: dict[str, int]
    verdict: Verdict
    gaps_made: int
    gaps_told: int
    old_writes: int
    replayed: int
    longest_lag: float
    whole_after: float | None
    findings: list[str]

    @property
    def passed(self) -> bool:
        """Whether nothing is missing, nothing was silent, and nothing else is wrong."""
        return self.verdict.clean and self.whole_after is not None and not self.findings

    def record(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {**asdict(self), "passed": self.passed}

    def text(self) -> str:
        """The report for people."""
        whole = (
            "never"
            if self.whole_after is None
            else f"{self.whole_after:.1f} s after the last fault"
        )
        told = (
            f"{self.gaps_made} shards made one, {self.gaps_told} told, of {self.verdict.told} keys"
        )
        rows = {
            "faults": f"{sum(self.faults.values())}: {_counts(self.faults)}",
            "changes": f"{self.changes} of {self.keys} keys",
            "ends of daemons": f"{sum(self.endings.values())}: {_counts(self.endings)}",
            **{way: str(getattr(self.verdict, way)) for way in FAULTS},
            "gaps": told,
            "old images for a while": str(self.old_writes),
            "written again": str(self.replayed),
            "longest lag": f"{self.longest_lag:.1f} s",
            "whole": whole,
        }
        lines = [f"{name + ':':24}{figure}" for name, figure in rows.items()]
        lines += [f"finding: {finding}" for finding in self.findings]
        lines += [f"{way}: {key}" for way, keys in self.verdict.examples.items() for key in keys]
        return "\n".join([*lines, "passed" if self.passed else "FAILED"])


def ends(endings: Iterable[Ending]) -> dict[str, int]:
    """Count ends by the fault and the exit code."""
    return dict(Counter(f"{ending.after}: {ending.code}" for ending in endings))


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} x{count}" for name, count in sorted(counts.items()))
