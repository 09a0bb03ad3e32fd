"""One picture of a page in the shape of a slide: as PNG or SVG file, or copied to the clipboard.

The SVG is drawn on the server; `slide.js` shows it and makes the PNG of it in the browser, at twice its size.
"""

from __future__ import annotations

from pathlib import Path

from pages.components.register import register
from pages.i18n.translator import Translator

_slide = register("slide", Path(__file__), "picture_file")


def draw(svg: str, t: Translator) -> None:
    """The picture in small, and a button for each way to take it along."""
    labels = {name: t(f"export.slide.{name}") for name in ("alt", "copy", "copied", "no_copy", "failed")}
    _slide(key="slide", data={"svg": svg, "file": "next-token", "labels": labels})
