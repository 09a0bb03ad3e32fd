"""Fixtures of the browser tests: one server and one browser for all of them, a new visitor for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import browser, visit
from tests.browser.chromium import FEW_COMPILERS
from tests.browser.tabs import borrow, leave
from tests.serving import Server, started


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    with started() as running:
        yield running


@pytest.fixture(scope="package")
def address(server: Server) -> str:
    return server.address


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with browser(FEW_COMPILERS) as chromium:
        yield chromium


@pytest.fixture
def newcomer(chromium: Browser) -> Iterator[Page]:
    """An empty page for a new visitor, with nothing left of the visitor before."""
    page = borrow(chromium)
    yield page
    leave(page)


@pytest.fixture
def page(newcomer: Page, address: str) -> Page:
    """The step page for a new visitor."""
    visit(newcomer, address)
    return newcomer
