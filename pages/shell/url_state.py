"""State of a page that is part of its URL, as `address.AddressBar` writes and reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.model.model import Model
    from pages.session.query_params import QueryParams
    from pages.session.text_state import TextState


class UrlState(Protocol):
    """State of a page that is part of its URL."""

    def to_query(self) -> dict[str, str]:
        """Values that differ from the page's defaults, under short names."""

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the state; the session holds the URL's text already. Raises nothing but EngineError."""


class NoUrlState:
    """UrlState of a page without parameters of its own."""

    def to_query(self) -> dict[str, str]:
        return {}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        pass
