"""Browser tests of the chat page: three turns, another reply, an edit, a stop, the step page, a link, a phone."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from pages.i18n.translator import Translator
from tests.browser.app import chips, overflowing_elements, settle
from tests.browser.tabs import borrow, leave

T = Translator("en")


def opened(page: Page, address: str, query: str = "lang=en&T=0.7") -> None:
    page.goto(f"{address}/chat?{query}")
    page.wait_for_selector(".composer textarea", timeout=60_000)
    settle(page)


def wait_for_reply(page: Page) -> None:
    page.locator(".composer .send:not(.stop)").wait_for()
    page.locator(".log .message.assistant:last-child .status").wait_for()
    settle(page)


def said(page: Page) -> list[str]:
    return page.locator(".message > .text").all_inner_texts()


def test_a_conversation_as_people_have_them(newcomer: Page, address: str) -> None:
    page = newcomer
    opened(page, address)
    box = page.locator(".composer textarea")
    for text in ("Do you like animals?", "What <b>is</b> your name?", "A long story, please."):
        box.fill(text)
        box.press("Enter")
        wait_for_reply(page)
        assert box.input_value() == ""
    assert len(said(page)) == 6 and said(page)[2] == "What <b>is</b> your name?"
    assert page.locator(".composer textarea").evaluate("box => box.getRootNode().activeElement === box")

    before = said(page)
    page.get_by_role("button", name=T("chat.label.again")).click()
    wait_for_reply(page)
    assert said(page)[:-1] == before[:-1] and page.get_by_role("spinbutton").first.input_value() == "8"

    box.fill("a draft")
    page.get_by_role("button", name=T("chat.label.edit")).nth(1).click()
    editor = page.locator(".editor textarea")
    assert editor.input_value() == "What <b>is</b> your name?"
    editor.press("Escape")
    page.get_by_role("button", name=T("chat.label.edit")).nth(1).click()
    editor.fill("How is the weather today?")
    editor.press("Enter")
    wait_for_reply(page)
    assert said(page)[:3] == [*before[:2], "How is the weather today?"] and len(said(page)) == 4
    assert box.input_value() == "a draft"

    written = page.locator(".strip.lines .t").all_inner_texts()
    whole, url = said(page), page.url
    page.goto(url)
    page.wait_for_selector(".message.assistant", timeout=60_000)
    settle(page)
    assert said(page) == whole
    assert page.locator(".strip.lines .t").all_inner_texts() == written

    page.locator(".strip.lines .t").nth(4).click()
    page.wait_for_selector(".loop")
    settle(page)
    assert chips(page) == written[:5]
    page.go_back()
    page.wait_for_selector(".message.assistant")
    settle(page)
    page.locator(".st-key-chat_take button:enabled").first.click()
    page.wait_for_selector(".loop")
    settle(page)
    assert chips(page)[: len(written)] == written


def test_it_stops_goes_on_and_fits_a_phone(chromium: Browser, address: str) -> None:
    t = Translator("zh_Hant")
    page = borrow(chromium, width=390, height=844, dark=True)
    try:
        opened(page, address, "T=1&seed=8")  # with this seed the reply is a long one
        box = page.locator(".composer textarea")
        box.fill("   ")
        box.press("Enter")  # says nothing
        box.fill("你昨天做了什麼？")
        page.locator(".composer .send").click()
        page.locator(".log .cur").wait_for()
        page.locator(".composer .stop").click()
        wait_for_reply(page)
        assert t("chat.stopped.person") in page.locator(".log .status").inner_text()
        assert overflowing_elements(page) == []
        page.get_by_role("button", name=t("chat.label.go_on")).click()
        wait_for_reply(page)
        assert t("chat.stopped.person") not in page.locator(".log .status").inner_text()
        page.get_by_role("button", name=t("chat.label.clear")).click()
        page.locator(".log .empty").wait_for()
    finally:
        leave(page)
