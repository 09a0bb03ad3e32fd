"""Beam search, one level at a time, with every node that it looked at kept.

At each level every live beam is extended by every token; the best of all these candidates are looked at, the first
`width` of them live on or finish. Sequences, order and scores are those of `transformers`' `generate(num_beams=...)`
(its `_beam_search`, for one prompt), which this file follows in what it counts as finished and when it stops; with
one beam `generate` is greedy search, and so is this. Every pass goes through the prefix tree.

It draws nothing; what a page shows of a search is computed in `pages/ui/`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from engine.decoding.beam_types import BeamLevel, BeamNode, BeamSettings, Hypothesis, NodeStatus, SearchStop
from engine.errors import EngineError, PromptError
from engine.model.batch import TextBatch
from engine.model.model import Model
from engine.sampling.logits_processors import processors


class BeamSearch:
    """A search that grows level by level. `nodes` and `levels` only ever grow; many threads may ask it to.

    Raises PromptError for ids that cannot be a prompt, EngineError `beam_vocabulary` where the model has fewer tokens
    than there are beams, `beam_memory` where their keys and values would not fit into memory.
    """

    def __init__(self, model: Model, ids: Sequence[int], settings: BeamSettings) -> None:
        self.model, self.ids, self.settings = model, tuple(ids), settings
        model.records(self.ids)
        self.most = min(settings.max_new_tokens, model.context_length - len(self.ids))
        if self.most < 1:
            raise PromptError("context", "the window is full", count=len(self.ids), most=model.context_length)
        _check_size(model, len(self.ids) + self.most, settings.width)
        self.nodes = [BeamNode(0, -1, 0, self.ids[-1], 0.0, 0.0, 0.0, 1, "kept", False)]
        self.levels: list[BeamLevel] = []
        self._rows: TextBatch | None = None
        self._lock = threading.Lock()

    @property
    def stop(self) -> SearchStop | None:
        """Why the search is over; None while it can grow."""
        return self.levels[-1].stop if self.levels else None

    def grow(self) -> bool:
        """Compute one more level. False where the search is over."""
        with self._lock:
            if self.stop is None:
                live = self.levels[-1].active if self.levels else (0,)
                self.levels.append(self._level(live, self._step_log_probabilities(live)))
                return True
            return False

    def grow_to(self, level: int) -> None:
        """Compute what is missing of the first `level` levels, as far as the search goes."""
        while len(self.levels) < level and self.grow():
            pass

    def _step_log_probabilities(self, live: Sequence[int]) -> Tensor:
        """(B, V) after the penalties, for each live node in turn; one pass over all of them."""
        if self._rows is None:
            self._rows = TextBatch(self.model.prefix_cache, [self.ids])
        elif len(self._rows.texts[0]) < len(self.ids) + len(self.levels):
            before = self.levels[-2].active if len(self.levels) > 1 else (0,)
            parents = [before.index(self.nodes[node].parent) for node in live]
            self._rows.append(parents, [self.nodes[node].token_id for node in live])
        logits = torch.stack([torch.from_numpy(record.logits) for record in self._rows.records])  # (B, V)
        if self.settings.width == 1:  # greedy search: the penalties see logits
            return torch.log_softmax(_penalised(self.settings, self._rows.texts, logits), dim=-1)
        return _penalised(self.settings, self._rows.texts, torch.log_softmax(logits, dim=-1))

    def _level(self, live: Sequence[int], steps: Tensor) -> BeamLevel:
        """Rank all extensions, give the best of them their fate, and see whether the search is over."""
        width, number = self.settings.width, len(self.levels) + 1
        sums = steps + torch.tensor([self.nodes[node].log_probability for node in live])[:, None]  # (B, V)
        looked_at = min(max(2, 1 + len(self.model.end_ids)) * width, sums.numel())
        best, at = sums.flatten().topk(looked_at)
        scores = best / number**self.settings.length_penalty
        found: list[BeamNode] = []
        kept = 0
        for rank, (total, place, score) in enumerate(zip(best.tolist(), at.tolist(), scores.tolist(), strict=True), 1):
            if total == -float("inf"):
                break  # forbidden, and so are all that follow
            row, token_id = divmod(place, steps.shape[1])
            ends = number == self.most or token_id in self.model.end_ids
            fate: NodeStatus = "pruned"
            if ends and rank <= width:
                fate = "finished"
            elif not ends and kept < width:
                fate, kept = "kept", kept + 1
            index, step = len(self.nodes) + len(found), float(steps[row, token_id])
            found.append(BeamNode(index, live[row], number, token_id, step, total, score, rank, fate, ends))
        self.nodes += found
        finished = [*(self.levels[-1].finished if self.levels else ()), *_of(found, "finished")]
        finished.sort(key=lambda node: -self.nodes[node].score)
        living, held = _of(found, "kept"), tuple(finished[:width])
        hope, worst, stop = self._judge(living, held)
        return BeamLevel(tuple(node.index for node in found), living, held, sums.numel(), hope, worst, stop)

    def _judge(
        self, live: tuple[int, ...], finished: tuple[int, ...]
    ) -> tuple[float | None, float | None, SearchStop | None]:
        """`hope`, `worst` and `stop` of a level, in `generate`'s own order."""
        number, settings = len(self.levels) + 1, self.settings
        full = len(finished) == settings.width
        worst = self.nodes[finished[-1]].score if full else None
        hope = None
        if live:
            longest = settings.early_stopping == "never" and settings.length_penalty > 0
            total = torch.tensor(self.nodes[live[0]].log_probability)
            hope = float(total / (self.most if longest else number) ** settings.length_penalty)
        stop: SearchStop | None = None
        if number == self.most:
            stop = "length" if self.most == settings.max_new_tokens else "context"
        elif hope is None:
            stop = "ended"
        elif full and (settings.early_stopping is True or settings.width == 1):
            stop = "full"
        elif worst is not None and not hope > worst:
            stop = "bound"
        return hope, worst, stop

    def path(self, node: int) -> list[int]:
        """Indices of the nodes from the first token after the prompt to `node`."""
        path = []
        while node > 0:
            path.append(node)
            node = self.nodes[node].parent
        return path[::-1]

    def token_ids(self, node: int) -> tuple[int, ...]:
        """The text up to a node, prompt included."""
        return (*self.ids, *(self.nodes[i].token_id for i in self.path(node)))

    @property
    def sequences(self) -> list[Hypothesis]:
        """The finished beams that are held, best score first: what `generate(num_return_sequences=width)` returns."""
        return [self._hypothesis(node) for node in (self.levels[-1].finished if self.levels else ())]

    def _hypothesis(self, node: int) -> Hypothesis:
        ids, end = self.token_ids(node), self.nodes[node]
        return Hypothesis(ids, self.model.text(ids), end.log_probability, end.score, node)

    def release(self) -> None:
        """Give back the memory of the keys and values; they are built again where the search grows."""
        if self._rows is not None and self._lock.acquire(blocking=False):
            try:
                self._rows.release()
            finally:
                self._lock.release()


