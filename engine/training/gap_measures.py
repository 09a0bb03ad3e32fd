"""Held-out gaps: how often the true token is among the five most probable, from both sides and from the left alone.

One token of each passage is hidden. Three answers are compared: the masked model's, from both sides; the causal
model's, from the left alone; and the causal model's after it has scored the whole passage with each of its RESCORED
most probable tokens (Bayes' rule restricted to these).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.masked.masked_model import MaskedModel
from engine.model.model import MAX_CHARACTERS, Model

MOST_TOKENS, LEAST_TOKENS = 48, 10  # of a passage
RESCORED = 50
TOP = 5


@dataclass
class Hits:
    """Number of gaps, and of those for which the true token is among the TOP."""

    gaps: int = 0
    both: int = 0
    left: int = 0
    rescored: int = 0


@dataclass
class GapMeasures:
    """Hits by source."""

    sources: dict[str, Hits] = field(default_factory=dict)

    @property
    def total(self) -> Hits:
        every = self.sources.values()
        return Hits(*(sum(getattr(hits, name) for hits in every) for name in ("gaps", "both", "left", "rescored")))


def passages(path: Path, causal: Model, count: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Random passages of a file of held-out documents, (token ids, hidden place), the same in each run."""
    documents = [text for text in path.read_text("utf-8").split("\n\n") if text.strip()]
    rng = random.Random(path.stem)
    rng.shuffle(documents)
    for document in documents:
        ids = causal.encode(document[:MAX_CHARACTERS])
        for start in range(0, len(ids), MOST_TOKENS):
            passage = ids[start : start + MOST_TOKENS]
            if len(passage) >= LEAST_TOKENS and count:
                count -= 1
                yield passage, rng.randrange(2, len(passage) - 3)


def measure(masked: MaskedModel, causal: Model, held_out: Path, gaps: int) -> GapMeasures:
    """Measures over about `gaps` gaps, equally many of each public source and of the own ones together."""
    files = sorted(path for path in held_out.glob("*.txt") if "chat" not in path.stem)
    public = [path for path in files if not path.stem.startswith("own-")]
    own = [path for path in files if path.stem.startswith("own-")]
    share = gaps // (len(public) + bool(own))
    found = GapMeasures()
    for path in public:
        _add(found.sources.setdefault(path.stem, Hits()), masked, causal, path, share)
    for path in own:
        _add(found.sources.setdefault("own", Hits()), masked, causal, path, max(1, share // len(own)))
    return found


def _add(hits: Hits, masked: MaskedModel, causal: Model, path: Path, count: int) -> None:
    for ids, place in passages(path, causal, count):
        true = ids[place]
        hidden = (*ids[:place], masked.mask, *ids[place + 1 :])
        left = causal.distribution(ids[:place]).raw
        hits.gaps += 1
        hits.both += true in _most(masked.log_probabilities(hidden, [place])[0])
        hits.left += true in _most(left)
        hits.rescored += true in _rescored(causal, ids, place, left)


def _rescored(causal: Model, ids: tuple[int, ...], place: int, left: np.ndarray) -> list[int]:
    """The TOP of the causal model's RESCORED most probable tokens, by the probability of the whole passage."""
    candidates = _most(left, RESCORED)
    scores = []
    for token in candidates:
        values = causal.score((*ids[:place], token, *ids[place + 1 :])).log_probabilities[place:]
        scores.append(sum(value for value in values if value is not None))
    order = np.argsort(-np.array(scores), kind="stable")[:TOP]
    return [candidates[i] for i in order]


def _most(values: np.ndarray, count: int = TOP) -> list[int]:
    return [int(i) for i in np.argsort(-values, kind="stable")[:count]]


def report(found: GapMeasures) -> None:
    """Print a table."""
    print(f"{'source':20} gaps  both sides  left alone  causal, whole passage (true token among {TOP})")
    for name, hits in (*sorted(found.sources.items()), ("all", found.total)):
        if hits.gaps:
            both, left, rescored = (f"{value / hits.gaps:10.1%}" for value in (hits.both, hits.left, hits.rescored))
            print(f"{name:20} {hits.gaps:4} {both}  {left}  {rescored}", flush=True)
