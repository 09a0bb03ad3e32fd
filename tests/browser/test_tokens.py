"""Browser tests of the tokens page: typing, opening a token, stepping through merges, leaving and coming back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engine.tokenization.tokenized_text import standalone_tokenizer
from tests.browser.app import follow, settle

WAIT = 20_000  # milliseconds


@pytest.fixture
def tokens(newcomer: Page, address: str) -> Iterator[Page]:
    newcomer.goto(f"{address}/tokens")
    wait_for_tokens(newcomer)
    yield newcomer
    assert newcomer.locator("[data-testid=stException]").count() == 0


def open_tokens(page: Page) -> None:
    follow(page, "切成詞元")
    wait_for_tokens(page)


def wait_for_tokens(page: Page) -> None:
    page.wait_for_selector("button.t")
    settle(page)


def expect_chips(page: Page, labels: list[str]) -> None:
    """Wait until the token chips have these labels."""
    expect(page.locator("button.t .label")).to_have_text(labels, timeout=WAIT)


def merged_tokens(page: Page) -> list[str]:
    """Tokens after the replayed merges."""
    return page.locator(".words .read").all_inner_texts()


def test_text_is_tokenized_while_typing_and_kept(tokens: Page) -> None:
    vocabulary = standalone_tokenizer("bundled")
    expect_chips(tokens, vocabulary.pieces(vocabulary.encode("今天天氣真")))
    box = tokens.locator("textarea")
    box.click()
    box.press("End")
    tokens.keyboard.type("好\nChatGPT 龘")
    text = "今天天氣真好\nChatGPT 龘"
    expected = vocabulary.pieces(vocabulary.encode(text))
    expect_chips(tokens, [label.removeprefix("龘 ") for label in expected])
    assert box.input_value() == text
    tokens.locator("button.t").last.click()
    expect(tokens.locator("button.t").last).to_have_attribute("aria-pressed", "true", timeout=WAIT)
    expect(tokens.locator(".card")).to_contain_text("U+9F98")
    follow(tokens, "一步一步生成")
    tokens.wait_for_selector(".loop")
    open_tokens(tokens)
    assert tokens.locator("textarea").input_value() == text
    expect(tokens.locator(".card")).to_contain_text("U+9F98", timeout=WAIT)


def test_merges_end_in_the_tokens(tokens: Page) -> None:
    vocabulary = standalone_tokenizer("bundled")
    derivation = vocabulary.merges.derive("今天天氣真")
    assert merged_tokens(tokens) == [f"{vocabulary.token_bytes(i)[0]:02X}" for i in derivation.parts]
    tokens.get_by_role("button", name="合併一次").click()
    assert merged_tokens(tokens)[0] == "E4 BB"
    slider = tokens.locator(".stepper input")
    slider.press("End")
    assert merged_tokens(tokens) == ["今天", "天氣", "真"]
    assert tokens.get_by_role("button", name="合併一次").is_disabled()
    slider.press("ArrowLeft")
    tokens.wait_for_timeout(700)
    settle(tokens)
    follow(tokens, "一步一步生成")
    tokens.wait_for_selector(".loop")
    open_tokens(tokens)
    expect(tokens.locator(".words .read")).to_have_count(4, timeout=WAIT)
