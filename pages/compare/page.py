"""One prompt through every strategy: what each writes, in numbers; what a flat and a peaked prompt leave to choose."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

import engine
from engine.decoding.strategies import BY_NAME, STRATEGIES, Parameter
from engine.errors import EngineError, ModelError
from pages.compare import export, filter_size_chart, scatter_chart, summary, text_rows
from pages.compare.state import FIRST_SEEDS, FIRST_TOKENS, LAST_FIRST_SEED, MOST_SEEDS, TOKENS, CompareState
from pages.components import examples, text_table
from pages.components.examples import Example
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, fragment, messages, model_access, model_picker, sampling_controls
from pages.shell.open_in_step import open_in_step

BREATH = 0.3  # seconds of work between two looks at it

session = session_state.get(TextState)
comparison = session_state.get(CompareState)
t = Translator(session_state.language())


def start() -> None:
    model = model_access.loaded_model(session)
    if model is not None:
        comparison.question = replace(comparison.question, prompt=str(session_state.widget("compare_prompt") or ""))
        comparison.start(model)


def take(value: dict[str, Any]) -> None:
    open_in_step(session, comparison.take, value["turn"], value["entry"], value["text"])


def draw_settings() -> None:
    """The sidebar: what is asked of the strategies."""
    st.header(t("settings.title"))
    tokens = sampling_controls.token_count_slider(t("compare.tokens"), *TOKENS, FIRST_TOKENS, "compare_tokens")
    session_state.default_widget("compare_seeds", FIRST_SEEDS)
    count = st.slider(t("compare.seeds"), 1, MOST_SEEDS, key="compare_seeds", persist_state="session")
    session_state.default_widget("compare_seed", session.seed)
    first = int(
        st.number_input(t("compare.first_seed"), 0, LAST_FIRST_SEED, key="compare_seed", persist_state="session")
    )
    st.caption(t("compare.seeds_note"))
    values: dict[str, float] = {}
    for way in STRATEGIES:
        if way.parameter is not None:
            values[way.name] = slider(way.name, way.parameter)
            st.caption(t(f"compare.note.{way.name}"))
    comparison.question = replace(
        comparison.question,
        values=tuple(values.items()),
        seeds=tuple(range(first, first + count)),
        max_new_tokens=tokens,
    )


def slider(name: str, p: Parameter) -> float:
    session_state.default_widget(f"compare {name}", comparison.question.value(BY_NAME[name]))
    return st.slider(
        t(f"compare.set.{name}"), p.low, p.high, step=p.step, key=f"compare {name}", persist_state="session"
    )


def show_question() -> None:
    """Let the controls say what an address said."""
    asked = comparison.question
    session_state.set_widget("compare_prompt", asked.prompt)
    session_state.set_widget("compare_tokens", asked.max_new_tokens)
    session_state.set_widget("compare_seeds", len(asked.seeds))
    session_state.set_widget("compare_seed", asked.seeds[0])
    for name, value in asked.values:
        session_state.set_widget(f"compare {name}", value)


def draw_prompt() -> None:
    if comparison.from_step != session.prompt:  # another one was begun over there: it is the one to compare now
        comparison.from_step = session.prompt
        session_state.set_widget("compare_prompt", session.prompt)
    typed = st.text_input(
        t("step.prompt"), key="compare_prompt", placeholder=t("step.placeholder"), label_visibility="collapsed",
        persist_state="session",
    )  # fmt: skip
    comparison.question = replace(comparison.question, prompt=typed or "")
    set_prompt = partial(session_state.set_widget, "compare_prompt")
    texts = t.list("step.examples.list")
    examples.draw([Example(text, f"compare example {text}", partial(set_prompt, text)) for text in texts], t)


def draw_controls() -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        running = comparison.running
        st.button(t("compare.start"), key="compare_start", type="primary", on_click=start, disabled=running)
        st.button(t("step.stop"), key="compare_stop", shortcut="Space", on_click=comparison.stop, disabled=not running)
        if running:
            st.progress(comparison.progress, width=200)
        st.caption(doing(), width="content")
    if isinstance(session.problem, ModelError):  # other problems are of a text that is not on this page
        messages.show_problem(session.problem, t)
    messages.show_problem(comparison.problem, t, "compare.kept")


def doing() -> str:
    """What is going on, or what came of it, or what to do first."""
    asked = comparison.answered
    if asked is None:
        return t("compare.first")
    if comparison.running:
        at = comparison.entries[-1] if comparison.entries else None
        return t("compare.doing", name=text_rows.name(at.strategy, at.value, t)) if at else t("compare.begin")
    tokens = sum(entry.together.cost.tokens for entry in comparison.entries)
    seconds = sum(entry.together.cost.seconds for entry in comparison.entries)
    done = t("compare.done", ways=len(comparison.entries), tokens=f"{tokens:,}", seconds=t.number(seconds))
    now = replace(comparison.question, prompt=str(session_state.widget("compare_prompt") or ""))
    return done if now == asked else f"{done} {t('compare.changed')}"


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    comparison.ready(model)
    # Each part has its place from the start, so that none is drawn over another's remains.
    above, picture, below = st.container(), st.container(), st.container()
    with above:
        draw_controls()
    if comparison.answered is not None:
        with picture:
            draw_picture()
    with below:
        text_table.draw(text_rows.rows(comparison, model, t), t, take)
        draw_flat(model)
    address_bar.update()
    fragment.mark_answered()
    if comparison.running:  # after all is drawn: what waits for its turn would turn pale
        comparison.work(model, BREATH)
        fragment.rerun()


def draw_picture() -> None:
    left, right = st.columns([1.6, 1], gap="medium", vertical_alignment="center")
    with left:
        scatter_chart.draw(scatter_chart.points(comparison, t), t)
    with right:
        for sentence in summary.sentences(comparison, t):
            st.markdown(sentence)
        st.caption(t("compare.chart.note"))


def draw_flat(model: engine.Model) -> None:
    """Two prompts beside each other, one of which leaves the model torn."""
    st.subheader(t("compare.flat.title"), anchor=False)
    st.caption(t("compare.flat.lead"))
    columns = st.columns(2, gap="medium")
    found = []
    for column, which in zip(columns, ("flat", "peaked"), strict=True):
        with column:
            prompt = st.text_input(
                t(f"compare.flat.{which}"), t(f"compare.flat.{which}_prompt"),
                key=f"compare {which} {t.language}", persist_state="session",
            )  # fmt: skip
            try:
                found.append((column, which, comparison.kept(model, prompt or "")))
            except EngineError as error:
                st.error(t(f"error.{error.code}", **error.values))
    values = dict(comparison.question.values)
    most = max((max(step.by_top_k, step.by_top_p) for _, _, kept in found for step in kept), default=1)
    for column, which, kept in found:
        with column:
            choices = math.exp(kept[0].entropy)
            choices_told = t.number(choices, 0 if choices >= 10 else 1)
            st.caption(t("compare.flat.entropy", nats=t.number(kept[0].entropy, 2), choices=choices_told))
            table = filter_size_chart.rows(kept, t)
            filter_size_chart.draw(table, most, int(values["top_k"]), values["top_p"], t, f"counts {which}")
    if len(found) == 2:
        one, other = (kept[0] for _, _, kept in found)
        key = "compare.flat.told" if one.by_top_p != other.by_top_p else "compare.flat.told_same"
        st.markdown(t(key, one=f"{one.by_top_p:,}", other=f"{other.by_top_p:,}", k=f"{one.by_top_k:,}"))


address_bar = address.AddressBar(session, t, comparison, show_question)
frame.begin(t("compare.title"), t("compare.lead"), session, t, export.exports(comparison, t))
address_bar.restore()
with st.sidebar:
    draw_settings()
draw_prompt()
workbench()
with st.sidebar:
    model_picker.draw(session, t)
