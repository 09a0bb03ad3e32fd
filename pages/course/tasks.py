"""Completion of a lesson step: conditions on the learner's state, read and never guessed.

A condition is a function of the learner's state, of the value in the lesson's file, and of a memory that is empty when
the step begins. It is evaluated after every action, and may store what it has seen.
"""

from __future__ import annotations

from typing import Any

from pages.course.learner import Condition, Learner, Memory
from pages.course.page_tasks import PAGES
from pages.course.text_tasks import STEP

TASKS: dict[str, Condition] = {**STEP, **PAGES}


def done(task: tuple[tuple[str, Any], ...], learner: Learner, memory: Memory) -> bool:
    """Whether all conditions of a step hold. Each is asked, so that each sees what happens."""
    held = [TASKS[name](learner, value, memory.setdefault(f"{at} {name}", {})) for at, (name, value) in enumerate(task)]
    return all(held)
