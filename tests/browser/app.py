"""Helpers of the browser tests: a server of the app on this machine, a browser, and reading and clicking its pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from playwright.sync_api import Browser, Page, WebSocket, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.components.charts.probability_bars import ROW
from tests.browser.chromium import ARGUMENTS, require
from tests.browser.tabs import borrow
from tests.serving import started


@contextmanager
def served(script: Path | None = None, listen: str = "127.0.0.1", **environment: str) -> Iterator[str]:
    """Address of a new server on 127.0.0.1, of the app or of another Streamlit script, once it is healthy."""
    command = () if script is None else ("streamlit", "run", str(script))
    with started(*command, listen=listen, **environment) as server:
        yield server.address


_waiting: WeakSet[Page] = WeakSet()  # pages with a rerun that the server has not finished


def _listen(page: Page) -> None:
    """Keep `_waiting` up to date from the messages on the page's websocket."""

    def sent(data: str | bytes) -> None:
        if isinstance(data, bytes) and BackMsg.FromString(data).WhichOneof("type") == "rerun_script":
            _waiting.add(page)

    def received(data: str | bytes) -> None:
        message = ForwardMsg.FromString(data) if isinstance(data, bytes) else ForwardMsg()
        kind = message.WhichOneof("type")
        if kind == "new_session":
            _waiting.add(page)
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            _waiting.discard(page)

    def connected(socket: WebSocket) -> None:
        socket.on("framesent", sent)
        socket.on("framereceived", received)
        socket.on("close", lambda _: _waiting.discard(page))

    page.on("websocket", connected)


@contextmanager
def browser(*arguments: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=require(), args=[*ARGUMENTS, *arguments])
        chromium.on("context", lambda context: context.on("page", _listen))
        try:
            yield chromium
        finally:
            chromium.close()


def open_page(
    chromium: Browser, address: str, locale: str = "zh-TW", width: int = 1280, height: int = 900, dark: bool = False
) -> Page:
    """Page of a new visitor once the step page is drawn; see `borrow`."""
    page = borrow(chromium, locale, width, height, dark)
    visit(page, address)
    return page


def visit(page: Page, address: str) -> None:
    """Open an address as a new session, and wait until the step page is drawn."""
    page.goto(address)
    page.wait_for_selector(".loop", timeout=90_000)
    settle(page)


def open_more_settings(page: Page) -> None:
    """Open the menu of the settings that are not in the row."""
    page.locator(".st-key-more button").first.click()


def follow(page: Page, name: str) -> None:
    """Click the link to a page of the app, in the top bar or in the menu of the lab."""
    link = page.locator(".stMain, [data-testid=stPopoverBody]").get_by_role("link", name=name, exact=True)
    if not link.first.is_visible():
        page.locator(".st-key-menu button").first.click()
    link.first.click()


def links(page: Page) -> dict[str, str]:
    """Names and URLs of all pages of the app, in the order of the top bar and its menu."""
    page.locator(".st-key-menu button").first.click()
    page.locator(".st-key-menu_lab a").first.wait_for()
    found: dict[str, str] = {}
    for link in page.locator(".st-key-bar_links a, .st-key-menu_lab a").all():
        found[link.inner_text().strip()] = str(link.evaluate("link => link.href"))
    page.keyboard.press("Escape")
    page.locator(".st-key-menu_lab a").first.wait_for(state="hidden")
    return found


def settle(page: Page, seconds: float = 20.0) -> None:
    """Wait until the result of the last action is drawn, including reruns that this triggers."""
    _wait_for_request(page, 0.2)  # a slider waits so long for further movement
    wait_until_answered(page, seconds)
    _wait_for_request(page, 0.1)  # a drawn component may request another rerun
    wait_until_answered(page, seconds)


def _wait_for_request(page: Page, seconds: float) -> None:
    """Wait until the page has requested a rerun, or until it has not for so long."""
    end = time.monotonic() + seconds
    while page not in _waiting and time.monotonic() < end:
        page.wait_for_timeout(20)


def wait_until_answered(page: Page, seconds: float = 20.0) -> None:
    """Wait until the server has finished all requested reruns and the browser has drawn them."""
    end = time.monotonic() + seconds
    while page in _waiting:
        assert time.monotonic() < end, "the server has not answered"
        page.wait_for_timeout(20)
    page.wait_for_function("!document.querySelector('[data-testid=stApp][data-test-script-state=running]')")
    page.wait_for_timeout(50)


def chips(page: Page) -> list[str]:
    """Display text of each token in the text strip."""
    return page.locator(".strip .t").all_inner_texts()


def words(page: Page) -> list[str]:
    """Labels of the probability bars on the step page, from top to bottom."""
    return page.locator(".bars .row .word").all_inner_texts()


def click_bar(page: Page, row: int) -> str:
    """Click the bar in a row (from 0) on the step page. Returns the token beside it."""
    bar = page.locator(".bars .row").nth(row)
    word = bar.locator(".word").inner_text()
    bar.click()
    settle(page)
    return word


def chart_words(page: Page) -> list[str]:
    """Tokens beside the bars of the first chart, from top to bottom."""
    return page.eval_on_selector_all(
        "[data-testid=stVegaLiteChart] svg .mark-text text",
        "nodes => nodes.filter(n => n.getAttribute('text-anchor') === 'end').map(n => n.textContent)",
    )


def click_chart_bar(page: Page, row: int) -> str:
    """Click a row (from 0) of the first bar chart. Returns the token beside it."""
    word = chart_words(page)[row]
    chart = page.locator("[data-testid=stVegaLiteChart] svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 130, box["y"] + ROW * (row + 0.5))
    settle(page)
    return word


def overflowing_elements(page: Page) -> list[str]:
    """Elements that exceed the right edge of the page, also in shadow roots; the content of scroll areas is allowed."""
    result: list[str] = page.evaluate(
        """() => {
          const found = [];
          const edge = innerWidth + 1;
          const visit = (node) => {
            const style = getComputedStyle(node);
            const { width, right } = node.getBoundingClientRect();
            if (style.position === "absolute" || style.display === "none") return;
            if (width && right > edge)
              found.push(`${node.tagName}.${node.className}: ${node.textContent.slice(0, 30)}`);
            if (style.overflowX !== "visible" && right <= edge) return; // its content scrolls or is clipped
            for (const child of [...node.children, ...(node.shadowRoot?.children ?? [])]) visit(child);
          };
          [...document.querySelector(".stMain").children].forEach(visit);
          return found;
        }"""
    )
    return result
