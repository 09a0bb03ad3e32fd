"""Text area of a prompt: as high as its text, applied by Enter; Shift+Enter begins a new line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.components.register import register

_enter_key = register("enter_key", Path(__file__))


def draw(label: str, key: str, **arguments: Any) -> str:
    """The text area, with more `arguments` of `st.text_area`; its text."""
    text = st.text_area(label, key=key, height="content", persist_state="session", **arguments)
    _enter_key(key=f"enter_key {key}", data={"box": key})
    return text or ""
