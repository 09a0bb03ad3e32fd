"""Buttons for the tokens that match a vocabulary search; a click chooses the token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pages.components.register import event_callback, register

if TYPE_CHECKING:
    from engine.sampling.distribution import Distribution
    from engine.tokenization.vocabulary import Vocabulary

MAX_RESULTS = 8

_component = register("found_tokens", Path(__file__))


def most_probable(vocabulary: Vocabulary, query: str, distribution: Distribution) -> list[int]:
    """Ids of the tokens that match `query`, the most probable next token first, at most `MAX_RESULTS`.

    The best match is always among them, however improbable.
    """
    matches = vocabulary.search(query, vocabulary.size)
    place = np.argsort(distribution.order)  # of each token among all, by probability
    shown = sorted(matches, key=lambda token_id: int(place[token_id]))[:MAX_RESULTS]
    return shown if not matches or matches[0] in shown else [*shown[:-1], matches[0]]


def draw(results: list[tuple[int, str, str]], turn: int, on_pick: Callable[[Any], None], key: str = "found") -> None:
    """Draw the buttons. results: (token id, text, note). `on_pick` is called with {turn, token}."""
    _component(
        key=key,
        data={"found": results, "turn": turn},
        on_pick_change=event_callback(key, "pick", on_pick),
    )
