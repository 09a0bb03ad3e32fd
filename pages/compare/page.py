"""Compare page: one prompt continued by every decoding strategy, with measures, and filter sizes for two prompts."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

import engine
from engine.decoding.strategies import BY_NAME, STRATEGIES, Parameter
from engine.errors import EngineError, PromptError
from pages.compare import export, filter_size_chart, scatter_chart, summary, text_rows
from pages.compare.state import DEFAULT_SEEDS, DEFAULT_TOKENS, MAX_FIRST_SEED, MAX_SEEDS, TOKEN_RANGE, CompareState
from pages.components import examples, prompt_area
from pages.components.examples import Example
from pages.components.tables import text_table
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import (
    address,
    example_language,
    fragment,
    messages,
    model_access,
    model_picker,
    offered_prompts,
    remote_notice,
    sampling_controls,
)
from pages.shell.open_in_step import open_in_step

WORK_SLICE_SECONDS = 0.3  # of a run, between two drawings of the page

session = session_state.get(TextState)
state = session_state.get(CompareState)
t = Translator(session_state.language())


def start() -> None:
    """Callback: start a comparison with the prompt in the text box."""
    model = model_access.loaded_model(session)
    if model is not None:
        state.settings = replace(state.settings, prompt=str(session_state.widget("compare_prompt") or ""))
        state.start(model)


def take(value: dict[str, Any]) -> None:
    """Callback: open a text on the step page."""
    open_in_step(session, state.load_in_step, value["turn"], value["entry"], value["text"])


def draw_settings() -> None:
    """Controls of the comparison."""
    with st.container(key="settings", horizontal=True, gap="medium"):
        tokens = sampling_controls.token_count_slider(
            t("compare.tokens"), *TOKEN_RANGE, DEFAULT_TOKENS, "compare_tokens"
        )
        session_state.default_widget("compare_seeds", DEFAULT_SEEDS)
        count = st.slider(
            t("compare.seeds"), 1, MAX_SEEDS, key="compare_seeds", persist_state="session",
            help=t("compare.seeds_note"), width=sampling_controls.WIDTH,
        )  # fmt: skip
        session_state.default_widget("compare_seed", session.seed)
        first = int(
            st.number_input(
                t("compare.first_seed"), 0, MAX_FIRST_SEED, key="compare_seed", persist_state="session",
                help=t("compare.seeds_note"), width=sampling_controls.WIDTH,
            )
        )  # fmt: skip
    values: dict[str, float] = {}
    with st.expander(t("settings.more")), st.container(key="more_settings", horizontal=True, gap="medium"):
        for strategy in STRATEGIES:
            if strategy.parameter is not None:
                values[strategy.name] = slider(strategy.name, strategy.parameter)
    state.settings = replace(
        state.settings,
        values=tuple(values.items()),
        seeds=tuple(range(first, first + count)),
        max_new_tokens=tokens,
    )


def slider(name: str, parameter: Parameter) -> float:
    """Slider of one strategy's parameter."""
    session_state.default_widget(f"compare {name}", state.settings.value(BY_NAME[name]))
    return st.slider(
        t(f"compare.set.{name}"), parameter.low, parameter.high, step=parameter.step, key=f"compare {name}",
        persist_state="session", help=t(f"compare.note.{name}"), width=sampling_controls.WIDTH,
    )  # fmt: skip


def sync_widgets() -> None:
    """Set the controls to the restored settings."""
    settings = state.settings
    session_state.set_widget("compare_prompt", settings.prompt)
    session_state.set_widget("compare_tokens", settings.max_new_tokens)
    session_state.set_widget("compare_seeds", len(settings.seeds))
    session_state.set_widget("compare_seed", settings.seeds[0])
    for name, value in settings.values:
        session_state.set_widget(f"compare {name}", value)


def draw_prompt() -> None:
    """Prompt box and example buttons. A prompt that is new on the step page is copied into the box."""
    if state.step_prompt != session.prompt:
        state.step_prompt = session.prompt
        if isinstance(state.problem, PromptError):  # of the prompt that stood in the box
            state.problem = None
        session_state.set_widget("compare_prompt", session.prompt)
    typed = prompt_area.draw(
        t("step.prompt"), "compare_prompt", placeholder=t("step.placeholder"), label_visibility="collapsed"
    )
    state.settings = replace(state.settings, prompt=typed)
    set_prompt = partial(session_state.set_widget, "compare_prompt")
    prompts = offered_prompts.offered(t)
    buttons = [Example(label, f"compare example {text}", partial(set_prompt, text)) for label, text in prompts]
    with offered_prompts.box(prompts):
        examples.draw(buttons, t, note=offered_prompts.note(t))


