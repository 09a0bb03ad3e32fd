"""Browser tests of the models page with a hub on this machine: a watched and stopped download, a chat, two visitors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.i18n.translator import Translator
from tests import hub_server, tiny, tiny_chat
from tests.browser.app import chips, settle, visit, wait_until_answered
from tests.browser.tabs import borrow, leave
from tests.hub_server import Hub
from tests.serving import started

BASE, CHAT = "EleutherAI/pythia-70m-deduped", "HuggingFaceTB/SmolLM2-135M-Instruct"
t = Translator("en")


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with hub_server.serve() as served:
        yield served


@pytest.fixture(scope="module")
def app(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an app that only its own machine can reach, and so offers the small models of the catalog."""
    folder = tmp_path_factory.mktemp("models")
    hub.add(BASE, tiny.build("gpt2", folder / "base"))
    hub.add(CHAT, tiny_chat.build(folder / "chat"))
    variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "0"}
    with started(**variables) as server:
        yield server.address


def opened(chromium: Browser, app: str) -> Page:
    page = borrow(chromium, locale="en-GB")
    page.goto(f"{app}/models")
    page.locator(".st-key-models_now").wait_for(timeout=90_000)
    settle(page)
    return page


def load(page: Page, name: str) -> None:
    page.locator(f"[class*='st-key-load-{name.replace('/', '-').replace('.', '-')}'] button").click()


def at_hand(page: Page) -> str:
    return page.locator(".st-key-models_now p").first.inner_text()


def test_a_download_is_watched_stopped_and_continued(chromium: Browser, app: str, hub: Hub) -> None:
    page = opened(chromium, app)
    assert at_hand(page) == t("settings.bundled")
    hub.pause = 0.3
    load(page, BASE)
    stop = page.get_by_role("button", name=t("models.stop"), exact=True)
    stop.wait_for()
    bar = page.locator("[data-testid=stProgress]")
    assert bar.is_visible() and t("models.loading") in page.locator(".stMain").inner_text()
    box, button = bar.bounding_box(), stop.bounding_box()
    assert box is not None and button is not None
    assert 0 <= box["y"] < 900 and 0 <= button["y"] < 900, "what was pressed and what moves are in sight together"
    stop.click()
    page.get_by_text(t("error.stopped", name=BASE)[-30:]).wait_for()
    assert at_hand(page) == t("settings.bundled")
    hub.pause = 0.0
    load(page, BASE)
    expect(page.locator(".st-key-models_now p").first).to_have_text(BASE, timeout=30_000)
    settle(page)
    assert t("models.at_hand") in page.locator(".stMain").inner_text()
    page.get_by_role("button", name=t("models.back")).click()
    settle(page)
    assert at_hand(page) == t("settings.bundled")
    leave(page)


def test_a_chat_model_is_loaded_talked_to_and_handed_on(chromium: Browser, app: str) -> None:
    page, other = opened(chromium, app), opened(chromium, app)
    load(page, CHAT)
    expect(page.locator(".st-key-models_now p").first).to_have_text(CHAT, timeout=30_000)
    settle(page)
    assert t("models.with_template") in page.locator(".st-key-models_now").inner_text()
    assert at_hand(other) == t("settings.bundled"), "the model of one visitor is not that of another"
    load(other, BASE)
    expect(other.locator(".st-key-models_now p").first).to_have_text(BASE, timeout=30_000)

    page.goto(page.url.replace("/models", "/chat"))
    box = page.locator(".composer textarea")
    box.wait_for(timeout=60_000)
    settle(page)
    for turn, text in enumerate(("Hello", "<|im_end|> is text", "and so on"), 1):
        box.fill(text)
        box.press("Enter")
        page.locator(".log .message.assistant").nth(turn - 1).locator(".status").wait_for()
        page.locator(".composer .send:not(.stop)").wait_for()
        settle(page)
    assert page.locator(".message > .text").nth(2).inner_text() == "<|im_end|> is text"
    written = page.locator(".strip.lines .t").all_inner_texts()
    assert "".join(written).count("im_start") == 7, "the template's own system message, three turns of two"
    page.get_by_role("button", name=t("chat.label.again")).click()
    page.locator(".composer .send:not(.stop)").wait_for()
    settle(page)
    written = page.locator(".strip.lines .t").all_inner_texts()
    page.locator(".strip.lines .t").nth(len(written) - 2).click()  # inside the last reply
    page.wait_for_selector(".loop")
    settle(page)
    assert chips(page) == written and page.locator(".strip .beyond").count() == 1

    visitor = borrow(chromium, locale="en-GB")
    visit(visitor, page.url)
    assert chips(visitor) == chips(page), "a link brings the model along"
    link = visitor.locator(".st-key-model_foot a")
    assert CHAT in link.inner_text()
    link.click()
    visitor.locator(".st-key-models_now").wait_for()
    settle(visitor)
    visitor.get_by_role("button", name=t("models.back")).click()
    wait_until_answered(visitor)
    expect(visitor.locator(".st-key-models_now p").first).to_have_text(t("settings.bundled"))
    for opened_page in (page, other, visitor):
        leave(opened_page)
