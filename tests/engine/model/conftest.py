"""Fixtures of the hub tests: a hub on this machine, and an empty cache; other hosts cannot be reached."""

from __future__ import annotations

import _socket
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import close_session, constants

from engine.model import download
from tests import hub_server
from tests.hub_server import Hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A running hub with the caches of this test alone."""

    def connect(self: socket.socket, address: tuple) -> None:
        if address[0] != "127.0.0.1":
            raise OSError("network access in a test")
        _socket.socket.connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(download, "_PAUSE", 0.01)
    close_session()
    with hub_server.serve() as served:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", served.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path / "assets"))
        yield served
    close_session()
