"""Text that a model continues token by token, after its beginning was computed in pieces. No Streamlit here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.model.chunked_prefill import ChunkedPrefill


class PrefilledText(ABC):
    """Work of an `IncrementalRun`: a forward pass each over the pieces of the beginning, then for a token each."""

    _prefill: ChunkedPrefill

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether the text has ended."""

    @abstractmethod
    def _append_token(self) -> None:
        """Append the next token, or end the text."""

    def step(self) -> bool:
        """Run one forward pass. True while the text can continue. Raises EngineError."""
        if self.done:
            return False
        if not self._prefill.done:
            self._prefill.step()
        else:
            self._append_token()
        return not self.done
