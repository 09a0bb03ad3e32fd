"""Puts on the table what a step of a lesson begins with: its prompt, its settings. Called before a page is drawn.

`SETTINGS` and `POINTS` are what a lesson's file may name: settings with the key of their control, and places on the
pages with the style selector that finds them.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from engine.sampling.settings import Settings
from engine.serving import config
from pages.course.lesson import Step
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import sampling_controls
from pages.tokens.state import TokensState
from pages.training.state import TrainingState

_CHOOSING = tuple(field.name for field in fields(Settings))
SETTINGS = (
    *_CHOOSING, "strategy", "seed", "run_tokens", "beam_width", "beam_levels", "beam_penalty", "limits_shown",
    "uses_task",
    "compare_tokens", "compare_seeds",
)  # fmt: skip
_LENGTHS = ("run_tokens", "beam_levels", "compare_tokens")  # the host may allow less
HIGHLIGHTS = {
    "controls": ".st-key-next, .st-key-run, .st-key-back",
    "prompt": ".st-key-prompt",
    "text": ".st-key-strip",
    "bars": ".st-key-bars",
    "search": ".st-key-search",
    "sums": ".st-key-sums",
    "curve": ".st-key-sums",
    "temperature": ".st-key-temperature",
    "top_k": ".st-key-top_k",
    "top_p": ".st-key-top_p",
    "seed": ".st-key-seed, .st-key-new_seed",
    "strategy": ".st-key-strategy",
    "grow": ".st-key-grow, .st-key-grow_all",
    "tree": ".st-key-beam_tree",
    "width": ".st-key-beam_width",
    "maps": ".st-key-head_maps",
    "head": ".st-key-one_head",
    "lens": ".st-key-lens_table",
    "flat": "[class*='st-key-compare-flat'], [class*='st-key-compare-peaked']",
    "mattered": ".st-key-inside_mattered",
    "cut": ".st-key-cut",
    "merges": ".st-key-merging",
    "cut_text": ".st-key-cut_text",
    "forced": ".st-key-forced",
    "training_text": ".st-key-training_text, .st-key-training_start",
    "learning": ".st-key-learning",
    "forced_token": ".st-key-limits_forced",
    "question": ".st-key-limits_start",
    "run": ".st-key-uses_run",
    "task": ".st-key-uses_task",
    "families": ".st-key-uses_families",
    "quiz": ".st-key-quiz",
    "start": ".st-key-compare_start, .st-key-training_start, .st-key-limits_start",
}

SCROLL_TO_BOTTOM = ("curve",)  # of these it is the lower end that is to be seen


def set_up_step(step: Step) -> None:
    """Everything that the step's file names; what it does not name stays as it is."""
    if step.prompt is not None:
        _PROMPTS[step.page](step.prompt)
    session = session_state.get(TextState)
    for name, asked in step.settings:
        value = min(asked, config.current().run_tokens) if name in _LENGTHS else asked
        if name in _CHOOSING:
            session.settings = replace(session.settings, **{name: value})
        elif name in ("strategy", "seed", "run_tokens"):
            setattr(session, name, value)
        else:
            session_state.set_widget(name, value)
    sampling_controls.sync_widgets(session)


def _begin(prompt: str) -> None:
    """The text that goes from page to page: begun when the page is drawn, with the model that is there then."""
    session = session_state.get(TextState)
    session.prompt, session.trace, session.running = prompt, None, 0
    session.problem = session.stopped = None
    session_state.set_widget("search", "")


def _forced(prompt: str) -> None:
    forcing = session_state.get(TrainingState)
    forcing.text, forcing.ids, forcing.opened, forcing.moment = prompt, (), None, None
    session_state.set_widget("training_text", prompt)


def _nothing(prompt: str) -> None:
    """These pages bring their own texts."""


_PROMPTS: dict[str, Any] = {
    "step": _begin,
    "beam": _begin,
    "attention": _begin,
    "compare": lambda prompt: session_state.set_widget("compare_prompt", prompt),
    "tokens": lambda prompt: session_state.get(TokensState).take(prompt),
    "training": _forced,
    "limits": _nothing,
    "uses": _nothing,
    "quiz": _nothing,
}
