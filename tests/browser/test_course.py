"""The whole course in a real browser: every step of every lesson is opened, done on its page, and marked as done.

Measured at the beginning of each step and after its task: what is to be pressed and what is to be looked at are in the
window, and nothing lies over them.

Each part of the course takes a minute or two, so `make test` does each part once: every day in other languages and
sizes of the window. `make test-all` does every part in every language, on a phone and on a school laptop.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import engine
from engine.interpret.logit_lens import logit_lens
from pages.course import aims, catalog, glossary, places
from pages.course.lesson import Lesson, Part, Step
from pages.i18n.translator import Translator
from tests.browser.app import wait_until_answered
from tests.browser.tabs import borrow, leave
from tests.turns import todays

LOCALES = {"zh_Hant": "zh-TW", "zh_Hans": "zh-CN", "en": "en-GB"}
PHONE, LAPTOP = (390, 844), (1366, 657)
LONG = ("families",)  # to be read before the button is pressed: there is not always room for both


@dataclass
class Learner:
    """A visitor who takes the course: clicks and types by accessible names and CSS classes."""

    page: Page
    t: Translator

    @property
    def narrow(self) -> bool:
        """Whether the lesson is a line at the foot of the window."""
        size = self.page.viewport_size
        assert size is not None
        return size["width"] < 1100

    @property
    def zh(self) -> bool:
        """Whether the prompts of the course are in Chinese, which are Traditional in the Simplified course too."""
        return self.t.language != "en"

    @property
    def ticked(self) -> Locator:
        """The task once it is done, in the line or in the column."""
        return self.page.locator(".foot.done" if self.narrow else ".task.done")

    @property
    def going_on(self) -> Locator:
        """Button that begins the next step."""
        return self.page.locator(".foot .act" if self.narrow else ".moves .first")

    def button(self, button: Locator) -> Locator:
        """A button, or its twin at the foot where the foot offers it."""
        twin = self.page.locator(".foot:not(.done) .act")
        if not self.narrow or not twin.count():
            return button
        name = re.sub(r"\s+", " ", twin.inner_text()).strip()
        return twin if re.sub(r"\s+", " ", button.inner_text()).strip().startswith(name) else button

    def press(self, key: str, times: int = 1, **values: object) -> None:
        """Click a button by its locale key, `times` times, waiting for the app each time."""
        for _ in range(times):
            name = re.compile(f"^{re.escape(self.t(key, **values))}")
            button = self.page.get_by_role("button", name=name).first
            expect(button).to_be_enabled()
            self.button(button).click()
            self.quiet()

    def quiet(self) -> None:
        """Wait until the app has responded."""
        self.page.wait_for_timeout(60)
        wait_until_answered(self.page)

    def run(self) -> None:
        """Start a run and wait for its end."""
        self.button(self.page.locator("[data-keep=run]")).click()
        self.quiet()  # it runs, and the status of the run before is gone
        self.page.locator("[data-kind=run]").wait_for()
        self.page.locator(".status:not(:empty)").first.wait_for()
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
        """Click a bar; scrolls first, since the lesson sheet may cover it."""
        bar = self.page.locator(".bars .row").nth(row)
        bar.evaluate("node => node.scrollIntoView({ block: 'start' })")
        bar.click()
        self.quiet()

    def slide(self, key: str, *keys: str) -> None:
        """Press keys on a slider, by its widget key."""
        slider = self.page.locator(f".st-key-{key} input[type=range]")
        slider.focus()
        for name in keys:
            slider.press(name)
        self.page.wait_for_timeout(300)  # a slider sends its value after a delay
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

    def until_ticked(self, act: Callable[[], None]) -> None:
        """Repeat an action until the task is done, at most 20 times."""
        for _ in range(20):
            act()
            if self.ticked.count():
                return

    def cut(self, text: str) -> None:
        """Type a text on the tokens page."""
        self.page.locator(".st-key-cut_text textarea").fill(text)
        self.quiet()

    def read(self, text: str) -> None:
        """Have a text read on the training page."""
        self.page.locator(".st-key-training_text textarea").fill(text)
        self.page.locator(".st-key-training_start button").click()
        self.quiet()

    def say(self, text: str) -> None:
        """Say something on the chat page, and wait for the end of the reply."""
        box = self.page.locator(".composer textarea")
        box.fill(text)
        box.press("Enter")
        self.ticked.wait_for(timeout=60_000)

    def fill(self, key: str, text: str) -> None:
        box = self.page.get_by_role("textbox", name=self.t(key))
        box.fill(text)
        box.press("Enter")
        self.quiet()


def interrupt(learner: Learner) -> None:
    count = learner.page.locator(".strip .t").count()
    learner.page.locator("[data-keep=run]").click()
    learner.page.locator(".strip .t").nth(count + 2).wait_for()
    learner.page.locator("[data-keep=run]").click()
    learner.quiet()


def run_to_the_end(learner: Learner) -> None:
    for _ in range(20):
        learner.run()
        if learner.ticked.count():
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


def add_branch(learner: Learner) -> None:
    learner.press("step.next", 2)
    learner.press("step.back")
    learner.bar(5)


def until_done(learner: Learner) -> None:
    """Run from the prompt with new seeds until the task is done, at most 12 times."""
    for _ in range(12):
        learner.run()
        if learner.ticked.count():
            return
        learner.press("step.restart")
        learner.another_seed()


def sample_without_loop(learner: Learner) -> None:
    learner.choose("settings.sample")
    until_done(learner)


def hotter(learner: Learner) -> None:
    learner.slide("temperature", *["PageUp"] * 4)
    until_done(learner)


def choose_wrong(learner: Learner) -> None:
    learner.bar(4)
    learner.run()


def walk_the_article(learner: Learner) -> None:
    for row in (0, 0, 3, 0, 0, 1) if learner.zh else (0,) * 7:
        learner.bar(row)


def compare_all(learner: Learner) -> None:
    learner.button(learner.page.locator(".st-key-compare_start button")).click()
    learner.ticked.wait_for(timeout=90_000)


def another_width(learner: Learner) -> None:
    learner.slide("beam_width", "ArrowRight")
    if not learner.ticked.count():
        learner.press("beam.grow_all")


def another_prompt(learner: Learner) -> None:
    learner.fill("compare.flat.flat", "我")


def click(selector: str, which: int = 0) -> Callable[[Learner], None]:
    """Click one of the elements that a selector matches."""

    def act(learner: Learner) -> None:
        learner.page.locator(selector).nth(which).click()
        learner.quiet()

    return act


def open_head_on_the_first_token(learner: Learner) -> None:
    """Go from the first head, row by row, to one whose last token gives the first half of its attention."""
    model, lesson = engine.load(), catalog.lesson(learner.t.language, "attention")
    assert lesson is not None and lesson.steps[0].prompt is not None
    maps = model.attention(model.read_prompt(lesson.steps[0].prompt))
    layer, head = next((i, j) for i, j in np.ndindex(*maps.shape[:2]) if maps[i, j, -1, 0] >= 0.5)
    to_first = ["ArrowUp"] * (maps.shape[0] - 1) + ["ArrowLeft"] * (maps.shape[1] - 1)
    canvas = learner.page.locator("canvas[role=application]")
    for key in (*to_first, *["ArrowDown"] * layer, *["ArrowRight"] * head):
        canvas.press(key)
        learner.quiet()
        if learner.ticked.count():
            return


def show_the_last_layer(learner: Learner) -> None:
    learner.page.locator("[data-box=stream]").click()
    learner.quiet()
    learner.page.locator(".layers input[type=range]").press("End")
    learner.quiet()


def to_the_end(selector: str) -> Callable[[Learner], None]:
    """Move a slider of a component to its end."""
    return lambda learner: learner.page.locator(f"{selector} input[type=range]").press("End")


def to_the_start(learner: Learner) -> None:
    learner.page.locator(".st-key-learning input[type=range]").press("Home")


def open_first_choice(learner: Learner) -> None:
    """Open the tokens of the text one by one, until one was predicted first."""
    tokens = learner.page.locator(".st-key-forced button")
    for at in range(1, tokens.count()):
        tokens.nth(at).click()
        learner.quiet()
        if learner.ticked.count():
            return


def open_first_layer(learner: Learner) -> None:
    """Open the lowest cell of the last column with the model's own prediction."""
    model, lesson = engine.load(), catalog.lesson(learner.t.language, "layers")
    assert lesson is not None and lesson.steps[0].prompt is not None
    ids = model.read_prompt(lesson.steps[0].prompt)
    column = logit_lens(model, ids).top_token_ids[:, -1]
    layer = next(at for at, token in enumerate(column) if token == column[-1])
    learner.page.locator(f"[data-cell='{layer}:{len(ids) - 1}']").click()
    learner.quiet()


