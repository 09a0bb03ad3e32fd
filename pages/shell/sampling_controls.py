"""Sidebar controls of the decoding strategy and the sampling settings, each with a one-sentence explanation."""

from __future__ import annotations

import secrets

import streamlit as st

from engine.sampling.settings import Settings, Strategy
from engine.serving import config
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import FIRST_SETTINGS, TextState

# Minimum, maximum and step of each slider.
_SLIDERS: dict[str, tuple[float, float, float]] = {
    "temperature": (0.0, 2.0, 0.05),
    "top_k": (0, 200, 1),
    "top_p": (0.0, 1.0, 0.01),
    "min_p": (0.0, 0.5, 0.01),
    "typical_p": (0.05, 1.0, 0.01),
    "repetition_penalty": (1.0, 2.0, 0.05),
    "no_repeat_ngram_size": (0, 6, 1),
}
_ALWAYS_VISIBLE = ("temperature", "top_k", "top_p")  # the others are behind a disclosure
_DISABLED_FOR_GREEDY = (*_ALWAYS_VISIBLE, "min_p", "typical_p")


def draw(session: TextState, t: Translator) -> None:
    """The controls; sets strategy, settings, seed, number of bars and run length of the session."""
    st.header(t("settings.title"))
    session_state.default_widget("strategy", "sample")
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
    for name in _ALWAYS_VISIBLE:
        values[name] = _slider(name, greedy, t)
    session_state.default_widget("seed", session.seed)
    session.seed = int(
        st.number_input(t("settings.seed"), 0, 2**31 - 1, key="seed", persist_state="session", disabled=greedy)
    )
    st.caption(t("settings.seed_note"))
    st.button(t("settings.new_seed"), key="new_seed", disabled=greedy, on_click=_new_seed)
    with st.expander(t("settings.more")):
        for name in _SLIDERS:
            if name not in _ALWAYS_VISIBLE:
                values[name] = _slider(name, greedy, t)
    if greedy:
        st.caption(t("settings.not_greedy"))
    session.settings = Settings(**values)  # type: ignore[arg-type]
    session_state.default_widget("bars_shown", session.bars)
    session.bars = st.slider(t("settings.bars"), 3, 30, key="bars_shown", persist_state="session")
    session.run_tokens = token_count_slider(t("settings.run_tokens"), 1, 100, session.run_tokens, "run_tokens")


def _slider(name: str, greedy: bool, t: Translator) -> float:
    low, high, step = _SLIDERS[name]
    session_state.default_widget(name, getattr(FIRST_SETTINGS, name))
    current = type(step)(session_state.widget(name))
    # Only where the type differs: setting the value of a slider while it is dragged would interrupt the drag.
    if type(session_state.widget(name)) is not type(current):
        session_state.set_widget(name, current)
    low, high = min(low, current), max(high, current)  # a link may contain values outside of the slider's range
    value = st.slider(
        t(f"settings.{name}"),
        low,
        high,
        step=step,
        key=name,
        persist_state="session",
        disabled=greedy and name in _DISABLED_FOR_GREEDY,
    )
    st.caption(t(f"settings.{name}_note"))
    return float(value) if isinstance(step, float) else int(value)


def token_count_slider(label: str, low: int, high: int, first: int, key: str) -> int:
    """A slider for a number of generated tokens, up to `high` or the host's limit; 1 without a slider at limit 1."""
    maximum = min(high, config.current().run_tokens)
    if maximum == 1:
        return 1
    low = min(low, maximum - 1)
    session_state.default_widget(key, min(first, maximum))
    return st.slider(label, low, maximum, key=key, persist_state="session")


def sync_widgets(session: TextState) -> None:
    """Set the prompt box and the controls from the session, after something other than these widgets changed it."""
    session_state.set_widget("prompt", session.prompt)
    session_state.set_widget("strategy", session.strategy)
    session_state.set_widget("seed", session.seed)
    for name in _SLIDERS:
        session_state.set_widget(name, getattr(session.settings, name))
    session_state.set_widget("bars_shown", session.bars)
    session_state.set_widget("run_tokens", session.run_tokens)


def _new_seed() -> None:
    session_state.set_widget("seed", secrets.randbelow(10_000))
