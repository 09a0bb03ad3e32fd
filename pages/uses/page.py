"""Uses of next-token prediction: six tasks set by their prompts alone, and well-known model families."""

from __future__ import annotations

from functools import partial

import streamlit as st

import engine
from engine import bundled
from engine.serving import config, model_registry
from pages.components import examples
from pages.components.examples import Example
from pages.frame import frame
from pages.i18n.translator import Translator, plain
from pages.session import session_state
from pages.session.incremental_run import IncrementalRun
from pages.session.text_state import TextState
from pages.shell import (
    address,
    example_language,
    fragment,
    local_network,
    messages,
    model_access,
    model_picker,
    navigation,
    remote_notice,
)
from pages.shell.open_in_step import open_in_step
from pages.uses import prompt_view
from pages.uses.state import ONE_LINE, TASKS, TaskName, TaskRun, UsesState, prompt_parts

WORK_SLICE_SECONDS = 0.001  # work between two redraws of the page: one forward pass
TOKEN_DELAY_SECONDS = 0.03  # pause between passes, so that a visitor can follow the text and stop it
MAX_SIMPLIFIED = 8  # characters named in the remark on Simplified Chinese
FAMILIES = ("gpt", "qwen", "ernie", "code", "bart", "hosted")

session = session_state.get(TextState)
state = session_state.get(UsesState)
t = Translator(session_state.language())


def selected_task() -> TaskName:
    name: TaskName = session_state.widget("uses_task") or TASKS[0]
    return name


def widget_key(task: TaskName) -> str:
    """Key of the input box, whose initial value depends on the language of the prompts."""
    return f"uses {task} {example_language.for_prompts(t).language}"


def entered_text(task: TaskName) -> str:
    return str(session_state.widget(widget_key(task)) or "")


def start(task: TaskName) -> None:
    model = model_access.loaded_model(session)
    if model is not None:
        state.run_for(task).problem_language = t.language
        state.start(model, task, entered_text(task), example_language.for_prompts(t))


def open_text(task: TaskName) -> None:
    open_in_step(session, state.load_text, task)


def draw_input(task: TaskName) -> None:
    """Text box for the visitor's part of the prompt, with example buttons."""
    inputs = example_language.for_prompts(t).list(f"uses.{task}.inputs")
    key = widget_key(task)
    session_state.default_widget(key, inputs[0])
    st.text_input(t(f"uses.{task}.asks"), key=key, persist_state="session", disabled=config.current().demo)
    set_input = partial(session_state.set_widget, key)
    buttons = [Example(text, f"uses example {task} {at}", partial(set_input, text)) for at, text in enumerate(inputs)]
    examples.draw(buttons, t, note=example_language.note(t))


def draw_controls(task: TaskName, run: IncrementalRun) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(t("uses.run"), key="uses_run", type="primary", on_click=start, args=(task,), disabled=run.running)
        st.button(t("step.stop"), key="uses_stop", shortcut="Space", on_click=run.stop, disabled=not run.running)
        ready = run.work is not None and not run.running
        st.button(t("uses.take"), key="uses_take", on_click=open_text, args=(task,), disabled=not ready)
        if run.running:
            st.progress(run.work.progress, width=200)
    if run.problem_language in ("", t.language):
        messages.show_problem(run.problem, t, "limits.kept")


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    messages.show_model_problem(session.problem, t)
    state.ready(model)
    task = selected_task()
    run = state.run_for(task)
    draw_input(task)
    draw_controls(task, run)
    remote_notice.draw_among(model, t)
    user_input = entered_text(task)
    # A generated text is shown only with the input that it was generated for.
    prompts = example_language.for_prompts(t)
    task_run = run.work if run.asked == (user_input, prompts.language) and isinstance(run.work, TaskRun) else None
    component_data = prompt_view.data(prompt_parts(task, user_input, prompts), task_run, model, run.running, t)
    prompt_view.draw(component_data, "uses_prompt")
    if task_run is not None and t.language != "zh_Hans" and (characters := task_run.simplified):
        st.caption(t("uses.simplified", characters=plain("".join(characters[:MAX_SIMPLIFIED]))))
    draw_explanation(task, model)
    fragment.mark_answered()
    address_bar.update()
    if run.running:
        run.go_on(WORK_SLICE_SECONDS)
        fragment.rerun(after=TOKEN_DELAY_SECONDS)


def draw_explanation(task: TaskName, model: engine.Model) -> None:
    """How the prompt sets the task, how the bundled model does, and the model size that the task needs."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**{t('uses.how')}**")
        st.markdown(t(f"uses.{task}.how") + (" " + t("uses.one_line") if task in ONE_LINE else ""))
    with right:
        st.markdown(f"**{t('uses.can')}**")
        if model.name == bundled.BUNDLED_NAME:
            st.markdown(t(f"uses.{task}.bundled"))
        if task == "dialogue" and model.chat_template is not None:
            st.markdown(t("uses.dialogue.has_template"))
            st.page_link(navigation.path("chat"), label=t("chat.title"))
        else:
            st.markdown(t(f"uses.{task}.size"))


def draw_families() -> None:
    """Well-known model families: which of their models can be loaded here, and what can be inspected in each."""
    st.subheader(t("uses.families"), anchor=False)
    st.caption(t("uses.families_lead"))
    if local_network.visitor_is_host():
        with st.expander(t("uses.families_how")):
            st.code("ENGINE_MODELS='openai-community/gpt2, Qwen/*, baidu/*' make run", language=None)
    for at in range(0, len(FAMILIES), 2):
        for column, family in zip(st.columns(2, gap="large"), FAMILIES[at : at + 2], strict=True):
            with column:
                st.markdown(f"**{t(f'uses.family.{family}.name')}**")
                for name in t.list(f"uses.family.{family}.load"):
                    draw_model(name)
                st.markdown(t(f"uses.family.{family}.shows"))


def draw_model(name: str) -> None:
    """Name of a model; a button that loads it where the host allows this."""
    if model_registry.allowed(name) and not config.current().demo:
        st.button(name, key=f"uses load {name}", on_click=session.choose_model, args=(name,),
                  disabled=session.model_name == name, help=t("uses.load"))  # fmt: skip
    else:
        st.markdown(f"`{name}`", help=t("uses.not_allowed"))


address_bar = address.AddressBar(session, t, widgets={"task": ("uses_task", TASKS)})
frame.begin(t("uses.title"), t("uses.lead"), session, t)
address_bar.restore()
st.segmented_control(
    t("uses.which"), TASKS, default=TASKS[0], required=True, format_func=lambda task: t(f"uses.{task}.name"),
    key="uses_task", persist_state="session", label_visibility="collapsed",
)  # fmt: skip
workbench()
with st.container(key="uses_families"):
    draw_families()
model_picker.draw(session, t)
