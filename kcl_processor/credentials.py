"""Credentials for one side of a replica: the default chain, or a role assumed with them."""

from __future__ import annotations

from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.session import Session

from kcl_processor.errors import PermissionDenied


def credentials(region: str, role_arn: str = "", external_id: str = "") -> Credentials:
    """Credentials that refresh themselves.

    Args:
        region: where STS is asked for the role.
        role_arn: the role to assume with the default credentials; empty for none.
        external_id: what the role's trust policy may ask for; empty for none.

    Raises:
        PermissionDenied: the default chain finds no credentials.
    """
    session = Session()
    base = session.get_credentials()
    if base is None:
        raise PermissionDenied(
            "No AWS credentials were found in the environment, the shared files or the instance.",
            "aws sts get-caller-identity, until it answers",
        )
    return _assumed(session, base, region, role_arn, external_id) if role_arn else base


def _assumed(
    session: Session, base: Credentials, region: str, role_arn: str, external_id: str
) -> Credentials:
    extra = {"RoleSessionName": "kcl-processor"}
    if external_id:
        extra["ExternalId"] = external_id
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda name, **options: session.create_client(
            name, **{"region_name": region, **options}
        ),
        source_credentials=base,
        role_arn=role_arn,
        extra_args=extra,
    )
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, method="assume-role")
