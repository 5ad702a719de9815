"""botocore's models of the services, which tell how each is called and where it is."""

from __future__ import annotations

import functools
from typing import Any

from botocore.loaders import create_loader
from botocore.session import Session


def share_models(session: Session) -> None:
    """Have a session take the models that others of this process have read: a client's cost 40 ms
    otherwise, and 8 MB. What an operator has put elsewhere (``AWS_DATA_PATH``) is read there."""
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))


@functools.cache
def _loader(data_path: str | None) -> Any:
    return create_loader(data_path)
