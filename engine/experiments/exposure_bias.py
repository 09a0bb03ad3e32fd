"""Loss on the same words behind the true text before them, and behind a text that the model wrote itself.

A model learns behind true prefixes only (teacher forcing) and writes behind its own. That difference is exposure bias:
Bengio et al. 2015, "Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks"; Ranzato et al. 2016,
"Sequence Level Training with Recurrent Neural Networks" (the name). Whether it does much harm is disputed: He et al.
2021, "Exposure Bias versus Self-Recovery: Are Distortions Really Incremental for Autoregressive Text Generation?",
find that models recover.

Each text is cut into tokens: a beginning of `given` of them, a middle of `between`, an end of `scored`. The end is
scored three times, position by position, each as −log P in nats:

true   behind the beginning and its true middle
own    behind the beginning and a middle of the same length that the model wrote (drawn from its unfiltered
       distribution, or the likeliest token each time; an end-of-text token is never taken, as none stands in the text)
other  behind the beginning and the middle of another of the texts

`own` is higher than `true` for two reasons that cannot be told apart by that alone: the model is behind a text of its
own (exposure bias), and that text is not the one that the end belongs to, so even a perfect model would lose by it.
`other` has the second reason without the first: its middle was written by people, and does not belong there either.
Where `own` is no higher than `other`, nothing of the loss has to be put down to exposure bias. A small experiment: it
can show a difference, not measure what training would gain.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine import usage
from engine.errors import EngineError
from engine.model.batch import TextBatch
from engine.model.model import Model
from engine.sampling.distribution import Distribution, uniform
from engine.sampling.settings import Settings, Strategy

Prefix = Literal["true", "own", "other"]
PREFIXES: tuple[Prefix, ...] = ("true", "own", "other")
GIVEN, BETWEEN, SCORED = 8, 12, 12  # tokens
LEAST_TEXTS = 2


@dataclass(frozen=True, slots=True)
class Loss:
    """Of one kind of prefix: mean over texts and seeds at each position (nats), and the mean of each text over all."""

    by_position: tuple[float, ...]
    by_text: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.by_text)


@dataclass(frozen=True, slots=True)
class Gap:
    """How much one loss is above another, in nats a token: the mean over the texts, its standard error over them
    (None for one text), and in how many texts it is above."""

    mean: float
    error: float | None
    above: int


class ExposureBias:
    """The experiment at work; a step is one batched pass over all texts and seeds. Not safe for two threads at once.

    used     which of the texts were long enough, by their index
    written  for each used text, the middles that the model wrote, one a seed

    Raises EngineError `texts` where fewer than two texts are long enough; `context` where they do not fit, and what
    `door` refuses a visitor.
    """

    def __init__(
        self, model: Model, texts: Sequence[str], strategy: Strategy, seeds: Sequence[int], between: int = BETWEEN,
    ) -> None:  # fmt: skip
        least = GIVEN + between + SCORED
        for text in texts:
            usage.check_prompt(text)
        encoded = [model.encode(text) for text in texts]
        for text, ids in zip(texts, encoded, strict=True):
            usage.check_length(text, len(ids))
        self.used = [at for at, ids in enumerate(encoded) if len(ids) >= least]
        if len(self.used) < LEAST_TEXTS:
            raise EngineError("texts", f"{len(self.used)} texts are long enough", count=len(self.used), least=least)
        if least > model.context_length:
            raise EngineError("context", f"{least} tokens", count=least, most=model.context_length)
        self._model, self._between = model, between
        self._texts = [encoded[at][:least] for at in self.used]
        self._seeds: list[int | None] = [*seeds] if strategy == "sample" else [None]
        self._own = [(at, seed) for at in range(len(self._texts)) for seed in self._seeds]  # a row each
        self._rows: TextBatch | None = None
        self._scored: dict[Prefix, list[list[float]]] = {}  # a row each, a position each
        self._rows_of: dict[Prefix, list[int]] = {
            "true": [*range(len(self._texts))],
            "own": [at for at, _ in self._own],
            "other": [*range(len(self._texts))],
        }
        self.written: list[list[tuple[int, ...]]] = [[] for _ in self._texts]
        self.steps = 0
        self.done = False

    @property
    def progress(self) -> float:
        """Share of the work that is done, from 0 to 1."""
        return 1.0 if self.done else self.steps / (self._between + SCORED + 1)

    def step(self) -> bool:
        """One token more of the middles, then of the ends. True while there is more."""
        if self.done:
            return False
        if self._rows is None:
            self._rows = TextBatch(self._model.prefix_cache, [self._texts[at][:GIVEN] for at, _ in self._own])
            self._score_known()
        elif self.steps <= self._between:
            self._write()
        else:
            self._score_own(self.steps - self._between - 1)
        self.steps += 1
        return not self.done

    def beginning(self, at: int) -> str:
        """What is given of a used text, as it reads."""
        return self._model.text(self._texts[at][:GIVEN])

    def middle(self, at: int) -> str:
        """The true middle of a used text, as it reads."""
        return self._model.text(self._texts[at][GIVEN : GIVEN + self._between])

    def stop(self) -> None:
        """The person stops it: nothing can be told of an experiment that is not at its end."""
        self.done, self._rows = True, None

    @property
    def finished(self) -> bool:
        return self.done and "own" in self._scored and len(self._scored["own"][0]) == SCORED

    def _score_known(self) -> None:
        """What needs no writing: the end behind its own middle, and behind the next text's."""
        middles = [text[GIVEN : GIVEN + self._between] for text in self._texts]
        for kind, turned in (("true", middles), ("other", [*middles[1:], middles[0]])):
            rows = []
            for text, middle in zip(self._texts, turned, strict=True):
                ids = (*text[:GIVEN], *middle, *text[GIVEN + self._between :])
                values = self._model.score(ids).log_probabilities[-SCORED:]
                rows.append([-value for value in values if value is not None])
            self._scored[kind] = rows  # type: ignore[index]

    def _write(self) -> None:
        """A token more of every middle, chosen as the strategy says."""
        assert self._rows is not None
        tokens = [
            self._choose(text, record.logits, seed)
            for text, record, (_, seed) in zip(self._rows.texts, self._rows.records, self._own, strict=True)
        ]
        self._rows.append(range(len(tokens)), tokens)
        if self.steps == self._between:
            for text, (at, _) in zip(self._rows.texts, self._own, strict=True):
                self.written[at].append(text[GIVEN:])
            self._scored["own"] = [[] for _ in self._own]

    def _choose(self, ids: tuple[int, ...], logits: np.ndarray, seed: int | None) -> int:
        allowed = logits.copy()
        allowed[list(self._model.end_ids)] = -np.inf
        distribution = Distribution(ids, allowed, Settings(), self._model.vocabulary.label)
        return distribution.likeliest() if seed is None else distribution.draw(uniform(seed, len(ids)))

    def _score_own(self, position: int) -> None:
        """The next true token of every end, scored behind what the model wrote."""
        assert self._rows is not None
        true = [self._texts[at][GIVEN + self._between + position] for at, _ in self._own]
        for scores, record, token_id in zip(self._scored["own"], self._rows.records, true, strict=True):
            scores.append(-record.log_probability(token_id))
        if position + 1 < SCORED:
            self._rows.append(range(len(true)), true)
        else:
            self.done, self._rows = True, None

    def loss(self, kind: Prefix) -> Loss:
        """Of a kind of prefix; of `own` only once it is finished. Seeds of a text count together as one."""
        rows, texts = self._scored[kind], self._rows_of[kind]
        by_text = [[row for row, at in zip(rows, texts, strict=True) if at == text] for text in range(len(self._texts))]
        means = [np.mean(of_text, axis=0) for of_text in by_text]  # (SCORED,) a text
        return Loss(tuple(np.mean(means, axis=0).tolist()), tuple(float(mean.mean()) for mean in means))


def gap(higher: Loss, lower: Loss) -> Gap:
    """How much one loss is above the other, text by text."""
    differences = [a - b for a, b in zip(higher.by_text, lower.by_text, strict=True)]
    error = statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else None
    return Gap(statistics.fmean(differences), error, sum(value > 0 for value in differences))