def try_out(learner: Learner) -> None:
    """Start an experiment, which takes some seconds, and wait for its end."""
    learner.button(learner.page.locator(".st-key-limits_start button")).click()
    learner.ticked.wait_for(timeout=90_000)


def draft(learner: Learner) -> None:
    """Run speculative decoding, and wait for its end."""
    learner.button(learner.page.locator(".st-key-speculative_start button")).click()
    learner.ticked.wait_for(timeout=90_000)


def force_another(learner: Learner) -> None:
    box = learner.page.locator(".st-key-limits_forced [role=combobox]")
    box.focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        box.press(key)
    learner.quiet()
    try_out(learner)


def another_gap(learner: Learner) -> None:
    learner.fill("limits.left.prompt", learner.t.list("limits.left.examples")[2])
    try_out(learner)


def greedy_middle(learner: Learner) -> None:
    learner.choose("settings.greedy")
    try_out(learner)


def use(*names: str) -> Callable[[Learner], None]:
    """Run tasks of the uses page."""

    def act(learner: Learner) -> None:
        for name in names:
            learner.choose(f"uses.{name}.name")
            learner.button(learner.page.locator(".st-key-uses_run button")).click()
            learner.page.locator(".st-key-uses_take button:enabled").wait_for(timeout=60_000)

    return act


