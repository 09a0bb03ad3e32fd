"""The app as a person meets it: a real server on this machine, a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from playwright.sync_api import Browser, Page, WebSocket, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.chromium import ARGUMENTS, require
from tests.serving import started


@contextmanager
def served(script: Path | None = None, **environment: str) -> Iterator[str]:
    """A server of its own on 127.0.0.1, of the app or of another script; yields its address once it is healthy."""
    command = () if script is None else ("streamlit", "run", str(script))
    with started(*command, **environment) as server:
        yield server.address


_waiting: WeakSet[Page] = WeakSet()  # those that have asked the server for something and have no answer yet


def _listen(page: Page) -> None:
    """Notice what a page asks of the server, and when it is answered."""

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
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=require(), args=ARGUMENTS)
        opened.on("context", lambda context: context.on("page", _listen))
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


def settle(page: Page, seconds: float = 20.0) -> None:
    """Wait until the app has drawn what the last move changed: asked the server, been answered, and come to rest."""
    page.wait_for_timeout(200)
    answered(page, seconds)
    page.wait_for_timeout(100)  # what was drawn may ask for more
    answered(page, seconds)


def answered(page: Page, seconds: float = 20.0) -> None:
    """Wait until the server has answered what it was asked, and the browser has drawn that."""
    end = time.monotonic() + seconds
    while page in _waiting:
        assert time.monotonic() < end, "the server has not answered"
        page.wait_for_timeout(20)
    page.wait_for_function("!document.querySelector('[data-testid=stApp][data-test-script-state=running]')")
    page.wait_for_timeout(50)


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
    from pages.components.probability_bars import ROW

    word = words(page)[row]
    chart = page.locator("[data-testid=stVegaLiteChart] svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 130, box["y"] + ROW * (row + 0.5))
    settle(page)
    return word


def beyond_the_edge(page: Page) -> list[str]:
    """What sticks out of the page on the right: in our components too, but not in what scrolls."""
    found: list[str] = page.evaluate(
        """() => {
          const found = [];
          const edge = innerWidth + 1;
          const look = (node) => {
            const style = getComputedStyle(node);
            const { width, right } = node.getBoundingClientRect();
            if (style.position === "absolute" || style.display === "none") return;
            if (width && right > edge)
              found.push(`${node.tagName}.${node.className}: ${node.textContent.slice(0, 30)}`);
            if (style.overflowX !== "visible" && right <= edge) return; // what is in it scrolls, or is cut off
            for (const child of [...node.children, ...(node.shadowRoot?.children ?? [])]) look(child);
          };
          [...document.querySelector(".stMain").children].forEach(look);
          return found;
        }"""
    )
    return found
