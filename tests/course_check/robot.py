"""A learner that does the steps of the course without a browser: sets up a step and does what its task asks.

The actions follow from the conditions of the task (`pages/course/tasks.py`), one function for each, so that a new
lesson needs nothing here unless it has a new condition. The states of the pages are those that the app has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from engine.bundled.training_history import training_history
from engine.model.model import Model
from engine.sampling.settings import Settings
from pages.attention.attribution import compare_methods
from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.compare.state import CompareState
from pages.course.learner import Learner
from pages.course.lesson import Lesson, Step
from pages.course.state import CourseState
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.speculative.state import DEFAULT_GUESSES, DEFAULT_TOKENS, LAYERS, Plan
from pages.tokens.state import TokensState
from pages.uses.state import TASKS as USES
from tests.course_check import searching

_SAMPLING = {setting.name for setting in fields(Settings)}
_BEAM = {"beam_width": "width", "beam_levels": "max_new_tokens", "beam_penalty": "length_penalty"}
WIDTHS = (2, 4, 6)  # of beams, as lessons propose
Action = Callable[["Robot", Any], None]
MAX_TRIES = 12  # runs, each with another seed, where a task asks for a text with some property


@dataclass
class Robot:
    """State of one learner on all pages, and in a step of a lesson."""

    model: Model
    t: Translator
    course: CourseState = field(default_factory=CourseState)
    widgets: dict[str, Any] = field(default_factory=dict)
    lesson: Lesson | None = None

    def __post_init__(self) -> None:
        self.learner = Learner(
            self.model, TextState(prompt=self.t.list("step.examples.list")[0]), BeamState(), CompareState(),
            AttentionState(), TokensState(), self.widgets.get,
        )  # fmt: skip
        self.learner.uses.ready(self.model)
        self.learner.limits.ready(self.model)
        for which in ("flat", "peaked"):
            self.widgets[f"compare {which} {self.t.language}"] = self.t(f"compare.flat.{which}_prompt")

    @property
    def session(self) -> TextState:
        """State of the step page."""
        return self.learner.session

    def begin(self, lesson: Lesson, number: int) -> None:
        """Begin a step (from 0) of a lesson, with its prompt and settings."""
        step = lesson.steps[number]
        self.lesson = lesson
        self.course.begin(lesson, number)
        if step.prompt is not None:
            self._set_prompt(step.page, step.prompt)
        for name, value in step.settings:
            self._set(name, value)
        self._open_page(step.page)
        self.check()

    def check(self) -> bool:
        """Whether the step is done; called after every action, as the sheet does."""
        assert self.lesson is not None
        return self.course.check(self.lesson, self.learner)

    def do(self, step: Step) -> bool:
        """Do what the task of a step asks. Whether it is done then. Raises KeyError for a condition that is unknown."""
        for name, value in step.task:
            if name not in ACTIONS:
                raise KeyError(f"no action for the condition {name}")
            if self.check() and self.course.holds:
                break
            ACTIONS[name](self, value)
        return self.check() and self.course.holds

    def _set_prompt(self, page: str, prompt: str) -> None:
        if page == "tokens":
            self.learner.tokens.load_text(prompt)
        elif page == "training":
            self.learner.training.load_text(self.model, prompt)
        elif page in ("step", "beam", "transformer", "attention"):
            self.session.set_prompt(self.model, prompt)
            self.widgets["search"] = ""

    def _set(self, name: str, value: Any) -> None:
        if name in _SAMPLING:
            self.session.settings = replace(self.session.settings, **{name: value})
        elif name in _BEAM:
            self.learner.beam.settings = replace(self.learner.beam.settings, **{_BEAM[name]: value})
        elif name == "beam_shown":
            self.learner.beam.shown_at_least = value
        elif hasattr(self.session, name):
            setattr(self.session, name, value)
        else:
            self.widgets[name] = value

    def _open_page(self, page: str) -> None:
        """What the page does when it is drawn."""
        if page == "beam":
            self.learner.beam.update_search(self.session, self.model)
        elif page == "attention":
            self.learner.attention.update_text(self.session, self.model)
        elif page == "transformer":
            self.learner.transformer.update_text(self.session, self.model)
        elif page == "training":
            self.learner.training.update_text(self.model, self.t.list("training.examples.texts")[0])
        elif page == "quiz":
            self.learner.quiz.ready(self.model, self.t.language)

    def run(self, tokens: int | None = None) -> None:
        """Press Run: generate `run_tokens` tokens, or fewer to the end of the text."""
        self.session.running = self.session.run_tokens if tokens is None else tokens
        self.session.stopped = None
        while self.session.run_on(self.model):
            pass
        self.check()

    def run_until_done(self, new_seeds: bool = True) -> None:
        """Run until the task is done, at most `MAX_TRIES` times, from the prompt with another seed each time."""
        for _ in range(MAX_TRIES):
            self.run()
            if self.course.holds:
                return
            if new_seeds:
                self.session.restart(self.model)
                self.check()
                self.session.seed += 1


def _write(robot: Robot, count: int) -> None:
    for _ in range(count):
        robot.session.step(robot.model)
        robot.check()
    if not robot.course.holds:
        robot.run_until_done()


def _by_hand(robot: Robot, below: float) -> None:
    distribution = robot.model.distribution(robot.learner.trace.token_ids())
    token = next(c for c in distribution.top(distribution.size) if c.raw < below / 2 and c.text.strip("␣"))
    robot.session.pick(robot.model, robot.session.turn, token.token_id)
    robot.check()


def _branch(robot: Robot, count: int) -> None:
    _write_plainly(robot, 2)
    for rank in range(4, 4 + count):
        robot.session.back(robot.model)
        other = robot.model.distribution(robot.learner.trace.token_ids()).top(rank)[-1]
        robot.session.pick(robot.model, robot.session.turn, other.token_id)
        robot.check()


def _write_plainly(robot: Robot, count: int) -> None:
    for _ in range(count):
        robot.session.step(robot.model)
        robot.check()


def _stop(robot: Robot, reasons: list[str]) -> None:
    if reasons == ["person"]:
        robot.session.run(robot.model)
        for _ in range(3):
            robot.session.run_on(robot.model)
        robot.session.stop(robot.model)
        robot.check()
    else:
        robot.run_until_done(new_seeds=False)


def _seeds(robot: Robot, count: int) -> None:
    for _ in range(count):
        _write_plainly(robot, 3)
        robot.session.restart(robot.model)
        robot.session.seed += 1
        robot.check()
    _write_plainly(robot, 3)


def _again(robot: Robot, count: int) -> None:
    robot.run()
    robot.session.restart(robot.model)
    robot.check()
    robot.run()


def _limit(robot: Robot, limits: dict[str, float], upper: bool) -> None:
    for name, value in limits.items():
        now = getattr(robot.session.settings, name)
        robot._set(name, min(now, value) if upper else max(now, value))
    robot.check()


def _find_least(robot: Robot, yes: bool) -> None:
    logs = robot.model.score(robot.learner.trace.token_ids()).log_probabilities
    at = min(range(1, len(logs)), key=lambda position: logs[position] or 0.0)
    robot.session.go_to(robot.model, robot.session.turn, robot.learner.trace.line()[at])
    robot.check()


def _search(robot: Robot, yes: bool) -> None:
    robot.widgets["search"] = robot.t.list("course.unlikely")[0]
    robot.check()


def _grow(robot: Robot, levels: int) -> None:
    while robot.learner.beam.shown_levels < levels and not robot.learner.beam.done:
        robot.learner.beam.grow()
    robot.check()


def _grow_all(robot: Robot, yes: bool = True) -> None:
    robot.learner.beam.run()
    while robot.learner.beam.run_on(1.0):
        pass
    robot.check()


def _widths(robot: Robot, count: int) -> None:
    robot.learner.beam.run()
    _grow_all(robot)
    for width in WIDTHS[: count + 1]:
        robot._set("beam_width", width)
        robot.learner.beam.update_search(robot.session, robot.model)
        _grow_all(robot)


def _open_beam(robot: Robot, yes: bool) -> None:
    search = robot.learner.beam.search
    assert search is not None
    node = next(at for at, entry in enumerate(search.nodes) if entry.level == 1)
    robot.learner.beam.open(robot.learner.beam.turn, node)
    robot.check()


def _change_flat(robot: Robot, yes: bool) -> None:
    robot.widgets[f"compare flat {robot.t.language}"] = robot.t("compare.flat.peaked_prompt")
    robot.check()


def _attention(act: Callable[[Robot, AttentionState], None]) -> Action:
    def do(robot: Robot, _: Any) -> None:
        state = robot.learner.attention
        act(robot, state)
        robot.check()

    return do


def _heads(robot: Robot, state: AttentionState) -> None:
    robot.check()
    for head in (1, 2, 3):
        state.open_head(state.text_version, 1, head)
        robot.check()


def _cut(robot: Robot, text: str) -> None:
    robot.learner.tokens.load_text(text)
    robot.learner.tokens.tokenized(robot.model)
    robot.check()


def _open_token(robot: Robot, yes: bool) -> None:
    tokens = robot.learner.tokens
    tokens.tokenized(robot.model)
    tokens.toggle_token(tokens.turn, 0)
    robot.check()


def _merge(robot: Robot, yes: Any) -> None:
    tokens = robot.learner.tokens
    tokens.merge_to(tokens.turn, len(tokens.derivation(robot.model).merges))
    robot.check()


def _training_text(robot: Robot, yes: bool) -> None:
    robot.learner.training.load_text(robot.model, robot.t.list("training.examples.texts")[2])
    robot.check()


def _training_position(robot: Robot, yes: bool) -> None:
    robot.learner.training.open_position(robot.learner.training.turn, 2)
    robot.check()


def _first_checkpoint(robot: Robot, yes: bool) -> None:
    robot.learner.training.select_checkpoint(0, len(training_history().checkpoints))
    robot.check()


def _try_out(robot: Robot, name: str, other: bool = False) -> None:
    """Run an experiment of the limits page with its first example; with another one if `other`."""
    state, which = robot.learner.limits, int(other)
    examples = robot.t.list(f"limits.{name}.examples")
    if name == "errors":
        _, tokens, default = state.forced_token_candidates(robot.model, examples[0])
        forced = next(token for token in tokens if token != default) if other else default
        state.force_token(robot.session, robot.model, examples[0], forced)
    elif name == "left":
        candidates = robot.t.list("limits.left.candidates")[which].split("/")
        state.fill_gap(robot.model, examples[which], tuple(candidates))
    elif name == "exposure":
        state.measure_exposure_bias(robot.model, tuple(examples), other, 8, robot.session.seed)
    else:
        state.measure_speed(robot.model, examples[which])
    while state.runs[name].go_on(1.0):
        pass
    robot.check()


def _draft(robot: Robot, yes: bool) -> None:
    """Speculative decoding of the page's first example, with its first settings."""
    state = robot.learner.speculative
    state.ready(robot.model)
    plan = Plan(robot.t.list("speculative.examples")[0], LAYERS, 3, DEFAULT_GUESSES, "greedy", DEFAULT_TOKENS)
    state.draft(robot.model, plan, robot.session.settings, robot.session.seed)
    while state.runs["drafting"].go_on(1.0):
        pass
    robot.check()


