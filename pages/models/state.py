"""State of the models page: the model that is being loaded for this visitor. No Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass

from engine.bundled import BUNDLED_NAME
from engine.errors import EngineError, ModelError
from engine.serving import model_registry
from engine.serving.model_registry import ModelLoad
from pages.session.text_state import TextState


@dataclass
class ModelsState:
    """What one visitor has asked for on the models page.

    asked    name of the model that was asked for last; "" before the first
    loading  its load, while that is running
    problem  why it could not be loaded
    """

    asked: str = ""
    loading: ModelLoad | None = None
    problem: EngineError | None = None

    def load(self, session: TextState, name: str) -> None:
        """Load a model, which becomes the visitor's as soon as it is there; until then the present one stays."""
        self.asked, self.loading, self.problem = name, None, None
        try:
            self.loading = model_registry.request(name)
        except ModelError as error:
            self.problem = error
        self.settle(session)

    def settle(self, session: TextState) -> None:
        """Take the model that is loaded by now, or the reason why it is not."""
        if self.loading is None or not self.loading.done:
            return
        try:
            self.loading.result()
        except ModelError as error:
            self.problem = error
        else:
            session.choose_model(self.asked)
        self.loading = None

    def unload(self, session: TextState, name: str) -> None:
        """Free the memory of a model; the visitor who has it goes back to the bundled one."""
        if session.model_name == name:
            session.choose_model(BUNDLED_NAME)
        model_registry.unload(name)
