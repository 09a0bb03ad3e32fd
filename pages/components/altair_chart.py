"""What all Altair charts here share: the specification that is written once, to which the rows come with each step."""

from __future__ import annotations

from typing import Any

import altair as alt


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
