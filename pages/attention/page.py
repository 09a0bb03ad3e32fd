"""Attention page: attention heads, logit lens, token attribution and experiments for the text up to the cursor."""

from __future__ import annotations

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
    token_ranks,
)
from pages.attention.state import EXPERIMENTS, VIEWS, AttentionState, cached_lens, target_token, token_label
from pages.components.tables import shaded_tokens
from pages.components.text import text_strip
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.attention_choice import AttentionChoice
from pages.session.text_state import TextState
from pages.shell import address, extensions, fragment, messages, model_access, model_picker, prompt_box, remote_notice

session = session_state.get(TextState)
state = session_state.get(AttentionState)
t = Translator(session_state.language())


def choose_view() -> None:
    state.set_view(session_state.widget("inside_view"))


def draw_text(model: engine.Model) -> None:
    """Text strip as on the step page: a click moves the cursor or picks another token."""
    strip = session.annotator.annotate(model, session.ready(model)) | {
        "turn": session.turn,
        "status": "",
        "choices": text_strip.choices(session.choice(model)[0], t),
        "labels": text_strip.labels(t),
    }
    text_strip.draw(
        strip,
        lambda value: model_access.run_action(session, TextState.go_to, value["turn"], value["node"]),
        lambda value: model_access.run_action(session, TextState.pick, value["turn"], value["token"], value["after"]),
    )


@fragment.part
def draw_heads(model: engine.Model, ids: tuple[int, ...]) -> None:
    """Overview of all heads, and one attention matrix. A fragment of few elements, so that a click is fast."""
    try:
        attention = state.attention(model)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    session_state.set_widget("inside_view", state.view)
    st.segmented_control(
        t("inside.view"), VIEWS, required=True, format_func=lambda view: t(f"inside.views.{view}"),
        key="inside_view", on_change=choose_view, label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    detail_width = 1.5 if attention.shape[1] <= 8 else 1.1  # the overview of many heads is wider
    left, right = st.columns([1, detail_width], gap="large")
    with right:  # sent first, because a click is answered by this matrix
        matrix = state.matrix(model, attention)
        detail = head_detail.data(matrix, model.pieces(ids), state.selected_row, state.text_version)
        head_detail.draw(detail, t(f"inside.views_note.{state.view}"), t, state.choose_row)
    with left:
        maps = state.cached("maps", (model.name, ids), lambda: head_overview.downsample(attention))
        sentences, scores = head_descriptions.head_sentences(model, t), head_descriptions.scores(model)
        overview = head_overview.data(
            maps, len(ids), sentences, scores, state.opened, state.text_version, state.reveal_count
        )
        head_overview.draw(overview, t, state.open_head)
    changed, state.changed = state.changed, None
    if changed == "head":
        session_state.get(AttentionChoice).head = (state.layer, state.head) if state.view == "head" else None
    matrix_is_used = session_state.widget("inside_mattered") or extensions.companion.active
    if changed == "row" or (changed == "head" and matrix_is_used):
        st.rerun()  # the whole page: the logit lens and the attribution depend on it
    address_bar.update()


@fragment.part
def draw_lens(model: engine.Model, ids: tuple[int, ...]) -> None:
    try:
        lens = cached_lens(state, model)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    tokens = model.pieces(ids)
    table = logit_lens.data(lens, model, tokens, state.selected_row, state.cell, state.text_version)
    logit_lens.draw(table, t, state.choose_cell)
    with st.container():
        if len(table["columns"]) < len(ids):
            first, last = (table["columns"][i][0] + 1 for i in (0, -1))
            st.caption(t("inside.lens.left_out", first=first, last=last, count=len(ids)))
    changed, state.changed = state.changed, None
    if changed == "cell" and extensions.companion.active:
        st.rerun()  # the whole page: the lesson's tasks depend on it
    left, right = st.columns(2, gap="large")
    with left:
        target = target_token(session, state, model)
        row = state.selected_row
        name = t("inside.lens.ranks", token=token_label(state, model, target), row=tokens[row], position=row + 1)
        token_ranks.draw(token_ranks.ranks_by_layer(lens, state.selected_row, target, t), name, "inside_ranks")
    with right:
        if state.cell is None:
            st.caption(t("inside.lens.click"))
        else:
            layer, position = state.cell
            name = t(
                "inside.lens.cell",
                layer=token_ranks.layer_name(layer, t), row=tokens[position], position=position + 1,
            )  # fmt: skip
            token_ranks.draw(token_ranks.top_tokens(lens, model, state.cell, t), name, "inside_cell")
    address_bar.update()


def draw_attribution(model: engine.Model) -> None:
    st.subheader(t("inside.mattered.title"), anchor=False)
    st.caption(t("inside.mattered.lead"))
    if not st.toggle(t("inside.mattered.show"), key="inside_mattered", persist_state="session"):
        return
    try:
        rows, sentences = attribution.compare_methods(session, state, model, t)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    shaded_tokens.draw(rows, sentences, key="mattered", labels=shaded_tokens.labels(t))
    st.caption(t("inside.mattered.legend"))
    if state.selected_row >= attribution.MAX_TOKENS:
        st.caption(t("inside.mattered.long", most=attribution.MAX_TOKENS))


@fragment.part
def draw_experiments(model: engine.Model) -> None:
    st.subheader(t("inside.try.title"), anchor=False)
    for name in EXPERIMENTS:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(t(f"inside.try.{name}"), key=f"try {name}", on_click=state.run_experiment, args=(name,))
            st.caption(t(f"inside.try.{name}_note"))
        with st.container():
            if name in state.experiment_runs:
                draw_experiment(name, model)
    if state.changed == "head":
        st.rerun()  # the whole page: a head was opened from here
    address_bar.update()


def draw_experiment(name: str, model: engine.Model) -> None:
    try:
        result = experiments.run(name, state, model, t)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    with st.container(gap="xsmall"):
        st.markdown(result.sentence)
        if result.head:
            head = result.head
            st.button(t("inside.try.open"), key=f"open {name}", type="tertiary", on_click=state.reveal, args=head)
    if result.surprise_rows:
        shaded_tokens.draw(result.surprise_rows, [], f"tried {name}", shaded_tokens.labels(t), tone="surprise")
        st.caption(t("inside.try.legend"))
    if result.attention_rows:
        shaded_tokens.draw(result.attention_rows, [], f"looks {name}", shaded_tokens.labels(t))


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    messages.show_problem(session.problem, t)
    if remote_notice.draw_missing(session, model, "inside", t):
        return
    draw_text(model)
    ids = state.update_text(session, model)
    draw_heads(model, ids)
    st.subheader(t("inside.lens.title"), anchor=False)
    st.caption(t("inside.lens.lead"))
    draw_lens(model, ids)
    with st.container():
        draw_attribution(model)
    draw_experiments(model)


address_bar = address.AddressBar(session, t, state, widgets={"mattered": ("inside_mattered", (False, True))})
frame.begin(t("inside.title"), t("inside.lead"), session, t, export.exports(session, state, t))
address_bar.restore()
prompt_box.draw(session, t)
workbench()
model_picker.draw(session, t)