def twenty_bars(learner: Learner) -> None:
    learner.slide("bars_shown", "End")


def guess_thrice(learner: Learner) -> None:
    for _ in range(3):
        learner.page.locator(".st-key-quiz input").fill("a")
        learner.page.keyboard.press("Enter")
        learner.page.locator(".st-key-quiz table").first.wait_for()
        learner.quiet()
        learner.page.keyboard.press("Enter")
        learner.quiet()


DO: dict[tuple[str, int], Callable[[Learner], None]] = {
    ("next-token", 0): lambda learner: learner.press("step.next"),
    ("next-token", 1): lambda learner: learner.search("紫" if learner.zh else "water"),
    ("next-token", 2): lambda learner: learner.bar(9),
    ("tokens", 0): lambda learner: learner.cut("貓狗魚" if learner.zh else "hello cat"),
    ("tokens", 1): to_the_end(".st-key-merging"),
    ("tokens", 2): lambda learner: learner.cut("🐙🐙"),
    ("tokens", 3): lambda learner: learner.cut("今天天氣真好"),
    ("loop", 0): lambda learner: learner.press("step.next", 3),
    ("loop", 1): add_branch,
    ("loop", 2): run_to_the_end,
    ("loop", 3): interrupt,
    ("softmax", 0): lambda learner: learner.press("step.next"),
    ("softmax", 1): lambda learner: learner.bar(8) if learner.zh else learner.take_found("book"),
    ("article", 0): lambda learner: learner.search("壞" if learner.zh else "bad"),
    ("article", 1): walk_the_article,
    ("greedy", 0): run_twice,
    ("greedy", 1): lambda learner: learner.run(),
    ("greedy", 2): sample_without_loop,
    ("sampling", 0): lambda learner: learner.press("step.next"),
    ("sampling", 1): three_seeds,
    ("temperature", 0): lambda learner: learner.until_ticked(lambda: learner.slide("temperature", *["ArrowLeft"] * 2)),
    ("temperature", 1): hotter,
    ("filters", 0): lambda learner: learner.slide("top_k", *["ArrowRight"] * 5),
    ("filters", 1): lambda learner: learner.slide("top_p", "PageDown", "ArrowLeft"),
    ("filters", 2): lambda learner: learner.until_ticked(lambda: learner.press("step.next")),
    ("filters", 3): another_prompt,
    ("chain", 0): lambda learner: learner.press("step.next", 4),
    ("chain", 1): lambda learner: learner.take_found("雨" if learner.zh else "book"),
    ("chain", 2): lambda learner: learner.token("洗" if learner.zh else "wind"),
    ("beam", 0): lambda learner: learner.press("beam.grow", 2),
    ("beam", 1): lambda learner: learner.page.locator(".pane .node.pruned").first.click(),
    ("beam", 2): lambda learner: learner.press("beam.grow_all"),
    ("beam", 3): another_width,
    ("strategies", 0): compare_all,
    ("training", 0): open_first_choice,
    ("training", 1): lambda learner: learner.read(
        "紫色的電腦吃掉窗戶。" if learner.zh else "Purple computers eat doors."
    ),
    ("training", 2): to_the_start,
    ("human-or-machine", 0): open_first_choice,
    ("human-or-machine", 1): lambda learner: learner.run(),
    ("human-or-machine", 2): lambda learner: learner.read(
        "今天天氣真好。" if learner.zh else "The weather today is nice."
    ),
    ("transformer", 0): click("[data-box=embedding]"),
    ("transformer", 1): show_the_last_layer,
    ("transformer", 2): lambda learner: learner.button(learner.page.locator("[data-keep=append]")).click(),
    ("attention", 0): open_head_on_the_first_token,
    ("attention", 1): click(".line .chips button", 1),
    ("attention", 2): click(".st-key-inside_mattered label"),
    ("layers", 0): open_first_layer,
    ("long-range", 0): click(".st-key-inside_mattered label"),
    ("long-range", 1): lambda learner: learner.search("傘" if learner.zh else "sister"),
    ("assistant", 0): lambda learner: learner.say("你好" if learner.zh else "Hello"),
    ("assistant", 1): lambda learner: learner.say("再見" if learner.zh else "Bye"),
    ("uses", 0): use("story"),
    ("uses", 1): use("dialogue"),
    ("uses", 2): use("translation", "questions"),
    ("one-by-one", 0): try_out,
    ("one-by-one", 1): lambda learner: learner.run(),
    ("one-by-one", 2): draft,
    ("errors", 0): try_out,
    ("errors", 1): force_another,
    ("hallucination", 0): lambda learner: learner.run(),
    ("hallucination", 1): lambda learner: learner.run(),
    ("hallucination", 2): choose_wrong,
    ("hallucination", 3): lambda learner: learner.run(),
    ("left-only", 0): try_out,
    ("left-only", 1): another_gap,
    ("exposure", 0): try_out,
    ("exposure", 1): greedy_middle,
    ("families", 0): use("summary"),
    ("families", 1): twenty_bars,
    ("families", 2): guess_thrice,
}


