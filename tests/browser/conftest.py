"""Fixtures of the browser tests: one server and one browser for all of them, a new visitor for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import browser, open_page, served


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    with served() as url:
        yield url


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with browser() as chromium:
        yield chromium


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    visitor_page = open_page(chromium, address)
    yield visitor_page
    visitor_page.context.close()
