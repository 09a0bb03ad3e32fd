"""Registration of the app's own components (Streamlit components v2), and callbacks for their events."""

from __future__ import annotations

import hashlib
import json
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

from pages.components.theme import css, is_dark
from pages.i18n.translator import Translator
from pages.session import session_state

_HERE = Path(__file__).parent
_PACKAGE = "next-token"
EXPORT = "export default function"  # begins the function of every component, once in its script
_lock = threading.Lock()


def source(name: str, folder: Path) -> Path:
    """Path of a script or style, in `folder` or else in this package and its folders."""
    path = folder / name
    return path if path.exists() else _shared().get(name, _HERE / name)


@cache
def _shared() -> dict[str, Path]:
    """Scripts and styles of this package by name."""
    return {path.name: path for path in _HERE.rglob("*") if path.suffix in (".js", ".css")}


def script(file: Path, *parts: str, more_style: str = "") -> str:
    """Script of a component: `base`, its shared `parts`, then its own `.js` beside `file`, and their styles.

    Parts are found by `source`; a style, `.css`, is optional for each. `rootOf` in `base.js` adds them to the
    component: a style that Streamlit is given it sends again with every drawing, some 30 kB a click.
    """
    names = ("base", *parts, file.stem)
    scripts = [source(f"{name}.js", file.parent).read_text("utf-8") for name in names]
    styles = [source(f"{name}.css", file.parent) for name in names]
    style = css() + "".join(path.read_text("utf-8") for path in styles if path.exists()) + more_style
    sheet = f"const componentStyle = new CSSStyleSheet();\ncomponentStyle.replaceSync({json.dumps(style)});\n"
    return sheet + "".join(scripts)


def register(name: str, file: Path, *parts: str) -> Callable[..., Any]:
    """A component from its `script`, called with `data`, `key` and callbacks; created when it is first drawn.

    `file` is the Python module that draws it, or any file of the same stem.
    """
    code = _module(script(file, *parts))
    created: list[Any] = []  # the server's component manager, and the component's function there

    def draw(data: dict[str, Any], **arguments: Any) -> Any:
        manager = get_bidi_component_manager()
        with _lock:
            if not created or created[0] is not manager:
                full_name, js = _served(name, code)
                html = '<div class="root"></div>'
                created[:] = manager, st.components.v2.component(full_name, html=html, js=js)
        return created[1](data=[_with_common_data(data)], **arguments)

    return draw


def _module(script: str) -> str:
    """JavaScript module of a component, whose function is given the first item of the data.

    Streamlit looks for data frames among the values of a dictionary, and imports pandas for it: a third of a second
    when the app starts. Data in a list it sends as it is.
    """
    body = script.replace(EXPORT, "const drawComponent = function")
    return f"{body}\nexport default component => drawComponent({{ ...component, data: component.data[0] }});\n"


def _with_common_data(data: dict[str, Any]) -> dict[str, Any]:
    """The data with the theme added, and the number words where a component has labels."""
    data = {"dark": is_dark()} | data
    if data.get("labels"):
        data["labels"] = number_words(Translator(session_state.language())) | data["labels"]
    return data


def number_words(t: Translator) -> dict[str, Any]:
    """Labels that `percent` in `base.js` needs: probabilities below 0.01%, powers of ten."""
    return {"one_in": t("number.one_in"), "less": t("number.less"), "units": t.list("number.units")}


def _served(name: str, script: str) -> tuple[str, str]:
    """Full name and script of a component: the name of a file that the server serves, or the script itself.

    Streamlit sends an inline script again with every drawing of its component, some 40 kB a click; a file is fetched
    once and cached. Files are only served for installed packages with `[tool.streamlit.component]` in their
    pyproject.toml. This app is run from its folder without installation, and its scripts are concatenated here, so it
    registers such a manifest with the component manager itself. Without a server, or if the temporary folder is not
    writable, the script is sent inline.
    """
    if not runtime.exists():
        return name, script
    file = f"{name}-{hashlib.sha256(script.encode()).hexdigest()[:12]}.js"
    try:
        folder = Path(_folder().name)
        if not (folder / file).exists():
            (folder / file).write_text(script, "utf-8")
    except OSError:
        return name, script
    manifest = ComponentManifest(_PACKAGE, "1", [ComponentConfig(name, asset_dir=".")])
    get_bidi_component_manager().register_from_manifest(manifest, folder)
    return f"{_PACKAGE}.{name}", file


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=_PACKAGE, ignore_cleanup_errors=True)


def event_callback(key: str, name: str, handler: Callable[[Any], None]) -> Callable[[], None]:
    """Callback for the event `name` of the component `key`; calls `handler` with its value, if that is a dict."""

    def callback() -> None:
        value = (session_state.widget(key) or {}).get(name)
        if isinstance(value, dict):
            handler(value)

    return callback
