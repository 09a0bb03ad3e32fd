"""Beam search: the tree grows level by level; each beam can be opened, and the winner held against other texts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

import engine
from engine.decoding.beam_types import BeamSettings
from engine.trace.trace import Trace
from pages.beam import baselines_view, export, finished_beams, level_summary, probability_mass, tree
from pages.beam.state import MOST_LEVELS, MOST_NGRAM, MOST_WIDTH, PENALTIES, REPETITIONS, BeamState
from pages.components import probability_bars, text_strip
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, fragment, messages, model_access, model_picker, prompt_box, sampling_controls
from pages.shell.open_in_step import open_in_step

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch

BREATH = 0.15  # seconds of growing between two looks at it

session = session_state.get(TextState)
beaming = session_state.get(BeamState)
t = Translator(session_state.language())


def to_step_page(written: tuple[int, ...]) -> None:
    """Hand a text over: the prompt and these tokens after it."""
    open_in_step(session, beaming.take, written)


def written(node: int) -> tuple[int, ...]:
    """The tokens after the prompt, up to a node."""
    assert beaming.search is not None
    return beaming.search.token_ids(node)[len(beaming.search.ids) :]


def open_token(value: dict[str, Any]) -> None:
    """A token of the opened text was clicked: open the beam as it was there."""
    if beaming.search is not None:
        path = [0, *beaming.search.path(beaming.at)]
        beaming.open(value["turn"], path[max(0, value["node"] - len(beaming.search.ids) + 1)])


def pick_alternative(value: dict[str, Any]) -> None:
    """Another token for a place of the opened text: go on from there step by step."""
    if beaming.search is not None and value["turn"] == beaming.turn:
        kept = max(0, value["after"] + 1 - len(beaming.search.ids))
        to_step_page((*written(beaming.at)[:kept], value["token"]))


def pick_bar(turn: int, token_id: int) -> None:
    if turn == beaming.turn:
        to_step_page((*written(beaming.at), token_id))


def show_settings() -> None:
    """Let the controls say what an address said."""
    now = beaming.settings
    session_state.set_widget("beam_width", now.width)
    session_state.set_widget("beam_levels", now.max_new_tokens)
    session_state.set_widget("beam_penalty", now.length_penalty)
    session_state.set_widget("beam_early", now.early_stopping)
    session_state.set_widget("beam_repetition", now.repetition_penalty)
    session_state.set_widget("beam_ngram", now.no_repeat_ngram_size)


def slider(label: str, low: float, high: float, now: float, key: str, step: float | None = None) -> float:
    session_state.default_widget(key, now)
    return st.slider(t(label), low, high, step=step, key=key, persist_state="session")


def draw_settings() -> None:
    st.header(t("settings.title"))
    now = beaming.settings
    width = slider("beam.set.width", 1, MOST_WIDTH, now.width, "beam_width")
    st.caption(t("beam.note.width"))
    most = sampling_controls.token_count_slider(t("beam.set.levels"), 1, MOST_LEVELS, now.max_new_tokens, "beam_levels")
    st.caption(t("beam.note.levels"))
    penalty = slider("beam.set.length_penalty", *PENALTIES, now.length_penalty, "beam_penalty", 0.1)
    st.caption(t("beam.note.length_penalty"))
    with st.expander(t("beam.more")):
        stops: list[bool | str] = [False, True, "never"]
        session_state.default_widget("beam_early", now.early_stopping)
        early = st.selectbox(
            t("beam.set.early"), stops, format_func=lambda value: t(f"beam.early.{value}".lower()),
            key="beam_early", persist_state="session",
        )  # fmt: skip
        st.caption(t("beam.note.early"))
        repetition = slider(
            "settings.repetition_penalty", *REPETITIONS, now.repetition_penalty, "beam_repetition", 0.05
        )
        st.caption(t("settings.repetition_penalty_note"))
        ngram = slider("settings.no_repeat_ngram_size", 0, MOST_NGRAM, now.no_repeat_ngram_size, "beam_ngram")
        st.caption(t("settings.no_repeat_ngram_size_note"))
    beaming.settings = BeamSettings(width, penalty, most, early, repetition, ngram)  # type: ignore[arg-type]


def draw_controls() -> None:
    over = beaming.over
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(t("beam.grow"), key="grow", type="primary", shortcut="Right", disabled=over, on_click=beaming.grow)
        if beaming.running:
            st.button(t("step.stop"), key="grow_all", shortcut="Space", on_click=beaming.stop)
        else:
            st.button(t("beam.grow_all"), key="grow_all", shortcut="Space", disabled=over, on_click=beaming.run)
        nothing = not beaming.shown
        st.button(t("beam.back"), key="shrink", shortcut="Left", disabled=nothing, on_click=beaming.back)
        st.button(t("step.restart"), key="beam_restart", disabled=nothing, on_click=beaming.restart)
    st.caption(doing())
    messages.show_problem(session.problem, t)
    messages.show_problem(beaming.problem, t)


def doing() -> str:
    """How far the search is, and what to do next."""
    search = beaming.search
    assert search is not None
    if not beaming.shown:
        return t("beam.first")
    at = t("beam.at", level=beaming.shown, most=search.most)
    stop = search.levels[beaming.shown - 1].stop
    return f"{at} {t(f'beam.stop.{stop}', most=search.most, width=search.settings.width)}" if stop else at


def draw_opened(model: engine.Model, search: BeamSearch) -> None:
    """The opened beam: its text, and what could come next."""
    at = beaming.at
    node, ids = search.nodes[at], search.token_ids(at)
    trace = Trace.start(model.name, search.ids, search.settings.penalties)
    for token_id in written(at):
        trace = trace.choose(token_id, "greedy")
    ends = (node.index > 0 and node.token_id in model.end_ids) or len(ids) >= model.context_length
    distribution = None if ends else model.distribution(ids)
    story = beaming.annotator.annotate(model, trace) | {
        "turn": beaming.turn,
        "stage": None,
        "status": t("beam.opened.ends") if ends else "",
        "choices": t.number(math.exp(distribution.entropy)) if distribution else "–",
        "labels": text_strip.labels(t),
    }
    name = "title" if beaming.opened is not None else "winner" if beaming.over else "best"
    st.subheader(t(f"beam.opened.{name}"), anchor=False)
    st.caption(tree.status_sentence(search, node, beaming.held, t) if at else t("beam.told.root"))
    text_strip.draw(story, open_token, pick_alternative, key="beam_strip")
    st.button(t("beam.opened.take"), key="beam_take", on_click=to_step_page, args=(written(at),))
    if distribution is not None:
        explored = {n.token_id for n in search.nodes if n.parent == at and n.level <= beaming.shown}
        st.caption(t("beam.opened.next"))
        probability_bars.draw(
            probability_bars.rows(distribution, 8, None, explored, beaming.turn, t),
            t,
            pick_bar,
            key="beam_bars",
        )


def draw_told() -> None:
    """What this level did, on demand."""
    with st.expander(t("beam.words.title"), key="beam_words"):
        lines = level_summary.told(beaming, t) or [t("beam.words.none")]
        st.markdown("\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1)))


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    search = beaming.ready(session, model)
    more = beaming.run_on(BREATH)
    above = st.container()
    # The tree goes out first: it is what the eye waits for.
    tree.draw(tree.data(beaming, t), t, beaming.open, beaming.fold)
    with above:
        draw_controls()
    if st.toggle(t("beam.mass.title"), key="beam_mass_on", persist_state="session"):
        probability_mass.draw(beaming, t)
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        draw_opened(model, search)
    with right:
        draw_told()
    if beaming.over and search.sequences:
        st.subheader(t("beam.table.title"), anchor=False)
        finished_beams.draw(beaming, t, lambda node: to_step_page(written(node)))
        st.subheader(t("beam.truth.title"), anchor=False)
        baselines_view.draw(beaming.baselines(), beaming, t, to_step_page)
    address_bar.update()
    fragment.mark_answered()
    if more:
        fragment.rerun()
    search.grow_to(beaming.shown + 1)  # while the learner looks: the next level is then there at once


address_bar = address.AddressBar(session, t, beaming, show_settings, widgets={"mass": ("beam_mass_on", (False, True))})
frame.begin(t("beam.title"), t("beam.lead"), session, t, export.exports(beaming, t))
address_bar.restore()
with st.sidebar:
    draw_settings()
prompt_box.draw(session, t)
workbench()
with st.sidebar:
    model_picker.draw(session, t)
