"""A click on Next or on Grow is answered before the app answers, with what the app then says."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app import chips, follow, open_page, settle
from tests.browser.tabs import leave
from tests.serving import Server

_STAGE = "document.querySelector('.st-key-stage [data-testid=stBidiComponentIsolated]').shadowRoot"
_KNOWN = f"""() => {{
  const {{ change, counts }} = window.inAdvance?.next_step ?? {{}};
  return change && counts.turn === {_STAGE}.querySelector('.root').turn;
}}"""
_SHOWN = f"""() => {{
  const all = (selector) => [...{_STAGE}.querySelectorAll(selector)].filter((node) => node.getClientRects().length);
  return {{
    tokens: all('.strip .t').map((node) => [node.textContent, node.className.replace(' played', '')]),
    rows: all('.bars .row').map((node) => [node.dataset.token, node.innerText, node.style.cssText]),
    ruler: {_STAGE}.querySelector('.ruler').innerText + {_STAGE}.querySelector('.ruler .mark')?.style.cssText,
    status: all('.status, .legend, .looks').map((node) => node.textContent),
  }};
}}"""
LINKS = ("", f"?prompt={quote('今天天氣真')}&T=1.8&seed=4&k=6", f"?prompt={quote('I love 🐈 and')}&T=0")


@contextmanager
def unanswered(server: Server) -> Iterator[None]:
    """Context in which the server answers nothing."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


def shown(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(_SHOWN)
    return found


@pytest.mark.parametrize("link", LINKS, ids=["first", "filtered", "greedy"])
def test_next_is_shown_at_once_and_is_what_the_app_answers(chromium: Browser, server: Server, link: str) -> None:
    page = open_page(chromium, f"{server.address}/{link}")
    for _ in range(3):
        page.wait_for_function(_KNOWN)
        length, before = len(chips(page)), shown(page)
        with unanswered(server):
            page.get_by_role("button", name="下一步").click()
            page.wait_for_function("n => " + _STAGE + ".querySelectorAll('.strip .t').length === n", arg=length + 1)
            at_once = shown(page)
        settle(page)
        assert at_once["rows"] != before["rows"]
        assert shown(page) == at_once
        page.reload()
        expect(page.locator(".loop")).to_be_visible(timeout=60_000)
        settle(page)
        assert shown(page) == at_once
    leave(page)


def test_clicks_while_the_app_is_silent_are_all_made(chromium: Browser, server: Server) -> None:
    page = open_page(chromium, server.address)
    page.wait_for_function(_KNOWN)
    length = len(chips(page))
    with unanswered(server):
        for _ in range(3):
            page.get_by_role("button", name="下一步").click()
        assert len(chips(page)) == length + 1, "one step is known in advance"
    page.wait_for_function("n => " + _STAGE + ".querySelectorAll('.strip .t').length === n", arg=length + 3)
    settle(page)
    page.get_by_role("button", name="返回").click()
    settle(page)
    assert page.locator(".strip .beyond").count() == 1
    leave(page)


_TREE = "document.querySelector('.st-key-beam_tree [data-testid=stBidiComponentIsolated]').shadowRoot"
_LEVEL_KNOWN = f"""() => {{
  const {{ change, counts }} = window.inAdvance?.next_level ?? {{}};
  return change && counts.turn === {_TREE}.querySelector('.root').data.turn;
}}"""


def test_grow_is_shown_at_once_and_is_what_the_app_answers(chromium: Browser, server: Server) -> None:
    page = open_page(chromium, server.address)
    follow(page, "集束搜尋")
    tree, levels = page.locator(".st-key-beam_tree .pane"), page.locator(".st-key-beam_tree .head")
    levels.first.wait_for()
    for _ in range(3):
        page.wait_for_function(_LEVEL_KNOWN)
        settle(page)
        count = levels.count()
        with unanswered(server):
            page.get_by_role("button", name="長一層").click()
            expect(levels).to_have_count(count + 1)
            at_once = tree.text_content()
        settle(page)
        assert tree.text_content() == at_once
        page.reload()
        levels.first.wait_for()
        settle(page)
        assert tree.text_content() == at_once
    leave(page)
