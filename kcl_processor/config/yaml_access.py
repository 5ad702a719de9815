"""Whose credentials a section of the YAML names."""

from __future__ import annotations

from kcl_processor.config.access import SESSION_NAME, Access, Role
from kcl_processor.config.yaml_section import Section


def read_access(section: Section) -> Access:
    """The keys ``profile``, ``role_arn``, ``external_id``, ``roles`` and ``session_name``.

    Raises:
        ConfigError: one says nothing without another, or two contradict each other.
    """
    profile = section.text("profile") or None
    roles = _roles(section)
    session_name = section.text("session_name", SESSION_NAME) or None
    if session_name and not roles:
        raise section.error("session_name", "only a role has a session", "role_arn beside it")
    return Access(profile, roles, session_name or Access.session_name)


def _roles(section: Section) -> tuple[Role, ...]:
    only = _role(section)
    chain = tuple(map(_link, section.sections("roles")))
    if only and chain:
        raise section.error(
            "roles", "there is a role_arn beside it", "put all of them into roles, in their order"
        )
    return chain or ((only,) if only else ())


def _role(section: Section) -> Role | None:
    arn, external_id = section.text("role_arn"), section.text("external_id")
    if external_id and not arn:
        raise section.error("external_id", "only a role asks for it", "role_arn beside it")
    return Role(arn, external_id or None) if arn else None


def _link(section: Section) -> Role:
    role = Role(section.required_text("role_arn"), section.text("external_id") or None)
    section.finish()
    return role
