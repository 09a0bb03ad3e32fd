"""Next-token distributions of two models as bars on both sides of the token; of one model alone as bars beside it.

The component (`distribution_rows.js`) reports a click on a token that both models can write (`pick`: {turn, row}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.experiments.model_comparison import Comparison

_component = register("side_rows", Path(__file__))


def data(comparison: Comparison, names: list[str], turn: int, t: Translator) -> dict[str, Any]:
    """Data of the component.

    names  of the models, one or two
    rows   {label, sides: [[share of the longest bar or None, text] for each model], pick: whether it can be picked}
    """
    longest = max(max(row.first or 0.0, row.second or 0.0) for row in comparison.rows)
    rows = []
    for row in comparison.rows:
        sides: list[list[Any]] = []
        for value in (row.first, row.second)[: len(names)]:
            sides.append([None, t("side.missing")] if value is None else [round(value / longest, 4), percent(value, t)])
        can = len(names) == 2 and row.shared and row.text is not None
        rows.append({"label": row.label, "sides": sides, "pick": can})
    labels = {"token": t("sums.token"), "append": t("side.append"), "name": t("side.rows")}
    return {"turn": turn, "names": names, "rows": rows, "labels": labels}


def percent(p: float, t: Translator) -> str:
    """A probability beside its bar: a very small one without its exact value."""
    return t("number.below") if 0 < p < 0.0001 else t.percent(p)


def draw(payload: dict[str, Any], on_pick: Callable[[int, int], None]) -> None:
    """Draw the result of `data`. on_pick(turn, row): a token was clicked."""
    _component(
        key="side_rows",
        data=payload,
        on_pick_change=event_callback("side_rows", "pick", lambda v: on_pick(int(v["turn"]), int(v["row"]))),
    )
