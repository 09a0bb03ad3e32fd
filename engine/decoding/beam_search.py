"""Beam search, one level at a time, with every candidate node recorded.

At each level every active beam is extended by every token. The best max(2, 1 + number of end-of-text ids) × width of
these extensions become the level's candidates; the first `width` of them that continue stay active, and those that end
among the first `width` are finished. Sequences, order and scores equal those of `transformers`'
`generate(num_beams=...)` (its `_beam_search`, for one prompt), including what counts as finished and when the search
stops. With one beam, `generate` is greedy search, and so is this. Every pass goes through the prefix cache.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from engine.decoding.beam_types import BeamLevel, BeamNode, BeamSettings, Hypothesis, NodeStatus, SearchStop
from engine.errors import EngineError, context_error, nothing_left_error
from engine.model.batch import TextBatch
from engine.model.model import Model
from engine.sampling.logits_processors import processors


class BeamSearch:
    """Beam search for one prompt, computed level by level. Thread-safe.

    ids     the prompt
    nodes   all recorded nodes, append-only; `nodes[0]` is the prompt
    levels  the computed levels, append-only
    most    maximum number of levels: max_new_tokens, or fewer where the context window is full earlier

    Raises PromptError for ids that cannot be a prompt, EngineError: `beam_vocabulary` for more beams than tokens in the
    vocabulary, `beam_memory` where the KV cache would not fit into memory.
    """

    def __init__(self, model: Model, ids: Sequence[int], settings: BeamSettings) -> None:
        self.model, self.ids, self.settings = model, tuple(ids), settings
        model.records(self.ids)
        self.most = min(settings.max_new_tokens, model.context_length - len(self.ids))
        if self.most < 1:
            raise context_error(len(self.ids), model.context_length)
        _check_size(model, len(self.ids) + self.most, settings.width)
        self.nodes = [BeamNode(0, -1, 0, self.ids[-1], 0.0, 0.0, 0.0, 1, "kept", False)]
        self.levels: list[BeamLevel] = []
        self._batch: TextBatch | None = None
        self._lock = threading.Lock()

    @property
    def stop(self) -> SearchStop | None:
        """Stop reason of the search; None while it can grow."""
        return self.levels[-1].stop if self.levels else None

    def grow(self) -> bool:
        """Compute one more level. Returns False where the search has stopped already."""
        with self._lock:
            if self.stop is None:
                active = self.levels[-1].active if self.levels else (0,)
                self.levels.append(self._next_level(active, self._step_log_probabilities(active)))
                return True
            return False

    def grow_to(self, level: int) -> None:
        """Compute the missing ones of the first `level` levels, or fewer if the search stops earlier."""
        while len(self.levels) < level and self.grow():
            pass

    def _step_log_probabilities(self, active: Sequence[int]) -> Tensor:
        """(B, V) log-probabilities of the next token after the penalties, one row per active node; one batched pass."""
        if self._batch is None:
            self._batch = TextBatch(self.model.prefix_cache, [self.ids])
        elif len(self._batch.texts[0]) < len(self.ids) + len(self.levels):
            before = self.levels[-2].active if len(self.levels) > 1 else (0,)
            parents = [before.index(self.nodes[node].parent) for node in active]
            self._batch.append(parents, [self.nodes[node].token_id for node in active])
        for output in self._batch.outputs:
            output.check_finite()
        logits = torch.stack([torch.from_numpy(output.logits) for output in self._batch.outputs])  # (B, V)
        if self.settings.width == 1:  # `generate` applies the penalties to logits in greedy search
            steps = torch.log_softmax(_apply_penalties(self.settings, self._batch.texts, logits), dim=-1)
        else:
            steps = _apply_penalties(self.settings, self._batch.texts, torch.log_softmax(logits, dim=-1))
        for row, output in zip(steps, self._batch.outputs, strict=True):
            if output.listed is not None:  # a server names the most probable tokens only: beams are made of these
                known = torch.from_numpy(output.listed)
                row.copy_(torch.full_like(row, -torch.inf).index_copy(0, known, row[known]))
        if not (steps > -torch.inf).any():  # all are -inf, or NaN after the softmax of nothing but -inf
            raise nothing_left_error()
        return steps

    def _next_level(self, active: Sequence[int], steps: Tensor) -> BeamLevel:
        """Rank all extensions of the active nodes, set the status of the best ones and test the stopping conditions.

        steps: (B, V) log-probabilities of the next token, one row per active node.
        """
        width, number = self.settings.width, len(self.levels) + 1
        sums = steps + torch.tensor([self.nodes[node].log_probability for node in active])[:, None]  # (B, V)
        count = min(max(2, 1 + len(self.model.end_ids)) * width, sums.numel())
        best, indices = sums.flatten().topk(count)
        scores = best / number**self.settings.length_penalty
        candidates: list[BeamNode] = []
        kept = 0
        for rank, (total, i, score) in enumerate(zip(best.tolist(), indices.tolist(), scores.tolist(), strict=True), 1):
            if total == -float("inf"):
                break  # forbidden, as are all that follow
            row, token_id = divmod(i, steps.shape[1])
            ends = number == self.most or token_id in self.model.end_ids
            status: NodeStatus = "pruned"
            if ends and rank <= width:
                status = "finished"
            elif not ends and kept < width:
                status, kept = "kept", kept + 1
            index, step = len(self.nodes) + len(candidates), float(steps[row, token_id])
            candidates.append(BeamNode(index, active[row], number, token_id, step, total, score, rank, status, ends))
        self.nodes += candidates
        finished = [*(self.levels[-1].finished if self.levels else ()), *_with_status(candidates, "finished")]
        finished.sort(key=lambda node: -self.nodes[node].score)
        still_active, best_finished = _with_status(candidates, "kept"), tuple(finished[:width])
        return BeamLevel(
            tuple(node.index for node in candidates),
            still_active,
            best_finished,
            sums.numel(),
            *self._stopping(still_active, best_finished),
        )

    def _stopping(
        self, active: tuple[int, ...], finished: tuple[int, ...]
    ) -> tuple[float | None, float | None, SearchStop | None]:
        """`best_possible`, `worst_finished` and `stop` of the next level, tested in the order of `generate`."""
        number, settings = len(self.levels) + 1, self.settings
        full = len(finished) == settings.width
        worst_finished = self.nodes[finished[-1]].score if full else None
        best_possible = None
        if active:
            longest = settings.early_stopping == "never" and settings.length_penalty > 0
            total = torch.tensor(self.nodes[active[0]].log_probability)
            best_possible = float(total / (self.most if longest else number) ** settings.length_penalty)
        stop: SearchStop | None = None
        if number == self.most:
            stop = "length" if self.most == settings.max_new_tokens else "context"
        elif best_possible is None:
            stop = "ended"
        elif full and (settings.early_stopping is True or settings.width == 1):
            stop = "full"
        elif worst_finished is not None and not best_possible > worst_finished:
            stop = "bound"
        return best_possible, worst_finished, stop

    def path(self, node: int) -> list[int]:
        """Indices of the nodes from the first token after the prompt to `node`."""
        path = []
        while node > 0:
            path.append(node)
            node = self.nodes[node].parent
        return path[::-1]

    def token_ids(self, node: int) -> tuple[int, ...]:
        """Token ids of the text up to and including `node`, prompt included."""
        return (*self.ids, *(self.nodes[i].token_id for i in self.path(node)))

    @property
    def sequences(self) -> list[Hypothesis]:
        """The finished beams, best score first, as returned by `generate(num_return_sequences=width)`."""
        return [self._hypothesis(node) for node in (self.levels[-1].finished if self.levels else ())]

    def _hypothesis(self, node: int) -> Hypothesis:
        ids, last = self.token_ids(node), self.nodes[node]
        return Hypothesis(ids, self.model.text(ids), last.log_probability, last.score, node)

    def release(self) -> None:
        """Free the KV cache; it is rebuilt when the search grows. Does nothing while another thread grows it."""
        if self._batch is not None and self._lock.acquire(blocking=False):
            try:
                self._batch.release()
            finally:
                self._lock.release()


def _with_status(nodes: Sequence[BeamNode], status: NodeStatus) -> tuple[int, ...]:
    """Indices of the nodes with a status."""
    return tuple(node.index for node in nodes if node.status == status)


def _apply_penalties(settings: BeamSettings, texts: Sequence[tuple[int, ...]], scores: Tensor) -> Tensor:
    """(B, V) -> (B, V): scores after the penalties, by the logits processors of `transformers`."""
    for _, processor in processors(settings.penalties):
        scores = processor(torch.tensor(texts), scores.clone())
    return scores


def _check_size(model: Model, length: int, width: int) -> None:
    """Raise EngineError for more beams than tokens in the vocabulary, or than fit into the free memory.

    length: of the longest text, in tokens. Everything counts as float32; keys and values count twice, because
    reordering copies them.
    """
    size = model.vocabulary.size
    if width > size:
        raise EngineError("beam_vocabulary", f"{width} beams, {size} tokens", width=width, size=size)
    numbers = sum(heads * (key + value) for heads, key, value in model.prefix_cache.forward.kv_shapes)
    bytes_per_beam = 4 * (2 * length * numbers + 4 * size)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else None
    if free is not None and width * bytes_per_beam > free:
        most = max(1, int(free // bytes_per_beam))
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
    """Beam search run to its end: `.sequences` are the finished beams, best first, `.nodes` and `.levels` the tree.

    Arguments as `BeamSettings`. Raises SettingsError for one out of range, otherwise as `BeamSearch`.
    """
    settings = BeamSettings(
        width, length_penalty, max_new_tokens, early_stopping, repetition_penalty, no_repeat_ngram_size
    )
    search = BeamSearch(model, ids, settings)
    search.grow_to(search.most)
    return search
