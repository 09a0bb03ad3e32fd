"""Texts that were written in parallel, with the passes of one of them, beside that which was written one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pages.both_sides.state import PLACES, WrittenText
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.masked.masked_model import MaskedModel
    from engine.masked.parallel_writing import ParallelWriting


def grid(model: MaskedModel, work: ParallelWriting, t: Translator) -> dict[str, Any]:
    """Data of the grid of passes."""
    rows = []
    for number, each in enumerate(work.passes, 1):
        kinds = ["hidden" if token is None else "final" for token in each.tokens]
        for place in each.uncovered:
            kinds[place] = "new"
        for place in each.hidden:
            kinds[place] = "open"
        texts = ["·" if token is None else model.vocabulary.label(token) for token in each.tokens]
        rows.append({"name": t("both_sides.grid.pass", n=number), "texts": texts, "kinds": kinds})
    named = ("new", "final", "hidden", *(("open",) if any(each.hidden for each in work.passes) else ()))
    return {
        "name": t("both_sides.grid.name"),
        "place": t("both_sides.grid.place"),
        "legend": [[kind, t(f"both_sides.grid.{kind}")] for kind in named],
        "rows": rows,
    }


def told(written: Sequence[WrittenText], one_by_one: WrittenText, t: Translator) -> str:
    """What the texts show: surprisal of the text with most and with fewest passes, and of that one by one."""
    most, least = written[0], written[-1]
    key = "worse" if least.bits > most.bits + 0.05 else "not_worse"
    return t(
        f"both_sides.told.{key}", places=PLACES, most=most.passes, least=least.passes, bits_most=t.number(most.bits, 1),
        bits_least=t.number(least.bits, 1), single=t.number(one_by_one.bits, 1),
    )  # fmt: skip
