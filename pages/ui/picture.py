"""Saves a page's pictures as PNG or SVG, in the browser: each as it stands there at that moment.

The component (`picture.js`) finds a picture by the key of what drew it, in our own components and in the charts of
Altair and Plotly alike, and writes it as shapes and text (`vector.js`); a PNG is that drawing in pixels. Only what is
a map, a pixel a number, is an image in an SVG. Nothing is sent anywhere.
"""

from __future__ import annotations

from typing import Literal

from pages.ui import component
from pages.ui.i18n import Translator

Place = Literal["step", "beam", "compare", "attention", "tokens", "training", "limits"]
# By page, the keys of what is drawn there, or of a container about it; `{dark}` as in the key.
PICTURES: dict[Place, tuple[str, ...]] = {
    "step": ("bars", "strip", "sums", "tree"),
    "beam": ("beam_tree", "beam_mass {dark}", "beam_strip", "beam_bars", "beam_table"),
    "compare": ("scatter picture", "texts", "counts flat picture", "counts peaked picture"),
    "attention": ("strip", "head_maps", "one_head", "lens_table", "mattered"),
    "tokens": ("cut", "merging", "cuts"),
    "training": ("forced", "training_bars", "worst", "shifted", "learning"),
    "limits": (
        "limits_times picture", "limits_fork", "limits_values picture", "limits_perplexities picture", "limits_bars",
        "limits_cloze", "limits_exposure picture",
    ),
}  # fmt: skip

_picture = component.register("picture", "picture", "shapes", "recorder", "vector")


def draw(place: Place, dark: bool, t: Translator) -> None:
    """A row a picture that is on the page now, with a button for each kind of file."""
    pictures = []
    for key in PICTURES[place]:
        name = key.split(" {")[0].removesuffix(" picture").replace(" ", "_")
        pictures.append({"key": key.format(dark=dark), "name": t(f"export.picture.{name}"), "file": name})
    labels = {word: t(f"export.pictures.{word}") for word in ("none", "failed")}
    _picture(key="picture", data={"pictures": pictures, "dark": dark, "labels": labels})