def walk(learner: Learner, part: Part) -> None:
    """Do every step of the lessons of a part and answer their questions, from the list of lessons to the recap."""
    page = learner.page
    lessons = catalog.lessons(learner.t.language)
    first = [lesson.name for lesson in lessons].index(part.lessons[0])
    page.locator(".lesson button").nth(first).click(timeout=90_000)
    page.locator(".panel").wait_for(state="attached", timeout=90_000)  # the model is loaded
    for lesson in lessons[first : first + len(part.lessons)]:
        for step in range(len(lesson.steps)):
            wait_for_step(learner, lesson, step)
            here = (lesson.name, step + 1)
            assert (hidden := hidden_at_first(learner, lesson.steps[step])) == [], (here, "at first", hidden)
            DO[lesson.name, step](learner)
            expect(learner.ticked, f"{here}").to_be_visible()
            values = page.locator(".then .value").all_text_contents()
            assert not {"–", "…"} & set(values), (here, values)
            assert (hidden := hidden_at_last(learner, lesson.steps[step])) == [], (here, "its result", hidden)
            learner.going_on.click()
        answer(learner, lesson)
    expect(page.locator(".root > .told")).to_have_text(learner.t("course.recap.all_right"))
    assert page.locator(".entry").count() == len(
        [term for term in glossary.terms(learner.t.language).values() if term.lesson in part.lessons]
    )
    assert page.get_by_test_id("stException").count() == 0


def answer(learner: Learner, lesson: Lesson) -> None:
    """Answer the lesson's question right, and go on."""
    right = next(i for i, each in enumerate(lesson.question.answers) if each.right)
    learner.page.locator(f".dot.at[title='{learner.t('course.sheet.ask')}']").wait_for(state="attached")
    learner.page.locator(".choice").nth(right).click()
    expect(learner.page.locator(".choice.right")).to_have_count(1)
    assert lesson.question.answers[right].says[:4].strip("[") in learner.page.locator(".says").inner_text()
    expect(learner.ticked).to_be_visible()
    learner.going_on.click()