def draw_controls() -> None:
    """Buttons of the actions, progress, status line and the last problems."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        running = state.running
        st.button(t("compare.start"), key="compare_start", type="primary", on_click=start, disabled=running)
        st.button(t("step.stop"), key="compare_stop", shortcut="Space", on_click=state.stop, disabled=not running)
        if running:
            st.progress(state.progress, width=200)
        st.caption(status_line(), width="content")
    messages.show_model_problem(session.problem, t)
    messages.show_problem(state.problem, t, "compare.kept")


def status_line() -> str:
    """The strategy that is running, or the totals of the last comparison; instructions before the first one."""
    settings = state.run_settings
    if settings is None:
        return t("compare.first")
    if state.running:
        run = state.runs[-1] if state.runs else None
        if run is None:
            return t("compare.begin")
        return t("compare.doing", name=text_rows.strategy_label(run.strategy, run.value, t))
    tokens = sum(run.generation.cost.tokens for run in state.runs)
    seconds = sum(run.generation.cost.seconds for run in state.runs)
    totals = t("compare.done", ways=len(state.runs), tokens=f"{tokens:,}", seconds=t.number(seconds))
    now = replace(state.settings, prompt=str(session_state.widget("compare_prompt") or ""))
    return totals if now == settings else f"{totals} {t('compare.changed')}"


@fragment.workbench
def workbench() -> None:
    """The part of the page that is redrawn after each action, and for each slice of a run."""
    model = model_access.wait_for_model(session, t)
    state.set_model(model)
    # All containers exist from the start, so that none is drawn into the stale elements of another.
    above, chart, below = st.container(), st.container(), st.container()
    with above:
        draw_controls()
        remote_notice.draw_among(model, t)
    if state.run_settings is not None:
        with chart:
            draw_chart()
    with below:
        text_table.draw(text_rows.rows(state, model, t), t, take)
        draw_filter_sizes(model)
    address_bar.update()
    fragment.mark_answered()
    if state.running:  # last, because Streamlit dims the elements that are not redrawn yet
        state.work(model, WORK_SLICE_SECONDS)
        fragment.rerun()


def draw_chart() -> None:
    """Scatter chart beside the summary."""
    left, right = st.columns([1.6, 1], gap="medium", vertical_alignment="center")
    with left:
        scatter_chart.draw(scatter_chart.points(state, t), t)
    with right:
        for sentence in summary.sentences(state, t):
            st.markdown(sentence)
        st.caption(t("compare.chart.note"))


def draw_filter_sizes(model: engine.Model) -> None:
    """Filter sizes after two prompts side by side: by default, a flat and a peaked distribution."""
    st.subheader(t("compare.flat.title"), anchor=False)
    st.caption(t("compare.flat.lead"))
    columns = st.columns(2, gap="medium")
    prompts = example_language.for_prompts(t)
    results = []
    for column, which in zip(columns, ("flat", "peaked"), strict=True):
        with column:
            prompt = prompt_area.draw(
                t(f"compare.flat.{which}"),
                f"compare {which} {t.language}",
                value=prompts(f"compare.flat.{which}_prompt"),
            )
            try:
                results.append((column, which, state.filter_sizes(model, prompt)))
            except EngineError as error:
                st.error(t(f"error.{error.code}", **error.values))
    values = dict(state.settings.values)
    max_size = max((max(step.by_top_k, step.by_top_p) for _, _, sizes in results for step in sizes), default=1)
    for column, which, sizes in results:
        with column:
            choices = math.exp(sizes[0].entropy)
            choices_text = t.number(choices, 0 if choices >= 10 else 1)
            st.caption(t("compare.flat.entropy", nats=t.number(sizes[0].entropy, 2), choices=choices_text))
            rows = filter_size_chart.rows(sizes, t)
            filter_size_chart.draw(rows, max_size, int(values["top_k"]), values["top_p"], t, which)
    if len(results) == 2:
        flat, peaked = (sizes[0] for _, _, sizes in results)
        key = "compare.flat.told" if flat.by_top_p != peaked.by_top_p else "compare.flat.told_same"
        st.markdown(t(key, one=f"{flat.by_top_p:,}", other=f"{peaked.by_top_p:,}", k=f"{flat.by_top_k:,}"))


address_bar = address.AddressBar(session, t, state, sync_widgets)
frame.begin(t("compare.title"), t("compare.lead"), session, t, export.exports(state, t))
address_bar.restore()
draw_prompt()
draw_settings()
workbench()
model_picker.draw(session, t)
