"""Next-token guessing game: ten rounds against the model, on texts it was not trained on or on the visitor's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

import engine
from engine.bundled import BUNDLED_NAME
from engine.errors import EngineError
from engine.serving import config
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.quiz import bits_chart, round_view, summary
from pages.quiz.state import MODES, QuizState
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, example_language, fragment, messages, model_access, model_picker, remote_notice

session = session_state.get(TextState)
quiz = session_state.get(QuizState)
t = Translator(session_state.language())


def run_action(action: Callable[..., None], *arguments: Any) -> None:
    """Run an action of QuizState with the loaded model."""
    model_access.run_action(session, lambda _, model: action(quiz, model, *arguments))


def texts_language() -> str:
    """Language of the page's texts, which the model is to continue."""
    return example_language.for_prompts(t).language


def draw_round(model: engine.Model) -> None:
    actions: dict[str, Callable[[dict[str, Any]], None]] = {
        "draft": lambda value: quiz.set_draft(int(value["turn"]), str(value["text"])),
        "guess": lambda value: run_action(QuizState.guess, int(value["turn"]), str(value["text"])),
        "choose": lambda value: run_action(QuizState.choose_option, int(value["turn"]), int(value["token"])),
        "go": lambda value: run_action(QuizState.next_round, int(value["turn"])),
        "again": lambda value: run_action(QuizState.start_new_game, int(value["turn"]), texts_language()),
    }
    round_view.draw(round_view.data(quiz, model, t), t, actions, key="quiz")


def use_own_text() -> None:
    run_action(QuizState.use_own_text, texts_language(), str(session_state.widget("quiz_own") or ""))


def draw_own_text() -> None:
    """Text box for a text of the visitor's own."""
    with st.expander(t("quiz.own.title")):
        st.text_area(
            t("quiz.own.label"), key="quiz_own", placeholder=t("quiz.own.placeholder"), height=120,
            persist_state="session", disabled=config.current().demo,
        )  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            st.button(t("quiz.own.start"), key="quiz_bring", on_click=use_own_text, disabled=config.current().demo)
            if quiz.own_text:
                st.button(t("quiz.own.leave"), key="quiz_leave", on_click=run_action,
                          args=(QuizState.use_page_texts, texts_language()))  # fmt: skip
        messages.show_problem(quiz.own_text_problem, t, "quiz.own.kept")
        st.caption(t("quiz.own.note"))


def draw_rules() -> None:
    with st.expander(t("quiz.how.title")):
        for line in t.list("quiz.how.lines"):
            st.markdown(line)


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    if remote_notice.draw_missing(session, model, "whole", t):
        draw_rules()
        address_bar.update()
        return
    try:
        quiz.ready(model, texts_language())
    except EngineError:  # the page's texts cannot be used: one of the visitor's own may
        draw_own_text()
        raise
    messages.show_model_problem(session.problem, t)
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        mode = st.segmented_control(
            t("quiz.mode"), MODES, default="type", required=True, format_func=lambda mode: t(f"quiz.modes.{mode}"),
            key="quiz_mode", persist_state="session", label_visibility="collapsed", disabled=quiz.finished,
        )  # fmt: skip
        quiz.set_mode(mode)
        texts = "quiz.game_own" if quiz.own_text else "quiz.game" if model.name == BUNDLED_NAME else "quiz.game_other"
        st.caption(t(texts, n=quiz.game + 1), width="content")
        if not quiz.own_text and (note := example_language.note(t)):
            st.caption(note, width="content")
    draw_round(model)
    with st.container():
        if quiz.finished:
            bits_chart.draw(bits_chart.points(quiz.outcomes, t), t)
            round_view.draw(summary.rounds(quiz, model, t), t, {}, key="quiz_rounds")
    draw_own_text()
    draw_rules()
    address_bar.update()


address_bar = address.AddressBar(session, t)
frame.begin(t("quiz.title"), t("quiz.lead"), session, t)
address_bar.restore()
workbench()
model_picker.draw(session, t)
