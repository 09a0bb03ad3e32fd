"""The tree with the next level, sent before the visitor asks for it, so that a click on Grow is answered at once.

`tree.js` shows it at the click; the app's own answer, with the same data, follows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pages.beam import tree
from pages.beam.state import BeamState
from pages.components.difference import difference
from pages.components.register import register
from pages.i18n.translator import Translator

_next_level = register("next_level", Path(__file__))


def draw(data: dict[str, Any], state: BeamState, t: Translator) -> None:
    """Send the difference from the tree's `data`; None during a run, and where there is no next level."""
    after = state.after_grow()
    change = None if after is None else difference(data, tree.data(after, t))
    _next_level(key="next_level", data={"turn": state.turn, "change": change})
