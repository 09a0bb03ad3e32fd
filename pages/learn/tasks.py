"""When a step of a lesson is done: conditions on what the learner has on the table, read and never guessed.

A condition is a function of the table, of the value that the lesson's file gives it, and of a memory that is empty when
the step begins. It is asked after everything the learner does, and may remember what it saw.
"""

from __future__ import annotations

from typing import Any

from pages.learn.page_tasks import PAGES
from pages.learn.step_tasks import STEP
from pages.learn.table import Condition, Memory, Table

TASKS: dict[str, Condition] = {**STEP, **PAGES}


def done(task: tuple[tuple[str, Any], ...], table: Table, memory: Memory) -> bool:
    """Whether all conditions of a step hold. Each is asked, so that each sees what happens."""
    held = [TASKS[name](table, value, memory.setdefault(f"{at} {name}", {})) for at, (name, value) in enumerate(task)]
    return all(held)
