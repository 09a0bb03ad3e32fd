"""Browser test of a chat with a server that only chats: two turns, a look at a token, and back to a model here."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from pages.i18n.translator import Translator
from tests.browser.app import overflowing_elements, served, settle
from tests.browser.tabs import borrow, leave
from tests.browser.test_accessible import violations
from tests.endpoint_server import Answer, chat_only, entry, serve, streamed

T = Translator("en")
HALVES = ["氣".encode()[:2], "氣".encode()[2:]]
TOP = {"Yes": -0.6, "No": -1.6, "<b>": -3.0, "Maybe": -4.0, "Of": -5.0}
ENTRIES = [entry("Yes", -0.6, TOP), entry("", -0.3, {}, HALVES[0]), entry("氣", -0.2, {}, HALVES[1])]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The app with a server that only chats."""
    answer = Answer(streamed(ENTRIES, said=["Yes", "", "氣"]))
    slow = Answer(streamed(ENTRIES[:1] * 400), drip=True, pause=0.0003)
    with (
        serve(chat_only(lambda body: slow if body["messages"][-1]["content"] == "Slowly." else answer)) as server,
        served(ENGINE_ENDPOINTS=json.dumps([{"name": "Cloud", "url": server.url}])) as address,
    ):
        yield address


def test_two_turns_with_a_look_at_the_alternatives(chromium: Browser, site: str) -> None:
    page = borrow(chromium, locale="en-US", width=390, height=844)
    try:
        page.goto(f"{site}/chat?lang=en")
        page.wait_for_selector(".composer textarea", timeout=60_000)
        page.get_by_text(T("chat.who_server", name="Cloud")).click()
        page.get_by_text(T("chat.server.cannot", name="Cloud")).wait_for()
        settle(page)
        box = page.locator(".composer textarea")
        for count, said in enumerate(("Do you like animals?", "Which ones?"), 1):
            box.fill(said)
            box.press("Enter")
            page.locator(f".message:nth-child({2 * count}).assistant .status").wait_for()
            settle(page)
            assert box.input_value() == ""
        assert page.locator(".message > .text").all_inner_texts() == [
            "Do you like animals?", "Yes氣", "Which ones?", "Yes氣",
        ]  # fmt: skip
        assert page.get_by_role("button", name=T("chat.label.go_on")).count() == 0
        chips = page.locator(".chips .t")
        assert chips.all_inner_texts() == ["Yes", "氣 1–2/3", "氣 3/3"]
        chips.first.click()
        rows = page.locator(".view .other")
        assert rows.locator(".word").all_inner_texts() == [*TOP, T("chat.server_label.rest")]
        rest = 1 - sum(math.exp(value) for value in TOP.values())
        assert rows.last.locator(".value").inner_text() == T.percent(rest)
        assert rows.first.locator(".value").inner_text() == T.percent(math.exp(-0.6))
        assert page.locator(".view .rest").is_visible() and page.locator(".view b").count() == 0
        chips.first.press("ArrowRight")
        page.keyboard.press("Enter")
        assert page.locator(".view .head").inner_text() == "氣 1–2/3"
        assert overflowing_elements(page) == [] and violations(page) == []
        box.fill("Slowly.")
        box.press("Enter")
        page.locator(".log .cur").wait_for()
        page.locator(".chips .t").nth(2).wait_for()
        page.locator(".composer .stop").click()
        page.get_by_text(T("chat.stopped_server.person")).wait_for(timeout=5_000)
        settle(page)
        written = page.locator(".message > .text").all_inner_texts()[5]
        assert set(written.split("Yes")) == {""} and page.locator(".chips .t").count() == written.count("Yes") < 400
        page.locator(".st-key-chat_server_local button").click()
        page.locator(".strip.lines").wait_for()
        settle(page)
        assert page.locator(".message > .text").all_inner_texts()[1] == "Yes氣"
    finally:
        leave(page)
