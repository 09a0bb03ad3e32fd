"""The tokens that a search found; a click takes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.colors import css

_CSS = """
.root { display: flex; flex-wrap: wrap; gap: 6px;
  font: 14px/1.5 var(--st-font, sans-serif); color: var(--ink); font-variant-numeric: tabular-nums; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 6px;
  padding: 3px 9px; cursor: pointer; display: inline-flex; gap: 8px; align-items: baseline; max-width: 100%; }
button:hover, button:focus-visible { border-color: var(--ink); outline: 0; }
.word { font: 16px "Noto Sans Mono CJK TC", "Sarasa Mono TC", ui-monospace, monospace; white-space: pre;
  overflow: hidden; text-overflow: ellipsis; unicode-bidi: isolate; }
.note { color: var(--soft); white-space: nowrap; }
"""

_found = st.components.v2.component(
    "found_tokens",
    html='<div class="root"></div>',
    css=css() + _CSS,
    js=(Path(__file__).parent / "found.js").read_text("utf-8"),
)


def draw(
    found: list[tuple[int, str, str]], turn: int, dark: bool, on_pick: Callable[[Any], None], key: str = "found"
) -> None:
    """found: (token id, text, note). `on_pick` is told {turn, token}."""

    def callback() -> None:
        from pages.ui import state

        value = (state.widget(key) or {}).get("pick")
        if isinstance(value, dict):
            on_pick(value)

    _found(key=key, data={"found": found, "turn": turn, "dark": dark}, on_pick_change=callback)
