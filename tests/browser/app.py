"""The app as a person meets it: a real server on this machine, a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, require
from tests.serving import started


@contextmanager
def served(script: Path | None = None, **environment: str) -> Iterator[str]:
    """A server of its own on 127.0.0.1, of the app or of another script; yields its address once it is healthy."""
    command = () if script is None else ("streamlit", "run", str(script))
    with started(*command, **environment) as server:
        yield server.address


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=require(), args=ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


def open_page(
    opened: Browser, address: str, locale: str = "zh-TW", width: int = 1280, height: int = 900, dark: bool = False
) -> Page:
    """A visitor of their own (nothing shared with others), once the step page is there."""
    context = opened.new_context(
        locale=locale, viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(address)
    page.wait_for_selector(".loop", timeout=90_000)
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until the app has drawn what the last move changed."""
    page.wait_for_timeout(150)
    page.wait_for_function("!document.querySelector('[data-testid=stApp][data-test-script-state=running]')")
    page.wait_for_timeout(250)


def chips(page: Page) -> list[str]:
    """The text strip, token by token."""
    return page.locator(".strip .t").all_inner_texts()


def words(page: Page) -> list[str]:
    """The tokens named beside the bars, from top to bottom."""
    return page.eval_on_selector_all(
        "[data-testid=stVegaLiteChart] svg .mark-text text",
        "nodes => nodes.filter(n => n.getAttribute('text-anchor') === 'end').map(n => n.textContent)",
    )


def click_bar(page: Page, row: int) -> str:
    """Click the bar in a row (from 0); returns the token named there."""
    from pages.ui.bars import ROW

    word = words(page)[row]
    chart = page.locator("[data-testid=stVegaLiteChart] svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 130, box["y"] + ROW * (row + 0.5))
    settle(page)
    return word


def beyond_the_edge(page: Page) -> int:
    """How many things of a page stick out on the right of a phone's screen, 390 px wide."""
    return int(
        page.evaluate(
            "[...document.querySelectorAll('.stMain *')].filter(e => e.getBoundingClientRect().right > 391 "
            "&& getComputedStyle(e).position !== 'absolute').length"
        )
    )
