"""Moves of the visitor on the stage, and the number of the last one that was made. No Streamlit here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.model.model import Model

ARRIVAL_TOKENS = 2  # tokens written without a click on a first visit


@dataclass
class StageState:
    """Number of the last move that was made, and the continuation of a prompt on arrival.

    The browser numbers its moves and sends all those that it does not know to be made, so that none is lost where
    several are sent while the app is busy, and none is made twice.
    """

    made: int = 0
    arrival_prompt: str = ""  # the prompt that is continued without a click on arrival
    arrival_tokens: int = 0  # how many tokens of that continuation are still to come

    def arrive(self, prompt: str) -> None:
        """Continue the prompt by a few tokens without a click, until the visitor does something."""
        self.arrival_prompt, self.arrival_tokens = prompt, ARRIVAL_TOKENS

    def arriving(self, prompt: str) -> bool:
        """Whether another token of the continuation on arrival is to come."""
        return self.arrival_tokens > 0 and prompt == self.arrival_prompt

    @property
    def untouched(self) -> bool:
        """Whether the app has continued a prompt on arrival, and the visitor has made no move since."""
        return bool(self.arrival_prompt)

    def new_moves(self, sent: object) -> list[dict[str, Any]]:
        """The well-formed moves among those sent that were not made yet, in their order; they count as made now."""
        well_formed: list[dict[str, Any]] = list(filter(_is_move, sent)) if isinstance(sent, list) else []
        moves = sorted((move for move in well_formed if move["n"] > self.made), key=lambda move: int(move["n"]))
        if moves:
            self.made = moves[-1]["n"]
        return [move for move in moves if self._takes_place(move)]

    def _takes_place(self, move: dict[str, Any]) -> bool:
        """Whether a move is made: a token on arrival only until the visitor makes another move."""
        if move["kind"] != "arrive":
            self.arrival_tokens, self.arrival_prompt = 0, ""
            return True
        self.arrival_tokens -= 1
        return self.arrival_tokens >= 0


def make(session: TextState, model: Model, moves: list[dict[str, Any]]) -> None:
    """Make the moves in their order. Raises EngineError at the first that is impossible; those after it are left out.

    next, run, stop, back, restart   the action of that name of `TextState`
    undo                             `TextState.undo_restart`
    tick {turn}                      the next token of a run
    arrive {turn}                    the next token on arrival
    go {turn, node}                  the cursor to a node of the trace
    pick {turn, token, after}        a token after the cursor, or after the node `after`
    """
    for move in moves:
        _ACTIONS[move["kind"]](session, model, move)


def run_to_the_end(session: TextState, model: Model) -> None:
    """A whole run without a browser that asks for each token. Raises EngineError(`limit_run`)."""
    session.run(model)
    while session.run_on(model):
        pass


def _run(session: TextState, model: Model, move: dict[str, Any]) -> None:
    session.run(model)
    session.run_on(model)


def _tick(session: TextState, model: Model, move: dict[str, Any]) -> None:
    if move["turn"] == session.turn:
        session.run_on(model)


def _arrive(session: TextState, model: Model, move: dict[str, Any]) -> None:
    if move["turn"] == session.turn:
        session.step(model)


def _pick(session: TextState, model: Model, move: dict[str, Any]) -> None:
    session.pick(model, move["turn"], move["token"], move.get("after"))


_ACTIONS: dict[str, Callable[[TextState, Model, dict[str, Any]], object]] = {
    "next": lambda session, model, move: session.step(model),
    "run": _run,
    "tick": _tick,
    "arrive": _arrive,
    "stop": lambda session, model, move: session.stop(model),
    "back": lambda session, model, move: session.back(model),
    "restart": lambda session, model, move: session.restart(model),
    "undo": lambda session, model, move: session.undo_restart(model),
    "go": lambda session, model, move: session.go_to(model, move["turn"], move["node"]),
    "pick": _pick,
}
_NUMBERS = {
    "tick": ("turn",),
    "arrive": ("turn",),
    "go": ("turn", "node"),
    "pick": ("turn", "token"),
}  # that a move of this kind has


def _is_move(move: object) -> bool:
    """Whether this is a move of a known kind with its numbers."""
    if not isinstance(move, dict):
        return False
    kind = move.get("kind")
    if not isinstance(kind, str) or kind not in _ACTIONS:
        return False
    names = ("n", *_NUMBERS.get(kind, ()), *(("after",) if "after" in move else ()))
    return all(type(move.get(name)) is int for name in names)
