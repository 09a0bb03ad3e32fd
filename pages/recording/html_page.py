"""A recording as one standalone HTML page: no server, no network, for slides and blogs.

It is drawn by the app's own components: their scripts and styles are embedded unchanged, each in a function of its own.
Text from people and models is embedded as JSON in which no character can end the script or begin markup. The page's
content security policy allows this one script, by its hash, and nothing from elsewhere.
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
from pages.components.register import sources
from pages.components.theme import css
from pages.i18n.translator import Translator
from pages.recording import replay
from pages.session import session_state
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.model.model import Model

_HERE = Path(__file__).parent
_COMPONENTS, _ATTENTION, _BEAM = (_HERE.parent / name for name in ("components", "attention", "beam"))
# The app's components that take part, each with the parts that it needs.
PARTS: dict[str, tuple[Path, tuple[str, ...]]] = {
    "strip": (_COMPONENTS / "text_strip.js", ("text_strip_card",)),
    "one_head": (_ATTENTION / "head_detail.js", ("collapsible_table", "attention_matrix", "heat_map")),
    "beam_tree": (_BEAM / "tree.js", ()),
}
# The page's own scripts.
_OWN = (
    _COMPONENTS / "base.js",
    _ATTENTION / "attention_matrix.js",
    _HERE / "replay_bars.js",
    _HERE / "replay.js",
)
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def recording(session: TextState, model: Model, t: Translator) -> str:
    """The visitor's text, opened head and beam tree as a page; see `shell.extensions`."""
    attention, beam = session_state.get(AttentionState), session_state.get(BeamState)
    seen = attention if attention.ids else replace(attention, view="all")  # no head opened yet: the mean of all
    return page(replay.collect(model, session.ready(model), seen, beam, t), t)


def page(data: dict[str, Any], t: Translator) -> str:
    """The HTML page of the data of `replay.collect`."""
    script, style = _script(), _read(_HERE / "replay.css").replace("/* palette */", css().replace(".root", ":root"))
    allowed = f"script-src {_hash(script)}; style-src {_hash(style)}"
    return Template(_read(_HERE / "replay.html")).substitute(
        language=t.language.replace("_", "-"),
        policy=f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'",
        title=html.escape(t("replay.title")),
        noscript=html.escape(t("replay.noscript")),
        style=style,
        data=embedded(data),
        script=script,
    )


def embedded(data: Any) -> str:
    """JSON that means the same within an HTML script element, whatever texts are in it.

    >>> embedded("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    written = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return written.translate(_ESCAPES).encode("utf-8", "replace").decode()


def _read(path: Path) -> str:
    return path.read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _script() -> str:
    """All scripts in one: a function for each component, then the page's own."""
    styles = {part: sources(file, *pieces)[1] for part, (file, pieces) in PARTS.items()}
    styles["one_head"] += ".pane { max-height: 380px; }"
    parts = "".join(f"{part}: (() => {{\n{_function(part)}}})(),\n" for part in PARTS)
    own = "".join(map(_read, _OWN))
    return f"(() => {{\nconst STYLES = {embedded(styles)};\nconst PARTS = {{\n{parts}}};\n{own}}})();\n"


def _function(part: str) -> str:
    """A component's script as the body of a function that gives what the script exports."""
    script = sources(PARTS[part][0], *PARTS[part][1])[0]
    exported, given = "export default function", "return function"
    if script.count(exported) != 1 or "</script" in script:
        raise ValueError(f"{part}.js cannot be put into a page")
    return script.replace(exported, given)
