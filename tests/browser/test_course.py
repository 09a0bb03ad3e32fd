"""The whole course in a real browser: from the contents through every step, each task done on the page as a learner
does it, ticked by the page, and on to the next lesson."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.learn import reading
from pages.learn.reading import Lesson
from pages.ui.bars import ROW
from pages.ui.i18n import Translator

LOCALES = {"zh_Hant": "zh-TW", "en": "en-GB"}


@dataclass
class Learner:
    """Does what a learner does, by the names that the page gives to things."""

    page: Page
    t: Translator

    def press(self, key: str, times: int = 1, **values: object) -> None:
        """A button of the page, `times` times; the page answers each before the next."""
        for _ in range(times):
            button = self.page.get_by_role("button", name=self.t(key, **values)).first
            expect(button).to_be_enabled()
            button.click()
            self.quiet()

    def quiet(self) -> None:
        """Until the app has answered."""
        self.page.wait_for_timeout(60)
        self.page.wait_for_function("!document.querySelector('[data-testid=stApp][data-test-script-state=running]')")

    def run(self) -> None:
        """Write a run to its end."""
        self.page.locator(".st-key-run button").click()
        self.page.locator(".strip + .branches + .status, .status").first.wait_for()
        self.quiet()

    def search(self, text: str) -> None:
        box = self.page.get_by_role("textbox", name=self.t("step.search"))
        box.fill("")
        box.press_sequentially(text, delay=20)
        self.page.locator(".st-key-found button").first.wait_for()

    def take_found(self, text: str) -> None:
        self.search(text)
        self.page.locator(".st-key-found button").first.click()
        self.quiet()

    def bar(self, row: int) -> None:
        """Click a bar; those far down are first brought out from behind the sheet."""
        chart = self.page.locator("[data-testid=stVegaLiteChart] svg").first
        chart.evaluate("node => node.scrollIntoView({ block: 'start' })")
        box = chart.bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + 130, box["y"] + ROW * (row + 0.5))
        self.quiet()

    def slide(self, key: str, *keys: str) -> None:
        """Keys pressed on the slider of a control."""
        slider = self.page.locator(f".st-key-{key} input[type=range]")
        slider.focus()
        for name in keys:
            slider.press(name)
        self.page.wait_for_timeout(300)  # a slider tells its value when it has come to rest
        self.quiet()

    def choose(self, key: str) -> None:
        name = self.t(key)
        self.page.get_by_role("button", name=name).or_(self.page.get_by_role("radio", name=name)).first.click()
        self.quiet()

    def another_seed(self) -> None:
        before = self.page.get_by_role("spinbutton", name=self.t("settings.seed")).input_value()
        self.press("settings.new_seed")
        expect(self.page.get_by_role("spinbutton", name=self.t("settings.seed"))).not_to_have_value(before)

    def token(self, label: str) -> None:
        self.page.locator(".strip .t", has_text=label).first.click()
        self.quiet()

    def fill(self, key: str, text: str) -> None:
        box = self.page.get_by_role("textbox", name=self.t(key))
        box.fill(text)
        box.press("Enter")
        self.quiet()


def interrupt(learner: Learner) -> None:
    begun = learner.page.locator(".strip .t").count()
    learner.page.locator(".st-key-run button").click()
    learner.page.locator(".strip .t").nth(begun + 2).wait_for()
    learner.page.locator(".st-key-run button").click()
    learner.quiet()


def run_to_the_end(learner: Learner) -> None:
    for _ in range(20):
        learner.page.locator(".st-key-run button").click()
        learner.quiet()
        learner.page.locator(".status").wait_for()
        if learner.page.locator(".task.done").count():
            return


def run_twice(learner: Learner) -> None:
    learner.run()
    learner.press("step.restart")
    learner.run()


def three_seeds(learner: Learner) -> None:
    learner.run()
    for _ in range(2):
        learner.press("step.restart")
        learner.another_seed()
        learner.run()


def another_way(learner: Learner) -> None:
    learner.press("step.next", 2)
    learner.press("step.back")
    learner.bar(5)


def loop_no_more(learner: Learner) -> None:
    learner.choose("settings.sample")
    for _ in range(5):
        learner.run()
        if learner.page.locator(".task.done").count():
            return
        learner.press("step.restart")
        learner.another_seed()


def hotter(learner: Learner) -> None:
    learner.slide("temperature", *["PageUp"] * 4)
    for _ in range(5):
        learner.run()
        if learner.page.locator(".task.done").count():
            return
        learner.press("step.restart")
        learner.another_seed()


def next_five(learner: Learner) -> None:
    learner.press("step.next", 5)


def another_width(learner: Learner) -> None:
    learner.slide("beam_width", "ArrowRight")
    if not learner.page.locator(".task.done").count():
        learner.press("beam.grow_all")


def another_prompt(learner: Learner) -> None:
    learner.fill("compare.flat.flat", "我")


DO: dict[tuple[str, int], Callable[[Learner], None]] = {
    ("01-next-token", 0): lambda learner: learner.press("step.next"),
    ("01-next-token", 1): lambda learner: learner.search("壞" if learner.t.language == "zh_Hant" else "terrible"),
    ("01-next-token", 2): lambda learner: learner.bar(9),
    ("02-loop", 0): lambda learner: learner.press("step.next", 3),
    ("02-loop", 1): another_way,
    ("02-loop", 2): run_to_the_end,
    ("02-loop", 3): interrupt,
    ("03-chain", 0): lambda learner: learner.press("step.next", 4),
    ("03-chain", 1): lambda learner: learner.take_found("雨" if learner.t.language == "zh_Hant" else "book"),
    ("03-chain", 2): lambda learner: learner.token("洗" if learner.t.language == "zh_Hant" else "wind"),
    ("04-greedy", 0): run_twice,
    ("04-greedy", 1): lambda learner: learner.run(),
    ("04-greedy", 2): loop_no_more,
    ("05-beam", 0): lambda learner: learner.press("beam.grow", 2),
    ("05-beam", 1): lambda learner: learner.page.locator(".pane .node.pruned").first.click(),
    ("05-beam", 2): lambda learner: learner.press("beam.grow_all"),
    ("05-beam", 3): another_width,
    ("06-sampling", 0): lambda learner: learner.press("step.next"),
    ("06-sampling", 1): three_seeds,
    ("06-sampling", 2): lambda learner: learner.slide("temperature", *["PageDown"] * 4),
    ("06-sampling", 3): hotter,
    ("07-filters", 0): lambda learner: learner.slide("top_k", *["ArrowRight"] * 3),
    ("07-filters", 1): lambda learner: learner.slide("top_p", "PageDown", "ArrowLeft"),
    ("07-filters", 2): next_five,
    ("07-filters", 3): another_prompt,
}


def walk(learner: Learner, first: int = 0, look: Callable[[str], None] = lambda name: None) -> None:
    """Every step from a lesson on, beginning at the contents. `look` is told what is on the screen."""
    page = learner.page
    every = [lesson for lesson in reading.lessons(learner.t.language) if (lesson.name, 0) in DO]
    page.locator(".lesson button").nth(first).click(timeout=90_000)
    for lesson in every[first:]:
        for step in range(len(lesson.steps)):
            begun(page, lesson, step, learner.t)
            look(f"{lesson.name} {step + 1} begun")
            DO[lesson.name, step](learner)
            expect(page.locator(".task.done")).to_be_visible()
            then = page.locator(".then").inner_text()
            assert "–" not in then, (lesson.name, step, then)
            assert "…" not in then, (lesson.name, step, then)
            look(f"{lesson.name} {step + 1} done")
            page.locator(".moves .first").click()
    assert page.get_by_test_id("stException").count() == 0


def begun(page: Page, lesson: Lesson, step: int, t: Translator) -> None:
    """The step is on the screen, nothing done, and what it points at is there."""
    expect(page.get_by_role("region", name=lesson.title)).to_be_visible()
    expect(page.locator(f".dot.at[title='{t('course.sheet.step', n=step + 1)}']")).to_be_visible()
    expect(page.locator(".task:not(.done)")).to_be_visible()
    page.wait_for_function("!document.querySelector('[data-testid=stApp][data-test-script-state=running]')")


@pytest.mark.parametrize("language", LOCALES)
def test_the_whole_course_can_be_done(chromium: Browser, address: str, language: str) -> None:
    context = chromium.new_context(locale=LOCALES[language], viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    page.goto(f"{address}/learn")
    walk(Learner(page, Translator(language)))
    context.close()
