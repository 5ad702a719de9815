"""Credentials for one side of a replica: the default chain, or a role assumed with them."""

from __future__ import annotations

from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.session import Session

from kcl_processor.errors import PermissionDenied


def session(region: str, role_arn: str | None = None, external_id: str | None = None) -> Session:
    """A botocore session whose credentials refresh themselves.

    Args:
        region: where STS is asked for the role.
        role_arn: the role to assume with the default credentials, if any.
        external_id: what the role's trust policy may ask for.

    Raises:
        PermissionDenied: the default chain finds no credentials.
    """
    base = Session()
    if base.get_credentials() is None:
        raise PermissionDenied(
            "No AWS credentials were found in the environment, the shared files or the instance.",
            "aws sts get-caller-identity, until it answers",
        )
    if not role_arn:
        return base
    assumed = Session()
    providers = assumed.get_component("credential_provider")
    providers.insert_before("env", _AssumedRole(base, region, role_arn, external_id))
    return assumed


class _AssumedRole(CredentialProvider):  # type: ignore[misc]
    METHOD = "kcl-processor-assumed-role"

    def __init__(self, base: Session, region: str, role_arn: str, external_id: str | None) -> None:
        super().__init__()
        self._base = base
        self._region = region
        self._role_arn = role_arn
        self._external_id = external_id

    def load(self) -> Credentials:
        extra = {"RoleSessionName": "kcl-processor"}
        if self._external_id:
            extra["ExternalId"] = self._external_id
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=lambda name, **options: self._base.create_client(
                name, **{"region_name": self._region, **options}
            ),
            source_credentials=self._base.get_credentials(),
            role_arn=self._role_arn,
            extra_args=extra,
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, method=self.METHOD)
