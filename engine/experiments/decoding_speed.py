"""Decoding speed benchmark: n tokens in one parallel pass, with a KV cache, and without one.

Three strategies compute the same numbers, the distribution after each of n tokens:

at_once   one forward pass over all n tokens. Possible when the text is known: training, scoring.
cached    n forward passes over one token each with a KV cache, as in ordinary generation. (At the switch of a LongRoPE
          model one of them is over the whole text, as its keys so far are then of no use.)
whole     n forward passes, each over the whole text so far, without a KV cache.

The model is called directly, bypassing the prefix cache, which would return cached outputs. Passes return no attention
weights and no hidden states, and only the logits that the strategy needs: all positions for `at_once`, the last
position otherwise. `at_once` and `cached` are timed in several alternating rounds, and the median of each pass is
used; `whole`, a sum of many long passes, is timed once. The text is the prompt followed by the model's greedy
continuation, which is chosen during the first round, since token t + 1 is unknown until the pass over token t is done.
Only the forward passes are timed. Times vary between runs and apply to this machine only.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch

from engine import usage
from engine.decoding.incremental import IncrementalWork
from engine.errors import PromptError, not_finite_error
from engine.model.forward import last_logits_only
from engine.model.kv_cache import KVCache
from engine.model.model import Model

LENGTHS = (8, 16, 32, 48, 64, 96, 128)
ROUNDS = 3
_TIME_LIMIT = 6.0  # seconds of passes after which no new round starts and `whole` does not continue to a longer length


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds for `tokens` tokens by strategy; None where a strategy was not measured at this length.

    `cached` is also None for a model without a KV cache (a recurrent one).
    """

    tokens: int
    at_once: float | None
    cached: float | None
    whole: float | None


