"""What the lessons and the pages say of their demonstrations, measured with a model.

A claim of a lesson belongs to a condition of a task: once a step with that condition is done, its function measures
what the step's texts rest on. A claim of the pages belongs to their examples. Each returns what was measured and
whether it is as the texts say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from engine.bundled import BUNDLED_NAME
from engine.bundled.training_history import training_history
from engine.decoding.beam_search_cache import cached_beam_search
from engine.decoding.beam_types import BeamSettings
from engine.decoding.generation import generate
from engine.decoding.text_metrics import REPEATED, repeated_ngrams
from engine.experiments.cloze import fill
from engine.experiments.error_accumulation import first_difference
from engine.model.model import Model
from engine.sampling.settings import Settings
from pages.i18n.translator import Translator
from pages.uses.state import TaskRun, prompt_parts
from tests.course_check.robot import WIDTHS, Robot

CLEAR = 1.0  # nats: a difference that is seen in a text's underlines
SAME = 0.005  # nats: scores that differ by less are displayed alike


class Measured(NamedTuple):
    """Result of a claim: whether it holds, and the numbers."""

    holds: bool
    numbers: str


def more_probable_again(robot: Robot, yes: bool) -> Measured:
    """A repeated sequence has a higher probability the second time."""
    trace = robot.learner.trace
    generated = trace.token_ids()[trace.prompt_length :]
    spans = repeated_ngrams(generated)
    if not yes or not spans:
        return Measured(not yes and not spans, f"{len(spans)} repeated sequences")
    again = spans[0][0]
    once = next(at for at in range(again) if generated[at : at + REPEATED] == generated[again : again + REPEATED])
    logs = robot.model.score(trace.token_ids()).log_probabilities
    means = [
        math.exp(math.fsum(logs[trace.prompt_length + at + i] or 0.0 for i in range(REPEATED)) / REPEATED)
        for at in (once, again)
    ]
    return Measured(means[1] > means[0], f"mean probability {means[0]:.3f}, again {means[1]:.3f}")


def one_token_stands_out(robot: Robot, yes: bool) -> Measured:
    """The least expected token of a text is clearly less expected than the next one."""
    logs = robot.model.score(robot.learner.trace.token_ids()).log_probabilities
    lowest, second = sorted(value for value in logs if value is not None)[:2]
    return Measured(second - lowest >= CLEAR, f"{lowest:.1f}, then {second:.1f} nats")


def stops_by_itself(robot: Robot, reasons: list[str]) -> Measured:
    """A text that is to end with an end token does so before a class loses patience."""
    written = len(robot.learner.trace.path()) - robot.learner.trace.prompt_length
    return Measured(written <= 60, f"after {written} tokens")


def the_width_matters(robot: Robot, count: int) -> Measured:
    """Of the widths that a step proposes, one beats greedy search, and one is no better than a narrower one."""
    beam, session = robot.learner.beam, robot.session
    ids = session.ready(robot.model).token_ids(session.ready(robot.model).prompt_length - 1)
    scores = [_score(robot.model, ids, replace(beam.settings, width=width)) for width in (1, *WIDTHS)]
    wider_is_no_better = any(later <= earlier + SAME for earlier, later in pairwise(scores[1:]))
    return Measured(
        max(scores) > scores[0] + SAME and wider_is_no_better,
        f"greedy and widths {WIDTHS}: " + ", ".join(f"{score:.3f}" for score in scores),
    )


def _score(model: Model, ids: tuple[int, ...], settings: BeamSettings) -> float:
    """Score of the best text of a beam search, in nats."""
    search = cached_beam_search(model, ids, settings)
    search.grow_to(settings.max_new_tokens)
    return search.sequences[0].score


def hotter_is_less_expected(robot: Robot, limits: dict[str, float]) -> Measured:
    """At the temperature of the step, texts have a higher perplexity than at 1, and a less probable worst token."""
    if "temperature" not in limits:
        return Measured(True, "not about temperature")
    means, worst = [], []
    for temperature in (1.0, limits["temperature"]):
        logs = [value for seed in range(7, 11) for value in _sampled(robot, Settings(temperature=temperature), seed)]
        means.append(-math.fsum(logs) / len(logs))
        worst.append(min(logs))
    return Measured(
        means[1] > means[0] + CLEAR and worst[1] < worst[0],
        f"perplexity {math.exp(means[0]):.1f} at 1, {math.exp(means[1]):.1f} at {limits['temperature']:g}",
    )


def _sampled(robot: Robot, settings: Settings, seed: int) -> list[float]:
    """Log-probabilities of the tokens of a sampled text of the step's prompt."""
    trace = robot.learner.trace
    ids = trace.token_ids(trace.prompt_length - 1)
    steps = generate(robot.model, ids, "sample", settings, seed=seed, max_new_tokens=12)
    return [step.log_probability for step in steps]


def flat_keeps_more_than_peaked(robot: Robot, yes: bool) -> Measured:
    """Top-p keeps many tokens after the flat example and few after the peaked one."""
    flat, peaked = (
        robot.learner.compare.filter_sizes(robot.model, robot.t(f"compare.flat.{which}_prompt"))[0].by_top_p
        for which in ("flat", "peaked")
    )
    return Measured(flat >= 10 * peaked, f"{flat} and {peaked} tokens")


def drafting_saves_passes(robot: Robot, yes: bool) -> Measured:
    """Speculative decoding takes fewer passes than tokens, and writes what greedy search writes."""
    work = robot.learner.speculative.runs["drafting"].work
    return Measured(work.passes < work.written and bool(work.identical), f"{work.passes} passes, {work.written} tokens")


