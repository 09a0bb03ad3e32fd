"""Diagram of the whole model: a box for each step from the text to the next token, and the numbers behind the open one.

The component (`diagram.js`) opens a box at once and reports it (`show`: {text, box, layer, head}); `append` and `back`
({text}) move the text, `leave` ({box}) asks for the page on which more can be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pages.components.register import event_callback, register
from pages.i18n.translator import Translator
from pages.transformer.blocks import drawn, length_in_words
from pages.transformer.details import Shown, details
from pages.transformer.state import BOXES, TransformerState

PAGES = {"tokens": "tokens", "attention": "attention", "stream": "attention", "softmax": "step", "choice": "step"}
"""The page on which more can be seen, by box."""
_SHOWN_TOKENS = 6
_SHOWN_NUMBERS = 24

_component = register("transformer", Path(__file__), "collapsible_table", "wires")


def data(shown: Shown, state: TransformerState, t: Translator) -> dict[str, Any]:
    """Data of the component.

    boxes    [key, title, note, picture, blocks, link] from top to bottom; a picture is {kind, …}, a block is described
             in `blocks.py`, a link the words of one to another page, "" for none
    inside   keys of the boxes that each layer has
    chosen   the open box, the layer and the head
    ended    whether no token may follow
    """
    weights = shown.at.weights
    return {
        "text": state.text_version,
        "boxes": [_box(key, shown, t) for key in BOXES],
        "inside": ["attention", "mlp", "stream"],
        "layers": len(shown.found.layers),
        "heads": 0 if weights is None else len(weights),
        "chosen": {"box": state.box, "layer": shown.layer, "head": shown.head},
        "ended": shown.chosen is None,
        "begun": len(shown.found.ids) > shown.session.ready(shown.model).prompt_length,
    }


def _box(key: str, shown: Shown, t: Translator) -> list[Any]:
    kind = "mixer" if key == "attention" and shown.at.weights is None else key
    link = t(f"transformer.go.{key}") if key in PAGES else ""
    return [
        key,
        t(f"transformer.box.{kind}"),
        _note(kind, shown, t),
        _picture(key, shown),
        details(key, shown, t),
        link,
    ]


def _note(kind: str, shown: Shown, t: Translator) -> str:
    """What stands beside the title of a box."""
    found, layer = shown.found, shown.at
    values: dict[str, object] = {
        "tokens": f"{len(found.ids):,}",
        "attention": 0 if layer.weights is None else len(layer.weights),
        "mlp": 0 if layer.neurons is None else f"{len(layer.neurons):,}",
        "logits": f"{shown.distribution.size:,}",
    }
    if kind == "mlp" and layer.neurons is None:
        return t("transformer.note.mlp_none")
    if kind == "choice" and shown.chosen is None:
        return t("transformer.note.ended")
    length = {"stream": layer.output, "norm": found.final}.get(kind)
    return t(
        f"transformer.note.{kind}",
        n=values.get(kind, ""),
        length="" if length is None else length_in_words(length, t),
    )


def _picture(key: str, shown: Shown) -> dict[str, Any]:
    """Small picture in a box, of the numbers behind it."""
    found, layer = shown.found, shown.at
    if key == "tokens":
        return {
            "kind": "tokens",
            "tokens": list(shown.labels[-_SHOWN_TOKENS:]),
            "more": len(shown.labels) > _SHOWN_TOKENS,
        }
    if key == "attention" and layer.weights is not None:
        return {"kind": "weights", "values": _rounded(layer.weights[shown.head][-_SHOWN_NUMBERS:])}
    if key in ("logits", "softmax"):
        best = shown.distribution.top(5)
        return {"kind": "bars", "values": _rounded([c.raw if key == "softmax" else c.logit for c in best])}
    if key == "choice":
        word = "" if shown.chosen is None else shown.distribution.candidate(shown.chosen).text
        return {"kind": "tokens", "tokens": [word] if word else [], "more": False}
    vectors = {
        "embedding": found.first, "attention": layer.mixed, "mlp": layer.neurons, "stream": layer.output,
        "norm": found.final,
    }  # fmt: skip
    values = vectors[key]
    return {"kind": "vector", "values": [] if values is None else drawn(values)[:_SHOWN_NUMBERS]}


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 3) for value in np.asarray(values)]


def labels(t: Translator) -> dict[str, Any]:
    """Labels of the component."""
    words = ("flow", "layer", "layers", "head", "heads", "times", "loop", "next", "back", "numbers", "number")
    return {word: t.list(f"transformer.{word}") if word == "number" else t(f"transformer.{word}") for word in words}


def draw(
    payload: dict[str, Any],
    t: Translator,
    on_show: Callable[[int, str, int, int], None],
    on_move: Callable[[int, str], None],
    on_leave: Callable[[str], None],
) -> None:
    """Draw the result of `data`.

    on_show(text version, box, layer, head); on_move(text version, `append` or `back`); on_leave(box).
    """
    key = "transformer"
    _component(
        key=key,
        data=payload | {"labels": labels(t)},
        on_show_change=event_callback(
            key, "show", lambda value: on_show(value["text"], value["box"], value["layer"], value["head"])
        ),
        on_append_change=event_callback(key, "append", lambda value: on_move(value["text"], "append")),
        on_back_change=event_callback(key, "back", lambda value: on_move(value["text"], "back")),
        on_leave_change=event_callback(key, "leave", lambda value: on_leave(value["box"])),
    )
