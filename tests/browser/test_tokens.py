"""The tokens page in a real browser: type, open a token, step through the merges, leave and come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engine.tokenization.tokenized_text import standalone_tokenizer
from tests.browser.app import settle

WAIT = 20_000  # milliseconds


@pytest.fixture
def tokens(page: Page) -> Iterator[Page]:
    go(page)
    yield page
    assert page.locator("[data-testid=stException]").count() == 0


def go(page: Page) -> None:
    page.get_by_role("link", name="切成詞元").click()
    page.wait_for_selector("button.t")
    settle(page)


def reads(page: Page, labels: list[str]) -> None:
    """Waits until these chips stand there."""
    expect(page.locator("button.t .label")).to_have_text(labels, timeout=WAIT)


def standing(page: Page) -> list[str]:
    return page.locator(".words .read").all_inner_texts()


def test_it_cuts_while_one_types_and_keeps_it(tokens: Page) -> None:
    vocabulary = standalone_tokenizer("bundled")
    reads(tokens, vocabulary.pieces(vocabulary.encode("今天天氣真")))
    box = tokens.locator("textarea")
    box.click()
    box.press("End")
    tokens.keyboard.type("好\nChatGPT 龘")
    text = "今天天氣真好\nChatGPT 龘"
    expected = vocabulary.pieces(vocabulary.encode(text))
    reads(tokens, [label.removeprefix("龘 ") for label in expected])
    assert box.input_value() == text
    tokens.locator("button.t").last.click()
    expect(tokens.locator("button.t").last).to_have_attribute("aria-pressed", "true", timeout=WAIT)
    expect(tokens.locator(".card")).to_contain_text("U+9F98")
    tokens.get_by_role("link", name="一步一步生成").click()
    tokens.wait_for_selector(".loop")
    go(tokens)
    assert tokens.locator("textarea").input_value() == text
    expect(tokens.locator(".card")).to_contain_text("U+9F98", timeout=WAIT)


def test_merges_end_in_the_tokens(tokens: Page) -> None:
    vocabulary = standalone_tokenizer("bundled")
    replay = vocabulary.merges.derive("今天天氣真")
    assert standing(tokens) == [f"{vocabulary.token_bytes(i)[0]:02X}" for i in replay.parts]
    tokens.get_by_role("button", name="合併一次").click()
    assert standing(tokens)[0] == "E4 BB"
    slider = tokens.locator(".stepper input")
    slider.press("End")
    assert standing(tokens) == ["今天", "天氣", "真"]
    assert tokens.get_by_role("button", name="合併一次").is_disabled()
    slider.press("ArrowLeft")
    tokens.wait_for_timeout(700)
    settle(tokens)
    tokens.get_by_role("link", name="一步一步生成").click()
    tokens.wait_for_selector(".loop")
    go(tokens)
    expect(tokens.locator(".words .read")).to_have_count(4, timeout=WAIT)
