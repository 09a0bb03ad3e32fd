"""Regression test: links written by version 0.1.0 restore the state that they restored in that version.

`links.jsonl` contains 200 links to all pages with random prompts, branches, settings, languages and page states, each
with the trace and the values of all widgets in that version.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pages.course.former_steps import present_stage
from pages.session.query_params import CHECK, checksum
from pages.session.text_state import TextState
from pages.shell.address import AddressState
from tests.pages.visit import follow_link, state_of

LINKS: list[dict[str, Any]] = [json.loads(line) for line in (Path(__file__).parents[1] / "links.jsonl").open("rb")]
WIDGETS = ("slider", "number_input", "text_input", "text_area", "selectbox", "toggle", "checkbox", "multiselect",
           "button_group", "select_slider", "radio")  # fmt: skip
AT_ONCE = 10


def present(query: dict[str, str]) -> dict[str, str]:
    """The query with the present name of its lesson step."""
    if "lesson" not in query:
        return query
    name, _, number = query["lesson"].partition(".")
    lesson, stage = present_stage(name, int(number) - 1)
    return query | {"lesson": f"{lesson}.{stage + 1}"}


def without_space(value: Any) -> Any:
    """The value of a widget as it is now: a percent sign follows its number at once."""
    return value.replace("\u00a0%", "%") if isinstance(value, str) else value


def test_there_are_links_of_every_page() -> None:
    assert len(LINKS) == 200
    pages = {"step", "beam", "compare", "attention", "tokens", "training", "limits", "uses", "quiz", "learn"}
    assert {link["page"] for link in LINKS} == pages
    assert sum("lesson" in link["query"] for link in LINKS) >= 16
    assert sum(len(link["trace"]["choices"]) > link["trace"]["prompt_length"] for link in LINKS) > 100


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(LINKS), AT_ONCE))
def test_an_old_link_opens_as_it_was(first: int) -> None:
    for link in LINKS[first : first + AT_ONCE]:
        app = follow_link(link["query"], link["page"])
        assert not app.exception and not app.warning, link["query"]
        session = state_of(app, TextState)
        trace = session.trace
        assert trace is not None and session.prompt == link["prompt"]
        choices = [[c.parent, c.token_id, c.how, trace.latest.get(i)] for i, c in enumerate(trace.choices)]
        assert choices == link["trace"]["choices"]
        for name in ("prompt_length", "cursor", "strategy", "seed"):
            assert getattr(trace, name) == link["trace"][name], name
        for name, value in link["trace"]["settings"].items():
            assert getattr(trace.settings, name) == value, name
        written = dict(state_of(app, AddressState).written or {})
        now = present(link["query"])
        assert written.pop(CHECK, "") == checksum(now)
        assert written == now
        shown = {widget.key: widget.value for kind in WIDGETS for widget in getattr(app, kind) if widget.key}
        assert json.loads(json.dumps(shown)) == {key: without_space(value) for key, value in link["widgets"].items()}
