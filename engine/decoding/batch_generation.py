"""Batched generation: one prompt, one decoding strategy and several seeds, one new token per text and forward pass.

Each text equals, token by token, what `generate` produces for its seed, or the best beam of `beam_search`. Seeds whose
texts are still equal share one batch row, so the batch has a row per distinct text, not per seed. Partial texts can be
read between steps. The strategies are defined in `strategies.py`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.decoding.beam_search import BeamSearch
from engine.decoding.beam_types import BeamSettings
from engine.decoding.stopping import StopReason, stop_reason
from engine.decoding.strategies import DecodingStrategy
from engine.errors import PromptError
from engine.model.batch import TextBatch
from engine.model.chunked_prefill import ChunkedPrefill
from engine.model.model import Model
from engine.model.token_output import TokenOutput
from engine.sampling.distribution import uniform
from engine.sampling.settings import Settings


@dataclass(frozen=True, slots=True)
class Continuation:
    """Tokens generated for one seed so far, without the prompt.

    seed               None for a strategy without sampling
    token_ids          the new tokens
    log_probabilities  natural log of the raw probability of each new token, before any filter
    stop               the stop reason; None while the text is being generated
    """

    seed: int | None
    token_ids: tuple[int, ...] = ()
    log_probabilities: tuple[float, ...] = ()
    stop: StopReason | None = None


class BatchGeneration:
    """Generation of several texts with one strategy. Not thread-safe.

    strategy  the decoding strategy
    texts     one `Continuation` per seed, in the order of the seeds; only one for a strategy without sampling
    cost      passes, tokens and seconds so far

    value: the strategy's parameter. settings: used for choosing each token, instead of the strategy's own.

    Raises PromptError for ids that cannot be a prompt, SettingsError for a value out of range.
    """

    def __init__(
        self,
        model: Model,
        ids: Sequence[int],
        strategy: DecodingStrategy,
        value: float,
        seeds: Sequence[int],
        max_new_tokens: int,
        settings: Settings | None = None,
    ) -> None:
        if not ids:
            raise PromptError("empty", "no tokens")
        self._model = model
        self._ids = tuple(ids)
        self.strategy = strategy
        self._value = value
        self._settings = strategy.settings(value) if settings is None else settings
        self._max_new_tokens = max_new_tokens
        stop = stop_reason(model, self._ids, 0, max_new_tokens)
        self.texts = [Continuation(seed, stop=stop) for seed in (seeds if strategy.draws else (None,))]
        self.cost = Cost(passes=0, tokens=0, seconds=0.0)
        self._prefill: ChunkedPrefill | None = None  # created by the first step
        self._batch: TextBatch | None = None  # created after the prefill
        self._search: BeamSearch | None = None
        self._row_of: dict[tuple[int, ...], int] = {(): 0}  # batch row of each unfinished text
        self._chosen: dict[tuple[int, ...], int] = {}  # text with a token that no pass has computed: row of its parent

    @property
    def done(self) -> bool:
        return all(text.stop for text in self.texts)

    def step(self) -> bool:
        """Run one forward pass, which appends one token to every unfinished text once the prompt is computed.

        Returns True while any text is unfinished. Several passes are needed for a token where there is no KV cache
        support: for sampling a step each, for a level of beam search all in one. Raises EngineError where the strategy
        cannot be run.
        """
        if self.done:
            return False
        started = time.perf_counter()
        if self._prefill is None:
            self._prefill = ChunkedPrefill(self._model, self._ids)
        if not self._prefill.done:
            passes = 0
            self._prefill.step()
        else:
            passes = self._beam_step() if self.strategy.name == "beam" else self._token_step()
        self.cost = Cost(
            passes=self.cost.passes + passes,
            tokens=sum(len(text.token_ids) for text in self.texts),
            seconds=self.cost.seconds + time.perf_counter() - started,
        )
        return not self.done

    @property
    def progress(self) -> float:
        """Fraction of the passes that are done, from 0 to 1; jumps to 1 if the texts end early."""
        if self.done:
            return 1.0
        prompt = self._prefill.progress if self._prefill else 0.0
        longest = max(len(text.token_ids) for text in self.texts)
        unfinished = 1 - self._batch.extended if self._batch and self._chosen else 0.0
        return (prompt + longest - unfinished) / (1 + self._max_new_tokens)

    def stop(self) -> None:
        """Stop all unfinished texts with reason `person`; the tokens generated so far remain."""
        self.texts = [text if text.stop else replace(text, stop="person") for text in self.texts]
        self._batch = self._search = None

    def _token_step(self) -> int:
        """Run one pass: over a chunk of the prompt, or over the tokens chosen for the unfinished texts.

        Returns the number of passes; the whole prompt counts as one.
        """
        if self._batch is None:
            self._batch = TextBatch(self._model.prefix_cache, [self._ids])
            return 1 + self._extend(self._batch)
        return self._extend(self._batch)

    def _extend(self, batch: TextBatch) -> int:
        """Choose a token for each text, unless that is done, and run one pass. Returns the number of passes."""
        if not self._chosen:
            for i, text in enumerate(self.texts):
                if text.stop is None:
                    row = self._row_of[text.token_ids]
                    extended = self.texts[i] = self._choose(text, batch.outputs[row])
                    if extended.stop is None:
                        self._chosen[extended.token_ids] = row
        if not self._chosen:
            self._batch = None
            return 0
        if batch.extend(list(self._chosen.values()), [new[-1] for new in self._chosen]):
            self._row_of = {new: row for row, new in enumerate(self._chosen)}
            self._chosen = {}
        return 1

    def _choose(self, text: Continuation, output: TokenOutput) -> Continuation:
        """The text with one more token, chosen as by `generation.choose`; `output` is that of the text's last token."""
        ids = (*self._ids, *text.token_ids)
        distribution = output.distribution(ids, self._settings, self._model.vocabulary.label)
        token_id = distribution.argmax() if text.seed is None else distribution.draw(uniform(text.seed, len(ids)))
        new = (*text.token_ids, token_id)
        return replace(
            text,
            token_ids=new,
            log_probabilities=(*text.log_probabilities, output.log_probability(token_id)),
            stop=stop_reason(self._model, (*ids, token_id), len(new), self._max_new_tokens),
        )

    def _beam_step(self) -> int:
        """Run one level of beam search and return the number of passes.

        The text is the best beam so far; a later level may replace it by another one.
        """
        if self._search is None:
            settings = BeamSettings(width=int(self._value), max_new_tokens=self._max_new_tokens)
            self._search = BeamSearch(self._model, self._ids, settings)
        search = self._search
        beams = len(search.levels[-1].active) if search.levels else 1
        search.grow()
        level = search.levels[-1]
        path = [search.nodes[node] for node in search.path((level.finished if search.stop else level.active)[0])]
        new = tuple(node.token_id for node in path)
        stop = (
            stop_reason(self._model, (*self._ids, *new), len(new), self._max_new_tokens) or "length"
            if search.stop
            else None
        )
        self.texts = [Continuation(None, new, tuple(node.step_log_probability for node in path), stop)]
        if stop:
            self._search = None
        return 1 if self._model.prefix_cache.forward.supports_kv_cache else beams


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a generation run.

    passes   number of forward passes, counted as for an empty prefix cache; one pass may compute a token of each of
             several texts
    tokens   number of tokens in the final texts, over all texts
    seconds  wall-clock time, everything included; a second run can be faster, because tokens in the prefix cache are
             not computed again
    """

    passes: int
    tokens: int
    seconds: float

    @property
    def tokens_per_second(self) -> float | None:
        """Generated tokens ÷ seconds; None where the measured time is 0."""
        return self.tokens / self.seconds if self.seconds > 0 else None