def _of(nodes: Sequence[BeamNode], fate: NodeStatus) -> tuple[int, ...]:
    return tuple(node.index for node in nodes if node.status == fate)


def _penalised(settings: BeamSettings, texts: Sequence[tuple[int, ...]], scores: Tensor) -> Tensor:
    """(B, V) -> (B, V): `transformers`' own processors."""
    for _, processor in processors(settings.penalties):
        scores = processor(torch.tensor(texts), scores.clone())
    return scores


def _check_size(model: Model, length: int, width: int) -> None:
    """Refuse a search before it takes more memory than there is: keys and values twice, while they are reordered."""
    size = model.vocabulary.size
    if width > size:
        raise EngineError("beam_vocabulary", f"{width} beams, {size} tokens", width=width, size=size)
    numbers = sum(heads * (key + value) for heads, key, value in model.prefix_cache.forward.shapes)
    a_beam = 4 * (2 * length * numbers + 4 * size)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else None
    if free is not None and width * a_beam > free:
        most = max(1, int(free // a_beam))
        raise EngineError("beam_memory", f"{width} beams do not fit into memory", width=width, most=most)


def beam_search(
    model: Model,
    ids: Sequence[int],
    width: int = 4,
    length_penalty: float = 1.0,
    max_new_tokens: int = 12,
    early_stopping: bool | Literal["never"] = False,
    repetition_penalty: float = 1.0,
    no_repeat_ngram_size: int = 0,
) -> BeamSearch:
    """Search to the end; `.sequences` are best first, `.nodes` and `.levels` everything that was looked at.

    Arguments as `BeamSettings`; raises SettingsError for one out of range, and what BeamSearch raises.
    """
    settings = BeamSettings(
        width, length_penalty, max_new_tokens, early_stopping, repetition_penalty, no_repeat_ngram_size
    )
    search = BeamSearch(model, ids, settings)
    search.grow_to(search.most)
    return search