def the_experiment_shows_it(robot: Robot, name: str) -> Measured:
    """The first gap is filled otherwise with the whole sentence; a token with under a thousandth changes the text."""
    work = robot.learner.limits.runs[name].work
    if name == "left":
        left, both = work.result.from_left, work.result.from_both
        numbers = f"{left.text} {left.left_alone:.2f}, {both.text} {both.whole:.2f}"
        return Measured(left.text != both.text and both.whole > 0.5, numbers)
    if name == "errors":
        pair = work.pairs[0]
        p = math.exp(pair.forced.log_probabilities[0])
        return Measured(p < 1e-3 and first_difference(pair) == 0, f"forced token {p:.1e}")
    return Measured(True, "the page says what came out")


def early_guesses_are_worse(robot: Robot, yes: bool) -> Measured:
    """Before training each token is as likely as any other; the record ends with a lower loss and a clear first."""
    history = training_history()
    if robot.model.name != BUNDLED_NAME:
        return Measured(True, "no record of this model")
    losses = [checkpoint.loss for checkpoint in history.checkpoints if checkpoint.loss is not None]
    prompt = history.prompts[0]
    first, last = (history.checkpoints[at].top_tokens[prompt][0][1] for at in (0, -1))
    return Measured(
        losses[-1] < losses[0] / 2 and first < 0.01 < last,
        f"loss {losses[0]:.2f} to {losses[-1]:.2f}, first token {first:.4f} to {last:.2f}",
    )


def heads_have_patterns(robot: Robot, count: int) -> Measured:
    """In the text of the step, some heads attend mostly to the token before, some to the first, some to themselves."""
    maps = np.asarray(robot.model.attention(robot.learner.trace.token_ids()))  # (layers, heads, T, T)
    rows = np.arange(2, maps.shape[-1])
    targets = {"previous": rows - 1, "first": rows * 0, "self": rows}
    best = {kind: float(maps[:, :, rows, to].mean(axis=-1).max()) for kind, to in targets.items()}
    return Measured(min(best.values()) > 0.5, ", ".join(f"{kind} {value:.2f}" for kind, value in best.items()))


Claim = Callable[[Robot, Any], Measured]
OF_TASKS: dict[str, Claim] = {
    "loops": more_probable_again,
    "least": one_token_stands_out,
    "stopped": stops_by_itself,
    "beam_widths": the_width_matters,
    "at_least": hotter_is_less_expected,
    "flat_changed": flat_keeps_more_than_peaked,
    "tried": the_experiment_shows_it,
    "drafted": drafting_saves_passes,
    "moment": early_guesses_are_worse,
    "head": heads_have_patterns,
}
"""By the condition's name; called with the value in the lesson's file once the step is done."""

UNCLAIMED = ("sequential", "exposure")  # experiments of which no text says how they end

EXPECTED: dict[str, dict[str, tuple[str, ...]]] = {  # examples with one obvious continuation, and what it begins with
    "zh_Hant": {"一年有四個季節：春、": ("夏",), "端午節要吃": ("粽",), "一加一等於": ("二", "2"), "冬天很": ("冷",)},
    "en": {"Once upon a time": (",",), "The sky is": ("bl",), "After summer comes": ("aut",)},
}
LIKELY_RANK = 3
TIMES_UNIFORM = 50  # the first bar of an example, as a multiple of what a uniform distribution would give


def of_pages(model: Model, t: Translator) -> Iterable[tuple[str, Measured]]:
    """(name, result) of every claim about the pages, in one language."""
    yield from of_examples(model, t)
    yield "questions", _questions(model, t)
    yield "gaps", _gaps(model, t)


def of_examples(model: Model, t: Translator) -> Iterable[tuple[str, Measured]]:
    """(name, result) of the step page's examples: the first bar can be seen, an obvious answer is among the first."""
    for prompt in (*t.list("step.examples.list"), *t.list("step.examples.more")):
        distribution = model.distribution(model.read_prompt(prompt))
        best = distribution.top(1)[0]
        seen = max(0.02, TIMES_UNIFORM / distribution.size)
        yield f"example {prompt}", Measured(best.raw > seen, f"{best.text} {best.raw:.2f}")
    for prompt, beginnings in EXPECTED[t.language].items():
        likely = [c.text.strip("␣") for c in model.distribution(model.read_prompt(prompt)).top(LIKELY_RANK)]
        yield f"answer to {prompt}", Measured(any(text.startswith(beginnings) for text in likely), " ".join(likely))


def _questions(model: Model, t: Translator) -> Measured:
    """The first question of the uses page is answered with high probabilities, the last with low ones."""
    least = []
    for question in (t.list("uses.questions.inputs")[0], t.list("uses.questions.inputs")[-1]):
        prompt = "".join(part.text for part in prompt_parts("questions", question, t))
        run = TaskRun(model, prompt, question, one_line=True)
        while run.step():
            pass
        least.append(math.exp(min(run.continuation.log_probabilities)))
    return Measured(least[1] < least[0] / 2, f"lowest {least[0]:.2f}, unknown {least[1]:.2f}")


def _gaps(model: Model, t: Translator) -> Measured:
    """In most examples the right part changes the answer or makes it surer."""
    helped = []
    for sentence, words in zip(t.list("limits.left.examples"), t.list("limits.left.candidates"), strict=True):
        cloze = fill(model, sentence, words.split("/"))
        helped.append(cloze.from_both.whole > cloze.from_both.left_alone)
    return Measured(bool(np.mean(helped) > 0.5), f"{sum(helped)} of {len(helped)}")
