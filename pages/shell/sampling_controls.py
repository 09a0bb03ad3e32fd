"""The sidebar: how the next token is chosen, each setting with one sentence on what it does to the picture."""

from __future__ import annotations

import secrets

import streamlit as st

from engine.sampling.settings import Settings, Strategy
from engine.serving import config
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import FIRST_SETTINGS, TextState

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


def draw(session: TextState, t: Translator) -> None:
    """The controls; writes what they say into the session."""
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
    for name in _FIRST:
        values[name] = _slider(name, greedy, t)
    session_state.default_widget("seed", session.seed)
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
    session_state.default_widget("bars_shown", session.bars)
    session.bars = st.slider(t("settings.bars"), 3, 30, key="bars_shown", persist_state="session")
    session.run_tokens = token_count_slider(t("settings.run_tokens"), 1, 100, session.run_tokens, "run_tokens")


def _slider(name: str, greedy: bool, t: Translator) -> float:
    low, high, step = _SLIDERS[name]
    session_state.default_widget(name, getattr(FIRST_SETTINGS, name))
    stands = type(step)(session_state.widget(name))  # a link may hold any value that there is
    if type(session_state.widget(name)) is not type(
        stands
    ):  # not always: a slider that is told its value is taken out of hand
        session_state.set_widget(name, stands)
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


def token_count_slider(label: str, low: int, high: int, first: int, key: str) -> int:
    """A slider for how many tokens are to be written, within what the host allows."""
    most = min(high, config.current().run_tokens)
    if most == 1:
        return 1
    low = min(low, most - 1)
    session_state.default_widget(key, min(first, most))
    return st.slider(label, low, most, key=key, persist_state="session")


def sync_widgets(session: TextState) -> None:
    """Let the prompt's box and the controls say what the session says, after something else has changed it."""
    session_state.set_widget("prompt", session.prompt)
    session_state.set_widget("strategy", session.strategy)
    session_state.set_widget("seed", session.seed)
    for name in _SLIDERS:
        session_state.set_widget(name, getattr(session.settings, name))
    session_state.set_widget("bars_shown", session.bars)
    session_state.set_widget("run_tokens", session.run_tokens)


def _new_seed() -> None:
    session_state.set_widget("seed", secrets.randbelow(10_000))
