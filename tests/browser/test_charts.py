"""Browser test of the Altair charts with one point: the labels of their axes say where it is."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.app import served
from tests.browser.tabs import borrow, leave

_LABELS = """charts => charts.map(chart => [...chart.querySelectorAll('.role-axis-label')].map(axis =>
  [...axis.querySelectorAll('text')].filter(label => label.getAttribute('opacity') !== '0').map(label => {
    const { x, y } = label.getBoundingClientRect();
    return [label.textContent.replace('−', '-').replace(',', ''), Math.round(x), Math.round(y)];
  })))"""


def test_the_labels_of_an_axis_differ_in_text_and_in_place(chromium: Browser) -> None:
    with served(Path(__file__).with_name("one_point.py")) as address:
        page = borrow(chromium)
        page.goto(address)
        charts = page.locator("[data-testid=stVegaLiteChart] svg")
        charts.nth(6).wait_for(timeout=60_000)
        page.wait_for_timeout(300)
        read = charts.evaluate_all(_LABELS)
        marks = charts.nth(4).locator(".mark-symbol path").count()
        leave(page)
    assert len(read) == 7
    for axes in read:
        assert len(axes) == 2 and all(axes), "both axes have labels"
        for labels in axes:
            assert len({text for text, *_ in labels}) == len(labels)
            assert len({tuple(place) for _, *place in labels}) == len(labels)
    numbers = [[sorted(float(text) for text, *_ in axis) for axis in chart] for chart in read[:4]]
    assert numbers[0] == [[8, 16, 32], [0, 0.1, 0.2, 0.3, 0.4]]
    assert numbers[1] == [[1], [-0.4, -0.3, -0.2, -0.1, 0]]
    assert numbers[2] == [[1], [0]]
    assert numbers[3][1] == [0, 0.5, 1, 1.5, 2]
    assert [text for text, *_ in read[4][1]] == ["1", "2", "5"] and marks == 2, "top-k is seen, too"
