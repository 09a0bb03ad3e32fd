"""Structured logs: one JSON object a line, without user text unless the setting `log_prompts` is on.

`event` logs the app's own events, whose fields are numbers and names, never user text. Records of other libraries are
reduced to source line, level and unformatted message, and exceptions to type and traceback locations, since formatted
messages and arguments may quote a prompt. With `log_prompts`, everything is logged.
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
    """Formatter of a log record as one line of JSON: time (UTC), level, event, and permitted details."""

    def __init__(self, whole: bool) -> None:
        """whole: include formatted messages and arguments, which may quote user text."""
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
                line["message"] = record.msg  # the template without its arguments
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = self._error_fields(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)

    def _error_fields(self, error: BaseException) -> dict[str, Any]:
        frames = traceback.extract_tb(error.__traceback__)
        values: dict[str, Any] = {"kind": type(error).__name__, "at": _locations(frames)}
        if self._whole:
            values["message"] = str(error)
        cause = error.__cause__ or error.__context__
        if cause is not None:
            values["cause"] = type(cause).__name__
        return values


def _locations(frames: Iterable[traceback.FrameSummary]) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


class _CountErrors(logging.Filter):
    """Filter that passes every record and counts those of level ERROR or higher as failures."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            METRICS.record_error()
        return True


def configure(stream: TextIO | None = None) -> None:
    """Configure the root logger of this process to write JSON lines to a stream (default: stderr).

    Existing root handlers are removed. Uncaught exceptions, in any thread, and Python warnings are logged too, since
    they would be printed as plain text otherwise.
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
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _LOGGER.error("ended", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        _LOGGER.error("thread_ended", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))


def event(name: str, /, **fields: object) -> None:
    """Log an event. Fields are numbers and names; user text must be logged with `prompt`."""
    _LOGGER.info(name, extra={"fields": fields})


def prompt(text: str, /, **fields: object) -> None:
    """Log a prompt if the setting `log_prompts` is on."""
    if config.current().log_prompts:
        event("prompt", text=text, **fields)
