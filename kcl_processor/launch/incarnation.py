"""What tells a table from every other, and from another of its name: what its service says it is.

A region, an endpoint and a role are ways to a table, and two ways may end at one table. A table
that was deleted and made anew has the old one's name and ARN.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self


@dataclass(frozen=True)
class Incarnation:
    """A table, from its creation to its deletion.

    Attributes:
        arn: of DynamoDB Local the same in every region and account.
        created: seconds since the epoch, to the millisecond. Scylla's Alternator has said "now"
            (``alternator/executor.cc``); 0 where the service says nothing.
        table_id: empty where the service gives none, as DynamoDB Local.
    """

    arn: str
    created: float
    table_id: str = ""

    @classmethod
    def of(cls, table: dict[str, Any]) -> Self:
        """That of a described table."""
        created = table.get("CreationDateTime")
        seconds = round(created.timestamp(), 3) if created else 0.0
        return cls(table["TableArn"], seconds, table.get("TableId", ""))

    @classmethod
    def read(cls, text: str) -> Self:
        """That of a text which ``str`` made.

        Raises:
            ValueError: it is no such text.
        """
        arn, created, *table_id = text.split()
        return cls(arn, round(datetime.fromisoformat(created).timestamp(), 3), "".join(table_id))

    def is_table(self, other: Incarnation) -> bool:
        """Whether both are the same table.

        An id is unique by itself. Without one a table is told by its ARN and its creation: two
        stores that each made a table of one name in one millisecond cannot be told apart.
        """
        if self.table_id and other.table_id:
            return self.table_id == other.table_id
        return (self.arn, self.created) == (other.arn, other.created)

    def __str__(self) -> str:
        created = datetime.fromtimestamp(self.created, UTC).isoformat(timespec="milliseconds")
        return f"{self.arn} {created} {self.table_id}".rstrip()
