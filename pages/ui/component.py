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


def sources(file: str, *parts: str) -> tuple[str, str]:
    """The script and the style of a component, `FILE.js` and `FILE.css` here.

    `shared.js` and `shared.css` stand before them; `parts` are pieces that some components share, a script each and
    some a style.
    """
    names = ("shared", *parts, file)
    styles = [f"{name}.css" for name in names if (_HERE / f"{name}.css").exists()]
    return "".join(read(f"{name}.js") for name in names), css() + "".join(map(read, styles))


def register(name: str, file: str, *parts: str) -> Any:
    """A component made of its `sources`."""
    script, style = sources(file, *parts)
    return st.components.v2.component(name, html='<div class="root"></div>', css=style, js=script)


def report(key: str, name: str, act: Callable[[Any], None]) -> Callable[[], None]:
    """A callback that tells `act` what the component of that key reported under a name."""

    def callback() -> None:
        value = (state.widget(key) or {}).get(name)
        if isinstance(value, dict):
            act(value)

    return callback
