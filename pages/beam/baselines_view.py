"""The winner of a beam search beside greedy search and beside the best of some sampled texts: did the beams win?

All three are held against each other by what the model believes of them, before any penalty, and by the score that
beams are ranked by. What is drawn is drawn with the seeds that are named, from the unfiltered distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.beam import finished_beams
from pages.beam.baselines import SEEDS, Baselines
from pages.beam.state import BeamState
from pages.components import text_table
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation


def verdict(found: Baselines, t: Translator) -> str:
    """Whether the beams won, by the score they are ranked by."""
    beam, greedy, sampled = found.scores
    numbers = {"beam": t.number(beam, 2), "greedy": t.number(greedy, 2), "sampled": t.number(sampled, 2)}
    if found.beam.token_ids == found.greedy.token_ids:
        return t("beam.truth.same", **numbers)
    if beam < max(greedy, sampled):
        return t("beam.truth.lost_to_greedy" if greedy >= sampled else "beam.truth.lost_to_sampled", **numbers)
    return t("beam.truth.won", **numbers)


def rows(found: Baselines, beaming: BeamState, t: Translator) -> dict[str, Any]:
    """For the table of texts: one group each of the three."""
    search = beaming.search
    assert search is not None
    groups = []
    for at, name in enumerate(("beam", "greedy", "sampled")):
        text: Continuation = getattr(found, name)
        row = {
            "seed": t("compare.seed", seed=text.seed) if text.seed is not None else "",
            "chips": text_table.chips(search.model, search.ids, text, t),
            "status": "",
            "numbers": finished_beams.numbers(text, found.scores[at], t),
            "at": [0, at],
        }
        note = t(f"beam.truth.note.{name}", count=len(SEEDS), width=search.settings.width)
        groups.append({"name": t(f"beam.truth.{name}"), "note": note, "status": "", "numbers": {}, "texts": [row]})
    return {"turn": beaming.turn, "groups": groups}


def draw(found: Baselines, beaming: BeamState, t: Translator, on_take: Callable[[tuple[int, ...]], None]) -> None:
    """`on_take` is told the tokens of the text that is wanted on the step page."""
    written = (found.beam, found.greedy, found.sampled)
    st.markdown(verdict(found, t))

    def taken(value: dict[str, Any]) -> None:
        on_take(written[value["text"]].token_ids)

    text_table.draw(rows(found, beaming, t), t, taken, "beam_truth", finished_beams.columns(t), "beam.table.legend")
