"""Admission control: session limit, a token bucket of model steps per session, cancelling work of disconnected clients.

The app installs functions that identify the visitor of a thread (`serve`). Threads without a visitor, as in a program
or a test, are not limited. An action is charged for its steps before it runs (`charge`), so a refused action changes
nothing. Every forward pass is checked as well (`before_pass`): a pass that no action has paid for is charged to the
bucket, which may become negative, and the work of a disconnected visitor is stopped. The limits come from `config.py`.
No texts are stored here.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine import usage
from engine.errors import EngineError, PromptError
from engine.serving import config, endpoint_usage, json_logs, metrics

IDLE_SECONDS = 600.0  # seconds without a request after which a session may be replaced by a waiting one


@dataclass(slots=True)
class _Visitor:
    """State of one session. Times are those of `metrics.now`, in seconds.

    level           steps in the token bucket; its capacity is one minute's steps, negative values are debt
    filled_at       time of the last refill
    active_at       time of the last request
    prepaid         steps charged by the last action and not yet used by forward passes
    response_start  arrival time of the action in progress; None if there is none
    timer_depth     nesting depth of `response_timer`
    """

    level: float
    filled_at: float = field(default_factory=lambda: metrics.now())
    active_at: float = field(default_factory=lambda: metrics.now())
    prepaid: float = 0.0
    response_start: float | None = None
    timer_depth: int = 0

    def refill(self, per_minute: int) -> None:
        now = metrics.now()
        self.level = min(per_minute, self.level + (now - self.filled_at) * per_minute / 60)
        self.filled_at = now


@dataclass(frozen=True, slots=True)
class _SessionHooks:
    """The functions that the app installs; see `serve`."""

    current_visitor: Callable[[], str | None]
    is_connected: Callable[[str], bool]
    stop: Callable[[], None]
    own_prompts: Callable[[], Collection[str]]


_lock = threading.Lock()
_visitors: dict[str, _Visitor] = {}
_session_hooks = _SessionHooks(lambda: None, lambda _: True, lambda: None, tuple)


def serve(
    who: Callable[[], str | None],
    present: Callable[[str], bool],
    end: Callable[[], None],
    texts: Callable[[], Collection[str]],
) -> None:
    """Install the functions that identify visitors.

    who      session id of the visitor for whom this thread works; None if there is none
    present  whether the client of a session is still connected
    end      stops the work of this thread by raising an exception
    texts    the app's own prompts, which are exempt from `check_prompt` and `check_length`
    """
    global _session_hooks
    _session_hooks = _SessionHooks(who, present, end, texts)


def session_count() -> int:
    """Number of active sessions, after removal of disconnected ones."""
    with _lock:
        _remove_disconnected()
        return len(_visitors)


def _remove_disconnected() -> None:
    """Requires the lock."""
    for name in [name for name in _visitors if not _session_hooks.is_connected(name)]:
        del _visitors[name]
        json_logs.event("left", visitor=name, sessions=len(_visitors))


def admit() -> None:
    """Admit the visitor of this thread. Raises EngineError(`limit_sessions`) if the session limit is reached.

    At the limit, the longest idle session is replaced if it made no request for IDLE_SECONDS; the replaced visitor is
    admitted again with their next request, under the same rule.
    """
    name = _session_hooks.current_visitor()
    if name is not None:
        with _lock:
            _admit(name)


def _admit(name: str) -> _Visitor:
    """State of a visitor, admitted if necessary. Requires the lock. Raises EngineError(`limit_sessions`)."""
    visitor = _visitors.get(name)
    if visitor is None:
        limits = config.current()
        _remove_disconnected()
        if limits.sessions and len(_visitors) >= limits.sessions:
            idlest = min(_visitors, key=lambda other: _visitors[other].active_at)
            if metrics.now() - _visitors[idlest].active_at < IDLE_SECONDS:
                raise _refusal("limit_sessions", f"{len(_visitors)} sessions already", most=limits.sessions)
            del _visitors[idlest]
        json_logs.event("came", visitor=name, sessions=len(_visitors) + 1)
        visitor = _visitors[name] = _Visitor(level=float(limits.steps_per_minute))
    visitor.active_at = metrics.now()
    return visitor


def charge(count: int = 1) -> None:
    """Charge the visitor of this thread for `count` model steps of an action.

    An action larger than a minute's steps needs a full bucket and leaves a debt. Raises EngineError: `limit_steps`
    (values: `most` steps a minute, `seconds` to wait), `limit_sessions`.
    """
    name = _session_hooks.current_visitor()
    if name is None:
        return
    per_minute = config.current().steps_per_minute
    with _lock:
        visitor = _admit(name)
        visitor.prepaid = float(count)
        if per_minute:
            visitor.refill(per_minute)
            missing = min(count, per_minute) - visitor.level
            if missing > 0:
                visitor.prepaid = 0.0
                raise _rate_limited(per_minute, missing)
            visitor.level -= count
    metrics.METRICS.record_steps(count)


def before_pass(tokens: int) -> None:
    """Check and charge a forward pass over `tokens` tokens for the visitor of this thread.

    Steps that were not prepaid by `charge` are taken from the bucket, which may become negative. Raises
    EngineError(`limit_steps`) if the debt is a minute's steps already; stops the work of a disconnected visitor.
    """
    name = _session_hooks.current_visitor()
    if name is None:
        return
    if not _session_hooks.is_connected(name):
        _session_hooks.stop()
    per_minute = config.current().steps_per_minute
    with _lock:
        visitor = _admit(name)
        cost = math.ceil(tokens / usage.TOKENS_PER_STEP)
        covered = min(cost, visitor.prepaid)
        visitor.prepaid -= covered
        if per_minute and cost > covered:
            visitor.refill(per_minute)
            if visitor.level <= -per_minute:
                raise _rate_limited(per_minute, 1 - visitor.level)
            visitor.level -= cost - covered


def _rate_limited(per_minute: int, missing: float) -> EngineError:
    seconds = math.ceil(missing * 60 / per_minute)
    return _refusal("limit_steps", f"more than {per_minute} steps a minute", most=per_minute, seconds=seconds)


def _refusal(code: str, message: str, kind: type[EngineError] = EngineError, **values: object) -> EngineError:
    """An error to raise, counted in the metrics and logged."""
    metrics.METRICS.record_refusal(code)
    json_logs.event("refused", visitor=_session_hooks.current_visitor(), code=code)
    return kind(code, message, **values)


def check_run(tokens: int) -> None:
    """Raises EngineError(`limit_run`) for a visitor's run of more tokens than the host allows."""
    limit = config.current().run_tokens
    if _session_hooks.current_visitor() is not None and tokens > limit:
        raise _refusal("limit_run", f"a run of {tokens} tokens", count=tokens, most=limit)


