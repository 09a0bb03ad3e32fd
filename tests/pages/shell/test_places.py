"""Places of the elements: on no page does one that stays move, because another above it comes or goes.

Streamlit tells elements apart by their place. One that moves is drawn a second time, and the first stays until the end
of the run: the page jumps, and what stood at the new place is gone meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.errors import EngineError
from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.compare.state import CompareState
from pages.course import catalog
from pages.limits.state import LimitsState
from pages.quiz.state import QuizState
from pages.session.text_state import TextState
from pages.shell.address import AddressState, Notice
from pages.tokens.state import TokensState
from pages.training.state import TrainingState
from pages.uses.state import UsesState
from tests.pages.visit import follow_link, state_of

Place = tuple[int, ...]
PAGES = {  # a step of a lesson on every page
    step.page: f"{lesson.name}.{number}"
    for lesson in reversed(catalog.lessons("en"))
    for number, step in enumerate(lesson.steps, 1)
}
PROBLEM = EngineError("limit_steps", "too many steps", most=9, seconds=9)


def places(app: AppTest) -> dict[str, Place]:
    """Place in the page's tree of every widget and component, by its identifier."""
    found: dict[str, Place] = {}

    def walk(node: Any, place: Place) -> None:
        name = getattr(getattr(node, "proto", None), "id", "")
        if name:
            found[name] = place
        for at, child in getattr(node, "children", {}).items():
            walk(child, (*place, at))

    walk(app._tree, ())
    return found


def moved(before: dict[str, Place], after: dict[str, Place]) -> set[str]:
    """Elements that are on the page before and after, at different places."""
    return {name for name in before.keys() & after.keys() if before[name] != after[name]}


def step_on(app: AppTest) -> None:
    """Something that changes what the page shows above other elements of it."""
    page = app.session_state["current page"]
    if page == "beam":
        state_of(app, BeamState).run()
        app.session_state["beam_mass_on"] = True
    elif page == "attention":
        state = state_of(app, AttentionState)
        state.choose_cell(state.text_version, 1, 1)
        state.run_experiment("previous")
        state.run_experiment("sink")
        app.session_state["inside_mattered"] = True
    elif page == "tokens":
        state_of(app, TokensState).load_text("abc " * 300)
    elif page == "step":
        app.session_state["search"] = "a"
    elif page == "training":
        app.session_state["training_text"] = "a"
        next(button for button in app.button if button.key == "training_start").click()
    elif page == "compare":
        next(button for button in app.button if button.key == "compare_start").click()


def give_problems(app: AppTest, problem: EngineError | None) -> None:
    """Let every state of the visitor have this problem, or none."""
    session = state_of(app, TextState)
    session.problem = problem
    session.notes = ["note.changed"] if problem else []
    for kind in (BeamState, CompareState, TrainingState):
        if kind.__name__ in app.session_state:
            state_of(app, kind).problem = problem  # type: ignore[attr-defined]
    if QuizState.__name__ in app.session_state:
        state_of(app, QuizState).own_text_problem = problem
    if LimitsState.__name__ in app.session_state:
        for run in state_of(app, LimitsState).runs.values():
            run.problem = problem
    if UsesState.__name__ in app.session_state:
        state_of(app, UsesState).run_for("story").problem = problem


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(PAGES))
def test_no_element_moves(page: str) -> None:
    """On arrival by a link, in the next run, after an action, with messages, and when these have gone."""
    app = follow_link({"lesson": PAGES[page], "lang": "en"}, page)
    changes: list[Callable[[], None]] = [
        lambda: None,
        lambda: step_on(app),
        lambda: give_problems(app, PROBLEM),
        lambda: setattr(state_of(app, AddressState), "notice", Notice("address.lesson", {})),
        lambda: give_problems(app, None),
        lambda: setattr(state_of(app, AddressState), "notice", None),
    ]
    before = places(app)
    assert "coach_sheet" in " ".join(before)
    for at, change in enumerate(changes):
        change()
        app.run()
        assert not app.exception
        after = places(app)
        assert not moved(before, after), (at, moved(before, after))
        before = after
