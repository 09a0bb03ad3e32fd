"""The winner of a beam search beside greedy search and beside the best of some sampled texts: did the beams win?

All three are held against each other by what the model believes of them, before any penalty, and by the score that
beams are ranked by. What is drawn is drawn with the seeds that are named, from the unfiltered distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from engine.decoding.strategies import BY_NAME
from pages.ui import beam_table, texts
from pages.ui.beam_session import Beaming
from pages.ui.i18n import Translator

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation
    from engine.decoding.beam_search import BeamSearch

SEEDS = tuple(range(1, 9))


@dataclass(frozen=True)
class Truth:
    """The three texts, and the score of each: log-probability / length ** length_penalty, by belief (nats)."""

    beam: Continuation
    greedy: Continuation
    sampled: Continuation
    scores: tuple[float, float, float]


def truth(search: BeamSearch) -> Truth:
    """Of a search that is over and has finished beams."""
    from engine.decoding.batch_generation import BatchGeneration, Continuation

    winner = search.sequences[0]
    believed = search.model.score(winner.token_ids).log_probabilities[len(search.ids) :]
    beam = Continuation(None, winner.token_ids[len(search.ids) :], tuple(v for v in believed if v is not None))

    def write(way: str) -> list[Continuation]:
        together = BatchGeneration(search.model, search.ids, BY_NAME[way], 0, SEEDS, search.most)
        while together.step():
            pass
        return together.texts

    def score(text: Continuation) -> float:
        return sum(text.log_probabilities) / len(text.token_ids) ** search.settings.length_penalty

    greedy, sampled = write("greedy")[0], max(write("sample"), key=score)
    return Truth(beam, greedy, sampled, (score(beam), score(greedy), score(sampled)))


def verdict(found: Truth, t: Translator) -> str:
    """Whether the beams won, by the score they are ranked by."""
    beam, greedy, sampled = found.scores
    numbers = {"beam": t.number(beam, 2), "greedy": t.number(greedy, 2), "sampled": t.number(sampled, 2)}
    if found.beam.token_ids == found.greedy.token_ids:
        return t("beam.truth.same", **numbers)
    if beam < max(greedy, sampled):
        return t("beam.truth.lost_to_greedy" if greedy >= sampled else "beam.truth.lost_to_sampled", **numbers)
    return t("beam.truth.won", **numbers)


def rows(found: Truth, beaming: Beaming, t: Translator) -> dict[str, Any]:
    """For the table of texts: one group each of the three."""
    search = beaming.search
    assert search is not None
    groups = []
    for at, name in enumerate(("beam", "greedy", "sampled")):
        text: Continuation = getattr(found, name)
        row = {
            "seed": t("compare.seed", seed=text.seed) if text.seed is not None else "",
            "chips": texts.chips(search.model, search.ids, text, t),
            "status": "",
            "numbers": beam_table.numbers(text, found.scores[at], t),
            "at": [0, at],
        }
        note = t(f"beam.truth.note.{name}", count=len(SEEDS), width=search.settings.width)
        groups.append({"name": t(f"beam.truth.{name}"), "note": note, "status": "", "numbers": {}, "texts": [row]})
    return {"turn": beaming.turn, "groups": groups}


def of(beaming: Beaming) -> Truth:
    """The truth about the search on show, worked out once."""
    search = beaming.search
    assert search is not None
    if beaming.truth is None or beaming.truth[0] is not search:
        beaming.truth = search, truth(search)
    found: Truth = beaming.truth[1]
    return found


def draw(found: Truth, beaming: Beaming, dark: bool, t: Translator, on_take: Callable[[tuple[int, ...]], None]) -> None:
    """`on_take` is told the tokens of the text that is wanted on the step page."""
    written = (found.beam, found.greedy, found.sampled)
    st.markdown(verdict(found, t))

    def taken(value: dict[str, Any]) -> None:
        on_take(written[value["text"]].token_ids)

    texts.draw(rows(found, beaming, t), dark, t, taken, "beam_truth", beam_table.columns(t), "beam.table.legend")
