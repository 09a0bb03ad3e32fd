"""Guess the next token: ten rounds against the model, on texts that it has not read or on one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

import engine
from engine.errors import ModelError
from engine.serving import config
from pages.ui import address, guesses, models, page, quiz_chart, settings, state
from pages.ui.i18n import Translator
from pages.ui.quizzing import MODES, Quizzing

session = state.session()
quiz = state.quizzing()
t = Translator(state.language())


def act(move: Callable[..., None], *arguments: Any) -> None:
    """Make one of the quiz's moves with the model that is in memory."""
    models.act(session, lambda _, model: move(quiz, model, *arguments))


def draw_round(model: engine.Model) -> None:
    acts: dict[str, Callable[[dict[str, Any]], None]] = {
        "draft": lambda value: quiz.write(int(value["turn"]), str(value["text"])),
        "guess": lambda value: act(Quizzing.guess, int(value["turn"]), str(value["text"])),
        "choose": lambda value: act(Quizzing.choose, int(value["turn"]), int(value["token"])),
        "go": lambda value: act(Quizzing.go, int(value["turn"])),
        "again": lambda value: act(Quizzing.again, int(value["turn"]), t.language),
    }
    guesses.draw(guesses.data(quiz, model, t), state.dark(), t, acts, key="quiz")


def bring() -> None:
    act(Quizzing.bring, t.language, str(state.widget("quiz_own") or ""))


def draw_own() -> None:
    """A text of the visitor's own to play with."""
    with st.expander(t("quiz.own.title")):
        st.text_area(
            t("quiz.own.label"), key="quiz_own", placeholder=t("quiz.own.placeholder"), height=120,
            persist_state="session", disabled=config.current().demo,
        )  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            st.button(t("quiz.own.start"), key="quiz_bring", on_click=bring, disabled=config.current().demo)
            if quiz.own:
                st.button(t("quiz.own.leave"), key="quiz_leave", on_click=act, args=(Quizzing.leave, t.language))
        models.tell(quiz.own_problem, t, "quiz.own.kept")
        st.caption(t("quiz.own.note"))


def draw_how() -> None:
    with st.expander(t("quiz.how.title")):
        for line in t.list("quiz.how.lines"):
            st.markdown(line)


@models.fragment
def workbench() -> None:
    model = models.wait(session, t)
    quiz.ready(model, t.language)
    if isinstance(session.problem, ModelError):  # other problems are of a text that is not on this page
        models.tell(session.problem, t)
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        quiz.mode = st.segmented_control(
            t("quiz.mode"), MODES, default="type", required=True, format_func=lambda mode: t(f"quiz.modes.{mode}"),
            key="quiz_mode", persist_state="session", label_visibility="collapsed", disabled=quiz.finished,
        )  # fmt: skip
        st.caption(t("quiz.game_own" if quiz.own else "quiz.game", n=quiz.game + 1), width="content")
    draw_round(model)
    with st.container():
        if quiz.finished:
            quiz_chart.draw(quiz_chart.points(quiz.outcomes, t), state.dark(), t)
            guesses.draw(guesses.rounds(quiz, model, t), state.dark(), t, {}, key="quiz_rounds")
    draw_own()
    draw_how()
    here.write()


here = address.Here(session, t)
page.begin(t("quiz.title"), t("quiz.lead"), session, t)
here.open()
workbench()
with st.sidebar:
    settings.draw_model(session, t)
