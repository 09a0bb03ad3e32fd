"""Controls of the decoding strategy and the sampling settings, each with a one-sentence explanation."""

from __future__ import annotations

import secrets
from typing import Literal

import streamlit as st

from engine.sampling.settings import NEXT_TOKEN_STRATEGIES, Settings
from engine.serving import config
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.offered_settings import SLIDERS
from pages.session.text_state import FIRST_SETTINGS, TextState
from pages.shell import extensions

_DISABLED_FOR_GREEDY = ("temperature", "top_k", "top_p", "min_p", "typical_p")
WIDTH = 190  # pixels of a control in the row


def draw(session: TextState, t: Translator) -> None:
    """The controls; sets strategy, settings, seed, number of bars and run length of the session.

    Strategy, temperature, seed and what the open step of a lesson is about are in a row, the others in a menu.
    """
    visible = {"temperature"} | extensions.companion.settings()
    values: dict[str, float] = {}
    with st.container(key="settings", horizontal=True, gap="medium"):
        _draw_strategy(session, t)
        greedy = session.strategy == "greedy"
        for name in SLIDERS:
            if name in visible:
                values[name] = _slider(name, greedy, t)
        _draw_seed(session, greedy, t)
        if "bars_shown" in visible:
            _draw_bars(session, t)
        with st.popover(t("settings.more"), key="more"):
            for name in SLIDERS:
                if name not in visible:
                    values[name] = _slider(name, greedy, t)
            if "bars_shown" not in visible:
                _draw_bars(session, t)
            session.run_tokens = token_count_slider(t("settings.run_tokens"), 1, 100, session.run_tokens, "run_tokens")
    session.settings = Settings(**values)  # type: ignore[arg-type]


def _draw_strategy(session: TextState, t: Translator) -> None:
    session_state.default_widget("strategy", "sample")
    chosen = st.segmented_control(
        t("settings.strategy"),
        NEXT_TOKEN_STRATEGIES,
        required=True,
        format_func=lambda value: t(f"settings.{value}"),
        key="strategy",
        persist_state="session",
        help="\n\n".join(t(f"settings.{strategy}_note") for strategy in NEXT_TOKEN_STRATEGIES),
        width="content",
    )
    session.strategy = chosen or "sample"


def _draw_seed(session: TextState, greedy: bool, t: Translator) -> None:
    session_state.default_widget("seed", session.seed)
    session.seed = int(
        st.number_input(
            t("settings.seed"), 0, 2**31 - 1, key="seed", persist_state="session", disabled=greedy,
            help=t("settings.seed_note"), width=WIDTH,
        )
    )  # fmt: skip
    st.button(t("settings.new_seed"), key="new_seed", disabled=greedy, on_click=_new_seed)


def _draw_bars(session: TextState, t: Translator) -> None:
    session_state.default_widget("bars_shown", session.bars)
    session.bars = st.slider(t("settings.bars"), 3, 30, key="bars_shown", persist_state="session", width=WIDTH)


def _slider(name: str, greedy: bool, t: Translator) -> float:
    low, high, step = SLIDERS[name]
    session_state.default_widget(name, getattr(FIRST_SETTINGS, name))
    current = type(step)(session_state.widget(name))
    # Only where the type differs: setting the value of a slider while it is dragged would interrupt the drag.
    if type(session_state.widget(name)) is not type(current):
        session_state.set_widget(name, current)
    low, high = min(low, current), max(high, current)  # a trace may contain values outside of the slider's range
    value = st.slider(
        t(f"settings.{name}"),
        low,
        high,
        step=step,
        key=name,
        persist_state="session",
        disabled=greedy and name in _DISABLED_FOR_GREEDY,
        help=t("settings.not_greedy") if greedy and name in _DISABLED_FOR_GREEDY else t(f"settings.{name}_note"),
        width=WIDTH,
    )
    return float(value) if isinstance(step, float) else int(value)


def token_count_slider(
    label: str,
    low: int,
    high: int,
    first: int,
    key: str,
    note: str | None = None,
    width: int | Literal["stretch"] = WIDTH,
) -> int:
    """A slider for a number of generated tokens, up to `high` or the host's limit; 1 without a slider at limit 1."""
    maximum = min(high, config.current().run_tokens)
    if maximum == 1:
        return 1
    low = min(low, maximum - 1)
    session_state.default_widget(key, min(first, maximum))
    return st.slider(label, low, maximum, key=key, persist_state="session", help=note, width=width)


def sync_widgets(session: TextState) -> None:
    """Set the prompt box and the controls from the session, after something other than these widgets changed it."""
    session_state.set_widget("prompt", session.prompt)
    session_state.set_widget("strategy", session.strategy)
    session_state.set_widget("seed", session.seed)
    for name in SLIDERS:
        session_state.set_widget(name, getattr(session.settings, name))
    session_state.set_widget("bars_shown", session.bars)
    session_state.set_widget("run_tokens", session.run_tokens)


def _new_seed() -> None:
    session_state.set_widget("seed", secrets.randbelow(10_000))
