"""Beam page: the search tree level by level, the text of an opened beam, and the winner beside its baselines."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import streamlit as st

import engine
from engine.decoding.beam_types import BeamSettings
from engine.errors import EngineError
from engine.trace.trace import Trace
from pages.beam import baselines_view, export, finished_beams, level_summary, probability_mass, tree
from pages.beam.settings_query import LENGTH_PENALTIES, MAX_LEVELS, MAX_NGRAM, MAX_WIDTH, REPETITION_PENALTIES
from pages.beam.state import BeamState
from pages.components import in_advance
from pages.components.charts import probability_bars, probability_rows
from pages.components.text import text_strip
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import (
    address,
    fragment,
    messages,
    model_access,
    model_picker,
    prompt_box,
    remote_notice,
    sampling_controls,
)
from pages.shell.open_in_step import open_in_step

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch

WORK_SLICE_SECONDS = 0.15  # of a run, between two drawings of the page
BROWSER_DRAW_SECONDS = 0.04  # time for the browser to draw the tree and the text before the next computation

session = session_state.get(TextState)
state = session_state.get(BeamState)
t = Translator(session_state.language())


def continue_in_step(new: tuple[int, ...]) -> None:
    """Callback: open the step page with the prompt and `new` tokens after it."""
    open_in_step(session, state.load_in_step, new)


def new_token_ids(node: int) -> tuple[int, ...]:
    """Token ids from the end of the prompt up to and including a node."""
    assert state.search is not None
    return state.search.token_ids(node)[len(state.search.ids) :]


def open_token(value: dict[str, Any]) -> None:
    """Callback: open the node of a token of the text strip."""
    if state.search is not None:
        path = [0, *state.search.path(state.current_node)]
        state.open(value["turn"], path[max(0, value["node"] - len(state.search.ids) + 1)])


def pick_alternative(value: dict[str, Any]) -> None:
    """Callback: open the step page with another token at one position of the text strip."""
    if state.search is not None and value["turn"] == state.turn:
        prefix_length = max(0, value["after"] + 1 - len(state.search.ids))
        continue_in_step((*new_token_ids(state.current_node)[:prefix_length], value["token"]))


def pick_bar(turn: int, token_id: int) -> None:
    """Callback: open the step page with the text of the opened node and the token of a clicked bar."""
    if turn == state.turn:
        continue_in_step((*new_token_ids(state.current_node), token_id))


def sync_widgets() -> None:
    """Set the controls to the restored settings."""
    settings = state.settings
    session_state.set_widget("beam_width", settings.width)
    session_state.set_widget("beam_levels", settings.max_new_tokens)
    session_state.set_widget("beam_penalty", settings.length_penalty)
    session_state.set_widget("beam_early", settings.early_stopping)
    session_state.set_widget("beam_repetition", settings.repetition_penalty)
    session_state.set_widget("beam_ngram", settings.no_repeat_ngram_size)


def slider(label: str, note: str, low: float, high: float, value: float, key: str, step: float | None = None) -> float:
    """Slider of one setting. label, note: locale keys."""
    session_state.default_widget(key, value)
    return st.slider(
        t(label), low, high, step=step, key=key, persist_state="session", help=t(note), width=sampling_controls.WIDTH
    )


def draw_settings() -> None:
    """Controls of the search."""
    now = state.settings
    with st.container(key="settings", horizontal=True, gap="medium"):
        width = slider("beam.set.width", "beam.note.width", 1, MAX_WIDTH, now.width, "beam_width")
        levels = sampling_controls.token_count_slider(
            t("beam.set.levels"), 1, MAX_LEVELS, now.max_new_tokens, "beam_levels", t("beam.note.levels")
        )
        penalty = slider(
            "beam.set.length_penalty", "beam.note.length_penalty", *LENGTH_PENALTIES, now.length_penalty,
            "beam_penalty", 0.1,
        )  # fmt: skip
    with st.expander(t("beam.more")), st.container(key="more_settings", horizontal=True, gap="medium"):
        stops: list[bool | str] = [False, True, "never"]
        session_state.default_widget("beam_early", now.early_stopping)
        early = st.selectbox(
            t("beam.set.early"), stops, format_func=lambda value: t(f"beam.early.{value}".lower()),
            key="beam_early", persist_state="session", help=t("beam.note.early"), width=260,
        )  # fmt: skip
        repetition = slider(
            "settings.repetition_penalty", "settings.repetition_penalty_note", *REPETITION_PENALTIES,
            now.repetition_penalty, "beam_repetition", 0.05,
        )  # fmt: skip
        ngram = slider(
            "settings.no_repeat_ngram_size", "settings.no_repeat_ngram_size_note", 0, MAX_NGRAM,
            now.no_repeat_ngram_size, "beam_ngram",
        )  # fmt: skip
    state.settings = BeamSettings(width, penalty, levels, early, repetition, ngram)  # type: ignore[arg-type]


def draw_controls() -> None:
    """Buttons of the actions, the status line and the last problems."""
    done = state.done
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(t("beam.grow"), key="grow", type="primary", shortcut="Right", disabled=done, on_click=state.grow)
        if state.running:
            st.button(t("step.stop"), key="grow_all", shortcut="Space", on_click=state.stop)
        else:
            st.button(t("beam.grow_all"), key="grow_all", shortcut="Space", disabled=done, on_click=state.run)
        at_prompt = not state.shown_levels
        st.button(t("beam.back"), key="shrink", shortcut="Left", disabled=at_prompt, on_click=state.back)
        st.button(t("step.restart"), key="beam_restart", disabled=at_prompt, on_click=state.restart)
    st.caption(status_line())
    messages.show_problem(session.problem, t)
    messages.show_problem(state.problem, t)


def status_line() -> str:
    """The number of levels shown and the stop reason; instructions if no level is shown."""
    search = state.search
    assert search is not None
    if not state.shown_levels:
        return t("beam.first")
    progress = t("beam.at", level=state.shown_levels, most=search.most)
    stop = search.levels[state.shown_levels - 1].stop
    if not stop:
        return progress
    return f"{progress} {t(f'beam.stop.{stop}', most=search.most, width=search.settings.width)}"


def draw_opened_node(model: engine.Model, search: BeamSearch) -> None:
    """The text of the opened node, and the distribution of the token after it."""
    index = state.current_node
    node, ids = search.nodes[index], search.token_ids(index)
    trace = Trace.start(model.name, search.ids, search.settings.penalties)
    for token_id in new_token_ids(index):
        trace = trace.choose(token_id, "greedy")
    ends = (node.index > 0 and node.token_id in model.end_ids) or len(ids) >= model.context_length
    distribution = None if ends else model.distribution(ids)
    strip_data = state.annotator.annotate(model, trace) | {
        "turn": state.turn,
        "status": t("beam.opened.ends") if ends else "",
        "choices": text_strip.choices(distribution, t) if distribution else "–",
        "labels": text_strip.labels(t),
    }
    title = "title" if state.opened is not None else "winner" if state.done else "best"
    st.subheader(t(f"beam.opened.{title}"), anchor=False)
    st.caption(tree.status_sentence(search, node, state.finished, t) if index else t("beam.told.root"))
    text_strip.draw(strip_data, open_token, pick_alternative, key="beam_strip")
    st.button(t("beam.opened.take"), key="beam_take", on_click=continue_in_step, args=(new_token_ids(index),))
    if distribution is not None:
        explored = {n.token_id for n in search.nodes if n.parent == index and n.level <= state.shown_levels}
        rows = probability_rows.rows(distribution, 8, None, explored, state.turn, t)
        framed = any(row["branch"] for row in rows)
        st.caption(t("beam.opened.next_framed" if framed else "beam.opened.next"))
        probability_bars.draw(rows, t, pick_bar, key="beam_bars")


def draw_level_summary() -> None:
    """Collapsed summary of the last level shown."""
    with st.expander(t("beam.words.title"), key="beam_words"):
        lines = level_summary.sentences(state, t) or [t("beam.words.none")]
        st.markdown("\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1)))


def draw_result() -> bool:
    """The finished beams, and the winner beside its baselines. True while the baselines are still to be computed.

    That takes about a second: it happens in a run of its own, so that tree and text are on the screen before.
    """
    st.subheader(t("beam.table.title"), anchor=False)
    finished_beams.draw(state, t, lambda node: continue_in_step(new_token_ids(node)))
    st.subheader(t("beam.truth.title"), anchor=False)
    state.baselines_awaited = not state.baselines_known and state.baselines_possible
    if state.baselines_known:
        baselines_view.draw(state.baselines(), state, t, continue_in_step)
    return state.baselines_awaited


@fragment.workbench
def workbench() -> None:
    """The part of the page that is redrawn after each action."""
    model = model_access.wait_for_model(session, t)
    search = state.update_search(session, model)
    state.compute_awaited_baselines()
    more = state.run_on(WORK_SLICE_SECONDS)
    above = st.container()
    # The tree is sent first: the visitor is waiting for it.
    data = tree.data(state, t)
    tree.draw(data, t, state.open, state.toggle_pruned)
    sent_in_advance = st.empty()  # here, because what is drawn below comes and goes
    with above:
        draw_controls()
        remote_notice.draw_among(model, t)
    with st.container():  # one element in both cases: what is below keeps its place
        if st.toggle(t("beam.mass.title"), key="beam_mass_on", persist_state="session"):
            probability_mass.draw(state, t)
    left, right = st.columns([1.25, 1], gap="large")
    with left, st.container(key="beam_opened"):
        try:
            draw_opened_node(model, search)
        except EngineError as error:
            if state.problem is None or state.problem.code != error.code:
                messages.show_problem(error, t)
    with right:
        draw_level_summary()
    if state.done and search.sequences:
        more = draw_result() or more
    address_bar.update()
    fragment.mark_answered()
    if more:
        fragment.rerun(after=BROWSER_DRAW_SECONDS)
    with suppress(EngineError):  # which is shown when this level is asked for
        search.grow_to(state.shown_levels + 1)
    after = state.after_grow()
    with sent_in_advance:
        in_advance.send("next_level", data, None if after is None else tree.data(after, t), "turn")


address_bar = address.AddressBar(session, t, state, sync_widgets, widgets={"mass": ("beam_mass_on", (False, True))})
frame.begin(t("beam.title"), t("beam.lead"), session, t, export.exports(state, t))
address_bar.restore()
prompt_box.draw(session, t)
draw_settings()
workbench()
model_picker.draw(session, t)
