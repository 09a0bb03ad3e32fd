"""Browser tests of the side-by-side page: a second model, a token that is clicked, a run, accessibility, narrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import tiny
from tests.browser.app import overflowing_elements, settle
from tests.browser.tabs import borrow, leave
from tests.browser.test_accessible import SCHEMES, violations
from tests.serving import started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.build("llama", tmp_path_factory.mktemp("beside") / "llama")


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[str]:
    with started(ENGINE_MODELS=str(folder)) as server:
        yield server.address


def text(page: Page) -> str:
    return page.locator("[data-testid=stText]").first.inner_text()


def test_a_token_is_clicked_and_a_run_is_read_and_a_reload_keeps_it(chromium: Browser, app: str, folder: Path) -> None:
    page = borrow(chromium, locale="en-GB")
    page.goto(f"{app}/side-by-side")
    page.locator(".stMain [data-testid=stSelectbox] input").first.click(timeout=90_000)
    page.get_by_role("option", name=str(folder)).click()
    page.locator(".st-key-side_take_A button").wait_for(timeout=60_000)
    settle(page)
    page.locator(".st-key-side_take_A button").click()  # after it both vocabularies have a full stop
    expect(page.locator(".st-key-side_back button")).to_be_enabled()
    settle(page)
    before = text(page)
    token = page.locator("th.token button").first
    appended = token.inner_text()
    assert appended.isascii() and appended.strip()
    token.click()
    expect(page.locator("[data-testid=stText]").first).to_have_text(before + appended)
    settle(page)
    page.locator(".st-key-side_run_A button").click()
    page.locator(".st-key-side_keep button").wait_for()
    settle(page)
    assert page.locator("ol li .number").count() == 5
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            settle(page)
            assert violations(page) == [] and overflowing_elements(page) == []
    kept = text(page)
    page.reload()
    page.locator(".st-key-side_take_A button").wait_for(timeout=60_000)
    settle(page)
    assert text(page) == kept
    leave(page)
