"""How long n tokens take at once and one after another, with and without the keys and values of those before.

Three ways to the same numbers, the distribution after each of n tokens:

at_once   one pass over all of them. Possible where the text is there already: training, scoring.
cached    n passes over one token each; keys and values of those before are kept (what every generator does).
whole     n passes, each over the whole text so far: what one pays who keeps nothing.

Bare passes of the model are timed, past the prefix tree, which would answer from memory: no attention weights, no
hidden states, and the logits that the way needs (all positions at once; the last one where it goes step by step). The
first two ways are timed in several rounds that take turns, and the median of each pass counts; the third, a sum of
many long passes, is timed once. The text is the prompt and then what the model itself finds likeliest, chosen while
the first round goes: token t + 1 is not known before the pass over token t is done. Only the passes are timed. Times
vary from run to run and mean this machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch

from engine import usage
from engine.errors import PromptError
from engine.model.forward import last_logits_only
from engine.model.kv_cache import KVCache
from engine.model.model import Model

LENGTHS = (8, 16, 32, 48, 64, 96, 128)
ROUNDS = 3
_PATIENCE = 6.0  # seconds of passes after which no further round is begun, nor the third way goes on to a longer text


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds for n tokens; None for a way that was not measured for so many.

    cached is None as well for a model that cannot keep keys and values of the past (a recurrent one).
    """

    tokens: int
    at_once: float | None
    cached: float | None
    whole: float | None


class DecodingSpeed:
    """A measurement at work, a pass a step. Not safe for two threads at once.

    Raises PromptError for ids that cannot be a prompt; `step` what `door.passed` raises.
    """

    def __init__(
        self, model: Model, ids: Sequence[int], lengths: Sequence[int] = LENGTHS, rounds: int = ROUNDS,
        patience: float = _PATIENCE,
    ) -> None:  # fmt: skip
        if not ids:
            raise PromptError("empty", "no tokens")
        self._forward = model.prefix_cache.forward
        self.lengths = tuple(n for n in lengths if n <= model.context_length)
        self.ids = list(ids[: self.lengths[-1]])  # grows to the longest length
        self._prompt = len(self.ids)
        self._rounds = rounds
        self._patience = patience
        self._spent = 0.0
        self._passes = 0
        self._at_once: dict[int, list[float]] = {}
        self._cached: list[list[float]] = []  # by round, a pass a token
        self._whole: list[float] = []  # a pass a token
        self.difference: float | None = None  # largest one between the log-probabilities of the first two ways
        self.done = False
        self._work: Generator[bool] = self._measure()

    def step(self) -> bool:
        """One pass more. True while there is more to measure."""
        if not self.done and next(self._work, None) is None:
            self.done = True
        return not self.done

    def stop(self) -> None:
        """The person stops it: what is measured stays."""
        self.done = True
        self._work.close()

    @property
    def progress(self) -> float:
        """Share of the passes that are planned, from 0 to 1."""
        longest = self.lengths[-1]
        planned = longest + self._rounds * (self._forward.uses_buffer * longest + len(self.lengths))
        return 1.0 if self.done else min(1.0, self._passes / planned)

    @property
    def rounds(self) -> int:
        """How often the first two ways were timed."""
        return min((len(times) for times in self._at_once.values()), default=0)

    @property
    def times(self) -> list[Times]:
        """What is known so far: medians over the rounds, a row a length that any way has reached."""
        rows = []
        for n in self.lengths:
            at_once = self._at_once.get(n)
            whole = _sum([self._whole], n)
            row = Times(n, statistics.median(at_once) if at_once else None, _sum(self._cached, n), whole)
            if (row.at_once, row.cached, row.whole) != (None, None, None):
                rows.append(row)
        return rows

    def _measure(self) -> Generator[bool]:
        for number in range(self._rounds):
            if number and self._spent > self._patience:
                return
            if self._forward.uses_buffer:
                yield from self._steps_cached()
            if not number:
                yield from self._steps_whole()
            yield from self._all_at_once()

    def _steps_cached(self) -> Iterator[bool]:
        self._cached.append([])
        buffer = KVCache(self._forward.layers)
        for position in range(self.lengths[-1]):
            seconds, last = self._pass([self.ids[position]], buffer, True)
            self._cached[-1].append(seconds)
            self._choose(position, last)
            if position == self._prompt - 1 and self.difference is None:
                at_once = torch.log_softmax(self._pass(self.ids[: position + 1], None, False)[1], dim=-1)
                self.difference = float((torch.log_softmax(last, dim=-1) - at_once).abs().max())
            yield True

    def _steps_whole(self) -> Iterator[bool]:
        for position in range(self.lengths[-1]):
            if self._spent > self._patience and position in self.lengths:
                return  # a large model: shorter texts tell it as well
            seconds, last = self._pass(self.ids[: position + 1], None, True)
            self._whole.append(seconds)
            self._choose(position, last)
            yield True

    def _all_at_once(self) -> Iterator[bool]:
        for n in self.lengths:
            if n <= len(self.ids):
                self._at_once.setdefault(n, []).append(self._pass(self.ids[:n], None, False)[0])
                yield True

    def _choose(self, position: int, last: torch.Tensor) -> None:
        """Append the likeliest token where the text is not known further than to a position."""
        if position == len(self.ids) - 1 and len(self.ids) < self.lengths[-1]:
            self.ids.append(int(last.argmax()))

    @torch.inference_mode()
    def _pass(self, ids: list[int], buffer: KVCache | None, last_only: bool) -> tuple[float, torch.Tensor]:
        """Seconds of one bare pass, and the logits after its last token."""
        usage.before_pass(len(ids))
        hf = self._forward.model
        tokens = torch.tensor([ids], device=hf.device)  # (1, n)
        arguments = last_logits_only(hf) if last_only else {}
        cache = {} if buffer is None else {"past_key_values": buffer.cache}
        if self._passes == 0:
            hf(input_ids=tokens, use_cache=False)  # the first pass after a while is slower than those that follow
        started = time.perf_counter()
        logits = hf(input_ids=tokens, use_cache=buffer is not None, **cache, **arguments).logits
        seconds = time.perf_counter() - started
        self._spent += seconds
        self._passes += 1
        return seconds, logits[0, -1].float()


def _sum(rounds: list[list[float]], n: int) -> float | None:
    """Seconds of the first n steps: of each step the median over the rounds that reached it."""
    if not rounds or len(rounds[0]) < n:
        return None
    return sum(statistics.median(times[i] for times in rounds if len(times) > i) for i in range(n))
