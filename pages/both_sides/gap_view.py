"""Component: a text with gaps, and the tokens for the gap that is shown: from both sides, and from the left alone.

The component (`gap_view.js`) reports `show` ({turn, place}), `fill` ({turn, token}) and `open` ({turn}).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator, plain

if TYPE_CHECKING:
    from engine.experiments.cloze import Cloze
    from engine.masked.gaps import GapResult, GapText
    from engine.masked.masked_model import MaskedModel

_component = register("gap_view", Path(__file__))
EVENTS = ("show", "fill", "open")
LABELS = ("text", "gap", "filled", "token", "both", "left", "whole", "hide", "pick", "no_left")


def data(
    model: MaskedModel, text: GapText, place: int, found: GapResult, scored: Cloze | None, turn: int, t: Translator
) -> dict[str, Any]:
    """Data of the component. `scored`: the sentence with each candidate under the causal model, None without."""
    label = model.vocabulary.label
    parts = [
        {"text": "" if token == model.mask else label(token), "gap": at in text.gaps, "place": at}
        for at, token in enumerate(text.ids)
    ]
    whole = {candidate.text: candidate.whole for candidate in scored.candidates} if scored is not None else {}
    rows = []
    for candidate in found.candidates:
        share = whole.get(model.text((candidate.token_id,)).strip())
        rows.append(
            {
                "token": candidate.token_id,
                "text": label(candidate.token_id),
                "both": [candidate.both, t.percent(candidate.both)],
                "left": None if candidate.left is None else [candidate.left, t.percent(candidate.left)],
                "whole": None if share is None else [share, t.percent(share)],
                "filled": text.filled.get(place) == candidate.token_id,
            }
        )
    return {
        "turn": turn,
        "place": place,
        "parts": parts,
        "rows": rows,
        "scored": scored is not None,
        "can_hide": place in text.filled,
        "labels": {name: t(f"both_sides.gap.{name}") for name in LABELS},
    }


def told(model: MaskedModel, found: GapResult, scored: Cloze | None, t: Translator) -> list[str]:
    """What the two views say of the gap, in sentences."""

    def label(token: int) -> str:
        return plain(model.vocabulary.label(token))

    best = found.candidates[0]
    values = {"token": label(best.token_id), "p": t.percent(best.both), "bits": t.number(found.entropy_both, 1)}
    lines = [t("both_sides.told.both", **values)]
    if found.entropy_left is not None:
        left = max(found.candidates, key=lambda candidate: candidate.left or 0.0)
        same = left.token_id == best.token_id
        values = {"token": label(left.token_id), "p": t.percent(left.left or 0.0)}
        key = "left_same" if same else "left_other"
        lines.append(t(f"both_sides.told.{key}", bits=t.number(found.entropy_left, 1), **values))
    if scored is not None:
        whole = scored.from_both
        lines.append(
            t("both_sides.told.whole", token=plain(whole.text), p=t.percent(whole.whole), n=len(scored.candidates))
        )
    return lines


def draw(values: dict[str, Any], actions: dict[str, Callable[[dict[str, Any]], None]]) -> None:
    """The component with the functions that handle its events."""
    handlers = {f"on_{name}_change": event_callback("gap_view", name, actions[name]) for name in EVENTS}
    _component(key="gap_view", data=values, **handlers)