# Selectors of which nothing can be seen as it should: at least 100 pixels, or all that there is, with nothing over it.
_HIDDEN = """(selectors) => {
  const isSeen = (node, host) => {
    const box = node.getBoundingClientRect();
    const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
    const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
    const free = (y) => {
      const over = document.elementFromPoint((left + right) / 2, y);
      return over && (host.contains(over) || over.contains(host));
    };
    let pixels = 0;
    for (let y = top + 0.5; y < bottom; y++) pixels += free(y) ? 1 : 0;
    return right - left >= Math.min(box.width, 100) - 1 && pixels >= Math.min(box.height, 100) - 2;
  };
  return selectors.filter((selector) => {
    const [outside, inside] = selector.replace(/::part\\((\\w+)\\)/g, " >>> [part=$1]").split(" >>> ");
    const hosts = [...document.querySelectorAll(outside)].map((node) => node.closest("label") ?? node); // of a switch
    return !hosts.some((host) => {
      const nodes = inside ? [...host.shadowRoot.querySelectorAll(inside)] : [host];
      return nodes.some((node) => node.getClientRects().length && isSeen(node, host));
    });
  });
}"""
_COACH = ".st-key-coach [data-testid=stBidiComponentIsolated] >>> "


def hidden_at_first(learner: Learner, step: Step) -> list[str]:
    """What is not to be seen of the element that a step points to, what changes beside it, and the button to press."""
    aim = step.press or aims.AIMS[step.task[0][0]]
    needed = [step.point, places.BESIDE.get(step.point or "")]
    selectors = [places.selector(each) for each in needed if each]
    if learner.narrow:
        selectors.append(f"{_COACH}.foot .act")
    elif isinstance(aim, str) and step.point not in LONG:
        selectors.append(places.selector(aim))
    return hidden_soon(learner.page, selectors)


def hidden_at_last(learner: Learner, step: Step) -> list[str]:
    """What is not to be seen of a step's result and the button that goes on."""
    result = aims.result(step)
    go_on = ".foot .act" if learner.narrow else ".moves .first"
    return hidden_soon(learner.page, [f"{_COACH}{go_on}", *([places.selector(result)] if result else [])])


def hidden_soon(page: Page, selectors: list[str]) -> list[str]:
    """Those of the selectors that cannot be seen after a short time: the page scrolls to them."""
    for _ in range(40):
        hidden: list[str] = page.evaluate(_HIDDEN, selectors)
        if not hidden:
            break
        page.wait_for_timeout(100)
    return hidden


def wait_for_step(learner: Learner, lesson: Lesson, step: int) -> None:
    """Wait until the step is shown and not done yet."""
    page = learner.page
    expect(page.get_by_role("region", name=lesson.title)).to_be_visible()
    expect(page.locator(f".dot.at[title='{learner.t('course.sheet.step', n=step + 1)}']")).to_be_attached()
    expect(page.locator(".foot:not(.done)" if learner.narrow else ".task:not(.done)")).to_be_visible()
    wait_until_answered(page)


Walk = tuple[str, str, tuple[int, int]]  # part, language, size of the window
_KINDS = list(product(LOCALES, (LAPTOP, PHONE)))
# In this order, every `len(_KINDS)`-th walk is one of each part, in languages and sizes that differ.
WALKS: list[Walk] = [
    (part.name, *_KINDS[(turn + at) % len(_KINDS)])
    for at, part in enumerate(catalog.parts())
    for turn in range(len(_KINDS))
]


def test_every_walk_is_there() -> None:
    assert sorted(WALKS) == sorted((part.name, *kind) for part in catalog.parts() for kind in _KINDS)
    parts = {part.name for part in catalog.parts()}
    assert all({part for part, *_ in WALKS[n :: len(_KINDS)]} == parts for n in range(len(_KINDS)))


@pytest.mark.parametrize(("part", "language", "size"), todays(WALKS, len(_KINDS)))
def test_a_part_of_the_course_can_be_done(
    chromium: Browser, address: str, part: str, language: str, size: tuple[int, int]
) -> None:
    page = borrow(chromium, LOCALES[language], *size, first=True)
    page.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    page.goto(f"{address}/learn")
    walk(Learner(page, Translator(language)), next(each for each in catalog.parts() if each.name == part))
    leave(page)


@pytest.mark.parametrize("language", LOCALES)
def test_the_walks_know_every_step(language: str) -> None:
    assert list(DO) == [
        (lesson.name, step) for lesson in catalog.lessons(language) for step in range(len(lesson.steps))
    ]
