"""Step page: next-token generation one token at a time, with probability bars, calculation and text strip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

import engine
from engine.bundled import BUNDLED_NAME
from engine.errors import EngineError
from engine.serving import model_registry
from pages.components.text import text_strip
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.attention_choice import AttentionChoice
from pages.session.text_state import TextState
from pages.shell import (
    address,
    fragment,
    messages,
    model_access,
    model_picker,
    navigation,
    prompt_box,
    remote_notice,
    sampling_controls,
)
from pages.step import calculation, export, next_step, search_results, stage, state, view
from pages.step.state import StageState
from pages.step.view import View

PREFETCH_SECONDS = 0.01  # after the answer, which is on its way to the browser then
BROWSER_DRAW_SECONDS = 0.03  # time for the browser to draw the result of a click before the URL is updated

session = session_state.get(TextState)
stage_state = session_state.get(StageState)
shown = session_state.get(View)
t = Translator(session_state.language())
address_bar = address.AddressBar(session, t, session)


def make_moves(moves: list[dict[str, Any]]) -> None:
    """Callback: make the visitor's moves on the stage."""
    model_access.run_action(session, state.make, moves)


def pick_alternative(value: dict[str, Any]) -> None:
    """Callback: append another token after an earlier token of the text."""
    model_access.run_action(session, TextState.pick, value["turn"], value["token"], value["after"])


def go_to(value: dict[str, Any]) -> None:
    """Callback: move the cursor to a token of the tree."""
    model_access.run_action(session, TextState.go_to, value["turn"], value["node"])


def draw_keyed_buttons(ended: bool) -> None:
    """The stage's buttons as Streamlit widgets under their keys, for programs that drive the app without a browser.

    A browser does not display them. A run is generated at once.
    """
    actions = {
        "next": TextState.step,
        "run": state.run_to_the_end,
        "back": TextState.back,
        "restart": TextState.restart,
    }
    with st.container(key="keyed_buttons"):
        for key, action in actions.items():
            arguments = session, action
            disabled = ended and key in ("next", "run")
            st.button(key, key=key, disabled=disabled, on_click=model_access.run_action, args=arguments)


def draw_messages() -> None:
    """The last problem, the way back to the conversation that the text came from, and the notes about the prompt."""
    messages.show_problem(session.problem, t)
    with st.container():
        if session.opened_from == "chat":
            st.page_link(navigation.path("chat"), label=t("step.back_to_chat"), icon=":material/arrow_back:")
        if session.notes:
            st.caption(" ".join(t(note) for note in session.notes))


@fragment.workbench
def workbench() -> Callable[[], None]:
    """The part of the page that is redrawn after each action."""
    model = model_access.wait_for_model(session, t)
    trace = session.ready(model)
    try:
        distribution, token_id, u = session.choice(model)
        text = session.annotator.annotate(model, trace)
    except EngineError as error:
        draw_without_distribution(model, error)
        raise
    simple = view.is_simple(shown, session)
    draw_messages()
    head = session_state.get(AttentionChoice).head
    data = stage.data(session, stage_state, model, text, t, simple, head)
    stage.draw(data, make_moves, stage_state)
    chosen = None if session.end(model) else token_id
    draw_keyed_buttons(chosen is None)
    with st.container():
        if told := remote_notice.sentence(model, distribution, t):
            st.caption(told)
    if not simple:
        draw_details(model, distribution, text, chosen, u)
    fragment.mark_answered()
    end = st.container()

    def prepare_next_step() -> None:
        computed = model_registry.prefetch(model, session.next_ids(model), after=PREFETCH_SECONDS)
        with end:
            address_bar.update(after=0 if session.running else BROWSER_DRAW_SECONDS)
            next_step.draw(computed, data, lambda: next_step.after_next(session, stage_state, model, t, simple, head))

    return prepare_next_step


def draw_details(
    model: engine.Model, distribution: engine.Distribution, text: dict[str, Any], chosen: int | None, u: float | None
) -> None:
    """Search, probability of the text as a product, tree, and calculation of the distribution."""
    left, right = st.columns([1, 1.1], gap="large")
    with left:
        draw_search(model, distribution)
        facts = {"turn": session.turn, "labels": text_strip.labels(t)}
        formula = text_strip.part(text, "formula") | {"choices": text_strip.choices(distribution, t)}
        text_strip.draw(formula | facts, go_to, pick_alternative, key="formula")
        if text_strip.has_branches(text):
            text_strip.draw(text_strip.part(text, "tree") | facts, go_to, pick_alternative, key="tree")
    with right:
        calculation.draw(calculation.data(distribution, chosen, u, session.seed, min(session.bars, 10), t))


def draw_without_distribution(model: engine.Model, error: EngineError) -> None:
    """Buttons and text where there are no probabilities, so that the visitor can go back; `error` is shown below."""
    session.running = 0
    if session.problem is None or session.problem.code != error.code:
        draw_messages()
    stage.draw(stage.data_without_distribution(session, stage_state, model, t), make_moves, stage_state)
    draw_keyed_buttons(True)


def draw_search(model: engine.Model, distribution: engine.Distribution) -> None:
    """Vocabulary search: a text box, and the matching tokens with their rank and probability."""
    query = st.text_input(
        t("step.search"), key="search", placeholder=t("step.search_placeholder"), live=True, persist_state="session"
    )
    with st.container():
        draw_hits(model, distribution, query or "")


def draw_hits(model: engine.Model, distribution: engine.Distribution, query: str) -> None:
    """The tokens that the vocabulary search finds, the most probable first."""
    if query:
        found = search_results.most_probable(model.vocabulary, query, distribution)
        hits = [distribution.candidate(i) for i in found if distribution.knows(i)]
        if hits:
            results = [(c.token_id, c.text, t("step.found", rank=f"{c.rank:,}", p=t.percent(c.raw))) for c in hits]
            search_results.draw(
                results,
                session.turn,
                lambda value: model_access.run_action(session, TextState.pick, value["turn"], value["token"]),
            )
        else:
            st.caption(t("step.nothing_found"))


view.begin(shown, stage_state, session)
simple_page = view.is_simple(shown, session)
head = (t("first.title"), t("first.lead")) if simple_page else (t("step.title"), t("step.lead"))
frame.begin(*head, session, t, export.exports(session, t))
address_bar.restore()
prompt_box.draw(session, t)
if not view.is_simple(shown, session):
    sampling_controls.draw(session, t)
workbench()
view.draw_doors(shown, session, t)
view.remember(shown)
if not view.is_simple(shown, session) or session.model_name != BUNDLED_NAME:
    model_picker.draw(session, t)
