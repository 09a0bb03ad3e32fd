"""Logs as JSON lines, one object an event, without what people typed in them unless the host asks for that.

`event` writes an event of ours: its fields are numbers and names, never a person's text. Of what other libraries log,
only the place, the level and a fixed sentence are kept, and of an error only its kind and where it happened: messages
and arguments quote what they are about, and that may be a prompt. With `log_prompts` all of it is written.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TextIO

from engine.serving import config
from engine.serving.metrics import METRICS

_LOGGER = logging.getLogger("engine.events")


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, event, and what may be told of it."""

    def __init__(self, whole: bool) -> None:
        """whole: messages and arguments too, as the host asked."""
        super().__init__()
        self._whole = whole

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
        }
        if record.name == _LOGGER.name:
            line |= {"event": record.msg, **getattr(record, "fields", {})}
        else:
            line |= {"event": "log", "logger": record.name, "where": f"{record.filename}:{record.lineno}"}
            if self._whole:
                line["message"] = record.getMessage()
            elif record.args and isinstance(record.msg, str):
                line["message"] = record.msg  # what is to be filled in stays out
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = self._told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)

    def _told(self, error: BaseException) -> dict[str, Any]:
        told: dict[str, Any] = {"kind": type(error).__name__, "at": _places(traceback.extract_tb(error.__traceback__))}
        if self._whole:
            told["message"] = str(error)
        cause = error.__cause__ or error.__context__
        if cause is not None:
            told["cause"] = type(cause).__name__
        return told


def _places(frames: Iterable[traceback.FrameSummary]) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


class _CountErrors(logging.Filter):
    """Lets everything pass, and counts what went wrong."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            METRICS.fail()
        return True


def begin(stream: TextIO | None = None) -> None:
    """Write everything that is logged in this process to a stream (stderr by default), as JSON lines.

    Errors that end a thread and warnings of Python's own are logged as well, since both are printed otherwise.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(config.current().log_prompts))
    handler.addFilter(_CountErrors())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    logging.captureWarnings(True)
    sys.excepthook = _ended
    threading.excepthook = _thread_ended


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _LOGGER.error("ended", exc_info=(kind, error, trace))


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        _LOGGER.error("thread_ended", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))


def event(name: str, /, **fields: object) -> None:
    """Log that something happened. Fields are for numbers and names; a person's text goes through `prompt`."""
    _LOGGER.info(name, extra={"fields": fields})


def prompt(text: str, /, **fields: object) -> None:
    """Log a prompt, where the host asks for it."""
    if config.current().log_prompts:
        event("prompt", text=text, **fields)
