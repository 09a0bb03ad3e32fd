"""Texts and bars of the limits page as data for the components that other pages have: `texts.py` and `bars.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pages.ui import texts
from pages.ui.i18n import Translator

if TYPE_CHECKING:
    from engine.experiments.cloze import Cloze
    from engine.experiments.error_accumulation import ForcedTokenExperiment
    from engine.model.model import Model

_WIDE = 82  # pixels that a bar's word may take


def fork_rows(fork: ForcedTokenExperiment, model: Model, turn: int, t: Translator) -> dict[str, Any]:
    """Both ways of the first seed."""
    from engine.decoding.text_metrics import measure

    pair = fork.pairs[0]
    groups = []
    for at, (which, text) in enumerate((("own", pair.own), ("forced", pair.forced))):
        status = t(f"compare.stop.{text.stop}") if text.stop in ("end", "context", "person") else ""
        found = measure((text.token_ids[1:], text.log_probabilities[1:]))
        numbers = {
            name: [None, texts.read(name, getattr(found, name), t)] for name in ("per_token", "perplexity")
        }  # fmt: skip
        chips = texts.chips(model, fork.ids, text, t)
        row = {"seed": "", "chips": chips, "status": status, "numbers": numbers, "at": [at, 0]}
        note = t(f"limits.errors.{which}_note")
        groups.append({"name": t(f"limits.errors.{which}"), "note": note, "status": "", "numbers": {}, "texts": [row]})
    return {"turn": turn, "groups": groups}


def fork_columns(t: Translator) -> list[list[Any]]:
    """The measures beside both ways."""
    return [texts.column(name, t, True) for name in ("per_token", "perplexity")]


def cloze_bars(found: Cloze, turn: int, t: Translator) -> list[dict[str, Any]]:
    """One row a candidate, likeliest with the whole sentence first: thin the left part alone, solid the whole."""
    best = found.from_both
    full = max(max(f.left_alone, f.whole) for f in found.filled)
    order = sorted(range(len(found.filled)), key=lambda i: -found.filled[i].whole)
    table = []
    for at, i in enumerate(order):
        filled = found.filled[i]
        before, after = t.percent(filled.left_alone), t.percent(filled.whole)
        table.append(
            {
                "at": at,
                "word": filled.text,
                "wide": min(sum(16 if ord(char) > 0x2E7F else 8 for char in filled.text), _WIDE),
                "raw": filled.left_alone,
                "shown": filled.whole,
                "state": "pick" if filled is best else "draw",
                "branch": False,
                "value": f"{before} → {after}" + ("  ▶" if filled is best else ""),
                "token": str(filled.last - filled.first),
                "rank": t.number(filled.log_left, 2),
                "believed": before,
                "drawn": after,
                "reason": t.number(filled.log_right, 2),
                "pick": f"{turn}:{i}",
                "full": full,
            }
        )
    return table


def cloze_rows(found: Cloze, model: Model, turn: int, t: Translator) -> dict[str, Any]:
    """Each candidate with the right part after it, as the model read them."""
    from engine.decoding.batch_generation import Continuation  # torch comes with it: not before a model is there

    rows = []
    for at, filled in enumerate(found.filled):
        before = filled.token_ids[: filled.first]
        written = Continuation(None, filled.token_ids[filled.first :], filled.log_probabilities)
        values = {"left": filled.log_left, "right": filled.log_right, "both": filled.log_left + filled.log_right}
        numbers = {name: [value, t.number(value, 1)] for name, value in values.items()}
        chips = texts.chips(model, before, written, t)
        rows.append({"seed": "", "chips": chips, "status": "", "numbers": numbers, "at": [0, at]})
    name, note = t("limits.left.rows"), t("limits.left.rows_note")
    return {"turn": turn, "groups": [{"name": name, "note": note, "status": "", "numbers": {}, "texts": rows}]}


def cloze_columns(t: Translator) -> list[list[Any]]:
    """The numbers beside each candidate."""
    return [
        [name, t(f"limits.left.column.{name}"), t(f"limits.left.column_help.{name}"), True, True]
        for name in ("left", "right", "both")
    ]


def cloze_columns_read(t: Translator) -> list[str]:
    """What the columns of `cloze_table` are."""
    return [t(f"limits.left.{name}") for name in ("candidate", "thin", "solid", "column.left", "column.right")]


def cloze_table(found: Cloze, t: Translator) -> list[list[str | None]]:
    """The bars as rows for `as_table`."""
    return [
        [None, f.text, t.percent(f.left_alone), t.percent(f.whole), t.number(f.log_left, 2), t.number(f.log_right, 2)]
        for f in found.filled
    ]


def forced_options(
    model: Model, ids: tuple[int, ...], ladder: list[int], first: int, t: Translator
) -> tuple[dict[str, int], str]:
    """Tokens to force by how they read in a list, likeliest first; and how the one reads that it begins with."""
    distribution = model.distribution(ids)
    read = {i: f"{distribution.candidate(i).text}　{t.percent(float(distribution.raw[i]))}" for i in ladder}
    return {text: i for i, text in read.items()}, read[first]