class DecodingSpeed(IncrementalWork):
    """Benchmark, one forward pass a step.

    ids         token ids of the prompt, then of its greedy continuation, up to the longest length
    lengths     lengths that fit the model's context, ascending
    difference  largest absolute difference between the log-probabilities of `cached` and `at_once` after the prompt;
                None until it was computed, or without a KV cache

    Raises PromptError for ids that cannot be a prompt; `step` raises EngineError(`not_finite`) and whatever
    `usage.before_pass` raises.
    """

    def __init__(
        self, model: Model, ids: Sequence[int], lengths: Sequence[int] = LENGTHS, rounds: int = ROUNDS,
        patience: float = _TIME_LIMIT,
    ) -> None:  # fmt: skip
        if not ids:
            raise PromptError("empty", "no tokens")
        super().__init__(self._measure())
        self._forward = model.prefix_cache.forward
        self.lengths = tuple(n for n in lengths if n <= model.context_length)
        self.ids = list(ids[: self.lengths[-1]])
        self._prompt_length = len(self.ids)
        self._max_rounds = rounds
        self._time_limit = patience
        self._elapsed = 0.0
        self._passes = 0
        self._at_once: dict[int, list[float]] = {}  # length -> seconds, one a round
        self._cached: list[list[float]] = []  # [round][position] -> seconds
        self._whole: list[float] = []  # [position] -> seconds
        self.difference: float | None = None

    @property
    def progress(self) -> float:
        """Fraction of the planned passes that are done, from 0 to 1."""
        longest = self.lengths[-1]
        extra = 1 + self._forward.supports_kv_cache  # the warm-up, and the pass that computes `difference`
        planned = extra + longest + self._max_rounds * (self._forward.supports_kv_cache * longest + len(self.lengths))
        return 1.0 if self.done else min(1.0, self._passes / planned)

    @property
    def rounds(self) -> int:
        """Number of complete rounds of `at_once`."""
        return min((len(times) for times in self._at_once.values()), default=0)

    @property
    def times(self) -> list[Times]:
        """Medians over the rounds so far, one entry for each length that any strategy has reached."""
        rows = []
        for n in self.lengths:
            at_once = self._at_once.get(n)
            whole = _sum([self._whole], n)
            row = Times(n, statistics.median(at_once) if at_once else None, _sum(self._cached, n), whole)
            if (row.at_once, row.cached, row.whole) != (None, None, None):
                rows.append(row)
        return rows

    def _measure(self) -> Generator[bool]:
        self._pass(self.ids[:1], None, False)  # the first pass after a pause is slower
        self._elapsed = 0.0
        yield True
        for number in range(self._max_rounds):
            if number and self._elapsed > self._time_limit:
                return
            if self._forward.supports_kv_cache:
                yield from self._measure_cached()
            if not number:
                yield from self._measure_whole()
            yield from self._measure_at_once()

    def _measure_cached(self) -> Iterator[bool]:
        self._cached.append([])
        kv_cache = KVCache(self._forward.layers, self._forward.device)
        for position in range(self.lengths[-1]):
            new = self.ids[position : position + 1]
            if position == self._forward.rope_switch:  # all keys are encoded otherwise from here on
                kv_cache, new = KVCache(self._forward.layers, self._forward.device), self.ids[: position + 1]
            seconds, logits = self._pass(new, kv_cache, True)
            self._cached[-1].append(seconds)
            self._extend(position, logits)
            if position == self._prompt_length - 1 and self.difference is None:
                yield True
                at_once = torch.log_softmax(self._pass(self.ids[: position + 1], None, False)[1], dim=-1)
                stepwise = torch.log_softmax(logits, dim=-1)
                # Equal infinities, of tokens that a model never predicts, have no difference.
                self.difference = float(torch.where(stepwise == at_once, 0.0, (stepwise - at_once).abs()).max())
            yield True

    def _measure_whole(self) -> Iterator[bool]:
        for position in range(self.lengths[-1]):
            if self._elapsed > self._time_limit and position in self.lengths:
                return  # a large model: the shorter lengths show the trend as well
            seconds, logits = self._pass(self.ids[: position + 1], None, True)
            self._whole.append(seconds)
            self._extend(position, logits)
            yield True

    def _measure_at_once(self) -> Iterator[bool]:
        for n in self.lengths:
            if n <= len(self.ids):
                self._at_once.setdefault(n, []).append(self._pass(self.ids[:n], None, False)[0])
                yield True

    def _extend(self, position: int, logits: torch.Tensor) -> None:
        """Append the most probable token if `position` is the last one of an incomplete text; logits: (V,)."""
        if position == len(self.ids) - 1 and len(self.ids) < self.lengths[-1]:
            self.ids.append(int(logits.argmax()))

    @torch.inference_mode()
    def _pass(self, ids: list[int], kv_cache: KVCache | None, last_only: bool) -> tuple[float, torch.Tensor]:
        """(seconds of one forward pass, logits after its last token, (V,) float32)."""
        usage.before_pass(len(ids))
        hf = self._forward.model
        tokens = torch.tensor([ids], device=hf.device)  # (1, n)
        arguments = last_logits_only(hf) if last_only else {}
        past = {} if kv_cache is None else {"past_key_values": kv_cache.cache}
        with self._forward.lock:
            started = time.perf_counter()
            logits = hf(input_ids=tokens, use_cache=kv_cache is not None, **past, **arguments).logits
            after = logits[0, -1].cpu().float()  # which waits for a GPU
            seconds = time.perf_counter() - started
        self._elapsed += seconds
        self._passes += 1
        if not torch.isfinite(torch.logsumexp(after, dim=-1)):
            raise not_finite_error("the logits")
        return seconds, after


def _sum(rounds: list[list[float]], n: int) -> float | None:
    """Seconds of the first n steps, the median over the rounds for each step; None if fewer steps were measured."""
    if not rounds or len(rounds[0]) < n:
        return None
    return sum(statistics.median(times[i] for times in rounds if len(times) > i) for i in range(n))
