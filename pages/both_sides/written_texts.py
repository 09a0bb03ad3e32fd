"""Component: texts of the same prompt, written in different numbers of passes, with their surprisal as bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pages.both_sides.state import WrittenText
from pages.components.register import register
from pages.components.text.readable_text import readable_text
from pages.i18n.translator import Translator

_component = register("written_texts", Path(__file__))


def data(prompt: str, written: Sequence[WrittenText], one_by_one: WrittenText, t: Translator) -> dict[str, Any]:
    """Data of the component: the texts in parallel, then the one written one by one."""
    named = [*(("parallel", each) for each in written), ("causal", one_by_one)]
    most = max(each.bits for _, each in named)
    return {
        "prompt": readable_text(prompt),
        "rows": [
            {
                "kind": kind,
                "how": t(f"both_sides.table.{kind}", n=each.passes),
                "text": readable_text(each.text),
                "share": each.bits / most if most else 0.0,
                "bits": t.number(each.bits, 1),
            }
            for kind, each in named
        ],
        "labels": {name: t(f"both_sides.table.{name}") for name in ("how", "text", "bits")},
    }


def draw(values: dict[str, Any]) -> None:
    """The component."""
    _component(key="written_texts", data=values)
