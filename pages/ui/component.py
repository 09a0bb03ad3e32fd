"""What all components of our own share: how one is registered, and how what it reports reaches a callback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import state
from pages.ui.colors import css

_HERE = Path(__file__).parent


def read(file: str) -> str:
    """A script or a style that lies here."""
    return (_HERE / file).read_text("utf-8")


def register(name: str, file: str, *parts: str) -> Any:
    """A component whose style and script are `FILE.css` and `FILE.js` here.

    `shared.css` and `shared.js` stand before them; `parts` are pieces that some components share, a script each and
    some a style.
    """
    script = "".join(read(f"{part}.js") for part in ("shared", *parts, file))
    styles = [f"{part}.css" for part in ("shared", *parts, file)]
    style = css() + "".join(read(style) for style in styles if (_HERE / style).exists())
    return st.components.v2.component(name, html='<div class="root"></div>', css=style, js=script)


def report(key: str, name: str, act: Callable[[Any], None]) -> Callable[[], None]:
    """A callback that tells `act` what the component of that key reported under a name."""

    def callback() -> None:
        value = (state.widget(key) or {}).get(name)
        if isinstance(value, dict):
            act(value)

    return callback
