"""What writing one token after another costs: four experiments, each measured now on the model at hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

import engine
from engine.serving import config
from pages.components import examples
from pages.components.examples import Example
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.limits import cloze, decoding_speed, error_accumulation, export, exposure_bias
from pages.limits.state import NAMES, ExperimentName, LimitsState
from pages.session import session_state
from pages.session.incremental_run import IncrementalRun
from pages.session.text_state import TextState
from pages.shell import address, fragment, messages, model_access, model_picker, sampling_controls
from pages.shell.open_in_step import open_in_step

WORK_SLICE_SECONDS = 0.3  # of an experiment's work between two drawings of the page

session = session_state.get(TextState)
limits = session_state.get(LimitsState)
t = Translator(session_state.language())
demo = config.current().demo


def shown() -> ExperimentName:
    chosen: ExperimentName = session_state.widget("limits_shown") or NAMES[0]
    return chosen


def key(name: str) -> str:
    """Of a widget whose first value is a text of the language."""
    return f"limits {name} {t.language}"


def text(name: str) -> str:
    return str(session_state.widget(key(name)) or "")


def start(name: ExperimentName) -> None:
    model = model_access.loaded_model(session)
    if model is None:
        return
    if name == "sequential":
        limits.time(model, text("sequential"))
    elif name == "errors":
        error_accumulation.force(model, session, limits, text("errors"), t)
    elif name == "left":
        limits.fill(model, text("left"), tuple(session_state.widget(key("candidates")) or ()))
    else:
        from engine.experiments.exposure_bias import BETWEEN  # torch comes with it: not before a model is there

        given = tuple(line.strip() for line in text("exposure").splitlines() if line.strip())
        greedy = session_state.widget("limits_greedy") == "greedy"
        limits.expose(model, given, greedy, int(session_state.widget("limits_between") or BETWEEN), session.seed)


def take(move: Callable[..., bool], which: str, value: dict[str, Any]) -> None:
    """Hand a text over to the step page."""
    open_in_step(session, move, value["turn"], value[which])


def draw_box(name: str) -> None:
    """The experiment's own prompt, with a few that were given."""
    texts = t.list(f"limits.{name}.examples")
    session_state.default_widget(key(name), texts[0])
    st.text_input(t(f"limits.{name}.prompt"), key=key(name), placeholder=t("step.placeholder"), persist_state="session")
    buttons = [
        Example(text, f"limits example {name} {at}", partial(set_example, name, at)) for at, text in enumerate(texts)
    ]
    examples.draw(buttons, t)


def set_example(name: str, at: int) -> None:
    session_state.set_widget(key(name), t.list(f"limits.{name}.examples")[at])
    if name == "left":
        session_state.set_widget(key("candidates"), t.list("limits.left.candidates")[at].split("/"))


def draw_question(name: ExperimentName, model: engine.Model) -> None:
    """What can be asked."""
    from engine.experiments.cloze import MOST
    from engine.experiments.exposure_bias import BETWEEN

    if name == "exposure":
        session_state.default_widget(key(name), "\n".join(t.list("limits.exposure.examples")))
        st.text_area(t("limits.exposure.prompt"), key=key(name), height=190, persist_state="session", disabled=demo)
        left, right = st.columns(2, gap="medium", vertical_alignment="bottom")
        with left:
            st.segmented_control(
                t("limits.exposure.how"), ("sample", "greedy"), default="sample", required=True,
                format_func=lambda how: t(f"settings.{how}"), key="limits_greedy", persist_state="session",
            )  # fmt: skip
        with right:
            sampling_controls.token_count_slider(t("limits.exposure.between"), 4, 24, BETWEEN, "limits_between")
        return
    draw_box(name)
    if name == "left":
        session_state.default_widget(key("candidates"), t.list("limits.left.candidates")[0].split("/"))
        known = {word for line in t.list("limits.left.candidates") for word in line.split("/")}
        st.multiselect(
            t("limits.left.list"), sorted(known | set(session_state.widget(key("candidates")) or ())),
            key=key("candidates"), accept_new_options=not demo, max_selections=MOST, persist_state="session",
            placeholder=t("limits.left.add"), help=t("limits.left.list_help"),
        )  # fmt: skip
    if name == "errors":
        error_accumulation.draw_forced_token(model, limits, text("errors"), demo, t)


def draw_controls(name: ExperimentName, trial: IncrementalRun) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(t(f"limits.{name}.start"), key="limits_start", type="primary", on_click=start, args=(name,),
                  disabled=trial.running)  # fmt: skip
        if name != "left":
            st.button(t("step.stop"), key="limits_stop", shortcut="Space", on_click=trial.stop,
                      disabled=not trial.running)  # fmt: skip
        if trial.running:
            st.progress(trial.work.progress, width=200)
        elif trial.stopped:
            st.caption(t("limits.stopped"), width="content")
        elif trial.work is None:
            st.caption(t(f"limits.{name}.first"), width="content")
    messages.show_problem(trial.problem, t, "limits.kept")


def draw_result(name: ExperimentName, run: IncrementalRun, model: engine.Model) -> None:
    if name == "sequential":
        decoding_speed.draw(run, t)
    elif name == "errors":
        error_accumulation.draw(run, model, t, partial(take, limits.take_branch, "entry"))
    elif name == "left":
        cloze.draw(run, model, t, partial(take, limits.take_filled, "text"))
    else:
        exposure_bias.draw(run, model, t)


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    limits.ready(model)
    name = shown()
    trial = limits.trials[name]
    draw_question(name, model)
    above, below = st.container(), st.container()
    with above:
        draw_controls(name, trial)
    with below:
        if trial.work is not None:
            draw_result(name, trial, model)
    address_bar.update()
    fragment.mark_answered()
    if trial.running:
        trial.go_on(WORK_SLICE_SECONDS)
        fragment.rerun()


address_bar = address.AddressBar(session, t, widgets={"shown": ("limits_shown", NAMES)})
frame.begin(t("limits.title"), t("limits.lead"), session, t, export.EXPORTS)
address_bar.restore()
session_state.default_widget("limits_shown", NAMES[0])
st.segmented_control(
    t("limits.which"), NAMES, required=True, format_func=lambda name: t(f"limits.{name}.name"),
    key="limits_shown", persist_state="session", label_visibility="collapsed",
)  # fmt: skip
st.caption(t(f"limits.{shown()}.lead"))
if shown() == "errors":
    with st.sidebar:
        sampling_controls.draw(session, t)
workbench()
with st.sidebar:
    model_picker.draw(session, t)
