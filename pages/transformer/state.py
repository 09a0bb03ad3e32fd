"""State of the page of the whole model: the open box, layer and head, and the actions on them. No Streamlit here.

The text is that of the step page (`TextState`), up to its cursor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.serving import admission
from pages.session.query_params import QueryParams, changed

if TYPE_CHECKING:
    from engine.interpret.activations import Activations
    from engine.model.model import Model
    from pages.session.text_state import TextState

BOXES = ("tokens", "embedding", "attention", "mlp", "stream", "norm", "logits", "softmax", "choice")


@dataclass
class TransformerState:
    """Selections of one visitor; layers and heads are counted from 0.

    box           the open box, one of BOXES
    layer, head   the layer whose numbers are shown, and the head of its attention
    text_version  incremented for every new text; a click on an older version is ignored
    ids           the text
    leaving       URL name of the page that was asked for, "" for none
    """

    box: str = BOXES[0]
    layer: int = 0
    head: int = 0
    text_version: int = 0
    ids: tuple[int, ...] = ()
    leaving: str = ""
    _activations: tuple[tuple[Any, ...], Activations] | None = None  # of a model and a text

    def update_text(self, session: TextState, model: Model) -> tuple[int, ...]:
        """Take over the text up to the cursor; returns its token ids."""
        ids = session.ready(model).token_ids()
        if ids != self.ids:
            self.ids = ids
            self.text_version += 1
        return ids

    def activations(self, model: Model) -> Activations:
        """Activations of the text, computed once; clips `layer` and `head` to the model's.

        Charges a model step when it computes. Raises EngineError as `engine.interpret.activations`, and that of the
        visitor's limit.
        """
        from engine.interpret.activations import activations

        wanted = (model.name, model.fingerprint, self.ids)
        if self._activations is None or self._activations[0] != wanted:
            admission.charge()
            self._activations = wanted, activations(model, self.ids)
        found = self._activations[1]
        self.layer = min(self.layer, len(found.layers) - 1)
        weights = found.layers[self.layer].weights
        self.head = min(self.head, 0 if weights is None else len(weights) - 1)
        return found

    def show(self, text_version: int, box: str, layer: int, head: int) -> None:
        """Open a box, and choose the layer and the head."""
        if text_version == self.text_version and box in BOXES and layer >= 0 and head >= 0:
            self.box, self.layer, self.head = box, layer, head

    def to_query(self) -> dict[str, str]:
        """The selections that differ from the defaults, counted from 1 as on the screen: see `url_state.UrlState`."""
        values: dict[str, object] = {"box": self.box, "head": f"{self.layer + 1}.{self.head + 1}"}
        return changed(values, {"box": BOXES[0], "head": "1.1"})

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the selections; `activations` clips layer and head to the model's."""
        self.box = params.one_of("box", BOXES, BOXES[0])
        layer, head = params.pair("head") or (1, 1)
        self.layer, self.head = max(0, layer - 1), max(0, head - 1)
