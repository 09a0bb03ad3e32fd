"""One prompt, one strategy, several seeds: all texts grow together by a token a pass, and can be looked at meanwhile.

Each text is, token by token, the one that `generate` writes for its seed, or the best one of `beam_search`. Seeds that
have written the same so far share a row, so a row stands for a text and not for a seed. What the strategies are is
`strategies.py`'s.
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
from engine.model.model import Model
from engine.model.token_output import TokenOutput
from engine.sampling.distribution import Distribution, uniform
from engine.sampling.settings import Settings


@dataclass(frozen=True, slots=True)
class Continuation:
    """What one seed has written so far; the prompt is not in it.

    seed               None where the strategy does not draw
    token_ids          the new tokens
    log_probabilities  natural log of what the model believed of each (raw), one a token
    stop               why nothing follows; None while it grows
    """

    seed: int | None
    token_ids: tuple[int, ...] = ()
    log_probabilities: tuple[float, ...] = ()
    stop: StopReason | None = None


class BatchGeneration:
    """A strategy at work. Not safe for two threads at once.

    way    the strategy
    texts  one `Written` a seed, in the order of the seeds; one alone where the strategy does not draw
    cost   see `Cost`; its passes are those that the texts take where the tree knows nothing yet

    settings: with which each token is chosen, in place of the way's own.

    Raises PromptError for ids that cannot be a prompt, SettingsError for a value out of range.
    """

    def __init__(
        self,
        model: Model,
        ids: Sequence[int],
        way: DecodingStrategy,
        value: float,
        seeds: Sequence[int],
        max_new_tokens: int,
        settings: Settings | None = None,
    ) -> None:
        if not ids:
            raise PromptError("empty", "no tokens")
        self._model = model
        self._ids = tuple(ids)
        self.strategy = way
        self._value = value
        self._settings = way.settings(value) if settings is None else settings
        self._most = max_new_tokens
        stop = stop_reason(model, self._ids, 0, max_new_tokens)
        self.texts = [Continuation(seed, stop=stop) for seed in (seeds if way.draws else (None,))]
        self.cost = Cost(passes=0, tokens=0, seconds=0.0)
        self._rows: TextBatch | None = None  # begun with the first step
        self._search: BeamSearch | None = None
        self._row_of: dict[tuple[int, ...], int] = {(): 0}  # the row of each text that goes on

    @property
    def done(self) -> bool:
        return all(text.stop for text in self.texts)

    def step(self) -> bool:
        """One more token for each text that has not ended. True while more can be written.

        Raises EngineError where the strategy cannot be carried out.
        """
        if self.done:
            return False
        started = time.perf_counter()
        passes = self._search_on() if self.strategy.name == "beam" else self._grow()
        self.cost = Cost(
            passes=self.cost.passes + passes,
            tokens=sum(len(text.token_ids) for text in self.texts),
            seconds=self.cost.seconds + time.perf_counter() - started,
        )
        return not self.done

    def stop(self) -> None:
        """The person stops it: what is written stays."""
        self.texts = [text if text.stop else replace(text, stop="person") for text in self.texts]
        self._rows = self._search = None

    def _grow(self) -> int:
        """Choose for each text, then one pass over all that go on. Returns how often the model ran."""
        passes = 0
        if self._rows is None:
            self._model.records(self._ids)  # refuses ids that no model has
            self._rows, passes = TextBatch(self._model.prefix_cache, [self._ids]), 1
        came_from: dict[tuple[int, ...], int] = {}  # the row that each text which goes on stood in
        for at, text in enumerate(self.texts):
            if text.stop is None:
                row = self._row_of[text.token_ids]
                grown = self.texts[at] = self._choose(text, self._rows.records[row])
                if grown.stop is None:
                    came_from[grown.token_ids] = row
        if not came_from:
            self._rows = None
            return passes
        self._rows.append(list(came_from.values()), [new[-1] for new in came_from])
        self._row_of = {new: row for row, new in enumerate(came_from)}
        return passes + (1 if self._model.prefix_cache.forward.uses_buffer else len(came_from))

    def _choose(self, text: Continuation, record: TokenOutput) -> Continuation:
        """As `generation.choose`, from a record that is at hand."""
        ids = (*self._ids, *text.token_ids)
        distribution = Distribution(ids, record.logits, self._settings, self._model.vocabulary.label)
        token_id = distribution.likeliest() if text.seed is None else distribution.draw(uniform(text.seed, len(ids)))
        new = (*text.token_ids, token_id)
        return replace(
            text,
            token_ids=new,
            log_probabilities=(*text.log_probabilities, record.log_probability(token_id)),
            stop=stop_reason(self._model, (*ids, token_id), len(new), self._most),
        )

    def _search_on(self) -> int:
        """A level of beam search: the text is the best there is so far, and may yet become another."""
        if self._search is None:
            settings = BeamSettings(width=int(self._value), max_new_tokens=self._most)
            self._search = BeamSearch(self._model, self._ids, settings)
        search = self._search
        beams = len(search.levels[-1].active) if search.levels else 1
        search.grow()
        level = search.levels[-1]
        path = [search.nodes[node] for node in search.path((level.finished if search.stop else level.active)[0])]
        new = tuple(node.token_id for node in path)
        stop = stop_reason(self._model, (*self._ids, *new), len(new), self._most) or "length" if search.stop else None
        self.texts = [Continuation(None, new, tuple(node.step_log_probability for node in path), stop)]
        if stop:
            self._search = None
        return 1 if self._model.prefix_cache.forward.uses_buffer else beams


@dataclass(frozen=True, slots=True)
class Cost:
    """What writing took.

    passes   times the model ran; one pass may compute a token of several texts at once. What the tree still held from
             earlier takes none, so a second run can cost less than the first.
    tokens   tokens that stand in the texts in the end, of all texts together
    seconds  by the clock of this machine, everything included
    """

    passes: int
    tokens: int
    seconds: float

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens written ÷ seconds; None where no time passed that a clock could see."""
        return self.tokens / self.seconds if self.seconds > 0 else None
