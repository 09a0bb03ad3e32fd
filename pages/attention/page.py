"""Looking inside: what each head looked at, how the prediction formed layer by layer, and what really mattered."""

from __future__ import annotations

import math

import streamlit as st

import engine
from engine.errors import EngineError
from pages.attention import (
    attribution,
    experiments,
    export,
    head_descriptions,
    head_detail,
    head_overview,
    logit_lens,
    state,
    token_ranks,
)
from pages.attention.state import EXPERIMENTS, VIEWS, AttentionState
from pages.components import shaded_tokens, text_strip
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, extensions, fragment, messages, model_access, model_picker, prompt_box

session = session_state.get(TextState)
looking = session_state.get(AttentionState)
t = Translator(session_state.language())


def choose_view() -> None:
    looking.show(session_state.widget("inside_view"))


def draw_text(model: engine.Model) -> None:
    """The text, at the place where it stands on every page; here as well a click moves the cursor."""
    story = session.annotator.annotate(model, session.ready(model)) | {
        "turn": session.turn,
        "stage": None,
        "status": "",
        "choices": t.number(math.exp(session.choice(model)[0].entropy)),
        "labels": text_strip.labels(t),
    }
    text_strip.draw(
        story,
        lambda value: model_access.run_action(session, TextState.go_to, value["turn"], value["node"]),
        lambda value: model_access.run_action(session, TextState.pick, value["turn"], value["token"], value["after"]),
    )


@fragment.part
def draw_heads(model: engine.Model, ids: tuple[int, ...]) -> None:
    """All heads small, one of them large. Few elements, so that a click is answered at once; the rest follows."""
    try:
        attention = looking.attention(model)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    session_state.set_widget("inside_view", looking.view)
    st.segmented_control(
        t("inside.view"), VIEWS, required=True, format_func=lambda view: t(f"inside.views.{view}"),
        key="inside_view", on_change=choose_view, label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    left, right = st.columns([1, 1.5 if attention.shape[1] <= 8 else 1.1], gap="large")  # many heads need room
    with right:  # goes out first: it is what the eye waits for
        shown = head_detail.data(looking.matrix(model, attention), model.pieces(ids), looking.at, looking.text)
        head_detail.draw(shown, t(f"inside.views_note.{looking.view}"), t, looking.choose_row)
    with left:
        maps = looking.cached("maps", (model.name, ids), lambda: head_overview.small(attention))
        told, scores = head_descriptions.heads_told(model, t), head_descriptions.scores(model)
        small = head_overview.data(maps, len(ids), told, scores, looking.opened, looking.text, looking.revealed)
        head_overview.draw(small, t, looking.open)
    moved, looking.changed = looking.changed, None
    if moved == "row" or (moved == "head" and (session_state.widget("inside_mattered") or extensions.companion.active)):
        st.rerun()  # what else depends on it
    address_bar.update()


@fragment.part
def draw_lens(model: engine.Model, ids: tuple[int, ...]) -> None:
    try:
        found = state.lens_of(looking, model)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    shown = logit_lens.data(found, model, model.pieces(ids), looking.at, looking.cell, looking.text)
    logit_lens.draw(shown, t, looking.choose_cell)
    if len(shown["columns"]) < len(ids):
        first, last = (shown["columns"][i][0] + 1 for i in (0, -1))
        st.caption(t("inside.lens.left_out", first=first, last=last, count=len(ids)))
    moved, looking.changed = looking.changed, None
    if moved == "cell" and extensions.companion.active:
        st.rerun()  # the lesson's sheet depends on it
    left, right = st.columns(2, gap="large")
    with left:
        target = state.target(session, looking, model)
        name = t("inside.lens.ranks", token=state.word(looking, model, target))
        token_ranks.draw(token_ranks.through_layers(found, looking.at, target, t), name, "inside_ranks")
    with right:
        if looking.cell is None:
            st.caption(t("inside.lens.click"))
        else:
            name = t("inside.lens.cell", layer=token_ranks.layer_name(looking.cell[0], t), position=looking.cell[1] + 1)
            token_ranks.draw(token_ranks.likeliest(found, model, looking.cell, t), name, "inside_cell")
    address_bar.update()


def draw_mattered(model: engine.Model) -> None:
    st.subheader(t("inside.mattered.title"), anchor=False)
    st.caption(t("inside.mattered.lead"))
    if not st.toggle(t("inside.mattered.show"), key="inside_mattered", persist_state="session"):
        return
    try:
        rows, told = attribution.mattered(session, looking, model, t)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    shaded_tokens.draw(rows, told, key="mattered", labels=shaded_tokens.labels(t))
    st.caption(t("inside.mattered.legend"))
    if looking.at >= attribution.MOST:
        st.caption(t("inside.mattered.long", most=attribution.MOST))


@fragment.part
def draw_experiments(model: engine.Model) -> None:
    st.subheader(t("inside.try.title"), anchor=False)
    for name in EXPERIMENTS:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(t(f"inside.try.{name}"), key=f"try {name}", on_click=looking.experiment, args=(name,))
            st.caption(t(f"inside.try.{name}_note"))
        if name in looking.tried:
            draw_outcome(name, model)
    if looking.changed == "head":
        st.rerun()  # a head was opened from here
    address_bar.update()


def draw_outcome(name: str, model: engine.Model) -> None:
    try:
        found = experiments.outcome(name, looking, model, t)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    with st.container(gap="xsmall"):
        st.markdown(found.sentence)
        if found.head:
            head = found.head
            st.button(t("inside.try.open"), key=f"open {name}", type="tertiary", on_click=looking.reveal, args=head)
    if found.surprise:
        shaded_tokens.draw(found.surprise, [], f"tried {name}", shaded_tokens.labels(t), tone="surprise")
        st.caption(t("inside.try.legend"))
    if found.looks:
        shaded_tokens.draw(found.looks, [], f"looks {name}", shaded_tokens.labels(t))


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    messages.show_problem(session.problem, t)
    draw_text(model)
    ids = looking.ready(session, model)
    draw_heads(model, ids)
    st.subheader(t("inside.lens.title"), anchor=False)
    st.caption(t("inside.lens.lead"))
    draw_lens(model, ids)
    draw_mattered(model)
    draw_experiments(model)


address_bar = address.AddressBar(session, t, looking, widgets={"mattered": ("inside_mattered", (False, True))})
frame.begin(t("inside.title"), t("inside.lead"), session, t, export.exports(session, looking, t))
address_bar.restore()
prompt_box.draw(session, t)
workbench()
with st.sidebar:
    model_picker.draw(session, t)
