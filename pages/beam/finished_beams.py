"""Table of the finished beams of a search, best first, with score and log-probability."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.decoding.text_metrics import measure
from pages.beam.state import BeamState
from pages.components.tables import text_table
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation


def numbers(text: Continuation, score: float, t: Translator) -> dict[str, list[Any]]:
    """Measures of a text as in `text_table.numbers`, and the score that ranks beams."""
    measures = text_table.numbers(measure((text.token_ids, text.log_probabilities)), None, t)
    return measures | {"score": [score, t.number(score, 2)]}


def columns(t: Translator) -> list[list[Any]]:
    """Columns of the table: score, log-probability in total and per token, repetition; all always visible."""
    score = ["score", t("beam.table.score"), t("beam.table.score_help"), True, True]
    return [score, *(text_table.column(name, t, True) for name in ("log_probability", "per_token", "repetition"))]


def rows(state: BeamState, t: Translator) -> dict[str, Any]:
    """Data of the text table: one group with a row for each finished beam."""
    from engine.decoding.batch_generation import Continuation

    search = state.search
    assert search is not None
    texts = []
    for i, hypothesis in enumerate(search.sequences):
        path = [search.nodes[node] for node in search.path(hypothesis.node)]
        new = tuple(node.token_id for node in path)
        text = Continuation(None, new, tuple(node.step_log_probability for node in path))
        texts.append(
            {
                "seed": f"{i + 1}.",
                "chips": text_table.chips(search.model, search.ids, text, t),
                "status": t("compare.stop.end") if new[-1] in search.model.end_ids else "",
                "numbers": numbers(text, hypothesis.score, t),
                "at": [0, i],
            }
        )
    note = t("beam.table.note", count=len(texts), width=search.settings.width)
    group = {"name": t("beam.table.group"), "note": note, "status": "", "numbers": {}, "texts": texts}
    return {"turn": state.turn, "groups": [group]}


def draw(state: BeamState, t: Translator, on_take: Callable[[int], None]) -> None:
    """Draw the table. `on_take` is called with the last node of the beam to open on the step page."""

    def take(value: dict[str, Any]) -> None:
        if state.search is not None and value["turn"] == state.turn:
            on_take(state.search.sequences[value["text"]].node)

    text_table.draw(rows(state, t), t, take, "beam_table", columns(t), "beam.table.legend")
