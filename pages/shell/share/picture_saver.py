"""Export of a page's pictures as PNG or SVG, in the browser, in their current state.

The component (`picture_saver.js`) finds a picture by the key of its component, chart or container (`{dark}` in a key is
filled in), for the app's own components and for Altair and Plotly charts, and converts it to shapes and text
(`svg_drawing.js`); a PNG is that drawing rasterised. Only heat maps, one pixel for each number, are images in an SVG.
Nothing is sent to the server.
"""

from __future__ import annotations

from pathlib import Path

from pages.components import theme
from pages.components.register import register
from pages.i18n.translator import Translator

_picture = register("picture", Path(__file__), "svg_shapes", "canvas_recorder", "svg_drawing", "picture_file")


def draw(keys: tuple[str, ...], t: Translator) -> None:
    """A row for each of the pictures that is on the page, with a button for each file type."""
    pictures = []
    for key in keys:
        name = key.split(" {")[0].removesuffix(" picture").replace(" ", "_")
        pictures.append({"key": key.format(dark=theme.is_dark()), "name": t(f"export.picture.{name}"), "file": name})
    labels = {word: t(f"export.pictures.{word}") for word in ("none", "failed")}
    _picture(key="picture", data={"pictures": pictures, "labels": labels})
