"""Speculative decoding: several tokens are guessed cheaply, checked in one pass of the model, kept while they agree.

Leviathan, Kalman, Matias 2023, "Fast Inference from Transformers via Speculative Decoding"; Chen et al. 2023. With
greedy search a guess is kept if it is the model's own choice, so the text is that of one token a pass. With sampling a
guess x is kept with probability min(1, p(x) / q(x)), p the model's distribution and q the drafter's, and the first
rejected one is replaced by a draw from max(0, p - q), normalized: every token then has the distribution p.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.decoding import stopping
from engine.decoding.cached_text import CachedText, room_for
from engine.decoding.drafting import Draft, Drafter
from engine.decoding.incremental import IncrementalWork
from engine.errors import PromptError
from engine.model.model import Model
from engine.sampling.distribution import Distribution, uniform
from engine.sampling.settings import Settings

_GUESS, _KEEP, _REPLACE = 1, 2, 3  # streams of random numbers beside that of ordinary draws, see `_random`


@dataclass(frozen=True)
class Guess:
    """One guess and its check.

    drafted  the drafter's probability of the token, after the filters; 1 for a copied token
    model    the model's
    limit    the guess is kept if u is less than this: min(1, model / drafted); None for greedy
    u        random number in [0, 1); None for greedy and for guesses after a rejected one
    kept     None for guesses after a rejected one: they cannot be used
    """

    token_id: int
    drafted: float
    model: float
    limit: float | None
    u: float | None
    kept: bool | None


@dataclass(frozen=True)
class Round:
    """Guesses, one pass of the model over all of them, and the token that the model adds.

    start        tokens of the text before the round
    token_id     replaces the first rejected guess, or follows the last one; None where the text ended with a kept guess
    """

    start: int
    guesses: tuple[Guess, ...]
    token_id: int | None

    @property
    def kept(self) -> int:
        """Number of guesses kept."""
        return sum(bool(guess.kept) for guess in self.guesses)

    @property
    def token_ids(self) -> tuple[int, ...]:
        """New tokens of the text."""
        kept = tuple(guess.token_id for guess in self.guesses if guess.kept)
        return kept if self.token_id is None else (*kept, self.token_id)


def residual(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Distribution of the token that replaces a rejected guess: max(0, p - q), normalized; all (V,) float64."""
    rest = np.maximum(0.0, p.astype(np.float64) - q.astype(np.float64))
    total = rest.sum()
    return rest / total if total > 0 else p.astype(np.float64)


def draw(probabilities: np.ndarray, u: float) -> int:
    """Index whose interval in the cumulative distribution contains u; probabilities: (V,)."""
    cumulative = np.cumsum(probabilities, dtype=np.float64)
    return min(int(np.searchsorted(cumulative / cumulative[-1], u, side="right")), len(probabilities) - 1)


def _random(seed: int, position: int, stream: int) -> float:
    """Uniform random number in [0, 1) of a stream; positions of different streams never meet."""
    return uniform(seed, position + (stream << 32))


