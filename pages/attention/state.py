"""What one visitor looks at inside the model, and every move they can make there. Knows no screen.

The text is the step page's, up to its cursor. Here is only which head, which row and which cell are open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.errors import EngineError
from engine.interpret import attention_maps
from engine.serving import admission
from pages.session.query_params import QueryParams, changed
from pages.session.text_state import TextState

if TYPE_CHECKING:
    from engine.interpret.logit_lens import LogitLens
    from engine.model.model import Model
    from pages.session.text_state import TextState


AttentionView = Literal["head", "layer", "all", "rollout"]
VIEWS: tuple[AttentionView, ...] = ("head", "layer", "all", "rollout")
EXPERIMENTS = ("previous", "induction", "sink")


@dataclass
class AttentionState:
    layer: int = 0
    head: int = 0
    view: AttentionView = "head"
    row: int | None = None  # the position whose look is shown; None: the last one, which predicts the next token
    cell: tuple[int, int] | None = None  # (layer, position) of the lens whose list is open
    text: int = 0  # grows when another text is looked at; a click carries the one it was made on
    changed: Literal["head", "row", "cell"] | None = None  # by the last click; reset once all is drawn
    revealed: int = 0  # grows when a head is opened from elsewhere on the page: it is to come into sight
    ids: tuple[int, ...] = ()
    tried: dict[str, int] = field(default_factory=dict)  # experiments that were run, and how often each
    cache: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # by name: the last arguments and their result

    def ready(self, session: TextState, model: Model) -> tuple[int, ...]:
        """The tokens up to the cursor. Another text closes what was open of the one before."""
        ids = session.ready(model).token_ids()
        if ids != self.ids:
            self.ids, self.row, self.cell = ids, None, None
            self.text += 1
        return ids

    def cached(self, name: str, asked: Any, work: Any, steps: int = 0) -> Any:
        """What `work()` gives, worked out anew, for so many steps of the model, only when something else is asked."""
        if name not in self.cache or self.cache[name][0] != asked:
            if steps:
                admission.charge(steps)
            self.cache[name] = asked, work()
        return self.cache[name][1]

    def attention(self, model: Model) -> np.ndarray:
        """(L, H, T, T) of the text. Raises EngineError: `attention` for a model that has none, `not_finite`.

        It is put together from the tree each time, which takes less than drawing it: kept, it would be 36 MB a visitor
        for a text of 512 tokens.
        """
        found = _finite(model.attention(self.ids))
        self.layer, self.head = min(self.layer, found.shape[0] - 1), min(self.head, found.shape[1] - 1)
        return found

    def matrix(self, model: Model, attention: np.ndarray | None = None) -> np.ndarray:
        """(T, T) of what is on show: one head, the mean of its layer, the mean of all, or rollout. `attention` is that
        of the text, where it is at hand."""

        full = self.attention(model) if attention is None else attention
        if self.view == "head":
            return full[self.layer, self.head].copy()  # what is kept of it keeps no more alive
        if self.view == "layer":
            return attention_maps.mean(full[self.layer : self.layer + 1])
        how = attention_maps.mean if self.view == "all" else attention_maps.rollout
        found: np.ndarray = self.cached(self.view, (model.name, self.ids), lambda: how(full))
        return found

    @property
    def at(self) -> int:
        """The row that is shown."""
        return len(self.ids) - 1 if self.row is None else self.row

    @property
    def opened(self) -> tuple[int, int | None] | None:
        """What is on show, of the overview: a head, a layer, or neither."""
        return {"head": (self.layer, self.head), "layer": (self.layer, None)}.get(self.view)

    def open(self, text: int, layer: int, head: int | None) -> None:
        """Open a head from the overview, or the mean of a layer."""
        if text == self.text and layer >= 0 and (head is None or head >= 0):
            self.layer, self.view = layer, "layer"
            if head is not None:
                self.head, self.view = head, "head"
            self.changed = "head"

    def reveal(self, layer: int, head: int) -> None:
        """Open a head from elsewhere on the page, and bring it into sight."""
        self.open(self.text, layer, head)
        self.revealed += 1

    def show(self, view: AttentionView) -> None:
        """One head, a layer's mean, the mean of all, or rollout."""
        self.view, self.changed = view, "head"

    def choose_row(self, text: int, row: int) -> None:
        """Ask what another position looked at."""
        if text == self.text and 0 <= row < len(self.ids):
            self.row, self.changed = None if row == len(self.ids) - 1 else row, "row"

    def choose_cell(self, text: int, layer: int, position: int) -> None:
        """Open the list of one cell of the lens."""
        if text == self.text and layer >= 0 and 0 <= position < len(self.ids):
            self.cell, self.changed = (layer, position), "cell"

    def experiment(self, name: str) -> None:
        """Run a small experiment, or run it again (with other random tokens where there are any)."""
        self.tried[name] = self.tried.get(name, 0) + 1

    def to_query(self) -> dict[str, str]:
        """What is open, counted from 1 as on the screen: see `params.View`."""
        now: dict[str, object] = {"view": self.view, "head": f"{self.layer + 1}.{self.head + 1}"}
        now["row"] = "" if self.row is None else self.row + 1
        now["cell"] = "" if self.cell is None else f"{self.cell[0]}.{self.cell[1] + 1}"
        now["tried"] = "-".join(f"{EXPERIMENTS.index(name) + 1}.{times}" for name, times in self.tried.items())
        return changed(now, {"view": VIEWS[0], "head": "1.1", "row": "", "cell": "", "tried": ""})

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        length, layers = len(self.ready(session, model)), model.prefix_cache.forward.layers
        self.view = params.one_of("view", VIEWS, VIEWS[0])
        layer, head = params.pair("head") or (1, 1)
        self.layer, self.head = max(0, layer - 1), max(0, head - 1)  # one that the model lacks becomes its last
        row = params.whole("row", 1, length, length)
        self.row = None if row == length else row - 1
        cell = params.pair("cell")
        self.cell = (cell[0], cell[1] - 1) if cell and cell[0] <= layers and 1 <= cell[1] <= length else None
        tried = {number: times for number, times in params.pairs("tried") if 1 <= times <= 99}
        self.tried = {name: tried[i] for i, name in enumerate(EXPERIMENTS, 1) if i in tried}
        self.text += 1


def _finite(attention: np.ndarray) -> np.ndarray:
    if not np.isfinite(attention).all():
        raise EngineError("not_finite", "attention that is not a number")
    return attention


def lens_of(looking: AttentionState, model: Model) -> LogitLens:
    """The lens of the text. Raises EngineError for a model that it does not fit."""
    from engine.interpret.logit_lens import logit_lens

    found: LogitLens = looking.cached("lens", (model.name, looking.ids), lambda: logit_lens(model, looking.ids))
    return found


def word(looking: AttentionState, model: Model, token_id: int) -> str:
    """How a token is read after the row on show."""
    return model.vocabulary.label(token_id, model.vocabulary.pending(looking.ids[: looking.at + 1]))


def target(session: TextState, looking: AttentionState, model: Model) -> int:
    """The token that the row on show was used to predict: the one that follows it, or the model's choice now."""
    if looking.at + 1 < len(looking.ids):
        return looking.ids[looking.at + 1]
    return session.choice(model)[1]
