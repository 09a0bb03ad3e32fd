"""Actions for tasks that ask the learner to find something: what is possible is tried until the task is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from engine.decoding.generation import generate

if TYPE_CHECKING:
    from tests.course_check.robot import Robot

Action = Callable[["Robot", Any], None]
TEMPERATURES = [step / 20 for step in range(4, 41)]
WORDS = (
    "abc",
    "cat",
    "cats",
    "apple",
    "tomorrow",
    "strawberry",
    "蘋果",
    "捷運站",
    "電腦教室",
    "我喜歡你",
    "龘",
    "龘龘",
)
MAX_TOKENS = 60  # written while a task waits for a certain distribution


def _until_done(robot: Robot, attempt: Callable[[Any], Any], values: Iterable[Any]) -> None:
    for value in values:
        attempt(value)
        robot.check()
        if robot.course.holds:
            return


def _look_up(robot: Robot, rank: int) -> None:
    order = robot.model.distribution(robot.learner.trace.token_ids()).order
    names = (robot.model.text([int(token)]) for token in order[rank : rank + 500])
    _until_done(robot, lambda name: robot.widgets.update(search=name), filter(str.strip, names))


def _write_out(robot: Robot, text: str) -> None:
    """Choose the tokens of a text by hand, as they are after the prompt."""
    prompt = robot.learner.trace.token_ids()
    space = " " if text.isascii() else ""
    whole = robot.model.encode(robot.model.text(prompt) + space + text)
    assert whole[: len(prompt)] == prompt
    for token in whole[len(prompt) :]:
        robot.session.pick(robot.model, robot.session.turn, token)
        robot.check()


def _far_below(robot: Robot, gap: float) -> None:
    candidates = robot.model.distribution(robot.learner.trace.token_ids()).top(2000)
    far = next(c for c in candidates if candidates[0].logit - c.logit >= gap)
    robot.session.pick(robot.model, robot.session.turn, far.token_id)
    robot.check()


def _turn_temperature(robot: Robot, limits: list[float]) -> None:
    def turn(temperature: float) -> None:
        robot.session.settings = replace(robot.session.settings, temperature=temperature)

    _until_done(robot, turn, TEMPERATURES)


def _write_on(robot: Robot, most: int) -> None:
    _until_done(robot, lambda _: robot.session.step(robot.model), range(MAX_TOKENS))


def _every_head(robot: Robot, share: float) -> None:
    state = robot.learner.attention
    layers, heads = state.attention(robot.model).shape[:2]
    places = product(range(layers), range(heads))
    _until_done(robot, lambda place: state.open_head(state.text_version, *place), places)


def _every_layer(robot: Robot, yes: bool) -> None:
    state = robot.learner.attention
    cells = product(range(state.attention(robot.model).shape[0] + 1), range(len(state.ids)))
    _until_done(robot, lambda cell: state.choose_cell(state.text_version, *cell), cells)


def _every_position(robot: Robot, yes: bool) -> None:
    training = robot.learner.training
    positions = range(1, len(training.ids))
    _until_done(robot, lambda position: training.open_position(training.turn, position), positions)


def _texts(robot: Robot) -> Iterator[str]:
    yield from robot.t.list("training.examples.texts")
    for prompt in robot.t.list("step.examples.list"):
        ids = robot.model.encode(prompt)
        steps = list(generate(robot.model, ids, strategy="greedy", max_new_tokens=24))
        yield robot.model.text([*ids, *(step.token_id for step in steps)])


def _other_texts(robot: Robot, wanted: Any) -> None:
    _until_done(robot, lambda text: robot.learner.training.load_text(robot.model, text), _texts(robot))


def _cut_words(robot: Robot, wanted: Any) -> None:
    def cut(text: str) -> None:
        robot.learner.tokens.load_text(text)
        robot.learner.tokens.tokenized(robot.model)

    _until_done(robot, cut, WORDS)


def _talk(robot: Robot, count: int) -> None:
    chat = robot.learner.chat
    chat.t = robot.t
    chat.ready(robot.model)
    robot.check()
    assert chat.send(robot.session, robot.model, chat.turn, robot.t.list("uses.questions.inputs")[0])
    while chat.run.go_on(1.0):
        robot.check()
    robot.check()


ACTIONS: dict[str, Action] = {
    "found_rank": _look_up,
    "wrote": _write_out,
    "logit_gap": _far_below,
    "best_drawn": _turn_temperature,
    "nucleus": _write_on,
    "head_first": _every_head,
    "lens_first": _every_layer,
    "forced_first": _every_position,
    "forced_harder": _other_texts,
    "forced_below": _other_texts,
    "cut_count": _cut_words,
    "cut_more": _cut_words,
    "chatted": _talk,
}
"""By the condition's name; called with the value in the lesson's file."""