class SpeculativeDecoding(IncrementalWork):
    """One round a step; afterwards the same tokens one by one, one pass a step, for the time.

    rounds          rounds so far
    ids             the text so far
    prompt_length   tokens of the prompt
    stop_reason     reason of the end of the text; None while tokens are written
    single_seconds  time of one pass a token over the same text; None until it is measured
    single_passes   passes of it so far
    identical       whether every token is the one that greedy search chooses there, one by one; None for sampling and
                    until all have been compared

    Raises PromptError for ids that cannot be a prompt; `step` raises EngineError(`not_finite`, `nothing_left`) and
    whatever `usage.before_pass` raises.
    """

    def __init__(
        self, model: Model, ids: Sequence[int], drafter: Drafter, guesses: int, strategy: Literal["greedy", "sample"],
        settings: Settings, seed: int, max_new_tokens: int,
    ) -> None:  # fmt: skip
        if not ids:
            raise PromptError("empty", "no tokens")
        super().__init__(self._run())
        self.rounds: list[Round] = []
        self.ids = list(ids)
        self.stop_reason: stopping.StopReason | None = None
        self.single_seconds: float | None = None
        self.identical: bool | None = None
        self._model, self._drafter, self._guesses, self._seed = model, drafter, guesses, seed
        self._greedy = strategy == "greedy"
        self._settings = settings.for_greedy() if self._greedy else settings
        self.prompt_length = len(ids)
        self._most = room_for(model, len(ids), max_new_tokens)
        self._text, self._single = CachedText(model.prefix_cache.forward), CachedText(model.prefix_cache.forward)

    @property
    def written(self) -> int:
        """New tokens so far."""
        return len(self.ids) - self.prompt_length

    @property
    def passes(self) -> int:
        """Passes of the whole model so far."""
        return self._text.passes

    @property
    def draft_passes(self) -> int:
        """Passes of the drafter so far."""
        return self._drafter.text.passes if self._drafter.text is not None else 0

    @property
    def draft_seconds(self) -> float:
        """Time of the drafter's passes so far."""
        return self._drafter.text.seconds if self._drafter.text is not None else 0.0

    @property
    def seconds(self) -> float:
        """Time of all passes so far, of drafter and model."""
        return self._text.seconds + self.draft_seconds

    @property
    def single_passes(self) -> int:
        """Passes of writing one by one so far."""
        return self._single.passes

    @property
    def progress(self) -> float:
        """Fraction of the work that is done, from 0 to 1."""
        written = 1.0 if self.stop_reason else self.written / self._most
        return 1.0 if self.done else (written + self.single_passes / max(1, self.written)) / 2

    def _run(self) -> Generator[bool]:
        forward = self._model.prefix_cache.forward
        CachedText(forward).logits(self.ids[:1])  # the first pass after a pause is slower
        yield True
        while self.stop_reason is None:
            self._round()
            self.stop_reason = stopping.stop_reason(self._model, self.ids, self.written, self._most)
            yield True
        identical = True
        for at in range(self.prompt_length, len(self.ids)):
            logits = self._single.logits(self.ids[:at])[0].numpy()
            identical &= not self._greedy or self._predict(self.ids[:at], logits).argmax() == self.ids[at]
            yield True
        self.single_seconds = self._single.seconds
        self.identical = identical if self._greedy else None

    def _predict(self, ids: Sequence[int], logits: np.ndarray) -> Distribution:
        return Distribution(ids, logits, self._settings, self._model.vocabulary.label)

    def _choose(self, distribution: Distribution, position: int) -> int:
        """The drafter's choice."""
        if self._greedy:
            return distribution.argmax()
        return distribution.draw(_random(self._seed, position, _GUESS))

    def _round(self) -> None:
        count = min(self._guesses, self._most - self.written - 1)  # the model adds a token of its own
        drafts = self._drafter.draft(self.ids, count, self._predict, self._choose) if count else []
        text = [*self.ids, *(draft.token_id for draft in drafts)]
        logits = self._text.logits(text, len(drafts) + 1).numpy()  # (n + 1, V)
        start = len(self.ids)
        distributions = [self._predict(text[: start + at], row) for at, row in enumerate(logits)]
        round_ = self._check(start, drafts, distributions)
        self.rounds.append(round_)
        self.ids += round_.token_ids

    def _check(self, start: int, drafts: Sequence[Draft], distributions: Sequence[Distribution]) -> Round:
        """Keep guesses up to the first rejected one; drafts: n, distributions of the model: n + 1."""
        guesses: list[Guess] = []
        token_id: int | None = None
        rejected = False
        for at, (draft, distribution) in enumerate(zip(drafts, distributions, strict=False)):
            guess = self._judged(draft, distribution, start + at, rejected)
            guesses.append(guess)
            if guess.kept is False:
                rejected, token_id = True, self._replacement(draft, distribution, start + at)
        ended = not rejected and bool(drafts) and drafts[-1].token_id in self._model.end_ids
        if not rejected and not ended:
            token_id = self._added(distributions[len(drafts)], start + len(drafts))
        return Round(start, tuple(guesses), token_id)

    def _judged(self, draft: Draft, distribution: Distribution, position: int, late: bool) -> Guess:
        """A guess with its check; `late`: after a rejected one."""
        model = float(distribution.probabilities[draft.token_id])
        if self._greedy:
            kept = None if late else draft.token_id == distribution.argmax()
            return Guess(draft.token_id, draft.probability, model, None, None, kept)
        limit = min(1.0, model / draft.probability)
        u = None if late else _random(self._seed, position, _KEEP)
        return Guess(draft.token_id, draft.probability, model, limit, u, None if u is None else u < limit)

    def _replacement(self, draft: Draft, distribution: Distribution, position: int) -> int:
        """The token in place of a rejected guess."""
        if self._greedy:
            return distribution.argmax()
        if draft.distribution is not None:
            q = draft.distribution.probabilities
        else:
            q = np.zeros(distribution.size)
            q[draft.token_id] = 1.0
        return draw(residual(distribution.probabilities, q), _random(self._seed, position, _REPLACE))

    def _added(self, distribution: Distribution, position: int) -> int:
        """The model's own token after guesses that were all kept."""
        return distribution.argmax() if self._greedy else distribution.draw(uniform(self._seed, position))
