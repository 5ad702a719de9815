"""Credentials as a section of a task names them: a chain or a profile, and roles on top."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError, ProfileNotFound
from botocore.session import Session

from kcl_processor.aws.codes import RENEW, code_of
from kcl_processor.aws.credential_errors import BadConfiguration, NoKeys
from kcl_processor.aws.keys import Keys
from kcl_processor.aws.network import ca_bundle, proxies_to
from kcl_processor.clock import Clock
from kcl_processor.config.access import DEFAULT, Access, Role
from kcl_processor.config.service_models import share_models

# botocore's providers that do not look at a profile (``create_credential_resolver``).
_NO_PROFILES = ("ec2-credentials-file", "boto-config", "container-role", "iam-role")
# botocore's own minute an attempt, and five attempts, would outlast a record processor's watchdog.
_BOUNDED = Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
)


def session(region: str, clock: Clock, access: Access = DEFAULT) -> Session:
    """A botocore session whose credentials follow their source, for botocore's clients.

    Args:
        region: where STS is asked for roles.
        access: whose credentials; of a profile no other setting counts.

    Raises:
        NoKeys: there are no credentials.
        ConfigError: the bundle of certificates cannot be used.
    """
    held = keys(region, clock, access)
    held.get_frozen_credentials()
    made = _plain(region)
    share_models(made)
    ca_bundle(made)
    made.register_component("credential_provider", CredentialResolver([_Held(held)]))
    _tell_of_refusals(made, held)
    return made


def keys(region: str, clock: Clock, access: Access = DEFAULT) -> Keys:
    """The credentials alone, looked up on first use; the arguments are :func:`session`'s."""
    # Half of what a session costs are the handlers of its clients, and it makes none.
    read = _plain(region, include_builtin_handlers=False).get_config_variable
    files = tuple(
        os.path.expanduser(os.path.expandvars(read(name)))
        for name in ("credentials_file", "config_file")
    )
    found = Keys(access.base_words, lambda: _base(region, access.profile, files), clock, files)
    for role in access.roles:
        look = functools.partial(_assumed, found, region, role, access.session_name)
        found = Keys(role.arn, look, clock)
    return found


def _base(region: str, profile: str | None, files: tuple[str, ...]) -> Credentials:
    try:
        found = _of_profile(region, profile) if profile else _plain(region).get_credentials()
    except ProfileNotFound:
        _refuse_unreadable(files)
        raise
    if found is None:
        _refuse_unreadable(files)
        if profile:
            raise BadConfiguration(
                f"The AWS profile {profile!r} leads to no credentials.",
                f"aws configure list --profile {profile}",
            )
        raise NoCredentialsError
    return found


def _of_profile(region: str, profile: str) -> Credentials | None:
    """What a profile leads to. botocore would go on to the host's own credentials."""
    resolver = _plain(region, profile).get_component("credential_provider")
    for beside in _NO_PROFILES:
        resolver.remove(beside)
    return resolver.load_credentials()


def _refuse_unreadable(files: tuple[str, ...]) -> None:
    """botocore passes over a file that it may not read, without a word."""
    for file in files:
        if os.path.isfile(file) and not os.access(file, os.R_OK):
            raise NoKeys(
                f"The AWS configuration file {file} cannot be read by this user.",
                "make it readable for the user who runs kcl-processor",
            )


def _assumed(base: Keys, region: str, role: Role, session_name: str) -> Credentials:
    extra = {"RoleSessionName": session_name}
    if role.external_id:
        extra["ExternalId"] = role.external_id
    asking = _plain(region)
    _tell_of_refusals(asking, base)

    def create(*given: Any, **options: Any) -> Any:
        client = asking.create_client(*given, **options)
        proxies_to(client.meta.endpoint_url)
        return client

    fetcher = AssumeRoleCredentialFetcher(
        client_creator=create,
        source_credentials=base,
        role_arn=role.arn,
        extra_args=extra,
    )
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, method=Keys.method)


def _tell_of_refusals(calling: Session, held: Keys) -> None:
    """Have the clients of a session tell the keys that they sign with when those are refused."""

    def look_again(parsed: dict[str, Any], **_: Any) -> None:
        if code_of(parsed) in RENEW:
            held.refused()

    calling.register("after-call", look_again)


class _Held(CredentialProvider):  # type: ignore[misc]
    """Hands a session the credentials that are there already."""

    METHOD = Keys.method

    def __init__(self, held: Keys) -> None:
        super().__init__()
        self._held = held

    def load(self) -> Keys:
        return self._held


def _plain(region: str, profile: str | None = None, **more: bool) -> Session:
    """A session with botocore's own chain, patient with metadata and bounded elsewhere.

    A session reads the shared files once, so each look for credentials takes a new one.
    """
    made = Session(session_vars=_METADATA, profile=profile, **more)
    made.set_config_variable("region", region)
    made.set_default_client_config(_BOUNDED)
    return made


def _whole(variable: str, name: str, given: Any) -> Any:
    """A setting as a whole number, or its default as it is."""
    if not isinstance(given, str):
        return given
    try:
        return int(given)
    except ValueError as error:
        raise BadConfiguration(
            f"{variable}, or {name} of the AWS profile, is {given!r}, which is no whole number.",
            f"{variable}=5, or unset it",
        ) from error


def _metadata(name: str, default: Any) -> tuple[str, str, Any, Callable[[Any], Any]]:
    """A setting of the instance metadata service, as botocore's sessions take one."""
    variable = f"AWS_{name.upper()}"
    return name, variable, default, functools.partial(_whole, variable, name)


# botocore gives the instance metadata service one second and one attempt, and then says that there
# are no credentials; a busy host needs more. The figures are seconds to connect, seconds to answer
# and attempts: a host that is none of EC2's does not even connect, and says so after six seconds.
_METADATA = {
    name: _metadata(name, default)
    for name, default in (
        ("metadata_service_timeout", (1, 5)),
        ("metadata_service_num_attempts", 3),
    )
}
