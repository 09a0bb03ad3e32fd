"""The first seconds of a visit: what is loaded, what is seen before the app is drawn, what moves, the tab's title."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from pages.i18n.translator import Translator
from pages.shell import navigation
from tests.browser.app import follow, settle
from tests.browser.tabs import borrow, leave, new_page
from tests.turns import todays

_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Page]:
    page = new_page(chromium)
    yield page
    page.context.close()


def test_a_first_visit_loads_little(visitor: Page, address: str) -> None:
    received: list[int] = []
    devtools = visitor.context.new_cdp_session(visitor)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    devtools.on("Network.webSocketFrameReceived", lambda event: received.append(len(event["response"]["payloadData"])))
    fonts: list[str] = []
    visitor.on("request", lambda request: fonts.append(request.url) if "SourceSans" in request.url else None)
    visitor.goto(address)
    visitor.wait_for_selector(".loop", timeout=90_000)
    settle(visitor)
    assert len(received) > 50
    assert sum(received) < 1_600_000
    assert fonts == [], "a font in which nothing is written"


@pytest.mark.parametrize("size", [(1366, 657), (390, 844)])
@pytest.mark.parametrize("path", ["", "learn", "beam", "compare", "quiz"])
def test_nothing_jumps_while_a_page_arrives(chromium: Browser, address: str, path: str, size: tuple[int, int]) -> None:
    page = new_page(chromium, width=size[0], height=size[1])
    page.add_init_script(_SHIFTS)
    page.goto(f"{address}/{path}")
    page.wait_for_selector("h1:visible", timeout=90_000)
    page.wait_for_selector(".stMain .st-key-lead", timeout=90_000)
    settle(page)
    page.wait_for_selector("#splash", state="detached")
    page.wait_for_timeout(1500)
    assert page.evaluate("shifts.reduce((a, b) => a + b, 0)") <= 0.1
    page.context.close()


@pytest.mark.parametrize(("locale", "language"), [("zh-TW", "zh_Hant"), ("en-GB", "en")])
def test_the_splash_has_the_pages_title_where_it_will_stand(
    chromium: Browser, address: str, locale: str, language: str
) -> None:
    page = new_page(chromium, locale=locale, width=1366, height=657)
    page.route("**/*.js", lambda route: route.abort())
    page.goto(f"{address}/beam")
    title = page.locator("#splash h1")
    assert title.inner_text() == Translator(language)("beam.title")
    assert page.locator("#splash i:visible").count() > 8
    before = title.evaluate("e => { const r = document.createRange(); r.selectNodeContents(e); "
                            "const b = r.getBoundingClientRect(); return [b.x, b.y]; }")  # fmt: skip
    page.unroute_all()
    page.goto(f"{address}/beam")
    page.wait_for_selector("#splash", state="detached", timeout=90_000)
    settle(page)
    box = page.locator(".stMain h1").bounding_box()
    assert box is not None
    assert abs(box["x"] - before[0]) <= 3 and abs(box["y"] - before[1]) <= 12
    page.context.close()


def test_the_language_is_declared_from_the_beginning(chromium: Browser, address: str) -> None:
    """Set late, a font changes its punctuation while the page is being read."""
    page = new_page(chromium)
    page.add_init_script(
        "window.languages = new Set(); const note = () => document.documentElement && "
        "window.languages.add(document.documentElement.lang); new MutationObserver(note)"
        ".observe(document, { subtree: true, childList: true, attributes: true });"
    )
    page.goto(address)
    page.wait_for_selector(".loop", timeout=90_000)
    settle(page)
    assert page.evaluate("[...languages]") == ["zh-Hant"]
    page.context.close()


@pytest.mark.parametrize(("locale", "language"), todays([("zh-TW", "zh_Hant"), ("en-GB", "en")], 2))
def test_every_page_names_its_tab(chromium: Browser, address: str, locale: str, language: str) -> None:
    t = Translator(language)
    page = borrow(chromium, locale)
    page.goto(address)
    page.wait_for_selector(".loop", timeout=90_000)
    for entry in (entry for entry in navigation.PAGES if not entry.hidden):
        follow(page, t(entry.title))
        page.wait_for_selector(f"h1:has-text('{t(entry.title)}')")
        settle(page)
        assert page.title() == f"{t(entry.title)} · {t('app.title')}"
    page.get_by_role("radio", name=Translator("en" if language == "zh_Hant" else "zh_Hant")("app.name")).click()
    settle(page)
    other = Translator("en" if language == "zh_Hant" else "zh_Hant")
    assert page.title() == f"{other(entry.title)} · {other('app.title')}"
    leave(page)
