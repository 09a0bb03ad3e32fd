"""Chat template of a model: the program, in Jinja's language, that writes a conversation as the one text it reads.

Such a template comes with the model's files and is foreign code, so that it is rendered in a process of its own with
bounded time and memory (`chat_template_worker.py`). `chat_encoding.py` makes tokens of the text.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from engine.errors import EngineError

Role = Literal["system", "user", "assistant"]
MAX_TEMPLATE_CHARACTERS = 200_000  # the longest known are about 20,000
MAX_RENDERED_CHARACTERS = 200_000
_CPU_SECONDS = 2
_WALL_SECONDS = 10.0  # on a busy machine, its start included
_MAX_BYTES = 512 * 2**20  # of the process's memory
_WORKER = Path(__file__).with_name("chat_template_worker.py")
_PASSED_ON = ("PATH", "HOME", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_THINKING_VARIABLE = "enable_thinking"
_MAX_MESSAGE = 200  # characters of a template's own error message


class ChatMessage(NamedTuple):
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """Template with the variables that it may use besides the messages, such as the names of special tokens."""

    source: str
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def can_skip_thinking(self) -> bool:
        """Whether the template knows the variable by which families such as Qwen3 leave the thinking out."""
        return _THINKING_VARIABLE in self.source

    def render(self, messages: Sequence[ChatMessage], thinking: bool = True) -> str:
        """Text of a conversation, up to where the model's reply begins. `thinking`: see `can_skip_thinking`.

        Raises EngineError: `chat_refused` (values: `said`, its own words), `chat_template` (values: `reason`:
        `broken`, `large` or `slow`).
        """
        return _rendered(self, tuple(messages), thinking or not self.can_skip_thinking)


_processes = threading.Semaphore(4)  # at the same time: each takes some 30 MB
_too_slow: set[ChatTemplate] = set()  # not tried again: nobody shall keep the machine busy with one


@lru_cache(64)
def _rendered(template: ChatTemplate, messages: tuple[ChatMessage, ...], thinking: bool) -> str:
    if template in _too_slow:
        raise _unusable("slow", "it was stopped before")
    if len(template.source) > MAX_TEMPLATE_CHARACTERS:
        raise _unusable("large", f"a template of {len(template.source)} characters")
    variables: dict[str, Any] = dict(template.variables)
    variables |= {"messages": [message._asdict() for message in messages], "add_generation_prompt": True}
    variables |= {"tools": None, "documents": None}
    variables |= {} if thinking else {_THINKING_VARIABLE: False}
    bounds: dict[str, object] = {
        "most_characters": MAX_RENDERED_CHARACTERS,
        "seconds": _CPU_SECONDS,
        "bytes": _MAX_BYTES,
    }
    try:
        answer = _run_worker({"template": template.source, "variables": variables} | bounds)
    except EngineError as error:
        if error.values["reason"] == "slow":
            _too_slow.add(template)
        raise
    if "text" in answer:
        return _checked(answer["text"])
    message = answer["message"][:_MAX_MESSAGE]
    if answer["error"] == "refused":
        raise EngineError("chat_refused", f"the template refuses the conversation: {message}", said=message)
    raise _unusable(answer["error"], message)


def _checked(text: str) -> str:
    """The text, which a template may fill with half characters."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _unusable("broken", "it writes a lone surrogate") from error
    return text


def _unusable(reason: str, message: str) -> EngineError:
    return EngineError("chat_template", f"the chat template cannot be used: {message}", reason=reason)


def _run_worker(asked: Mapping[str, object]) -> dict[str, str]:
    """The worker's answer. Raises EngineError(`chat_template`) where it gives none."""
    variables = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        with _processes:
            done = subprocess.run(
                [sys.executable, "-E", "-P", str(_WORKER)],
                input=json.dumps(asked).encode(),
                capture_output=True,
                timeout=_WALL_SECONDS,
                env=variables,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise _unusable("slow", f"more than {_WALL_SECONDS} seconds") from error
    except OSError as error:
        raise _unusable("broken", f"no process: {error}") from error
    if done.returncode < 0:
        raise _unusable("slow", f"ended by signal {-done.returncode}")
    try:
        answer: dict[str, str] = json.loads(done.stdout)
    except ValueError as error:
        reason = "large" if b"MemoryError" in done.stderr else "broken"
        raise _unusable(reason, done.stderr.decode("utf-8", "replace")[-_MAX_MESSAGE:]) from error
    return answer
