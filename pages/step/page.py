"""Step page: next-token generation one token at a time, with probability bars, calculation and text strip."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

import engine
from engine.decoding.stopping import StopReason
from engine.serving import model_registry
from pages.components import probability_bars, text_strip
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, fragment, messages, model_access, model_picker, prompt_box, sampling_controls
from pages.step import calculation, export, search_results

BROWSER_DRAW_SECONDS = 0.03  # time for the browser to draw the result of a click before the URL is updated
TOKEN_DELAY_SECONDS = 0.09  # between the tokens of a run, so that they can be read

session = session_state.get(TextState)
t = Translator(session_state.language())
address_bar = address.AddressBar(session, t, session)


def pick_bar(turn: int, token_id: int) -> None:
    """Callback: append the token of a clicked bar."""
    model_access.run_action(session, TextState.pick, turn, token_id)


def pick_alternative(value: dict[str, Any]) -> None:
    """Callback: append another token after an earlier token of the text."""
    model_access.run_action(session, TextState.pick, value["turn"], value["token"], value["after"])


def go_to(value: dict[str, Any]) -> None:
    """Callback: move the cursor to a token of the text or the tree."""
    model_access.run_action(session, TextState.go_to, value["turn"], value["node"])


def draw_controls(ended: bool) -> None:
    """Buttons of the actions. ended: no token can follow the cursor."""
    running = bool(session.running)
    run = t("step.stop") if running else t("step.run", n=session.run_tokens)
    with st.container(horizontal=True, gap="small"):
        draw_button("next", t("step.next"), TextState.step, "Right", ended)
        draw_button("run", run, TextState.stop if running else TextState.run, "Space", ended and not running)
        draw_button("back", t("step.back"), TextState.back, "Left")
        draw_button("restart", t("step.restart"), TextState.restart)


def draw_button(
    key: str, label: str, action: Callable[..., Any], shortcut: str | None = None, disabled: bool = False
) -> None:
    """Button of one action of the session."""
    kind: Literal["primary", "secondary"] = "primary" if key == "next" else "secondary"
    st.button(
        label,
        key=key,
        type=kind,
        shortcut=shortcut,
        disabled=disabled,
        on_click=model_access.run_action,
        args=(session, action),
    )


def draw_messages() -> None:
    """The last problem, and the notes about the prompt."""
    messages.show_problem(session.problem, t)
    if session.notes:
        st.caption(" ".join(t(note) for note in session.notes))


@fragment.workbench
def workbench() -> None:
    """The part of the page that is redrawn after each action."""
    model = model_access.wait_for_model(session, t)
    more = session.run_on(model)
    trace = session.ready(model)
    ended = session.end(model)
    above, strip_container = st.container(), st.container()
    left, right = st.columns([1.25, 1], gap="large")

    # The bars are sent first: the visitor is waiting for them.
    distribution, token_id, u = session.choice(model)
    chosen = None if ended else token_id
    with left:
        branch_tokens = {trace.choices[i].token_id for i in trace.children().get(trace.cursor, ())}
        probability_bars.draw(
            probability_bars.rows(distribution, session.bars, chosen, branch_tokens, session.turn, t),
            t,
            pick_bar,
        )
    with above:
        draw_controls(ended is not None)
        draw_messages()
    strip_data = session.annotator.annotate(model, trace) | strip_context(model, distribution, session.stopped or ended)
    with strip_container:
        text_strip.draw(strip_data, go_to, pick_alternative)
    with left:
        draw_search(model, distribution)
        if text_strip.has_branches(strip_data):
            text_strip.draw(strip_data | {"tree": True}, go_to, pick_alternative, key="tree")
    with right:
        calculation.draw(calculation.data(distribution, chosen, u, session.seed, min(session.bars, 10), t))
    fragment.mark_answered()
    model_registry.prefetch(model, session.next_ids(model))
    if more:
        address_bar.update()
        fragment.rerun(after=TOKEN_DELAY_SECONDS)
    address_bar.update(after=BROWSER_DRAW_SECONDS)


def strip_context(model: engine.Model, distribution: engine.Distribution, stopped: StopReason | None) -> dict[str, Any]:
    """The part of the text strip's data that `TextAnnotator.annotate` does not provide."""
    return {
        "turn": session.turn,
        "stage": 4 if stopped in ("end", "context") else 3,
        "status": t(f"stop.{stopped}", most=model.context_length) if stopped else "",
        "choices": t.number(math.exp(distribution.entropy)),
        "labels": text_strip.labels(t),
    }


def draw_search(model: engine.Model, distribution: engine.Distribution) -> None:
    """Vocabulary search: a text box, and the matching tokens with their rank and probability."""
    query = st.text_input(
        t("step.search"), key="search", placeholder=t("step.search_placeholder"), live=True, persist_state="session"
    )
    if query:
        hits = [distribution.candidate(i) for i in model.vocabulary.search(query)]
        if hits:
            results = [(c.token_id, c.text, t("step.found", rank=f"{c.rank:,}", p=t.percent(c.raw))) for c in hits]
            search_results.draw(
                results,
                session.turn,
                lambda value: model_access.run_action(session, TextState.pick, value["turn"], value["token"]),
            )
        else:
            st.caption(t("step.nothing_found"))


frame.begin(t("step.title"), t("step.lead"), session, t, export.exports(session, t))
address_bar.restore()
with st.sidebar:
    sampling_controls.draw(session, t)
prompt_box.draw(session, t)
workbench()
with st.sidebar:
    model_picker.draw(session, t)
