"""One server and one browser for all browser tests; each test is a visitor of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import browser as opened_browser
from tests.browser.app import open_page, served


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    with served() as running:
        yield running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    opened = open_page(chromium, address)
    yield opened
    opened.context.close()
