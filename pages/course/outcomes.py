"""Outcomes of a step that a learner can choose among when guessing, computed from the state of the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pages.course.page_values import stream_change

if TYPE_CHECKING:
    from pages.course.learner import Learner

_SAME_SCORE = 0.005  # nats: below it, both scores are displayed alike
_SAME_LOSS = 0.05  # nats a token


def _written_twice(learner: Learner) -> str | None:
    """Whether all texts written after the prompt are the `same`, as far as they go, or `other`."""
    children = learner.trace.children()
    return "same" if all(len(branches) == 1 for branches in children.values()) else "other"


def _better_search(learner: Learner) -> str | None:
    """The search with the better score once beam search has ended: `beam`, `greedy`, or the `same` for both."""
    beam = learner.beam
    if not beam.done or beam.search is None or not beam.search.sequences:
        return None
    best, greedy, _ = beam.baselines().scores
    if abs(best - greedy) < _SAME_SCORE:
        return "same"
    return "beam" if best > greedy else "greedy"


def _took_best(learner: Learner) -> str | None:
    """Whether the token added last was the most probable: `best` or `other`."""
    trace = learner.trace
    added = range(trace.prompt_length, len(trace.choices))
    if not added:
        return None
    choice = trace.choices[added[-1]]
    rank = learner.model.distribution(trace.token_ids(choice.parent)).candidate(choice.token_id).rank
    return "best" if rank == 1 else "other"


def _harder_after(learner: Learner) -> str | None:
    """The effect of a forced token on the perplexity of what follows it: `worse`, `same` (within 5%) or `better`."""
    from engine.experiments.error_accumulation import summarize  # imports torch: only once there is a result

    run = learner.limits.runs["errors"]
    fork = None if run.running or run.stopped else run.work
    means = fork and summarize(fork.pairs)
    if not means:
        return None
    difference = means.own - means.forced  # nats a token
    return "same" if abs(difference) < _SAME_LOSS else "worse" if difference > 0 else "better"


def _gap_changed(learner: Learner) -> str | None:
    """Whether the whole sentence prefers another candidate for the gap than its left part: `other` or `same`."""
    run = learner.limits.runs["left"]
    cloze = None if run.running or run.stopped or run.work is None else run.work.result
    return None if cloze is None else "same" if cloze.from_left is cloze.from_both else "other"


def _harder_middle(learner: Learner) -> str | None:
    """The middle after which the end of the text is harder to predict: the model's `own`, or one of an `other` text."""
    run = learner.limits.runs["exposure"]
    exposure = None if run.running or run.stopped else run.work
    if not exposure or not exposure.finished:
        return None
    return "own" if exposure.loss("own").mean > exposure.loss("other").mean else "other"


# By name: all outcomes, and the one that came about; None where there is none yet.
OUTCOMES: dict[str, tuple[tuple[str, ...], Callable[[Learner], str | None]]] = {
    "written_twice": (("same", "other"), _written_twice),
    "better_search": (("beam", "greedy", "same"), _better_search),
    "took_best": (("best", "other"), _took_best),
    "harder_after": (("worse", "same", "better"), _harder_after),
    "gap_changed": (("same", "other"), _gap_changed),
    "stream_change": (("longer", "same", "shorter"), stream_change),
    "harder_middle": (("own", "other"), _harder_middle),
}
