"""A recording as one page of HTML that stands alone: no server, no network, opened from a disk or put into slides.

The app's own components draw it: their scripts and styles go in as they are, each in a function of its own. The text
of people and models goes in as JSON in which no sign can end the script or begin markup. The page's own policy allows
this one script, by its hash, and nothing from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import cache
from string import Template
from typing import Any

from pages.ui import component
from pages.ui.colors import css
from pages.ui.i18n import Translator

# The app's components that take part, each with the pieces it needs.
PARTS = {"strip": ("strip_card",), "one_head": ("table", "matrix", "heat_map"), "beam_tree": ()}
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def page(data: dict[str, Any], t: Translator) -> str:
    """The page. `data` is what `replay.collect` made."""
    script, style = _script(), component.read("replay.css").replace("/* palette */", css().replace(".root", ":root"))
    allowed = f"script-src {_hash(script)}; style-src {_hash(style)}"
    return Template(component.read("replay.html")).substitute(
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


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _script() -> str:
    """All scripts in one: a function for each component, then the page's own."""
    styles = {part: component.sources(part, *pieces)[1] for part, pieces in PARTS.items()}
    styles["one_head"] += ".pane { max-height: 380px; }"
    parts = "".join(f"{part}: (() => {{\n{_function(part)}}})(),\n" for part in PARTS)
    own = "".join(map(component.read, ("shared.js", "matrix.js", "replay_bars.js", "replay.js")))
    return f"(() => {{\nconst STYLES = {embedded(styles)};\nconst PARTS = {{\n{parts}}};\n{own}}})();\n"


def _function(part: str) -> str:
    """A component's script as the body of a function that gives what the script exports."""
    script = component.sources(part, *PARTS[part])[0]
    exported, given = "export default function", "return function"
    if script.count(exported) != 1 or "</script" in script:
        raise ValueError(f"{part}.js cannot be put into a page")
    return script.replace(exported, given)
