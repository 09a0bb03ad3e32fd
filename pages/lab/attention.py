"""Looking inside: what each head looked at, how the prediction formed layer by layer, and what really mattered."""

from __future__ import annotations

import math

import streamlit as st

import engine
from engine.errors import EngineError
from pages.ui import (
    address,
    experiments,
    head_maps,
    inside,
    lens_table,
    mattering,
    models,
    one_head,
    page,
    prompt,
    ranked,
    settings,
    shaded,
    state,
    strip,
)
from pages.ui.i18n import Translator
from pages.ui.looking import EXPERIMENTS, VIEWS
from pages.ui.session import Session

session = state.session()
looking = state.looking()
t = Translator(state.language())


def new_prompt(text: str) -> None:
    models.act(session, Session.set_prompt, text)


def choose_view() -> None:
    looking.show(state.widget("inside_view"))


def draw_text(model: engine.Model) -> None:
    """The text, at the place where it stands on every page; here as well a click moves the cursor."""
    story = session.story.build(model, session.ready(model)) | {
        "turn": session.turn,
        "stage": None,
        "status": "",
        "dark": state.dark(),
        "choices": t.number(math.exp(session.choice(model)[0].entropy)),
        "labels": strip.labels(t),
    }
    strip.draw(
        story,
        lambda value: models.act(session, Session.go_to, value["turn"], value["node"]),
        lambda value: models.act(session, Session.pick, value["turn"], value["token"], value["after"]),
    )


@models.part
def draw_heads(model: engine.Model, ids: tuple[int, ...]) -> None:
    """All heads small, one of them large. Few elements, so that a click is answered at once; the rest follows."""
    try:
        attention = looking.attention(model)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    state.set_widget("inside_view", looking.view)
    st.segmented_control(
        t("inside.view"), VIEWS, required=True, format_func=lambda view: t(f"inside.views.{view}"),
        key="inside_view", on_change=choose_view, label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    left, right = st.columns([1, 1.5 if attention.shape[1] <= 8 else 1.1], gap="large")  # many heads need room
    with right:  # goes out first: it is what the eye waits for
        shown = one_head.data(looking.matrix(model, attention), model.pieces(ids), looking.at, looking.text)
        one_head.draw(shown, t(f"inside.views_note.{looking.view}"), state.dark(), t, looking.choose_row)
    with left:
        maps = looking.once("maps", (model.name, ids), lambda: head_maps.small(attention))
        told, scores = inside.heads_told(model, t), inside.scores(model)
        small = head_maps.data(maps, len(ids), told, scores, looking.opened, looking.text, looking.revealed)
        head_maps.draw(small, state.dark(), t, looking.open)
    moved, looking.moved = looking.moved, None
    if moved == "row" or (moved == "head" and (state.widget("inside_mattered") or state.course().lesson)):
        st.rerun()  # what else depends on it
    here.write()


@models.part
def draw_lens(model: engine.Model, ids: tuple[int, ...]) -> None:
    try:
        found = inside.lens_of(looking, model)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    shown = lens_table.data(found, model, model.pieces(ids), looking.at, looking.cell, looking.text)
    lens_table.draw(shown, state.dark(), t, looking.choose_cell)
    if len(shown["columns"]) < len(ids):
        first, last = (shown["columns"][i][0] + 1 for i in (0, -1))
        st.caption(t("inside.lens.left_out", first=first, last=last, count=len(ids)))
    moved, looking.moved = looking.moved, None
    if moved == "cell" and state.course().lesson:
        st.rerun()  # the lesson's sheet depends on it
    left, right = st.columns(2, gap="large")
    with left:
        target = inside.target(session, looking, model)
        name = t("inside.lens.ranks", token=inside.word(looking, model, target))
        ranked.draw(ranked.through_layers(found, looking.at, target, t), name, state.dark(), "inside_ranks")
    with right:
        if looking.cell is None:
            st.caption(t("inside.lens.click"))
        else:
            name = t("inside.lens.cell", layer=ranked.layer_name(looking.cell[0], t), position=looking.cell[1] + 1)
            ranked.draw(ranked.likeliest(found, model, looking.cell, t), name, state.dark(), "inside_cell")
    here.write()


def draw_mattered(model: engine.Model) -> None:
    st.subheader(t("inside.mattered.title"), anchor=False)
    st.caption(t("inside.mattered.lead"))
    if not st.toggle(t("inside.mattered.show"), key="inside_mattered", persist_state="session"):
        return
    try:
        rows, told = mattering.mattered(session, looking, model, t)
    except EngineError as error:
        st.info(t(f"error.{error.code}", **error.values))
        return
    shaded.draw(rows, told, state.dark(), key="mattered", labels=shaded.labels(t))
    st.caption(t("inside.mattered.legend"))
    if looking.at >= mattering.MOST:
        st.caption(t("inside.mattered.long", most=mattering.MOST))


@models.part
def draw_experiments(model: engine.Model) -> None:
    st.subheader(t("inside.try.title"), anchor=False)
    for name in EXPERIMENTS:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(t(f"inside.try.{name}"), key=f"try {name}", on_click=looking.experiment, args=(name,))
            st.caption(t(f"inside.try.{name}_note"))
        if name in looking.tried:
            draw_outcome(name, model)
    if looking.moved == "head":
        st.rerun()  # a head was opened from here
    here.write()


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
        shaded.draw(found.surprise, [], state.dark(), f"tried {name}", shaded.labels(t), tone="surprise")
        st.caption(t("inside.try.legend"))
    if found.looks:
        shaded.draw(found.looks, [], state.dark(), f"looks {name}", shaded.labels(t))


@models.fragment
def workbench() -> None:
    model = models.wait(session, t)
    models.tell(session.problem, t)
    draw_text(model)
    ids = looking.ready(session, model)
    draw_heads(model, ids)
    st.subheader(t("inside.lens.title"), anchor=False)
    st.caption(t("inside.lens.lead"))
    draw_lens(model, ids)
    draw_mattered(model)
    draw_experiments(model)


here = address.Here(session, t, looking, widgets={"mattered": ("inside_mattered", (False, True))})
page.begin(t("inside.title"), t("inside.lead"), session, t, "attention")
here.open()
prompt.draw(session, t, new_prompt)
workbench()
with st.sidebar:
    settings.draw_model(session, t)