def check_prompt(text: str) -> None:
    """Raises PromptError(`limit_demo`) in demo mode for a visitor's prompt that is not one of the app's own."""
    if _session_hooks.current_visitor() is None:
        return
    json_logs.prompt(text, visitor=_session_hooks.current_visitor())
    if config.current().demo and text not in _session_hooks.own_prompts():
        raise _refusal("limit_demo", "a prompt of a visitor's own, in a demo", PromptError)


def check_length(text: str, tokens: int) -> None:
    """Raises PromptError(`limit_prompt`) for a visitor's own prompt of more tokens than the host allows."""
    limit = config.current().prompt_tokens
    if _session_hooks.current_visitor() is not None and 0 < limit < tokens and text not in _session_hooks.own_prompts():
        raise _refusal("limit_prompt", f"a prompt of {tokens} tokens", PromptError, count=tokens, most=limit)


def start_response_timer() -> None:
    """Start the response timer of this thread's visitor at the arrival of an action, unless it runs already."""
    name = _session_hooks.current_visitor()
    if name is not None and (visitor := _visitors.get(name)) is not None:
        visitor.response_start = visitor.response_start or metrics.now()


def mark_answered() -> None:
    """Stop the response timer and record the time: everything that the action changed is drawn.

    Later work, such as prefetching, is not part of the response time.
    """
    name = _session_hooks.current_visitor()
    if name is not None and (visitor := _visitors.get(name)) is not None and visitor.response_start is not None:
        metrics.METRICS.record_response(metrics.now() - visitor.response_start)
        visitor.response_start = None


@contextmanager
def response_timer() -> Iterator[None]:
    """Context of drawing a page or a fragment; the exit of the outermost one calls `mark_answered`."""
    visitor = _visitors.get(_session_hooks.current_visitor() or "")
    if visitor is None:
        yield
        return
    visitor.timer_depth += 1
    try:
        yield
    finally:
        visitor.timer_depth -= 1
        if not visitor.timer_depth:
            mark_answered()


def before_request(endpoint: str) -> None:
    """Count a request to an endpoint for the visitor of this thread; stops the work of a disconnected visitor.

    Raises EngineError: `limit_requests`, `limit_day` (values: `most`).
    """
    name = _session_hooks.current_visitor()
    if name is not None and not _session_hooks.is_connected(name):
        _session_hooks.stop()
    if refused := endpoint_usage.count_request(endpoint, name):
        whose, most = refused
        code = "limit_requests" if whose == "visitor" else "limit_day"
        raise _refusal(code, f"more than {most} requests a day", most=most, name=endpoint)


usage.install(
    usage.Hooks(
        check_prompt=check_prompt,
        check_length=check_length,
        charge=charge,
        before_pass=before_pass,
        before_request=before_request,
        after_request=endpoint_usage.count_tokens,
    )
)
