"""Step by step: a text grows by one token, and everything that led to it can be seen and changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

import engine
from engine.decoding.stopping import StopReason
from engine.serving import model_registry
from pages.ui import address, bars, found, models, page, prompt, settings, state, strip, sums
from pages.ui.i18n import Translator
from pages.ui.session import Session

BREATH = 0.03  # seconds for the browser to draw what was clicked, before it is told the new address
PACE = 0.09  # seconds between tokens of a run, so that an eye can follow

session = state.session()
t = Translator(state.language())
here = address.Here(session, t, session)


def new_prompt(text: str) -> None:
    models.act(session, Session.set_prompt, text)


def pick_bar(turn: int, token_id: int) -> None:
    models.act(session, Session.pick, turn, token_id)


def pick_alternative(value: dict[str, Any]) -> None:
    models.act(session, Session.pick, value["turn"], value["token"], value["after"])


def go_to(value: dict[str, Any]) -> None:
    models.act(session, Session.go_to, value["turn"], value["node"])


def draw_controls(ended: bool) -> None:
    running = bool(session.running)
    run = t("step.stop") if running else t("step.run", n=session.run_tokens)
    with st.container(horizontal=True, gap="small"):
        draw_button("next", t("step.next"), Session.step, "Right", ended)
        draw_button("run", run, Session.stop if running else Session.run, "Space", ended and not running)
        draw_button("back", t("step.back"), Session.back, "Left")
        draw_button("restart", t("step.restart"), Session.restart)


def draw_button(
    key: str, name: str, move: Callable[..., Any], shortcut: str | None = None, disabled: bool = False
) -> None:
    """One of the session's moves."""
    kind: Literal["primary", "secondary"] = "primary" if key == "next" else "secondary"
    st.button(name, key=key, type=kind, shortcut=shortcut, disabled=disabled, on_click=models.act, args=(session, move))


def draw_messages() -> None:
    models.tell(session.problem, t)
    if session.notes:
        st.caption(" ".join(t(note) for note in session.notes))


@models.fragment
def workbench() -> None:
    model = models.wait(session, t)
    more = session.run_on(model)
    trace = session.ready(model)
    ended = session.end(model)
    above, story_place = st.container(), st.container()
    left, right = st.columns([1.25, 1], gap="large")

    # The bars go out first: they are what the eye waits for.
    distribution, token_id, u = session.choice(model)
    chosen = None if ended else token_id
    with left:
        taken = {trace.choices[i].token_id for i in trace.children().get(trace.cursor, ())}
        bars.draw(bars.rows(distribution, session.bars, chosen, taken, session.turn, t), state.dark(), t, pick_bar)
    with above:
        draw_controls(ended is not None)
        draw_messages()
    story = session.story.build(model, trace) | words(model, distribution, session.stopped or ended)
    with story_place:
        strip.draw(story, go_to, pick_alternative)
    with left:
        draw_search(model, distribution)
        if strip.has_branches(story):
            strip.draw(story | {"tree": True}, go_to, pick_alternative, key="tree")
    with right:
        sums.draw(sums.sums(distribution, chosen, u, session.seed, min(session.bars, 10), t), state.dark())
    models.drawn()
    model_registry.prefetch(model, session.next_ids(model))
    if more:
        here.write()
        state.rerun(after=PACE)
    here.write(after=BREATH)


def words(model: engine.Model, distribution: engine.Distribution, stopped: StopReason | None) -> dict[str, Any]:
    """What the strip says besides the text itself; its log-probability and perplexity are filled in there."""
    return {
        "turn": session.turn,
        "stage": 4 if stopped in ("end", "context") else 3,
        "status": t(f"stop.{stopped}", most=model.context_length) if stopped else "",
        "dark": state.dark(),
        "choices": t.number(math.exp(distribution.entropy)),
        "labels": strip.labels(t),
    }


def draw_search(model: engine.Model, distribution: engine.Distribution) -> None:
    query = st.text_input(
        t("step.search"), key="search", placeholder=t("step.search_placeholder"), live=True, persist_state="session"
    )
    if query:
        hits = [distribution.candidate(i) for i in model.vocabulary.search(query)]
        if hits:
            rows = [(c.token_id, c.text, t("step.found", rank=f"{c.rank:,}", p=t.percent(c.raw))) for c in hits]
            found.draw(
                rows,
                session.turn,
                state.dark(),
                lambda value: models.act(session, Session.pick, value["turn"], value["token"]),
            )
        else:
            st.caption(t("step.nothing_found"))


page.begin(t("step.title"), t("step.lead"), session, t, "step")
here.open()
with st.sidebar:
    settings.draw(session, t)
prompt.draw(session, t, new_prompt)
workbench()
with st.sidebar:
    settings.draw_model(session, t)
