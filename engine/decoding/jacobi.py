"""Jacobi decoding: all tokens of a continuation are guessed at once and recomputed until nothing changes.

Santilli et al. 2023, "Accelerating Transformer Inference for Translation via Parallel Decoding"; Song et al. 2021.
Every pass takes the guesses of the pass before as the text and replaces each of them by the model's choice after those
to its left. A place is final once all places to its left were final in the pass before, so a pass makes one place
final, and more only where a guess was right by chance. The result is the text of greedy search.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.decoding.cached_text import CachedText, room_for
from engine.errors import PromptError
from engine.model.model import Model


class JacobiDecoding:
    """Incremental run, one pass a step. Not thread-safe.

    rows   token ids of all places after each pass; the first row is the initial guess, the prompt's last token repeated
    final  number of places, from the left, that are final in each row
    done   whether all places are final, the text has ended, or the run was stopped

    Raises PromptError for ids that cannot be a prompt; `step` raises EngineError as `CachedText.logits`.
    """

    def __init__(self, model: Model, ids: Sequence[int], places: int) -> None:
        if not ids:
            raise PromptError("empty", "no tokens")
        self._ids = list(ids)
        self._end_ids = frozenset(model.end_ids)
        self._text = CachedText(model.prefix_cache.forward)
        self.rows: list[tuple[int, ...]] = [(ids[-1],) * room_for(model, len(ids), places)]
        self.final = [0]
        self.done = False

    @property
    def places(self) -> int:
        """Number of places."""
        return len(self.rows[0])

    @property
    def passes(self) -> int:
        """Passes so far."""
        return len(self.rows) - 1

    @property
    def progress(self) -> float:
        """Fraction of the places that are final, from 0 to 1."""
        return 1.0 if self.done else self.final[-1] / self.places

    def step(self) -> bool:
        """One more pass. True while there is more to do."""
        if self.done:
            return False
        guessed = self.rows[-1]
        logits = self._text.logits([*self._ids, *guessed[:-1]], self.places)  # (places, V)
        row = tuple(int(i) for i in logits.argmax(dim=-1))
        right = next((at for at, (a, b) in enumerate(zip(guessed, row, strict=True)) if a != b), self.places)
        self.rows.append(row)
        self.final.append(min(right + 1, self.places))
        ended = any(token_id in self._end_ids for token_id in row[: self.final[-1]])
        self.done = ended or self.final[-1] == self.places
        return not self.done

    def stop(self) -> None:
        """End early; the passes so far remain."""
        self.done = True

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The final places of the last row, up to an end-of-text token."""
        row = self.rows[-1][: self.final[-1]]
        end = next((at for at, token_id in enumerate(row) if token_id in self._end_ids), len(row) - 1)
        return row[: end + 1]
