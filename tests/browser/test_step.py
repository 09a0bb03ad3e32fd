"""Browser tests of the step page."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.components.theme import LIGHT, palette
from tests.browser.app import (
    browser,
    chips,
    click_bar,
    links,
    open_more_settings,
    open_page,
    overflowing_elements,
    served,
    settle,
    words,
)
from tests.browser.tabs import leave, new_page

HOSTILE = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "**bold** _it_ [link](javascript:document.title='owned') :red[x] $x^2$ `code`",
]


def rgb(color: str) -> str:
    """A colour `#RRGGBB` as a computed style."""
    return f"rgb({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))})"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    settle(page)


def type_prompt(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="提示")
    box.fill(text)
    box.press("Enter")
    settle(page)


def test_next_takes_the_token_that_was_marked(page: Page) -> None:
    before = chips(page)
    marked = page.locator(".bars .row.pick")
    assert marked.count() == 1 and "▶" in marked.locator(".value").inner_text()
    word = marked.locator(".word")
    assert word.evaluate("node => getComputedStyle(node).color") == rgb(LIGHT.pick)
    expected = word.inner_text()
    press(page, "下一步")
    assert chips(page) == [*before, expected]


def test_a_clicked_bar_is_taken(page: Page) -> None:
    before = chips(page)
    word = click_bar(page, 2)
    assert chips(page) == [*before, word]
    again = click_bar(page, 0)
    assert chips(page) == [*before, word, again]


def test_the_same_bar_can_be_taken_again_after_going_back(page: Page) -> None:
    before = chips(page)
    first = click_bar(page, 1)
    press(page, "返回")
    assert words(page)[1] == first
    assert click_bar(page, 1) == first
    assert chips(page) == [*before, first]


def test_going_back_and_another_way_keeps_both_ways(page: Page) -> None:
    start = chips(page)
    one = click_bar(page, 0)
    press(page, "返回")
    other = click_bar(page, 1)
    assert chips(page) == [*start, other]
    branch = page.locator(".branch")
    assert branch.count() == 1
    assert one in branch.inner_text()
    branch.click()
    settle(page)
    assert chips(page) == [*start, one]
    tree = page.locator("ul.tree")
    assert tree.locator(".t").all_inner_texts() == [*start, one, other]
    tree.locator(".t", has_text=other).last.click()
    settle(page)
    assert chips(page) == [*start, other]


def test_a_clicked_chip_goes_back_there_and_keeps_what_follows(page: Page) -> None:
    press(page, "下一步")
    press(page, "下一步")
    text = chips(page)
    page.locator(".strip .t").nth(1).click()
    settle(page)
    assert chips(page) == text
    assert page.locator(".strip .beyond").count() == len(text) - 2
    assert page.locator(".formula i:not(.ask)").all_inner_texts() == text[:2]


def test_resting_on_a_chip_tells_what_else_could_have_stood_there(page: Page) -> None:
    page.locator(".strip .t").nth(2).hover()
    card = page.locator(".card")
    card.wait_for()
    assert card.locator(".other").count() == 5
    tops = [box["y"] for bar in card.locator(".other .bar").all() if (box := bar.bounding_box())]
    assert len(set(tops)) == 5, "each alternative has its bar beside it"
    text = chips(page)
    other = card.locator(".other:not(.same)").first
    word = other.locator(".word").inner_text()
    other.click()
    settle(page)
    assert chips(page) == [*text[:2], word]


def test_a_run_shows_token_by_token_and_stops_at_any_moment(chromium: Browser, address: str) -> None:
    page = open_page(chromium, f"{address}/?tokens=60")
    before = len(chips(page))
    page.get_by_role("button", name=re.compile("執行")).click()
    page.locator(".strip .t").nth(before + 1).wait_for()
    page.get_by_role("button", name=re.compile("停")).click()
    settle(page)
    written = len(chips(page))
    assert before + 2 <= written < before + 60
    assert "你按了停" in page.locator(".status").inner_text()
    page.wait_for_timeout(600)
    assert len(chips(page)) == written
    leave(page)


def test_a_run_ends_by_itself_and_says_why(page: Page) -> None:
    before = len(chips(page))
    page.get_by_role("button", name=re.compile("執行")).click()
    page.locator(".status:not(:empty)").wait_for(timeout=20_000)
    settle(page)
    reason = page.locator(".status").inner_text()
    assert (len(chips(page)) == before + 10 and "步數" in reason) or "結束符號" in reason


def test_the_keyboard_steps_back_runs_and_stops(page: Page) -> None:
    text = chips(page)
    page.keyboard.press("ArrowRight")
    settle(page)
    assert len(chips(page)) == len(text) + 1
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert page.locator(".strip .beyond").count() == 1
    page.keyboard.press("Space")
    page.locator(".strip .t").nth(len(text) + 1).wait_for()
    page.keyboard.press("Space")
    settle(page)
    assert page.locator(".status:not(:empty)").count() == 1


def test_a_prompt_that_is_typed_begins_anew(page: Page) -> None:
    press(page, "下一步")
    type_prompt(page, "人工智慧是")
    assert "".join(chips(page)) == "人工智慧是"
    assert page.locator(".branch").count() == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("   ", "先打幾個字"), ("好" * 21_000, "太長了"), ("今天天氣真好。" * 200, "最多看")],
    ids=["blank", "too many characters", "past the window"],
)
def test_a_prompt_that_cannot_be_read_is_explained_and_nothing_is_lost(page: Page, text: str, sentence: str) -> None:
    press(page, "下一步")
    before = chips(page)
    type_prompt(page, text)
    assert sentence in page.get_by_test_id("stAlert").inner_text()
    assert chips(page) == before
    assert page.get_by_role("textbox", name="提示").input_value() == text
    press(page, "下一步")
    assert chips(page)[: len(before)] == before


@pytest.mark.parametrize("text", ["👨‍👩‍👧‍👦 一家人", "مرحبا بالعالم", "<eos>", "a\u0000b", *HOSTILE])
def test_odd_text_is_text(page: Page, text: str) -> None:
    type_prompt(page, text)
    press(page, "下一步")
    assert page.get_by_text("�").count() == 0
    assert page.title() != "owned"
    main = page.locator(".stMain")
    assert main.locator("script, img, a[href^=javascript], strong, em, .katex").count() == 0
    assert page.get_by_test_id("stException").count() == 0
    assert page.locator(".strip .special").count() == 0


def test_settings_change_the_picture_and_not_the_text(page: Page) -> None:
    press(page, "下一步")
    text = chips(page)
    open_more_settings(page)
    slider = page.get_by_role("slider", name="top-k")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    expect(page.locator(".bars .value", has_text="top-k")).to_have_count(7)
    expect(page.locator(".cutline", has_text="top-k")).to_have_count(1)
    settle(page)
    assert chips(page) == text
    page.keyboard.press("Escape")
    page.get_by_role("button", name="貪婪搜尋").or_(page.get_by_role("radio", name="貪婪搜尋")).first.click()
    settle(page)
    assert chips(page) == text
    assert page.get_by_text("貪婪：拿最長的那一條").count() == 1


def test_the_page_is_found_by_its_name_too(chromium: Browser, address: str) -> None:
    page = open_page(chromium, f"{address}/step?bars=5")
    assert len(words(page)) == 6, "five and the others"
    assert page.get_by_role("dialog").count() == 0
    assert [*links(page)].count("一步一步生成") == 1
    leave(page)


def test_a_script_is_fetched_once_and_not_sent_with_every_click(chromium: Browser, address: str) -> None:
    fetched: list[str] = []
    page = new_page(chromium)
    page.on("response", lambda response: fetched.append(f"{response.status} {response.url}"))
    page.goto(address)
    page.wait_for_selector(".loop", timeout=90_000)
    settle(page)
    scripts = [line for line in fetched if "/bidi-components/" in line]
    assert any("stage-" in line for line in scripts)
    assert all(line.startswith("200 ") for line in scripts) and len(set(scripts)) == len(scripts)
    for _ in range(3):
        press(page, "下一步")
    assert [line for line in fetched if "/bidi-components/" in line] == scripts
    page.context.close()


def test_a_slider_stays_in_the_hand_while_the_page_answers(page: Page) -> None:
    open_more_settings(page)
    slider = page.get_by_role("slider", name="top-k")
    slider.focus()
    for step in range(60):
        slider.press("ArrowRight")
        page.wait_for_timeout(15 if step % 6 else 200 + step)  # every sixth pause is long enough for a rerun to begin
    settle(page)
    expect(slider).to_have_value("60")


def test_any_token_can_be_found_and_taken(page: Page) -> None:
    text = chips(page)
    box = page.get_by_role("textbox", name="找任何一個詞元")
    box.press_sequentially("雨", delay=30)
    found = page.get_by_role("button", name=re.compile(r"^雨\s*第"))
    found.wait_for()
    found.click()
    settle(page)
    assert chips(page) == [*text, "雨"]


def test_the_language_is_the_browsers_and_can_be_switched(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address, locale="en-GB")
    try:
        assert "One token at a time" in page.locator("h1").inner_text()
        text = chips(page)
        page.locator("[data-keep=next]").click()
        settle(page)
        after = chips(page)
        assert after[:-1] == text
        page.get_by_role("button", name="中文").or_(page.get_by_role("radio", name="中文")).first.click()
        settle(page)
        assert "一步一步生成" in page.locator("h1").inner_text()
        assert chips(page) == after
    finally:
        leave(page)


def test_night_falls_while_nobody_clicks(chromium: Browser, address: str) -> None:
    page = open_page(chromium, address)
    try:
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            page.locator(f".root{':not(.dark)' if scheme == 'light' else '.dark'} .strip").wait_for()
            settle(page)
            color = page.locator(".bars .row.draw .word").first.evaluate("node => getComputedStyle(node).color")
            assert color == rgb(palette(scheme == "dark").ink)
    finally:
        leave(page)


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(chromium: Browser, address: str, dark: bool) -> None:
    page = open_page(chromium, address, width=390, height=844, dark=dark)
    try:
        press(page, "下一步")
        click_bar(page, 1)
        assert overflowing_elements(page) == []
    finally:
        leave(page)


def test_a_cold_deep_link_and_two_first_visitors_at_once(chromium: Browser) -> None:
    with served() as address:

        def visit(_: int) -> list[str]:
            with browser() as opened:
                page = open_page(opened, f"{address}/step")
                assert "一步一步生成" in page.locator("h1").inner_text()
                assert page.get_by_role("radio", name="中文").or_(page.get_by_role("button", name="中文")).count() >= 1
                return words(page)

        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(visit, range(2))
        assert one == other
        assert len(one) >= 11


def test_a_translating_browser_leaves_tokens_alone(page: Page) -> None:
    page.get_by_role("button", name="下一步").click()
    settle(page)
    for place in (page.locator(".strip .t").first, page.locator(".bars .word").first):
        assert place.evaluate("node => node.translate") is False
    assert page.locator("h1").evaluate("node => node.translate") is True
    page.goto(f"{page.url.split('?')[0]}?lesson=03-chain.1")
    page.locator(".task").wait_for()
    assert page.locator(".task").evaluate("node => node.translate") is True
    for value in page.locator(".value").all():
        assert value.evaluate("node => node.translate") is False
