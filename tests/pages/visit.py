"""The whole app or one of its pages, run by Streamlit's AppTest without a browser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from engine.serving import model_registry
from pages.session.text_state import TextState
from pages.shell import extensions, navigation
from pages.step.state import StageState
from pages.step.view import View

ROOT = Path(__file__).parents[2]
APP = ROOT / "app.py"
T = TypeVar("T")


def visit(
    page: str = navigation.STEP,
    language: str = "zh_Hant",
    lesson: str = "",
    session: TextState | None = None,
    **widgets: Any,
) -> AppTest:
    """The app on a page, given by its URL name, with an optional lesson step in the URL, such as `05-beam.2`.

    The step page is drawn with all its parts. `session` and `widgets`: session state before the first run.
    """
    model_registry.request().result()
    driver = AppTest.from_file(str(APP), default_timeout=60)
    driver.session_state["lang"] = language
    driver.session_state[View.__name__] = View(simple=False)
    if session is not None:
        driver.session_state[TextState.__name__] = session
    for key, value in widgets.items():
        driver.session_state[key] = value
    if lesson:
        driver.query_params["lesson"] = lesson
    driver.run()
    return driver if page == navigation.STEP else driver.switch_page(navigation.path(page)).run()


def follow_link(query: Mapping[str, str], page: str = navigation.STEP) -> AppTest:
    """The app opened by a link to a page, given by its URL name."""
    model_registry.request().result()
    driver = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in query.items():
        driver.query_params[name] = value
    if page != navigation.STEP:  # before the first run `switch_page` only finds pages by file name
        driver._page_hash = calc_hash(page)
    driver.run()
    assert driver.exception or driver.session_state["current page"] == page
    return driver


def page_alone(page: str) -> AppTest:
    """A page run without the app around it, and so without the links that the app sets; the step page in full."""
    extensions.links = None
    driver = AppTest.from_file(str(ROOT / navigation.path(page)), default_timeout=30)
    driver.session_state[View.__name__] = View(simple=False)
    return driver


def state_of(app: AppTest, kind: type[T]) -> T:
    """The session's object of a state class."""
    state = app.session_state[kind.__name__]
    assert isinstance(state, kind)
    return state


def component_data(proto: Any) -> Any:
    """Data of a component as its script gets it; `proto` is its message."""
    [data] = json.loads(proto.json)
    return data


def stage(app: AppTest) -> list[Any]:
    """Messages of the step page's stage, none on another page."""
    return [element.proto for element in app.get("bidi_component") if element.proto.id.endswith("-stage")]


def move(app: AppTest, kind: str, **values: int) -> AppTest:
    """Run the app after a move on the step page's stage, as the browser sends it."""
    [component] = stage(app)
    sent = [{"n": state_of(app, StageState).made + 1, "kind": kind} | values]
    states = app._tree.get_widget_states()
    states.widgets.append(WidgetState(id=component.id, json_value=json.dumps({"moves": sent})))
    return app._run(states)


def run_to_the_end(app: AppTest) -> AppTest:
    """Run the app through all tokens of a run, each of which the browser asks for."""
    return go_on(move(app, "run"))


def go_on(app: AppTest) -> AppTest:
    """Run the app through the tokens that are left of a run."""
    while state_of(app, TextState).running:
        move(app, "tick", turn=state_of(app, TextState).turn)
    return app
