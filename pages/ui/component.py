"""What all components of our own share: how one is registered, and how what it reports reaches a callback."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from pages.ui import state
from pages.ui.colors import css

_HERE = Path(__file__).parent
_PACKAGE = "next-token"
_lock = threading.Lock()


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


def register(name: str, file: str, *parts: str) -> Callable[..., Any]:
    """A component made of its `sources`: to be called as Streamlit's own are. It is made when it is first drawn."""
    script, style = sources(file, *parts)
    made: list[Any] = []  # the server's manager of components, and what draws this one there

    def draw(**arguments: Any) -> Any:
        manager = get_bidi_component_manager()
        with _lock:
            if not made or made[0] is not manager:
                full_name, js = _served(name, script)
                html = '<div class="root"></div>'
                made[:] = manager, st.components.v2.component(full_name, html=html, css=style, js=js)
        return made[1](**arguments)

    return draw


def _served(name: str, script: str) -> tuple[str, str]:
    """A component's full name and its script: the name of a file that the server hands out, or the script itself.

    Streamlit sends a script with every drawing of its component, some 40 kB a click. A file is fetched once; but those
    it takes only of packages that are installed with a manifest, so the app tells its manager of one. Without a server,
    or where nothing can be written, it is the script itself.
    """
    if not runtime.exists():
        return name, script
    file = f"{name}-{hashlib.sha256(script.encode()).hexdigest()[:12]}.js"
    try:
        folder = Path(_folder().name)
        (folder / file).write_text(script, "utf-8")
    except OSError:
        return name, script
    manifest = ComponentManifest(_PACKAGE, "1", [ComponentConfig(name, asset_dir=".")])
    get_bidi_component_manager().register_from_manifest(manifest, folder)
    return f"{_PACKAGE}.{name}", file


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=_PACKAGE, ignore_cleanup_errors=True)


def report(key: str, name: str, act: Callable[[Any], None]) -> Callable[[], None]:
    """A callback that tells `act` what the component of that key reported under a name."""

    def callback() -> None:
        value = (state.widget(key) or {}).get(name)
        if isinstance(value, dict):
            act(value)

    return callback
