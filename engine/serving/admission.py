"""The door between visitors and the model: how many may be in, how much each may ask, and whether they are still there.

Pages say once who is asking (`serve`); on a thread that asks for nobody, as in a program or a test, nothing is limited.
A move pays for its steps before it is made (`step`), so that a refusal leaves everything as it was. Every pass of the
model goes past here as well (`passed`): one that no move has paid for is put on the bill, and a visitor who has gone
away gets no more of them. The limits are the host's, see `config.py`; no text is kept here.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine import usage
from engine.errors import EngineError, PromptError
from engine.serving import config, json_logs, metrics

IDLE_SECONDS = 600.0  # seconds without a move after which a place may go to somebody who waits


@dataclass(slots=True)
class _Visitor:
    """A bucket that holds a minute's steps and fills evenly; below 0 it owes.

    paid   steps that the last move has paid for and the model has not taken
    began  when the move came that is being answered
    depth  how many parts of the page are being drawn, one within the other
    """

    level: float
    filled: float = field(default_factory=lambda: metrics.now())
    seen: float = field(default_factory=lambda: metrics.now())
    paid: float = 0.0
    began: float | None = None
    depth: int = 0

    def fill(self, a_minute: int) -> None:
        now = metrics.now()
        self.level = min(a_minute, self.level + (now - self.filled) * a_minute / 60)
        self.filled = now


@dataclass(frozen=True, slots=True)
class _Served:
    """What the pages say; see `serve`."""

    who: Callable[[], str | None]
    present: Callable[[str], bool]
    end: Callable[[], None]
    texts: Callable[[], Collection[str]]


_lock = threading.Lock()
_visitors: dict[str, _Visitor] = {}
_served = _Served(lambda: None, lambda _: True, lambda: None, tuple)


def serve(
    who: Callable[[], str | None],
    present: Callable[[str], bool],
    end: Callable[[], None],
    texts: Callable[[], Collection[str]],
) -> None:
    """Tell the door whom it serves.

    who      the id of the visitor for whom this thread works; None for nobody
    present  whether a visitor is still connected
    end      gives up the work of this thread, by raising what ends it
    texts    the app's own prompts, which are always allowed
    """
    global _served
    _served = _Served(who, present, end, texts)


def session_count() -> int:
    """How many visitors are in."""
    with _lock:
        _leave_those_gone()
        return len(_visitors)


def _leave_those_gone() -> None:
    for name in [name for name in _visitors if not _served.present(name)]:
        del _visitors[name]
        json_logs.event("left", visitor=name, sessions=len(_visitors))


def admit() -> None:
    """Let the visitor of this thread in. Raises EngineError(`limit_sessions`) where all places are taken.

    A place whose visitor has made no move for ten minutes is free for who waits; with the next move they come in again.
    """
    name = _served.who()
    if name is not None:
        with _lock:
            _enter(name)


def _enter(name: str) -> _Visitor:
    """Under the lock."""
    visitor = _visitors.get(name)
    if visitor is None:
        limits = config.current()
        _leave_those_gone()
        if limits.sessions and len(_visitors) >= limits.sessions:
            idlest = min(_visitors, key=lambda other: _visitors[other].seen)
            if metrics.now() - _visitors[idlest].seen < IDLE_SECONDS:
                raise _refusal("limit_sessions", f"{len(_visitors)} sessions already", most=limits.sessions)
            del _visitors[idlest]
        json_logs.event("came", visitor=name, sessions=len(_visitors) + 1)
        visitor = _visitors[name] = _Visitor(level=float(limits.steps_per_minute))
    visitor.seen = metrics.now()
    return visitor


def charge(count: int = 1) -> None:
    """The visitor of this thread asks for so many steps of the model.

    Raises EngineError: `limit_steps` (values: most a minute, seconds to wait), `limit_sessions`.
    """
    name = _served.who()
    if name is None:
        return
    a_minute = config.current().steps_per_minute
    with _lock:
        visitor = _enter(name)
        visitor.paid = float(count)
        if a_minute:
            visitor.fill(a_minute)
            short = min(count, a_minute) - visitor.level
            if short > 0:
                visitor.paid = 0.0
                raise _too_many(a_minute, short)
            visitor.level -= count
    metrics.METRICS.stepped(count)


def before_pass(tokens: int) -> None:
    """The model is about to run over so many tokens for the visitor of this thread.

    What no move has paid for is owed. Raises EngineError(`limit_steps`) where a whole minute is owed already; ends the
    work for a visitor who is gone.
    """
    name = _served.who()
    if name is None:
        return
    if not _served.present(name):
        _served.end()
    a_minute = config.current().steps_per_minute
    with _lock:
        visitor = _enter(name)
        cost = math.ceil(tokens / usage.TOKENS_PER_STEP)
        taken = min(cost, visitor.paid)
        visitor.paid -= taken
        if a_minute and cost > taken:
            visitor.fill(a_minute)
            if visitor.level <= -a_minute:
                raise _too_many(a_minute, 1 - visitor.level)
            visitor.level -= cost - taken


def _too_many(a_minute: int, short: float) -> EngineError:
    seconds = math.ceil(short * 60 / a_minute)
    return _refusal("limit_steps", f"more than {a_minute} steps a minute", most=a_minute, seconds=seconds)


def _refusal(code: str, message: str, kind: type[EngineError] = EngineError, **values: object) -> EngineError:
    metrics.METRICS.refuse(code)
    json_logs.event("refused", visitor=_served.who(), code=code)
    return kind(code, message, **values)


def check_run(tokens: int) -> None:
    """Raises EngineError(`limit_run`) where a visitor asks for a run longer than the host allows."""
    most = config.current().run_tokens
    if _served.who() is not None and tokens > most:
        raise _refusal("limit_run", f"a run of {tokens} tokens", count=tokens, most=most)


def check_prompt(text: str) -> None:
    """Raises PromptError(`limit_demo`) for a visitor's own prompt in a demo."""
    if _served.who() is None:
        return
    json_logs.prompt(text, visitor=_served.who())
    if config.current().demo and text not in _served.texts():
        raise _refusal("limit_demo", "a prompt of a visitor's own, in a demo", PromptError)


def check_length(text: str, tokens: int) -> None:
    """Raises PromptError(`limit_prompt`) for a visitor's own prompt of more tokens than the host allows."""
    most = config.current().prompt_tokens
    if _served.who() is not None and 0 < most < tokens and text not in _served.texts():
        raise _refusal("limit_prompt", f"a prompt of {tokens} tokens", PromptError, count=tokens, most=most)


def start_response_timer() -> None:
    """A move of this thread's visitor has come, and is to be answered."""
    name = _served.who()
    if name is not None and (visitor := _visitors.get(name)) is not None:
        visitor.began = visitor.began or metrics.now()


def mark_answered() -> None:
    """All is drawn that the move changed; what follows is done while the visitor looks."""
    name = _served.who()
    if name is not None and (visitor := _visitors.get(name)) is not None and visitor.began is not None:
        metrics.METRICS.answered(metrics.now() - visitor.began)
        visitor.began = None


@contextmanager
def response_timer() -> Iterator[None]:
    """Around the drawing of a page, or of a part: a move is answered when the outermost ends, if not before."""
    visitor = _visitors.get(_served.who() or "")
    if visitor is None:
        yield
        return
    visitor.depth += 1
    try:
        yield
    finally:
        visitor.depth -= 1
        if not visitor.depth:
            mark_answered()


usage.install(usage.Hooks(check_prompt=check_prompt, check_length=check_length, charge=charge, before_pass=before_pass))
