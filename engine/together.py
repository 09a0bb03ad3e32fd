"""One prompt, one strategy, several seeds: all texts grow together by a token a pass, and can be looked at meanwhile.

Each text is, token by token, the one that `generate` writes for its seed, or the best one of `beam_search`. Seeds that
have written the same so far share a row, so a row stands for a text and not for a seed. What the strategies are is
`strategies.py`'s.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.beam import BeamSearch
from engine.generation import stop_reason
from engine.measures import Cost
from engine.model import Model
from engine.record import Record
from engine.rows import Rows
from engine.sampling import Distribution, uniform
from engine.strategies import Way
from engine.types import BeamSettings, PromptError, Settings, StopReason


@dataclass(frozen=True, slots=True)
class Written:
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


class Together:
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
        way: Way,
        value: float,
        seeds: Sequence[int],
        max_new_tokens: int,
        settings: Settings | None = None,
    ) -> None:
        if not ids:
            raise PromptError("empty", "no tokens")
        self._model = model
        self._ids = tuple(ids)
        self.way = way
        self._value = value
        self._settings = way.settings(value) if settings is None else settings
        self._most = max_new_tokens
        stop = stop_reason(model, self._ids, 0, max_new_tokens)
        self.texts = [Written(seed, stop=stop) for seed in (seeds if way.draws else (None,))]
        self.cost = Cost(passes=0, tokens=0, seconds=0.0)
        self._rows: Rows | None = None  # begun with the first step
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
        passes = self._search_on() if self.way.name == "beam" else self._grow()
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
            self._rows, passes = Rows(self._model.tree, [self._ids]), 1
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
        self._rows.advance(list(came_from.values()), [new[-1] for new in came_from])
        self._row_of = {new: row for row, new in enumerate(came_from)}
        return passes + (1 if self._model.tree.forward.uses_buffer else len(came_from))

    def _choose(self, text: Written, record: Record) -> Written:
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
        beams = len(search.levels[-1].live) if search.levels else 1
        search.grow()
        level = search.levels[-1]
        path = [search.nodes[node] for node in search.path((level.finished if search.stop else level.live)[0])]
        new = tuple(node.token_id for node in path)
        stop = stop_reason(self._model, (*self._ids, *new), len(new), self._most) or "length" if search.stop else None
        self.texts = [Written(None, new, tuple(node.step_log_probability for node in path), stop)]
        if stop:
            self._search = None
        return 1 if self._model.tree.forward.uses_buffer else beams
