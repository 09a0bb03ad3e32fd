"""Endpoints that the host offers as models: those of the setting, and a GGUF file served in this process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ModelError
from engine.remote.endpoint import PREFIX, Endpoint
from engine.serving import config

if TYPE_CHECKING:
    from engine.remote.embedded import EmbeddedServer
    from engine.remote.model import RemoteModel

_KEY_VARIABLE = "NEXT_TOKEN_ENDPOINT_KEY"  # of the key of the server in this process
_starting = threading.Lock()

__all__ = ["PREFIX", "connect", "find", "offered"]


def offered() -> tuple[Endpoint, ...]:
    """Endpoints of this host; none in a demo."""
    settings = config.current()
    if settings.demo:
        return ()
    file = settings.endpoint_gguf
    return (*((_of_file(file),) if file else ()), *settings.endpoints)


def find(model_name: str) -> Endpoint | None:
    """The endpoint whose model has this name in the app."""
    return next((endpoint for endpoint in offered() if endpoint.model_name == model_name), None)


def connect(model_name: str, stage: Callable[[str], None]) -> RemoteModel:
    """Model of an endpoint; starts the server in this process where it is that one. Raises ModelError."""
    from engine.remote.connect import connect as connect_to  # imports torch

    endpoint = find(model_name)
    if endpoint is None:
        raise ModelError("not_allowed", f"no endpoint {model_name}", name=model_name)
    if not endpoint.url:
        stage("endpoint")
        with _starting:
            server = _embedded(config.current().endpoint_gguf)
        os.environ[_KEY_VARIABLE] = server.key
        endpoint = replace(endpoint, url=server.url, key=_KEY_VARIABLE)
    return connect_to(endpoint, config.current().tree_bytes, stage)


def _of_file(file: str) -> Endpoint:
    from engine.remote.embedded import endpoint_of

    return endpoint_of(file)


@cache
def _embedded(file: str) -> EmbeddedServer:
    from engine.remote.embedded import EmbeddedServer

    return EmbeddedServer(Path(file))
