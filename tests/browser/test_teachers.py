"""Browser test of the page for teachers: its links, its button, and the worksheet on paper."""

from __future__ import annotations

import re

from playwright.sync_api import Browser

from pages.i18n.translator import Translator
from pages.teachers import material
from tests.browser.app import settle
from tests.browser.tabs import borrow, leave

SHEETS = 3  # of paper: the tasks on two, then the exit ticket
_ROOM = "rows => rows.map((row) => row.getBoundingClientRect().height)"


def test_the_worksheet_is_ready_for_the_printer(chromium: Browser, address: str) -> None:
    t = Translator("zh_Hant")
    page = borrow(chromium, first=True)
    page.goto(f"{address}")
    page.locator(".st-key-teachers_door a").click(timeout=90_000)
    page.locator(".root table").first.wait_for()
    settle(page)
    with page.context.expect_page() as opened:
        page.locator("td a").first.click()
    opened.value.get_by_role("region").first.wait_for(timeout=60_000)
    assert "lesson=" in opened.value.url
    opened.value.close()
    page.get_by_role("radio", name=t("teachers.part.sheet")).or_(
        page.get_by_role("button", name=t("teachers.part.sheet"))
    ).first.click()
    page.locator("table.fill").wait_for()
    settle(page)
    page.evaluate("window.print = () => (window.printed = true)")
    page.get_by_role("button", name=t("teachers.print")).click()
    assert page.evaluate("window.printed")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 900})  # A4 within its margins
    assert (
        page.locator("h1, .print, .fill a, .st-key-bar").evaluate_all("all => all.some((n) => n.checkVisibility())")
        is False
    )
    tasks = material.read("zh_Hant").tasks
    assert page.locator(".fill tbody tr").count() == len(tasks)
    assert min(page.locator(".fill tbody tr").evaluate_all(_ROOM)) > 120, "room to write"
    file = page.pdf(prefer_css_page_size=True, width="210mm", height="297mm")
    assert len(re.findall(rb"/Type\s*/Page\b", file)) == SHEETS
    leave(page)
