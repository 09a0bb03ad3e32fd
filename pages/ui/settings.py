"""The sidebar: how the next token is chosen, each setting with one sentence on what it does to the picture."""

from __future__ import annotations

import secrets

import streamlit as st

from engine import bundled
from engine.sampling.settings import Settings, Strategy
from engine.serving import config
from pages.ui import models, state
from pages.ui.i18n import Translator
from pages.ui.session import FIRST_SETTINGS, Session

# name: lowest, highest, step
_SLIDERS: dict[str, tuple[float, float, float]] = {
    "temperature": (0.0, 2.0, 0.05),
    "top_k": (0, 200, 1),
    "top_p": (0.0, 1.0, 0.01),
    "min_p": (0.0, 0.5, 0.01),
    "typical_p": (0.05, 1.0, 0.01),
    "repetition_penalty": (1.0, 2.0, 0.05),
    "no_repeat_ngram_size": (0, 6, 1),
}
_FIRST = ("temperature", "top_k", "top_p")
_FILTERS = (*_FIRST, "min_p", "typical_p")  # of no use to greedy search


def draw(session: Session, t: Translator) -> None:
    """The controls; writes what they say into the session."""
    st.header(t("settings.title"))
    state.default_widget("strategy", "sample")
    strategies: tuple[Strategy, ...] = ("sample", "greedy")
    chosen = st.segmented_control(
        t("settings.strategy"),
        strategies,
        required=True,
        format_func=lambda value: t(f"settings.{value}"),
        key="strategy",
        persist_state="session",
    )
    session.strategy = chosen or "sample"
    greedy = session.strategy == "greedy"
    st.caption(t(f"settings.{session.strategy}_note"))
    values: dict[str, float] = {}
    for name in _FIRST:
        values[name] = _slider(name, greedy, t)
    state.default_widget("seed", session.seed)
    session.seed = int(
        st.number_input(t("settings.seed"), 0, 2**31 - 1, key="seed", persist_state="session", disabled=greedy)
    )
    st.caption(t("settings.seed_note"))
    st.button(t("settings.new_seed"), key="new_seed", disabled=greedy, on_click=_new_seed)
    with st.expander(t("settings.more")):
        for name in _SLIDERS:
            if name not in _FIRST:
                values[name] = _slider(name, greedy, t)
    if greedy:
        st.caption(t("settings.not_greedy"))
    session.settings = Settings(**values)  # type: ignore[arg-type]
    state.default_widget("bars_shown", session.bars)
    session.bars = st.slider(t("settings.bars"), 3, 30, key="bars_shown", persist_state="session")
    session.run_tokens = length(t("settings.run_tokens"), 1, 100, session.run_tokens, "run_tokens")


def _slider(name: str, greedy: bool, t: Translator) -> float:
    low, high, step = _SLIDERS[name]
    state.default_widget(name, getattr(FIRST_SETTINGS, name))
    stands = type(step)(state.widget(name))  # a link may hold any value that there is
    if type(state.widget(name)) is not type(stands):  # not always: a slider that is told its value is taken out of hand
        state.set_widget(name, stands)
    low, high = min(low, stands), max(high, stands)
    value = st.slider(
        t(f"settings.{name}"),
        low,
        high,
        step=step,
        key=name,
        persist_state="session",
        disabled=greedy and name in _FILTERS,
    )
    st.caption(t(f"settings.{name}_note"))
    return float(value) if isinstance(step, float) else int(value)


def length(label: str, low: int, high: int, first: int, key: str) -> int:
    """A slider for how many tokens are to be written, within what the host allows."""
    most = min(high, config.current().run_tokens)
    if most == 1:
        return 1
    low = min(low, most - 1)
    state.default_widget(key, min(first, most))
    return st.slider(label, low, most, key=key, persist_state="session")


def show(session: Session) -> None:
    """Let the prompt's box and the controls say what the session says, after something else has changed it."""
    state.set_widget("prompt", session.prompt)
    state.set_widget("strategy", session.strategy)
    state.set_widget("seed", session.seed)
    for name in _SLIDERS:
        state.set_widget(name, getattr(session.settings, name))
    state.set_widget("bars_shown", session.bars)
    state.set_widget("run_tokens", session.run_tokens)


def _new_seed() -> None:
    state.set_widget("seed", secrets.randbelow(10_000))


def draw_model(session: Session, t: Translator) -> None:
    """Which model is at work and, where the host allows others, a box to choose one; nothing while it is loaded."""
    model = models.ready(session)
    if model is None:
        return
    patterns = config.current().models
    if patterns:
        plain = [p for p in patterns if not any(sign in p for sign in "*?[")]
        known = [bundled.BUNDLED_NAME, *plain]
        if session.model_name not in known:
            known.append(session.model_name)
        st.selectbox(
            t("settings.model"),
            known,
            index=known.index(session.model_name),
            format_func=lambda name: t("settings.bundled") if name == bundled.BUNDLED_NAME else name,
            accept_new_options=len(plain) < len(patterns),
            key=f"model {session.model_name}",
            on_change=_choose_model,
            args=(session, f"model {session.model_name}"),
        )
        st.caption(t("settings.model_note"))
    st.caption(t("settings.window", size=f"{model.vocabulary.size:,}", most=f"{model.context_length:,}"))


def _choose_model(session: Session, key: str) -> None:
    session.choose_model(str(state.widget(key) or bundled.BUNDLED_NAME).strip())
