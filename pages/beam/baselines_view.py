"""Table of the best beam beside greedy search and the best of several samples, with a verdict.

The texts are compared by the model's raw log-probability, before any penalty, and by the score that ranks beams. The
samples come from the unfiltered distribution, with `baselines.SEEDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.beam import finished_beams
from pages.beam.baselines import SEEDS, Baselines
from pages.beam.state import BeamState
from pages.components.tables import text_table
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation


def verdict(baselines: Baselines, t: Translator) -> str:
    """Sentence that states whether beam search has the highest score, with digits that tell the scores apart."""
    beam, greedy, sampled = baselines.scores
    digits = next(
        (n for n in range(2, 6) if len({round(s, n) for s in baselines.scores}) == len({*baselines.scores})), 6
    )
    numbers = {
        "beam": t.number(beam, digits), "greedy": t.number(greedy, digits), "sampled": t.number(sampled, digits),
    }  # fmt: skip
    if baselines.beam.token_ids == baselines.greedy.token_ids:
        return t("beam.truth.same", **numbers)
    if beam < max(greedy, sampled):
        return t("beam.truth.lost_to_greedy" if greedy >= sampled else "beam.truth.lost_to_sampled", **numbers)
    return t("beam.truth.won", **numbers)


def rows(baselines: Baselines, state: BeamState, t: Translator) -> dict[str, Any]:
    """Data of the text table: one group for each of the three texts."""
    search = state.search
    assert search is not None
    groups = []
    for i, name in enumerate(("beam", "greedy", "sampled")):
        text: Continuation = getattr(baselines, name)
        row = {
            "seed": t("compare.seed", seed=text.seed) if text.seed is not None else "",
            "chips": text_table.chips(search.model, search.ids, text, t),
            "status": "",
            "numbers": finished_beams.numbers(text, baselines.scores[i], t),
            "at": [0, i],
        }
        note = t(f"beam.truth.note.{name}", count=len(SEEDS), width=search.settings.width)
        groups.append({"name": t(f"beam.truth.{name}"), "note": note, "status": "", "numbers": {}, "texts": [row]})
    return {"turn": state.turn, "groups": groups}


def draw(baselines: Baselines, state: BeamState, t: Translator, on_take: Callable[[tuple[int, ...]], None]) -> None:
    """Draw the verdict and the table. `on_take` is called with the new tokens of the text to open on the step page."""
    texts = (baselines.beam, baselines.greedy, baselines.sampled)
    st.markdown(verdict(baselines, t))

    def take(value: dict[str, Any]) -> None:
        on_take(texts[value["text"]].token_ids)

    text_table.draw(rows(baselines, state, t), t, take, "beam_truth", finished_beams.columns(t), "beam.table.legend")
