"""Chunked prefill: the outputs of a text, computed in forward passes of a bounded length.

A caller can report its progress after each pass, and stop. A model without KV cache support computes every text from
its first token, so that it takes one pass over the whole; so does a text beyond the `rope_switch` of its model.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.model.model import Model
from engine.model.score import Score
from engine.model.token_output import TokenOutput

REQUESTS = 4  # tokens a step for a model on a server, which is asked for each
CHUNK = 48  # tokens a pass: less than a second for a model of half a billion parameters on one processor core


class ChunkedPrefill:
    """Computation of the outputs of a text that the prefix cache lacks; a step is one pass. Not thread-safe.

    computed  number of tokens, from the beginning, that need no pass any more

    Raises PromptError for ids that cannot be a text, see `Model.records`.
    """

    def __init__(self, model: Model, ids: Sequence[int]) -> None:
        model.check_text(ids)
        self.ids = tuple(ids)
        self._model = model
        cache = model.prefix_cache
        whole = not cache.forward.supports_kv_cache or cache.is_beyond_switch(len(ids))
        self._chunk = REQUESTS if model.is_remote else len(self.ids) if whole else CHUNK
        self.computed = cache.cached_length(self.ids)

    @property
    def done(self) -> bool:
        return self.computed >= len(self.ids)

    @property
    def progress(self) -> float:
        """Fraction of the tokens that are computed, from 0 to 1."""
        return self.computed / len(self.ids)

    def step(self) -> bool:
        """Run the pass over the next chunk. True while tokens remain. Raises any error of the model."""
        if not self.done:
            self.outputs()
        return not self.done

    def outputs(self) -> Sequence[TokenOutput]:
        """Run the pass over the next chunk, and return the TokenOutput of each token so far.

        Where the prefix cache is too small to hold the text, all the rest is one pass: more passes would compute again
        and again what was evicted.
        """
        evicted = self._model.prefix_cache.cached_length(self.ids[: self.computed]) < self.computed
        stop = len(self.ids) if evicted else min(self.computed + self._chunk, len(self.ids))
        outputs = self._model.records(self.ids[:stop])
        self.computed = stop
        return outputs


class TextScoring:
    """Score of a text, as `Model.score`; a step is one pass over a chunk of it. Not thread-safe.

    done  whether the text is scored to its end, or the scoring was stopped

    Raises PromptError for ids that cannot be a text, see `Model.records`.
    """

    def __init__(self, model: Model, ids: Sequence[int]) -> None:
        self._model = model
        self._prefill = ChunkedPrefill(model, ids)
        self._log_probabilities: list[float | None] = [None]
        self._ranks: list[int | None] = [None]
        self.done = False

    @property
    def progress(self) -> float:
        """Fraction of the tokens that are scored, from 0 to 1."""
        return 1.0 if self.done else (len(self._ranks) - 1) / len(self._prefill.ids)

    @property
    def score(self) -> Score:
        """Score of the tokens scored so far, at least the first, which needs no pass."""
        scored = len(self._ranks)
        return Score(self._prefill.ids[:scored], tuple(self._log_probabilities), tuple(self._ranks))

    def step(self) -> bool:
        """Score the next tokens: what is computed already, or one chunk more. True while tokens remain."""
        if self.done:
            return False
        ids, first = self._prefill.ids, len(self._ranks) - 1
        stored = self._prefill.computed
        outputs = self._model.records(ids[:stored]) if stored > first else self._prefill.outputs()
        for output, token_id in zip(outputs[first:], ids[first + 1 :], strict=False):
            self._log_probabilities.append(output.log_probability(token_id))
            self._ranks.append(output.rank(token_id))
        self.done = len(outputs) == len(ids)
        return not self.done

    def stop(self) -> None:
        """End the scoring; the score of the tokens scored so far remains."""
        self.done = True
