"""Fixtures of the endpoint tests: connections to this machine, llama.cpp with the bundled model."""

from __future__ import annotations

import _socket
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.bundled import BUNDLED
from engine.model.loading import load
from engine.model.model import Model
from engine.remote.connect import connect
from engine.remote.embedded import EmbeddedServer
from engine.remote.endpoint import Endpoint
from engine.remote.model import RemoteModel
from tests.gguf_files import write_bundled

KEY = "TEST_ENDPOINT_KEY"


@pytest.fixture(scope="package", autouse=True)
def this_machine(no_network: None) -> Iterator[None]:
    """Connections to 127.0.0.1 alone."""

    def connect_here(self: socket.socket, address: tuple) -> None:
        if address[0] != "127.0.0.1":
            raise OSError("network access in a test")
        _socket.socket.connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


@pytest.fixture(scope="package")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundled(tmp_path_factory.mktemp("gguf") / "bundled.gguf")


@pytest.fixture(scope="package")
def server(gguf: Path) -> Iterator[EmbeddedServer]:
    """llama.cpp with the bundled model, on one thread."""
    served = EmbeddedServer(gguf)
    os.environ[KEY] = served.key
    yield served
    served.stop()


def fresh(server: EmbeddedServer, max_bytes: int = 2**28, **settings: int) -> RemoteModel:
    """A model of the server with an empty cache."""
    return connect(Endpoint("here", server.url, key=KEY, **settings), max_bytes)  # type: ignore[arg-type]


@pytest.fixture(scope="package")
def remote(server: EmbeddedServer) -> RemoteModel:
    return fresh(server)


@pytest.fixture(scope="package")
def local() -> Model:
    assert BUNDLED.is_dir()
    return load()
