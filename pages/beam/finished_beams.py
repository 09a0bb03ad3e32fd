"""The finished beams of a search, best first: text, score, log-probability. A row can be taken into the step page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.decoding.text_metrics import measure
from pages.beam.state import BeamState
from pages.components import text_table
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation


def numbers(text: Continuation, score: float, t: Translator) -> dict[str, list[Any]]:
    """The measures of a text, and the score that beams are ranked by."""
    found = text_table.numbers(measure((text.token_ids, text.log_probabilities)), None, t)
    return found | {"score": [score, t.number(score, 2)]}


def columns(t: Translator) -> list[list[Any]]:
    """What is in sight of each text: its score, log-probability in total and per token, and its repetition."""
    score = ["score", t("beam.table.score"), t("beam.table.score_help"), True, True]
    return [score, *(text_table.column(name, t, True) for name in ("log_probability", "per_token", "repetition"))]


def rows(beaming: BeamState, t: Translator) -> dict[str, Any]:
    """For the table of texts: one row a finished beam, with its place and score."""
    from engine.decoding.batch_generation import Continuation

    search = beaming.search
    assert search is not None
    made = []
    for at, found in enumerate(search.sequences):
        path = [search.nodes[node] for node in search.path(found.node)]
        new = tuple(node.token_id for node in path)
        text = Continuation(None, new, tuple(node.step_log_probability for node in path))
        made.append(
            {
                "seed": f"{at + 1}.",
                "chips": text_table.chips(search.model, search.ids, text, t),
                "status": t("compare.stop.end") if new[-1] in search.model.end_ids else "",
                "numbers": numbers(text, found.score, t),
                "at": [0, at],
            }
        )
    note = t("beam.table.note", count=len(made), width=search.settings.width)
    group = {"name": t("beam.table.group"), "note": note, "status": "", "numbers": {}, "texts": made}
    return {"turn": beaming.turn, "groups": [group]}


def draw(beaming: BeamState, t: Translator, on_take: Callable[[int], None]) -> None:
    """`on_take` is told the last node of the beam that is wanted."""

    def taken(value: dict[str, Any]) -> None:
        if beaming.search is not None and value["turn"] == beaming.turn:
            on_take(beaming.search.sequences[value["text"]].node)

    text_table.draw(rows(beaming, t), t, taken, "beam_table", columns(t), "beam.table.legend")
