"""Limits of autoregressive generation: four experiments, measured on the loaded model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

import engine
from engine.sampling.settings import NEXT_TOKEN_STRATEGIES
from engine.serving import config
from pages.components import examples, prompt_area
from pages.components.examples import Example
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.limits import cloze, decoding_speed, error_accumulation, export, exposure_bias
from pages.limits.state import NAMES, NEEDS, ExperimentName, LimitsState
from pages.session import session_state
from pages.session.incremental_run import IncrementalRun
from pages.session.text_state import TextState
from pages.shell import (
    address,
    example_language,
    fragment,
    messages,
    model_access,
    model_picker,
    remote_notice,
    sampling_controls,
)
from pages.shell.open_in_step import open_in_step

WORK_SLICE_SECONDS = 0.3  # work on an experiment between two redraws of the page

session = session_state.get(TextState)
limits = session_state.get(LimitsState)
t = Translator(session_state.language())
demo = config.current().demo


def selected_experiment() -> ExperimentName:
    name: ExperimentName = session_state.widget("limits_shown") or NAMES[0]
    return name


def widget_key(name: str) -> str:
    """Key of a widget whose initial value depends on the language of the prompts."""
    return f"limits {name} {example_language.for_prompts(t).language}"


def entered_text(name: str) -> str:
    return str(session_state.widget(widget_key(name)) or "")


def start(name: ExperimentName) -> None:
    model = model_access.loaded_model(session)
    if model is None:
        return
    limits.runs[name].problem_language = t.language
    if name == "sequential":
        limits.measure_speed(model, entered_text("sequential"))
    elif name == "errors":
        error_accumulation.start(model, session, limits, entered_text("errors"), t)
    elif name == "left":
        candidates = tuple(session_state.widget(widget_key("candidates")) or ())
        limits.fill_gap(model, entered_text("left"), candidates)
    else:
        from engine.experiments.exposure_bias import BETWEEN  # imports torch: only once a model is loaded

        texts = tuple(line.strip() for line in entered_text("exposure").splitlines() if line.strip())
        greedy = session_state.widget("limits_greedy") == "greedy"
        between = int(session_state.widget("limits_between") or BETWEEN)
        limits.measure_exposure_bias(model, texts, greedy, between, session.seed)


def open_text(load: Callable[..., bool], field: str, event: dict[str, Any]) -> None:
    """Open the text of a table's row on the step page. `field` of the event is the row's index."""
    open_in_step(session, load, event["turn"], event[field])


def example_texts(words: str) -> list[str]:
    """The examples of these words, in a language that the model knows."""
    return example_language.for_examples(t).list(words)


def draw_prompt_box(name: str) -> None:
    """Text box of an experiment, with example buttons."""
    texts = example_texts(f"limits.{name}.examples")
    key = widget_key(name)
    session_state.default_widget(key, texts[0])
    prompt_area.draw(t(f"limits.{name}.prompt"), key, placeholder=t("step.placeholder"))
    buttons = [
        Example(text, f"limits example {name} {at}", partial(set_example, name, at)) for at, text in enumerate(texts)
    ]
    examples.draw(buttons, t, note=example_language.note(t))


def set_example(name: str, at: int) -> None:
    session_state.set_widget(widget_key(name), example_texts(f"limits.{name}.examples")[at])
    if name == "left":
        session_state.set_widget(widget_key("candidates"), example_texts("limits.left.candidates")[at].split("/"))


def draw_inputs(name: ExperimentName, model: engine.Model) -> None:
    """Input widgets of an experiment."""
    if name == "exposure":
        draw_exposure_inputs()
        return
    draw_prompt_box(name)
    if name == "left":
        draw_candidates()
    if name == "errors":
        error_accumulation.draw_token_list(model, limits, entered_text("errors"), demo, t)


def draw_exposure_inputs() -> None:
    from engine.experiments.exposure_bias import BETWEEN

    key = widget_key("exposure")
    session_state.default_widget(key, "\n".join(example_texts("limits.exposure.examples")))
    st.text_area(t("limits.exposure.prompt"), key=key, height=190, persist_state="session", disabled=demo)
    left, right = st.columns(2, gap="medium", vertical_alignment="bottom")
    with left:
        st.segmented_control(
            t("limits.exposure.how"), NEXT_TOKEN_STRATEGIES, default="sample", required=True,
            format_func=lambda strategy: t(f"settings.{strategy}"), key="limits_greedy", persist_state="session",
        )  # fmt: skip
    with right:
        sampling_controls.token_count_slider(
            t("limits.exposure.between"), 4, 24, BETWEEN, "limits_between", width="stretch"
        )


def draw_candidates() -> None:
    from engine.experiments.cloze import MAX_CANDIDATES

    key = widget_key("candidates")
    session_state.default_widget(key, example_texts("limits.left.candidates")[0].split("/"))
    known = {word for line in example_texts("limits.left.candidates") for word in line.split("/")}
    st.multiselect(
        t("limits.left.list"), sorted(known | set(session_state.widget(key) or ())),
        key=key, accept_new_options=not demo, max_selections=MAX_CANDIDATES, persist_state="session",
        placeholder=t("limits.left.add"), help=t("limits.left.list_help"),
    )  # fmt: skip


def draw_controls(name: ExperimentName, run: IncrementalRun) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(t(f"limits.{name}.start"), key="limits_start", type="primary", on_click=start, args=(name,),
                  disabled=run.running)  # fmt: skip
        st.button(t("step.stop"), key="limits_stop", shortcut="Space", on_click=run.stop,
                  disabled=not run.running)  # fmt: skip
        if run.running:
            st.progress(run.work.progress, width=200)
        elif run.stopped:
            st.caption(t("limits.stopped"), width="content")
        elif run.work is None:
            st.caption(t(f"limits.{name}.first"), width="content")
    if run.problem_language in ("", t.language):
        messages.show_problem(run.problem, t, "limits.kept")


def draw_result(name: ExperimentName, run: IncrementalRun, model: engine.Model) -> None:
    if name == "sequential":
        decoding_speed.draw(run, t)
    elif name == "errors":
        error_accumulation.draw(run, model, t, partial(open_text, limits.load_branch, "entry"))
    elif name == "left":
        cloze.draw(run, model, t, partial(open_text, limits.load_filled, "text"))
    else:
        exposure_bias.draw(run, model, t)


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    messages.show_model_problem(session.problem, t)
    limits.ready(model)
    name = selected_experiment()
    if remote_notice.draw_missing(session, model, NEEDS[name], t):
        address_bar.update()
        return
    run = limits.runs[name]
    draw_inputs(name, model)
    above, below = st.container(), st.container(key="limits_result")
    with above:
        draw_controls(name, run)
    with below:
        if run.work is not None:
            draw_result(name, run, model)
    address_bar.update()
    fragment.mark_answered()
    if run.running:
        run.go_on(WORK_SLICE_SECONDS)
        fragment.rerun()


address_bar = address.AddressBar(session, t, widgets={"shown": ("limits_shown", NAMES)})
frame.begin(t("limits.title"), t("limits.lead"), session, t, export.EXPORTS)
address_bar.restore()
session_state.default_widget("limits_shown", NAMES[0])
st.segmented_control(
    t("limits.which"), NAMES, required=True, format_func=lambda name: t(f"limits.{name}.name"),
    key="limits_shown", persist_state="session", label_visibility="collapsed",
)  # fmt: skip
st.caption(t(f"limits.{selected_experiment()}.lead"))
if selected_experiment() == "errors":
    sampling_controls.draw(session, t)
workbench()
model_picker.draw(session, t)
