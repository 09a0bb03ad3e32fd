"""Fixtures of the browser tests: one server and one browser for all of them, a new visitor for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.app import browser, new_page, served, show_everything, visit
from tests.browser.chromium import FEW_COMPILERS


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    with served() as url:
        yield url


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with browser(FEW_COMPILERS) as chromium:
        yield chromium


@pytest.fixture(scope="package")
def tab(chromium: Browser) -> Iterator[Page]:
    """The page that `page` opens again and again: its process keeps the scripts that it has compiled."""
    page = new_page(chromium)
    yield page
    page.context.close()


@pytest.fixture
def page(tab: Page, address: str) -> Iterator[Page]:
    """The step page for a new visitor, with nothing left of the visitor before."""
    tab.unroute_all()
    tab.mouse.move(0, 0)
    tab.set_viewport_size({"width": 1280, "height": 900})
    tab.emulate_media(media=None, color_scheme="light", reduced_motion=None)
    visit(tab, address)
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("Page.resetNavigationHistory")  # it holds fifty entries, and then grows no longer
    devtools.detach()
    yield tab
    for other in tab.context.pages:
        if other is not tab:
            other.close()
    tab.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    tab.context.clear_cookies()
    show_everything(tab.context)
