"""What the task of a step needs next, and where its result is seen; names of `places.py`.

Both follow from the conditions of the task. A step's `press` and `result` in the lesson's file come first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.decoding.text_metrics import repeated_ngrams
from pages.course.learner import Learner, TaskMemory
from pages.course.lesson import Step
from pages.course.places import BUTTONS

Aim = Callable[[Learner, Any, TaskMemory], str]


def _is_at_prompt(learner: Learner) -> bool:
    """Whether nothing stands before the cursor but the prompt."""
    return len(learner.trace.path()) <= learner.trace.prompt_length


def _run(learner: Learner, value: Any, memory: TaskMemory) -> str:
    """Run; from the prompt again where the text has ended."""
    return "press_restart" if not learner.session.running and learner.session.end(learner.model) else "press_run"


def _branch(learner: Learner, value: Any, memory: TaskMemory) -> str:
    """Write, go back, choose another bar."""
    if learner.trace.children().get(learner.trace.cursor):
        return "bars"
    return "press_next" if _is_at_prompt(learner) else "press_back"


def _run_twice(learner: Learner, value: Any, memory: TaskMemory) -> str:
    """Run, restart, run."""
    return "press_restart" if "run" in memory and not learner.session.running else "press_run"


def _other_seed(learner: Learner, value: Any, memory: TaskMemory) -> str:
    """Run, restart, a new seed."""
    if learner.session.running:
        return "press_run"
    if not _is_at_prompt(learner):
        return "press_restart"
    return "press_new_seed" if learner.session.seed in memory.get("seeds", ()) else "press_run"


def _without_loop(learner: Learner, yes: bool, memory: TaskMemory) -> str:
    """Run; from the prompt again where the text repeats itself and should not."""
    trace = learner.trace
    repeats = bool(repeated_ngrams(trace.token_ids()[trace.prompt_length :]))
    return "press_restart" if repeats and not yes else _run(learner, yes, memory)


def _strategy(learner: Learner, name: str, memory: TaskMemory) -> str:
    """The control of the strategy; the button of sampling, which is its first."""
    return "press_sample" if name == "sample" else "strategy"


def _setting(learner: Learner, limits: dict[str, float], memory: TaskMemory) -> str:
    """The slider of the first setting that has limits."""
    return next(iter(limits))


def _widths(learner: Learner, count: int, memory: TaskMemory) -> str:
    """The width; where its search has not ended, the button that ends it."""
    return "width" if learner.beam.done else "press_grow_all"


def _box(learner: Learner, name: str, memory: TaskMemory) -> str:
    """The box of that name."""
    return f"box_{name}"


AIMS: dict[str, str | Aim] = {
    "written": "press_next",
    "hand": "bars",
    "back": "press_back",
    "branches": _branch,
    "stopped": _run,
    "strategy": _strategy,
    "loops": _without_loop,
    "length": _run,
    "at_most": _setting,
    "at_least": _setting,
    "seeds": _other_seed,
    "own_prompt": "prompt",
    "unlikely": "bars",
    "search": "search",
    "again": _run_twice,
    "least": "text",
    "bars": "bars_shown",
    "beam_width": "width",
    "beam_widths": _widths,
    "beam_levels": "press_grow",
    "beam_over": "press_grow_all",
    "beam_opened": "tree",
    "compared": "press_start",
    "flat_changed": "flat",
    "head": "maps",
    "row": "head",
    "lens": "lens",
    "mattered": "press_mattered",
    "cut_text": "cut_text",
    "cut_opened": "cut",
    "merged": "press_merge",
    "merged_all": "press_merge",
    "forced_opened": "forced",
    "forced_text": "training_text",
    "moment": "learning",
    "tried": "press_start",
    "tried_other": "press_start",
    "drafted": "press_start",
    "used": "press_use",
    "guessed": "quiz",
    "found_rank": "search",
    "wrote": "bars",
    "logit_gap": "bars",
    "best_drawn": "temperature",
    "nucleus": "press_next",
    "cut_count": "cut_text",
    "cut_more": "cut_text",
    "head_first": "maps",
    "lens_first": "lens",
    "forced_first": "forced",
    "forced_harder": "training_text",
    "forced_below": "training_text",
    "chatted": "conversation",
    "box": _box,
    "last_layer": "layer",
}
RESULT_OF = {
    "at_most": "bars",
    "at_least": "bars",
    "bars": "bars",
    "own_prompt": "bars",
    "search": "found",
    "beam_width": "tree",
    "beam_widths": "tree",
    "beam_levels": "tree",
    "beam_over": "tree",
    "beam_opened": "opened",
    "flat_changed": "flat",
    "head": "head",
    "row": "head",
    "lens": "lens",
    "mattered": "methods",
    "cut_text": "cut",
    "cut_opened": "cut",
    "merged": "merges",
    "merged_all": "merges",
    "forced_opened": "guesses",
    "forced_text": "forced",
    "moment": "learning",
    "tried": "measured",
    "tried_other": "measured",
    "drafted": "measured",
    "used": "answer",
    "guessed": "quiz",
    "found_rank": "found",
    "best_drawn": "bars",
    "nucleus": "bars",
    "cut_count": "cut",
    "cut_more": "cut",
    "head_first": "head",
    "lens_first": "lens",
    "forced_first": "guesses",
    "forced_harder": "forced",
    "forced_below": "forced",
    "chatted": "conversation",
    "box": "numbers",
    "last_layer": "numbers",
}  # the other tasks have it in the text


def next_aim(step: Step, met: Sequence[bool], learner: Learner, memory: TaskMemory) -> str | None:
    """Button or place that the first condition that is not met needs; None where all are. `met`: one a condition."""
    for index, ((name, value), holds) in enumerate(zip(step.task, met, strict=True)):
        if not holds:
            aim = AIMS[name]
            aim = aim if isinstance(aim, str) else aim(learner, value, memory.get(f"{index} {name}", {}))
            return step.press if step.press and aim in BUTTONS else aim
    return None


def result(step: Step) -> str | None:
    """Place of the step's result; None where its page has none by a name."""
    last = step.task[-1][0]
    return step.result or RESULT_OF.get(last, "text" if step.page == "step" else step.point)
