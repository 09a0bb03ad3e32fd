"""What all Altair charts here share: the specification that is written once, to which the rows come with each step."""

from __future__ import annotations

from typing import Any

import altair as alt

from pages.components import theme
from pages.components.theme import Palette


def axis(colors: Palette, **more: Any) -> dict[str, Any]:
    """Arguments of `alt.Axis` for the axes of all charts, and `more`."""
    text = {"labelFont": theme.SANS, "titleFont": theme.SANS, "labelFontSize": 12, "titleFontSize": 13}
    tone = {"labelColor": colors.soft, "titleColor": colors.soft, "gridColor": colors.line}
    return {**tone, **text, "titleFontWeight": 400, "domain": False, "ticks": False, **more}


def text_width(text: str, em: float = 16) -> float:
    """Width of a text in a monospaced face: an em for each wide character (CJK), half for any other."""
    return sum(em if ord(char) > 0x2E7F else em / 2 for char in text)


def written(chart: alt.LayerChart | alt.FacetChart, padding: int = 4, read: bool = False) -> dict[str, Any]:
    """A layered chart as Vega-Lite, without its rows. Its marks are left to a table beside it, unless they are `read`
    to who cannot see them."""
    marks = alt.Undefined if read else alt.MarkConfig(aria=False)
    found: dict[str, Any] = chart.configure(
        background="transparent", padding=padding, view=alt.ViewConfig(stroke=None), mark=marks
    ).to_dict(validate=False)
    for part in (found, *found["layer"]):
        part.pop("data", None)
    found.pop("datasets", None)
    return found
