"""A task whose tables are compared part by part, and what becomes of its proof."""

from __future__ import annotations

from collections.abc import Callable

from kcl_processor.aws import clients
from kcl_processor.config.task import Side, Task
from kcl_processor.launch.proof import Standing, read_proof, read_proof_parts, read_standing
from kcl_processor.launch.proof_part import PartProof
from kcl_processor.table.proof_task import Prover
from kcl_processor.table.verify_task import Verified, VerifyListener, VerifyOptions
from tests.fakes import HandClock
from tests.table.copied import TurningHalt, never_ran


class Heard(VerifyListener):
    """What a verification told.

    Args:
        on_part: called when a part was compared.
    """

    def __init__(self, on_part: Callable[[PartProof], None] = lambda _: None) -> None:
        self.parts: list[int] = []
        self.warned: list[str] = []
        self._on_part = on_part

    def part(self, part: PartProof) -> None:
        self.parts.append(part.part)
        self._on_part(part)

    def warn(self, text: str) -> None:
        self.warned.append(text)


class ProofWorld:
    """A task, its tables, and the time."""

    def __init__(self, url: str) -> None:
        self.task = never_ran(url)
        self.clock = HandClock()

    def put(self, side: Side, *names: str) -> None:
        """Put items."""
        for name in names:
            item = {"pk": {"S": name}}
            clients.tables(side).put_item(TableName=side.table, Item=item)

    def fill(self, *names: str) -> None:
        """Put the same items on both sides."""
        for side in (self.task.source, self.task.destination):
            self.put(side, *names)

    def delete(self, side: Side, name: str) -> None:
        """Delete an item."""
        clients.tables(side).delete_item(TableName=side.table, Key={"pk": {"S": name}})

    def prover(self, listener: VerifyListener | None = None, **options: object) -> Prover:
        """What ``verify --resume`` and ``--continuous`` run."""
        chosen = VerifyOptions(patience=0.0, processes=1, **options)  # type: ignore[arg-type]
        halt = TurningHalt(self.clock)
        return Prover(self.task, chosen, listener or Heard(), halt, self.clock)

    def once(self, listener: VerifyListener | None = None, **options: object) -> Verified:
        """One round."""
        return self.prover(listener, **options).once()[0]

    def standing(self, task: Task | None = None) -> Standing:
        """How the proof stands."""
        found = read_standing(task or self.task)
        assert found
        return found

    def parts(self) -> list[PartProof]:
        """The parts that were begun."""
        mark = read_proof(self.task)
        assert mark
        return [part for part, _ in read_proof_parts(self.task, mark) if part]
