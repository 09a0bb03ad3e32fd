"""Browser tests of the models page with a hub on this machine: a watched and stopped download, a chat, two visitors.

The models of the hub are tiny ones, and stand in for those whose names they have.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.model.loading import load as load_model
from engine.trace.link_codec import decode_trace
from pages.i18n.translator import Translator
from tests import hub_server, tiny, tiny_chat
from tests.browser.app import chips, follow, settle, visit, wait_until_answered, words
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
def folders(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folder of each model on the hub, by its name there."""
    folder = tmp_path_factory.mktemp("models")
    built = {BASE: tiny.build("gpt2", folder / "base"), CHAT: tiny_chat.build(folder / "chat")}
    for name, files in built.items():
        hub.add(name, files)
    return built


@pytest.fixture(scope="module")
def app(hub: Hub, folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an app that only its own machine can reach, and so offers the small models of the catalog."""
    home = tmp_path_factory.mktemp("home")
    variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"}
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
    page = opened(chromium, app)
    load(page, CHAT)
    expect(page.locator(".st-key-models_now p").first).to_have_text(CHAT, timeout=30_000)
    settle(page)
    assert t("models.with_template") in page.locator(".st-key-models_now").inner_text()

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
    leave(page)
    leave(visitor)


def test_two_visitors_have_two_models_at_once(chromium: Browser, app: str, folders: dict[str, Path]) -> None:
    visitors = {BASE: opened(chromium, app), CHAT: opened(chromium, app)}
    for name, page in visitors.items():
        assert at_hand(page) == t("settings.bundled"), "the model of one visitor is not that of another"
        load(page, name)
        expect(page.locator(".st-key-models_now p").first).to_have_text(name, timeout=30_000)
        settle(page)
    for page in visitors.values():
        follow(page, t("step.title"))
        page.wait_for_selector(".loop")
        settle(page)
        box = page.get_by_role("textbox", name="Prompt")
        box.fill("the cat")
        box.press("Enter")
        settle(page)
    for _ in range(2):  # in turn: neither may see what the other one's model has computed
        for page in visitors.values():
            page.locator("[data-kind=next]").click()
            settle(page)
    texts = {name: chips(page) for name, page in visitors.items()}
    for name, page in visitors.items():
        page.reload()
        page.wait_for_selector(".loop")
        settle(page)
        assert chips(page) == texts[name]
        assert name in page.locator(".st-key-model_foot a").inner_text()
        model = load_model(folders[name])
        link = parse_qs(urlsplit(page.url).query)["t"][0]
        likeliest = model.distribution(decode_trace(link).token_ids()).top(3)
        assert words(page)[:3] == [candidate.text for candidate in likeliest]

    follow(visitors[CHAT], t("models.title"))
    visitors[CHAT].get_by_role("button", name=t("models.back")).click()
    expect(visitors[CHAT].locator(".st-key-models_now p").first).to_have_text(t("settings.bundled"))
    base = visitors[BASE]
    base.locator("[data-kind=next]").click()
    settle(base)
    assert len(chips(base)) == len(texts[BASE]) + 1 and BASE in base.locator(".st-key-model_foot a").inner_text()
    for page in visitors.values():
        leave(page)
