"""State of the attention page: the selected head, row and logit lens cell, and the actions on them. No Streamlit here.

The text is that of the step page (`TextState`), up to its cursor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.interpret import attention_maps
from engine.serving import admission
from pages.session.query_params import QueryParams, changed

if TYPE_CHECKING:
    from engine.interpret.logit_lens import LogitLens
    from engine.model.model import Model
    from pages.session.text_state import TextState


AttentionView = Literal["head", "layer", "all", "rollout"]
VIEWS: tuple[AttentionView, ...] = ("head", "layer", "all", "rollout")
EXPERIMENTS = ("previous", "induction", "sink")
_MAX_EXPERIMENT_RUNS = 99  # per experiment, in a URL


@dataclass
class AttentionState:
    """Selections of one visitor on the attention page; layers, heads and positions are counted from 0.

    layer, head      the selected head
    view             displayed attention matrix: that head, the mean of its layer, the mean of all heads, or rollout
    row              selected row (position) of the matrix; None for the last one, which predicts the next token
    cell             (layer, position) of the logit lens cell whose list is open; layer 0 is the embedding
    text_version     incremented for every new text; a click on an older version is ignored
    changed          selection changed by the last click, reset once it is drawn
    reveal_count     incremented when the overview is to be scrolled into view
    ids              the text
    experiment_runs  number of runs per experiment, for those that were run
    cache            by name: the last arguments and their result, see `cached`
    """

    layer: int = 0
    head: int = 0
    view: AttentionView = "head"
    row: int | None = None
    cell: tuple[int, int] | None = None
    text_version: int = 0
    changed: Literal["head", "row", "cell"] | None = None
    reveal_count: int = 0
    ids: tuple[int, ...] = ()
    experiment_runs: dict[str, int] = field(default_factory=dict)
    cache: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def update_text(self, session: TextState, model: Model) -> tuple[int, ...]:
        """Take over the text up to the cursor; returns its token ids. A new text resets the selected row and cell."""
        ids = session.ready(model).token_ids()
        if ids != self.ids:
            self.ids, self.row, self.cell = ids, None, None
            self.text_version += 1
        return ids

    def cached(self, name: str, arguments: Any, compute: Any, steps: int = 0) -> Any:
        """Result of `compute()`, recomputed only if `arguments` differ from those of the last call for this name.

        steps: model steps charged for a computation; raises EngineError where the visitor's limit is reached.
        """
        if name not in self.cache or self.cache[name][0] != arguments:
            if steps:
                admission.charge(steps)
            self.cache[name] = arguments, compute()
        return self.cache[name][1]

    def attention(self, model: Model) -> np.ndarray:
        """Attention of the text, (L, H, T, T); clips `layer` and `head` to the model's.

        Raises EngineError: `attention` for a model without attention, `not_finite`. Assembled from the prefix cache on
        each call, which takes less time than drawing it; caching it here would take 36 MB per visitor for a text of
        512 tokens.
        """
        attention = model.attention(self.ids)
        self.layer, self.head = min(self.layer, attention.shape[0] - 1), min(self.head, attention.shape[1] - 1)
        return attention

    def matrix(self, model: Model, attention: np.ndarray | None = None) -> np.ndarray:
        """Attention matrix of the current view, (T, T). Raises as `attention`.

        attention: that of the text, (L, H, T, T), if the caller has it already.
        """
        full = self.attention(model) if attention is None else attention
        if self.view == "head":
            return full[self.layer, self.head].copy()  # a slice would keep all of `full` in memory
        if self.view == "layer":
            return attention_maps.mean(full[self.layer : self.layer + 1])
        summarize = attention_maps.mean if self.view == "all" else attention_maps.rollout
        matrix: np.ndarray = self.cached(self.view, (model.name, self.ids), lambda: summarize(full))
        return matrix

    @property
    def selected_row(self) -> int:
        """Position of the selected row."""
        return len(self.ids) - 1 if self.row is None else self.row

    @property
    def opened(self) -> tuple[int, int | None] | None:
        """Selection in the overview: (layer, head), (layer, None) for the mean of a layer, None for other views."""
        return {"head": (self.layer, self.head), "layer": (self.layer, None)}.get(self.view)

    def open_head(self, text_version: int, layer: int, head: int | None) -> None:
        """Select a head in the overview, or the mean of its layer where `head` is None."""
        if text_version == self.text_version and layer >= 0 and (head is None or head >= 0):
            self.layer, self.view = layer, "layer"
            if head is not None:
                self.head, self.view = head, "head"
            self.changed = "head"

    def reveal(self, layer: int, head: int) -> None:
        """Select a head from elsewhere on the page, and scroll the overview into view."""
        self.open_head(self.text_version, layer, head)
        self.reveal_count += 1

    def set_view(self, view: AttentionView) -> None:
        """Set the displayed attention matrix."""
        self.view, self.changed = view, "head"

    def choose_row(self, text_version: int, row: int) -> None:
        """Select the row of a position."""
        if text_version == self.text_version and 0 <= row < len(self.ids):
            self.row, self.changed = None if row == len(self.ids) - 1 else row, "row"

    def choose_cell(self, text_version: int, layer: int, position: int) -> None:
        """Open the list of a logit lens cell."""
        if text_version == self.text_version and layer >= 0 and 0 <= position < len(self.ids):
            self.cell, self.changed = (layer, position), "cell"

    def run_experiment(self, name: str) -> None:
        """Run an experiment; each run of the induction experiment has other random tokens."""
        self.experiment_runs[name] = self.experiment_runs.get(name, 0) + 1

    def to_query(self) -> dict[str, str]:
        """The selections that differ from the defaults, counted from 1 as on the screen: see `url_state.UrlState`."""
        values: dict[str, object] = {"view": self.view, "head": f"{self.layer + 1}.{self.head + 1}"}
        values["row"] = "" if self.row is None else self.row + 1
        values["cell"] = "" if self.cell is None else f"{self.cell[0]}.{self.cell[1] + 1}"
        runs = (f"{EXPERIMENTS.index(name) + 1}.{count}" for name, count in self.experiment_runs.items())
        values["tried"] = "-".join(runs)
        return changed(values, {"view": VIEWS[0], "head": "1.1", "row": "", "cell": "", "tried": ""})

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the selections; values out of range are ignored, and `attention` clips the head to the model's.

        Of a model on a server, which has none of them to show, nothing is restored.
        """
        if model.is_remote:
            return
        length, layers = len(self.update_text(session, model)), model.prefix_cache.forward.layers
        self.view = params.one_of("view", VIEWS, VIEWS[0])
        layer, head = params.pair("head") or (1, 1)
        self.layer, self.head = max(0, layer - 1), max(0, head - 1)
        row = params.whole("row", 1, length, length)
        self.row = None if row == length else row - 1
        cell = params.pair("cell")
        self.cell = (cell[0], cell[1] - 1) if cell and cell[0] <= layers and 1 <= cell[1] <= length else None
        unread = {"head": layer > layers, "cell": cell is not None and self.cell is None}
        params.unread |= {name for name, is_unread in unread.items() if is_unread}
        runs = {number: count for number, count in params.pairs("tried") if 1 <= count <= _MAX_EXPERIMENT_RUNS}
        self.experiment_runs = {name: runs[i] for i, name in enumerate(EXPERIMENTS, 1) if i in runs}
        self.text_version += 1


def cached_lens(state: AttentionState, model: Model) -> LogitLens:
    """Logit lens of the text. Raises EngineError: `lens` for a model without a usable unembedding, `not_finite`."""
    from engine.interpret.logit_lens import logit_lens

    lens: LogitLens = state.cached("lens", (model.name, state.ids), lambda: logit_lens(model, state.ids))
    return lens


def token_label(state: AttentionState, model: Model, token_id: int) -> str:
    """Readable label of a token as the one that follows the selected row."""
    return model.vocabulary.label(token_id, model.vocabulary.pending(state.ids[: state.selected_row + 1]))


def target_token(session: TextState, state: AttentionState, model: Model) -> int:
    """Token id predicted at the selected row: the token that follows it, or for the last row the model's choice."""
    if state.selected_row + 1 < len(state.ids):
        return state.ids[state.selected_row + 1]
    return session.choice(model)[1]
