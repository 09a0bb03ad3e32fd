"""Fixtures of the page tests: a tiny model, built once, and admission control without visitors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace

import hypothesis
import pytest
from streamlit.components.v2 import manifest_scanner

from engine.model.loading import load
from engine.model.model import Model
from engine.serving import admission
from pages.shell import address
from tests import tiny

hypothesis.settings.register_profile("pages", deadline=None, derandomize=True)
hypothesis.settings.load_profile("pages")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(tiny.build("gpt2", tmp_path_factory.mktemp("pages") / "gpt2"))


@pytest.fixture(scope="session", autouse=True)
def scan_packages_once() -> None:
    """Streamlit's AppTest reads the metadata of all installed packages before each run, which takes most of its time.

    A server reads them once. They do not change during the tests.
    """
    manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(scope="session", autouse=True)
def write_queries_at_once() -> Iterator[None]:
    """A page writes its query a moment after its answer, for the browser to draw that first; AppTest draws nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(address, "time", SimpleNamespace(sleep=lambda _: None))
        yield


@pytest.fixture(autouse=True)
def nobody_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests run pages as the same visitor; this resets the steps charged to it."""
    monkeypatch.setattr(admission, "_visitors", {})
