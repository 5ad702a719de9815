"""Whose credentials the calls of one section are signed with: the same words in YAML and Java.

Each section of a task has its own, so that accounts that share nothing, two partitions, or AWS and
a store with keys of its own can be joined. The launcher's ``Access`` reads the same properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from kcl_processor.config.form import Form

# As STS's AssumeRole takes a session's name (its API reference).
SESSION_NAME = Form(
    "2 to 64 letters, digits or any of +=,.@_-", re.compile(r"[\w+=,.@-]{2,64}", re.A)
)


@dataclass(frozen=True)
class Role:
    """A role to assume, and what its trust policy may ask for."""

    arn: str
    external_id: str | None = None

    @property
    def account(self) -> str | None:
        """The account in its ARN."""
        _, _, _, _, account, *_ = [*self.arn.split(":"), *[""] * 5]
        return account or None


@dataclass(frozen=True)
class Access:
    """Credentials as a task names them; without a word, those of AWS's default chain.

    Attributes:
        profile: of the shared files, in the place of the default chain. Nothing else of it counts
            than what leads to its keys.
        roles: the first is assumed with those keys, each further one with the one before it.
        session_name: of each role's session.
    """

    profile: str | None = None
    roles: tuple[Role, ...] = ()
    session_name: str = "kcl-processor"

    def __str__(self) -> str:
        return self.roles[-1].arn if self.roles else self.base_words

    @property
    def base_words(self) -> str:
        """What the first role is assumed with, in words."""
        return f"the profile {self.profile}" if self.profile else "the default chain"

    @property
    def base(self) -> Access:
        """Without the roles."""
        return replace(self, roles=())

    @property
    def whose(self) -> str | None:
        """The account, as far as the spelling tells: that of the last role, or else the profile.

        Roles of one account that were reached by two profiles are of one account.
        """
        return (self.roles[-1].account if self.roles else None) or self.profile

    def properties(self, section: str) -> dict[str, str]:
        """As ``.properties``; the first role has the names that an only one always had.

        Args:
            section: of the file, as in ``source``.
        """
        named = {"profile": self.profile}
        for number, role in enumerate(self.roles, start=1):
            arn, external_id = _names(number)
            named |= {arn: role.arn, external_id: role.external_id}
        if self.session_name != Access.session_name:
            named["sessionName"] = self.session_name
        return {f"replica.{section}.{name}": value for name, value in named.items() if value}

    @classmethod
    def read(cls, properties: Mapping[str, str], section: str) -> Access:
        """What :meth:`properties` wrote, or an earlier version, or a person."""

        def given(name: str) -> str | None:
            return properties.get(f"replica.{section}.{name}", "").strip() or None

        def roles() -> Iterator[Role]:
            number = 1
            while arn := given(_names(number)[0]):
                yield Role(arn, given(_names(number)[1]))
                number += 1

        name = given("sessionName") or cls.session_name
        return cls(given("profile"), tuple(roles()), name)


# Without a word in the task.
DEFAULT = Access()


def _names(number: int) -> tuple[str, str]:
    """The properties of a role, by its number in the chain."""
    suffix = f".{number}" if number > 1 else ""
    return f"roleArn{suffix}", f"externalId{suffix}"
