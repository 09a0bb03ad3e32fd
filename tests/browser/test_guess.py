"""Guess and ledger of a lesson's step in a browser: what is typed, what came out, the rows of what was tried."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

import engine
from engine.sampling.settings import Settings
from pages.course import catalog
from pages.course.lesson import Step
from pages.i18n.translator import Translator
from tests.browser.app import follow, settle
from tests.browser.test_foot import box, wait_until_arranged

T = Translator("en")


@pytest.fixture
def page(newcomer: Page) -> Page:
    """An empty page: every test opens an address of its own."""
    return newcomer


def step_of(name: str, stage: int, language: str = "en") -> Step:
    lesson = catalog.lesson(language, name)
    assert lesson is not None
    return lesson.steps[stage]


def open_step(page: Page, address: str, path: str, language: str, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{address}/{path}&lang={language}")
    page.locator(".panel").wait_for(state="attached", timeout=30_000)
    settle(page)


def cool_down(page: Page, presses: int) -> float:
    """Lower the temperature by keys. Returns the temperature."""
    slider = page.locator(".st-key-temperature input[type=range]")
    slider.focus()
    for _ in range(presses):
        slider.press("PageDown")
    settle(page)
    return float(slider.input_value())


def test_a_guess_stands_beside_what_came_out(page: Page, address: str) -> None:
    open_step(page, address, "?lesson=temperature.1", "en", 1366, 657)
    field, noted = page.locator(".answer input"), page.locator(".noted")
    field.fill("a lot")
    field.press("Enter")
    expect(noted).to_have_text(T("course.guess.number"))
    field.fill("０．９")
    page.locator("[data-keep=restart]").click()  # the field is left by a click, which reaches its button
    settle(page)
    expect(noted).to_have_text(T("course.guess.noted", guess="0.9"))
    expect(field).to_have_value("０．９")
    temperature = cool_down(page, 3)
    assert temperature <= 0.5
    model = engine.load()
    prompt = step_of("temperature", 0).prompt
    assert prompt is not None
    drawn = model.distribution(model.read_prompt(prompt), Settings(temperature=temperature)).top(1)[0].probability
    told = T("course.guess.other").format(guess="0.9", truth=f"{temperature:g}")
    expect(page.locator(".compared")).to_have_text(told)
    expect(field).to_have_count(0)
    rows = page.locator(".ledger tbody tr")
    expect(rows.last.locator("th")).to_have_text("1")
    expect(page.locator(".ledger .now")).to_contain_text(T.percent(drawn))
    assert box(page.locator(".moves .first"))["bottom"] <= 657
    follow(page, T("cut.title"))
    expect(page.get_by_role("button", name=T("course.sheet.home")).first).to_be_visible()
    expect(page.locator(".compared")).to_have_text(told)
    page.get_by_role("button", name=T("course.sheet.home")).first.click()
    settle(page)
    expect(page.locator(".compared")).to_have_text(told)
    expect(rows.first.locator("th")).to_have_text(f"{temperature:g}")


def test_three_widths_stand_in_the_ledger(page: Page, address: str) -> None:
    open_step(page, address, "beam?lesson=beam.4", "en", 1366, 657)
    step = step_of("beam", 0)
    prompt, given = step.prompt, dict(step.settings)
    assert prompt is not None
    slider = page.locator(".st-key-beam_width input[type=range]")
    for count in (2, 3):
        slider.press("ArrowRight")
        settle(page)
        if (button := page.locator(".st-key-grow_all button")).is_enabled():
            button.click()
        expect(page.locator(".ledger tbody tr")).to_have_count(count, timeout=20_000)
    model = engine.load()
    expected = []
    for width in range(given["beam_width"], given["beam_width"] + 3):
        search = engine.beam_search(
            model, model.read_prompt(prompt), width=width, max_new_tokens=given["beam_levels"],
            length_penalty=given["beam_penalty"],
        )  # fmt: skip
        expected.append([str(width), T.number(search.sequences[0].score, 2)])
    rows = [row.locator("th, td").all_inner_texts()[:2] for row in page.locator(".ledger tbody tr").all()]
    assert rows == expected


@pytest.mark.parametrize("language", ["en", "zh_Hant"])
def test_on_a_phone_a_guess_is_made_in_the_panel_and_shown_at_the_foot(page: Page, address: str, language: str) -> None:
    open_step(page, address, "beam?lesson=beam.3", language, 390, 844)
    wait_until_arranged(page)
    t = Translator(language)
    mark, told, panel = page.locator(".foot .before"), page.locator(".foot .told"), page.locator(".panel")
    expect(mark).to_have_text(t("course.sheet.guess"))
    page.locator(".foot .more").click()
    option = page.locator(".option").first
    assert box(option)["height"] >= 44
    assert box(panel)["y"] <= box(option)["y"] and box(option)["bottom"] <= box(page.locator(".foot"))["y"] < 844
    option.focus()
    page.keyboard.press("Space")  # which ends the search elsewhere on this page
    expect(option).to_have_attribute("aria-pressed", "true")
    expect(mark).to_have_count(0)
    expect(panel).to_be_visible()
    expect(page.locator(".foot.done")).to_have_count(0)
    page.locator(".foot .act").click()
    expect(page.locator(".foot.done")).to_be_visible(timeout=20_000)
    guess = step_of("beam", 2, language).guess
    assert guess is not None
    expect(told).to_contain_text(guess.options[0][1])
    assert told.inner_text().startswith(t("course.guess.right_words").split("{")[0])