def _use(robot: Robot, count: int) -> None:
    first = USES.index(robot.widgets.get("uses_task") or USES[0])
    for task in (*USES[first:], *USES[:first])[:count]:
        robot.learner.uses.start(robot.model, task, robot.t.list(f"uses.{task}.inputs")[0], robot.t)
        while robot.learner.uses.run_for(task).go_on(1.0):
            pass
        robot.check()


def _guess(robot: Robot, count: int) -> None:
    quiz = robot.learner.quiz
    for _ in range(count):
        quiz.guess(robot.model, quiz.turn, "a")
        robot.check()
        quiz.next_round(robot.model, quiz.turn)
        robot.check()


def _set_width(robot: Robot, width: int) -> None:
    robot._set("beam_width", width)
    robot.learner.beam.update_search(robot.session, robot.model)
    robot.check()


def _text_of_ones_own(robot: Robot, yes: bool) -> None:
    robot.session.set_prompt(robot.model, robot.t.list("step.examples.list")[-1])
    robot.check()


def _back(robot: Robot, count: int) -> None:
    _write_plainly(robot, count)
    for _ in range(count):
        robot.session.back(robot.model)
        robot.check()


def _compare(robot: Robot, count: int) -> None:
    robot.learner.compare.start(robot.model)
    while len(robot.learner.compare.finished) < count and robot.learner.compare.work(robot.model, 1.0):
        pass
    robot.check()


