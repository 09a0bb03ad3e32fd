"""Set-up of a lesson's step: its prompt and settings, applied before the page is drawn.

A step without a prompt or a setting of its own has that of the steps before it: whoever comes to it by a link gets
theirs first.

A lesson's file may use the names in `SETTINGS`.
`beam_shown` are the levels of the tree that are shown at least; the other settings that are not attributes of TextState
or of its Settings are widget keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

from engine.sampling.settings import Settings
from engine.serving import config
from pages.beam.state import BeamState
from pages.course.lesson import Step
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import sampling_controls
from pages.tokens.state import TokensState
from pages.training.state import TrainingState

_SAMPLING_SETTINGS = tuple(field.name for field in fields(Settings))
SETTINGS = (
    *_SAMPLING_SETTINGS, "strategy", "seed", "run_tokens", "beam_width", "beam_levels", "beam_penalty", "limits_shown",
    "speculative_shown", "uses_task", "compare_tokens", "compare_seeds", "beam_shown", "inside_mattered",
)  # fmt: skip
_TOKEN_COUNTS = ("run_tokens", "beam_levels", "compare_tokens")  # limited by the host


def settings_of(step: Step) -> frozenset[str]:
    """Widget keys of the settings that a step points to or asks to be changed."""
    names = {step.point or "", *(name for name, _ in step.task)}
    return frozenset({"bars_shown"} if "bars" in names else ()) | names.intersection(_SAMPLING_SETTINGS)


def set_up_steps(steps: Sequence[Step]) -> None:
    """Apply the prompts and the settings of these steps of a lesson, in order; all others stay unchanged."""
    for step in steps:
        if step.prompt is not None:
            _PROMPTS[step.page](step.prompt)
        _apply_settings(step)
    sampling_controls.sync_widgets(session_state.get(TextState))


def _apply_settings(step: Step) -> None:
    session = session_state.get(TextState)
    for name, given in step.settings:
        value = min(given, config.current().run_tokens) if name in _TOKEN_COUNTS else given
        if name in _SAMPLING_SETTINGS:
            session.settings = replace(session.settings, **{name: value})
        elif name in ("strategy", "seed", "run_tokens"):
            setattr(session, name, value)
        elif name == "beam_shown":
            session_state.get(BeamState).shown_at_least = value
        else:
            session_state.set_widget(name, value)


def _set_prompt(prompt: str) -> None:
    """Set the step page's prompt; the trace is started when a page is drawn, with the model in use then."""
    session = session_state.get(TextState)
    session.prompt, session.trace, session.running = prompt, None, 0
    session.problem = session.stopped = None
    session_state.set_widget("search", "")


def _set_training_text(prompt: str) -> None:
    """Set the training page's text, read by the model when the page is drawn."""
    training = session_state.get(TrainingState)
    training.text, training.ids, training.opened, training.checkpoint = prompt, (), None, None
    session_state.set_widget("training_text", prompt)


def _ignore_prompt(prompt: str) -> None:
    """Do nothing: the page has its own texts."""


_PROMPTS: dict[str, Callable[[str], None]] = {  # sets the prompt of a step, by the step's page
    "step": _set_prompt,
    "beam": _set_prompt,
    "transformer": _set_prompt,
    "attention": _set_prompt,
    "compare": lambda prompt: session_state.set_widget("compare_prompt", prompt),
    "tokens": lambda prompt: session_state.get(TokensState).load_text(prompt),
    "training": _set_training_text,
    "limits": _ignore_prompt,
    "speculative": _ignore_prompt,
    "uses": _ignore_prompt,
    "chat": _ignore_prompt,
    "quiz": _ignore_prompt,
}
