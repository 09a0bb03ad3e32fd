"""A causal language model and everything that is asked of it, one text at a time.

`Model` joins a tokenizer's reader side (`tokens.py`) with the prefix tree (`prefix.py`). It holds no state of a person;
many threads may use one. How it is found and read from disk is `loading.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine import usage
from engine.errors import EngineError, PromptError
from engine.model.prefix_cache import PrefixCache
from engine.model.score import Score
from engine.model.token_output import TokenOutput
from engine.sampling.distribution import Distribution
from engine.sampling.settings import Settings
from engine.tokenization.vocabulary import Vocabulary

MAX_CHARACTERS = 20_000


class Model:
    def __init__(
        self,
        name: str,
        vocabulary: Vocabulary,
        prefix_cache: PrefixCache,
        context_length: int,
        end_ids: frozenset[int],
        fingerprint: str = "",
    ) -> None:
        self.name = name
        self.vocabulary = vocabulary
        self.prefix_cache = prefix_cache
        self.context_length = context_length
        self.end_ids = end_ids
        self.fingerprint = fingerprint

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a text. Text that spells a special token is text.

        Raises PromptError(`surrogate`) for half a character, which no encoding can write.
        """
        try:
            return self.vocabulary.encode(text)
        except UnicodeEncodeError as error:
            raise PromptError("surrogate", f"half a character at {error.start}", position=error.start) from error

    def read_prompt(self, text: str) -> tuple[int, ...]:
        """Token ids of a text that a person wants to go on from.

        Raises PromptError: `characters` (too long to look at), `surrogate`, `empty` (blank), `context` (leaves no
        room for a token more); for a visitor of the app also `limit_demo`, `limit_prompt`, and what `door.step` does.
        """
        usage.check_prompt(text)
        if len(text) > MAX_CHARACTERS:
            raise PromptError("characters", f"{len(text)} characters", count=len(text), most=MAX_CHARACTERS)
        if not text.strip():
            raise PromptError("empty", "a prompt of nothing but white space")
        ids = self.encode(text)
        if len(ids) >= self.context_length:
            raise PromptError(
                "context",
                f"{len(ids)} tokens do not fit {self.context_length}",
                count=len(ids),
                most=self.context_length,
            )
        if len(ids) == len(self.vocabulary.start):
            raise PromptError("empty", "the tokenizer leaves nothing of this prompt")
        usage.check_length(text, len(ids) - len(self.vocabulary.start))
        usage.charge(1 + len(ids) // usage.TOKENS_PER_STEP)
        return ids

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """What a person reads for each token; see `Vocabulary.pieces`."""
        return self.vocabulary.pieces(ids)

    def text(self, ids: Sequence[int]) -> str:
        """The text that ids stand for; see `Vocabulary.text`."""
        return self.vocabulary.text(ids)

    def records(self, ids: Sequence[int]) -> list[TokenOutput]:
        """What the model computed for each token of a text, from the tree or by one pass over what is missing.

        Raises PromptError: `empty`, `context` (more tokens than the window), `token` (an id outside the vocabulary).
        """
        if not ids:
            raise PromptError("empty", "no tokens")
        if len(ids) > self.context_length:
            raise PromptError(
                "context",
                f"{len(ids)} tokens do not fit {self.context_length}",
                count=len(ids),
                most=self.context_length,
            )
        if min(ids) < 0 or max(ids) >= self.vocabulary.size:
            raise PromptError("token", "a token id outside the vocabulary", size=self.vocabulary.size)
        return self.prefix_cache.records(ids)

    def distribution(self, ids: Sequence[int], settings: Settings | None = None) -> Distribution:
        """The next token's distribution after `ids`, before and after the filters of `settings`.

        Raises EngineError(`not_finite`) where the model gives none.
        """
        record = self.records(ids)[-1]
        _ = record.log_z
        pending = self.vocabulary.pending(ids)
        return Distribution(
            ids, record.logits, settings or Settings(), lambda token_id: self.vocabulary.label(token_id, pending)
        )

    def score(self, ids: Sequence[int]) -> Score:
        """Log-probability and rank of every token of a text given those before it, all in one pass."""
        records = self.records(ids)
        log_probabilities: list[float | None] = [None]
        ranks: list[int | None] = [None]
        for record, token_id in zip(records, ids[1:], strict=False):
            log_probabilities.append(record.log_probability(token_id))
            ranks.append(record.rank(token_id))
        return Score(tuple(ids), tuple(log_probabilities), tuple(ranks))

    def attention(self, ids: Sequence[int]) -> np.ndarray:
        """(layers, heads, T, T) float32: row t is what position t looked at to predict token t + 1; rows sum to 1.

        Assembled from what the tree recorded. Raises EngineError(`attention`) for a model that has none.
        """
        records = self.records(ids)
        if records[-1].attentions is None:
            raise EngineError("attention", f"{self.name} computes no attention")
        layers, heads = records[-1].attentions.shape[:2]
        full = np.zeros((layers, heads, len(ids), len(ids)), dtype=np.float32)
        for t, record in enumerate(records):
            assert record.attentions is not None
            full[:, :, t, : t + 1] = record.attentions.float().numpy()
        return full
