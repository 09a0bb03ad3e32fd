"""Standalone HTML page of a recording: works without a server or network, for slides and blogs.

The page uses the app's own components: their scripts and styles are embedded, each script in a function of its own.
Text from users and models is embedded as JSON in which `<`, `>` and `&` are escaped, so that it can neither end the
script element nor begin markup. The content security policy allows this one script and style by their hashes and no
external sources.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.components import register
from pages.components.text import text_strip
from pages.components.theme import css
from pages.i18n.translator import Translator
from pages.recording import replay
from pages.session import session_state
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.model.model import Model

_HERE = Path(__file__).parent
_COMPONENTS, _ATTENTION, _BEAM = (_HERE.parent / name for name in ("components", "attention", "beam"))
# Components of the app in the page, by name: script, and the shared parts that it needs (see `register.script`).
PARTS: dict[str, tuple[Path, tuple[str, ...]]] = {
    "strip": (_COMPONENTS / "text_strip.js", text_strip.PARTS),
    "one_head": (_ATTENTION / "head_detail.js", ("collapsible_table", "attention_matrix", "heat_map")),
    "beam_tree": (_BEAM / "tree.js", ("difference",)),
}
_MORE_STYLE = {"one_head": ".pane { max-height: 380px; }"}
_PAGE_SCRIPTS = (
    _COMPONENTS / "base.js",
    _ATTENTION / "attention_matrix.js",
    _HERE / "replay_bars.js",
    _HERE / "replay.js",
)
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def recording(session: TextState, model: Model, t: Translator) -> str:
    """Page of the visitor's text with the selected head and the beam search tree; set in `shell.extensions`."""
    attention, beam = session_state.get(AttentionState), session_state.get(BeamState)
    if not attention.ids:  # the attention page was never opened: no head is selected
        attention = replace(attention, view="all")
    return page(replay.collect(model, session.ready(model), attention, beam, t), t)


def page(data: dict[str, Any], t: Translator) -> str:
    """HTML page of the result of `replay.collect`."""
    script, style = _script(), _read(_HERE / "replay.css").replace("/* palette */", css().replace(".root", ":root"))
    hashes = f"script-src {_hash(script)}; style-src {_hash(style)}"
    return Template(_read(_HERE / "replay.html")).substitute(
        language=t.language.replace("_", "-"),
        policy=f"default-src 'none'; {hashes}; base-uri 'none'; form-action 'none'",
        title=html.escape(t("replay.title")),
        noscript=html.escape(t("replay.noscript")),
        style=style,
        data=to_embedded_json(data),
        script=script,
    )


def to_embedded_json(data: Any) -> str:
    """JSON that is safe inside an HTML script element; lone surrogates become `?`.

    >>> to_embedded_json("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES).encode("utf-8", "replace").decode()


def _read(path: Path) -> str:
    return path.read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _script() -> str:
    """The page's only script: the scripts of the components by name, then the page's own scripts."""
    components = "".join(f"{name}: (() => {{\n{_function_body(name)}}})(),\n" for name in PARTS)
    own = "".join(map(_read, _PAGE_SCRIPTS))
    return f"(() => {{\nconst PARTS = {{\n{components}}};\n{own}}})();\n"


def _function_body(name: str) -> str:
    """Script of a component as the body of a function that returns the script's default export."""
    file, parts = PARTS[name]
    script = register.script(file, *parts, more_style=_MORE_STYLE.get(name, ""))
    if script.count(register.EXPORT) != 1 or "</script" in script:
        raise ValueError(f"the script of {name} cannot be embedded in a page")
    return script.replace(register.EXPORT, "return function")