def _mattered(robot: Robot, yes: bool) -> None:
    robot.widgets["inside_mattered"] = yes
    compare_methods(robot.session, robot.learner.attention, robot.model, robot.t)
    robot.check()


def _open_box(robot: Robot, name: str) -> None:
    state = robot.learner.transformer
    state.show(state.text_version, name, state.layer, state.head)
    robot.check()


def _show_last_layer(robot: Robot, yes: bool) -> None:
    state = robot.learner.transformer
    state.show(state.text_version, state.box, len(state.activations(robot.model).layers) - 1, 0)
    robot.check()


ACTIONS: dict[str, Action] = {
    "written": _write,
    "hand": _by_hand,
    "unlikely": _by_hand,
    "back": _back,
    "branches": _branch,
    "stopped": _stop,
    "strategy": lambda robot, name: robot._set("strategy", name),
    "loops": lambda robot, yes: robot.run_until_done(),
    "length": lambda robot, count: robot.run_until_done(),
    "at_most": lambda robot, limits: _limit(robot, limits, upper=True),
    "at_least": lambda robot, limits: _limit(robot, limits, upper=False),
    "seeds": _seeds,
    "own_prompt": _text_of_ones_own,
    "search": _search,
    "again": _again,
    "least": _find_least,
    "bars": lambda robot, count: robot._set("bars", count),
    "beam_width": _set_width,
    "beam_widths": _widths,
    "beam_levels": _grow,
    "beam_over": _grow_all,
    "beam_opened": _open_beam,
    "compared": _compare,
    "flat_changed": _change_flat,
    "head": _attention(_heads),
    "row": _attention(lambda robot, state: state.choose_row(state.text_version, 2)),
    "lens": _attention(lambda robot, state: state.choose_cell(state.text_version, 2, 1)),
    "mattered": _mattered,
    "cut_text": lambda robot, yes: _cut(robot, "abc"),
    "cut_opened": _open_token,
    "merged": _merge,
    "merged_all": _merge,
    "forced_opened": _training_position,
    "forced_text": _training_text,
    "moment": _first_checkpoint,
    "tried": _try_out,
    "drafted": _draft,
    "tried_other": lambda robot, name: _try_out(robot, name, other=True),
    "used": _use,
    "guessed": _guess,
    "box": _open_box,
    "last_layer": _show_last_layer,
    **searching.ACTIONS,
}
"""By the condition's name; called with the value in the lesson's file."""
