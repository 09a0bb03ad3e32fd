"""Text under teacher forcing: token chips shaded by loss, summary numbers, and a table of all tokens.

`data` makes plain data of a `Score`; the component (`scored_text.js`) draws it and reports a click on a chip (`open`:
{turn, position}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.components.text import token_chips
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.score import Score


_LARGEST = 1e6  # nats, sent for a probability of 0: JSON has no infinity

_component = register("forced_text", Path(__file__), "token_chips")


def numbers(model: Model, score: Score, t: Translator) -> list[list[str]]:
    """Summary of the text: [name, value, explanation] of predicted tokens, loss, perplexity, bits per character."""
    from engine.model.score import bits_per_character

    bits = bits_per_character(model.vocabulary, score)
    values = {
        "predicted": f"{score.predicted:,}",
        "loss": t.number(score.loss, 2),
        "perplexity": t.number(score.perplexity, 1),
        "bits": "–" if bits is None else t.number(bits, 2),
    }
    return [[t(f"training.{name}"), value, t(f"training.{name}_help")] for name, value in values.items()]


def data(model: Model, score: Score, opened: int | None, turn: int, t: Translator) -> dict[str, Any]:
    """Data of the component.

    groups   as `token_chips.chips`
    facts    by token: [loss in nats or None, its text, tooltip]
    numbers  as `numbers`
    """
    facts: list[list[Any]] = []
    for value, rank in zip(score.log_probabilities, score.ranks, strict=True):
        if value is None:
            facts.append([None, "", t("strip.first")])
        else:
            tooltip = t("strip.rank", p=t.percent_of_log(value), rank=f"{rank:,}")
            facts.append([min(round(-value, 4), _LARGEST), t.number(-value, 1), tooltip])
    return {
        "turn": turn, "opened": opened, "facts": facts, "groups": token_chips.chips(model.vocabulary, score.token_ids),
        "numbers": numbers(model, score, t),
    }  # fmt: skip


def explanation(score: Score, t: Translator) -> str:
    """Sentences on what the positions and the mean loss are for in training, of a text of two tokens or more."""
    loss = t.number(score.loss, 2)
    if score.predicted == 1:
        return t("training.why_one", loss=loss)
    return t("training.why", predicted=f"{score.predicted:,}", loss=loss)


def table(model: Model, score: Score, t: Translator) -> list[list[str | None]]:
    """Rows for `data_table.draw`: position from 1, token, probability, rank, loss."""
    rows: list[list[str | None]] = []
    facts = zip(model.pieces(score.token_ids), score.log_probabilities, score.ranks, strict=True)
    for position, (token, value, rank) in enumerate(facts, 1):
        cells = ("–", "–", "–")  # the first token is not predicted
        if value is not None and rank is not None:
            cells = (t.percent_of_log(value), f"{rank:,}", t.number(-value, 3))
        rows.append([None, str(position), token, *cells])
    return rows


def draw(payload: dict[str, Any], t: Translator, on_open: Callable[[int, int], None]) -> None:
    """Draw the result of `data`. on_open(turn, position): a chip was clicked."""
    payload = payload | {"legend": t("training.legend"), "text": t("access.text")}
    on_change = event_callback("forced", "open", lambda value: on_open(int(value["turn"]), int(value["position"])))
    _component(key="forced", data=payload, on_open_change=on_change)
