"""A lesson of one's own in a browser: a page becomes a step, the link opens it for another visitor, who does it."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.app import open_page, settle
from tests.browser.tabs import borrow, leave

HOSTILE = "<img src=x onerror=alert(1)> **bold** {nothing}"


def test_a_page_becomes_a_step_that_another_visitor_does(chromium: Browser, address: str) -> None:
    author = open_page(chromium, address, "en-GB")
    author.locator("[data-keep=next]").click()
    settle(author)
    author.locator(".st-key-share button").first.click()
    author.locator(".st-key-own_make button").click()
    settle(author)
    author.goto(address)  # another session: the browser has kept the draft
    author.locator(".bars").wait_for(timeout=60_000)
    settle(author)
    author.locator(".st-key-share button").first.click()
    author.locator("[data-testid=stPopoverBody]").get_by_role("link", name="Write your own lesson").click()
    author.locator(".st-key-own_title input").fill("Rain & <b>sun</b>")
    author.keyboard.press("Enter")
    settle(author)
    author.locator("[class*='st-key-own_text'] textarea").fill(HOSTILE)
    author.locator(".st-key-own_title input").click()
    settle(author)
    link = author.locator("[data-testid=stCode] code").inner_text().strip()
    prompt = author.locator("[data-testid=stExpanderDetails] [data-testid=stCaptionContainer]").first.inner_text()
    assert "lesson=own.1" in link and "own=" in link and prompt.startswith("Prompt: The weather today is")
    leave(author)
    visitor = borrow(chromium, "zh-TW", width=1366, height=657)
    visitor.goto(link)
    sheet = visitor.locator(".sheet")
    sheet.wait_for(timeout=60_000)
    settle(visitor)
    expect(sheet.locator(".title")).to_have_text("Rain & <b>sun</b>")
    expect(sheet.locator(".text")).to_have_text("<img src=x onerror=alert(1)> bold nothing")
    assert sheet.locator("img").count() == 0
    expect(visitor.get_by_role("textbox", name="提示")).to_have_value(prompt.removeprefix("Prompt: "))
    for _ in range(3):
        visitor.locator("[data-keep=next]").click()
        settle(visitor)
    visitor.locator(".task.done").wait_for()
    visitor.locator(".moves .first").click()
    settle(visitor)
    expect(sheet).to_have_count(0)
    expect(visitor.get_by_text("這一課上完了。")).to_be_visible()
    in_the_middle = "document.querySelector('.stMainBlockContainer').getBoundingClientRect().left > 50"
    visitor.wait_for_function(in_the_middle)
    visitor.goto(link[:-9])
    visitor.get_by_text("讀不出這個連結裡的課").wait_for(timeout=60_000)
    assert visitor.locator("[data-testid=stException]").count() == 0
    leave(visitor)
