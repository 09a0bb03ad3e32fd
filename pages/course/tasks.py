"""Completion of a lesson's step: conditions on the state of the pages.

A condition is called with the learner's state, its value in the lesson's file, and a memory that is empty when the step
begins. It is evaluated after every action and may store intermediate values in the memory, such as the seeds used.
"""

from __future__ import annotations

from typing import Any

from engine.errors import EngineError
from pages.course.learner import Condition, Learner, TaskMemory
from pages.course.page_tasks import PAGE_TASKS
from pages.course.text_tasks import TEXT_TASKS

TASKS: dict[str, Condition] = {**TEXT_TASKS, **PAGE_TASKS}


def done(task: tuple[tuple[str, Any], ...], learner: Learner, memory: TaskMemory) -> bool:
    """Whether all conditions of a step hold.

    All are evaluated, even after one is false, so that each can update its own part of the memory.
    """
    results = [
        _holds(TASKS[name], learner, value, memory.setdefault(f"{index} {name}", {}))
        for index, (name, value) in enumerate(task)
    ]
    return all(results)


def _holds(condition: Condition, learner: Learner, value: Any, memory: TaskMemory) -> bool:
    """Whether a condition holds; False where the model's numbers, which it needs, cannot be used."""
    try:
        return condition(learner, value, memory)
    except EngineError:
        return False
