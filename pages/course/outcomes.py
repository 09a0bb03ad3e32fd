"""Outcomes of a step that a learner can choose among when guessing, computed from the state of the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pages.course.learner import Learner

_SAME_SCORE = 0.005  # nats: below it, both scores are displayed alike


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


# By name: all outcomes, and the one that came about; None where there is none yet.
OUTCOMES: dict[str, tuple[tuple[str, ...], Callable[[Learner], str | None]]] = {
    "written_twice": (("same", "other"), _written_twice),
    "better_search": (("beam", "greedy", "same"), _better_search),
}
