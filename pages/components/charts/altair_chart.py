"""Common parts of the Altair charts: axes, text widths, and a Vega-Lite specification without data.

A specification is built once for each theme; every step sends only its rows. `with_fonts` adds the fonts of the page.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from pages.components import theme
from pages.components.theme import Palette
from pages.session import session_state


def axis(colors: Palette, **more: Any) -> dict[str, Any]:
    """Arguments of `alt.Axis` in the style of all charts, updated with `more`."""
    text = {"labelFontSize": 12, "titleFontSize": 13}
    tone = {"labelColor": colors.soft, "titleColor": colors.soft, "gridColor": colors.line}
    return {**tone, **text, "titleFontWeight": 400, "domain": False, "ticks": False, **more}


def written(chart: alt.LayerChart | alt.FacetChart, padding: int = 4, read: bool = False) -> dict[str, Any]:
    """Vega-Lite specification of a layered chart, without its data.

    `read`: expose the marks to screen readers; by default they are hidden, as the table beside the chart replaces them.
    """
    marks = alt.Undefined if read else alt.MarkConfig(aria=False)
    specification: dict[str, Any] = chart.configure(
        background="transparent", padding=padding, view=alt.ViewConfig(stroke=None), mark=marks
    ).to_dict(validate=False)
    for part in (specification, *specification["layer"]):
        part.pop("data", None)
    specification.pop("datasets", None)
    return specification


def with_fonts(specification: dict[str, Any]) -> dict[str, Any]:
    """A specification with the fonts of the visitor's language for its axes, legends and texts."""
    font = theme.sans(session_state.language())
    return specification | {"config": specification["config"] | {"font": font}}
