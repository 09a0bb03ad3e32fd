"""Two models of text that are no neural networks, measured on the same bytes: PPMd and a character 5-gram.

Each learns from the training text of a source and then pays bits for its held-out text. PPMd is a compressor that
goes on learning while it reads the held-out text; the 5-gram does not. Neither is kept: they are yardsticks.
"""

from __future__ import annotations

import numpy as np

from engine.training.errors import TrainingError

ORDER = 5
PPMD_ORDER, PPMD_MEMORY = 16, 2**30
CHARACTERS = 2**16  # a character that was never seen is one of so many


def ppmd_bits(training: str, held_out: str) -> float:
    """Bits that PPMd (variant H, order 16) pays for `held_out` after it has read `training`."""
    try:
        from pyppmd import Ppmd7Encoder
    except ImportError as error:
        raise TrainingError("PPMd needs pyppmd: pip install -r requirements-training.txt, or --no-rivals.") from error
    encoder = Ppmd7Encoder(PPMD_ORDER, PPMD_MEMORY)
    encoder.encode(training.encode("utf-8"))
    written = len(encoder.encode(held_out.encode("utf-8"))) + len(encoder.flush())
    return 8.0 * written


class Ngram:
    """Interpolated Kneser-Ney of order 5 over characters, one discount an order (Chen & Goodman 1999).

    The n-gram that ends at a place is numbered from the number of the one that ends a place earlier, with one
    character less, so a table of pairs an order is all there is:

        >>> round(Ngram("abababab").bits("ab"), 1) < round(Ngram("abababab").bits("ba" * 2 + "c"), 1)
        True
    """

    def __init__(self, text: str) -> None:
        points = _points(text or "\n")  # whoever has read nothing has at least read the end of a line
        self._characters, at = np.unique(points, return_inverse=True)
        self._width = len(self._characters) + 1
        self._keys: list[np.ndarray] = []  # of order 2, 3, …: number of the beginning × width + last character
        first_places, ends = [], [at]
        for _ in range(2, ORDER + 1):
            beginning = ends[-1][:-1]
            pairs = beginning * self._width + at[len(at) - len(beginning) :]
            keys, places, numbers = np.unique(pairs, return_index=True, return_inverse=True)
            self._keys.append(keys)
            first_places.append(places)
            ends.append(numbers)
        self._counts: list[np.ndarray] = []
        for order in range(1, ORDER + 1):
            if order == ORDER:
                self._counts.append(np.bincount(ends[-1], minlength=len(self._keys[-1])))
            else:  # how many different characters stand before it
                suffix = ends[order - 1][first_places[order - 1] + 1]
                size = len(self._characters) if order == 1 else len(self._keys[order - 2])
                self._counts.append(np.bincount(suffix, minlength=size))

    def bits(self, text: str) -> float:
        """Bits paid for a text; its first characters are predicted from the few that stand before them."""
        points = _points(text)
        at = np.searchsorted(self._characters, points).clip(max=len(self._characters) - 1)
        at = np.where(self._characters[at] == points, at, -1)
        chances = self._lowest(at)
        ends = at
        for order in range(2, ORDER + 1):
            keys, counts = self._keys[order - 2], self._counts[order - 1]
            chances[order - 1 :], ends = self._interpolate(
                keys, counts, ends[:-1], at[order - 1 :], chances[order - 1 :]
            )
        return float(-np.log2(chances).sum())

    def _lowest(self, at: np.ndarray) -> np.ndarray:
        counts = self._counts[0]
        cut = _discount(counts)
        total = max(1, counts.sum())
        found = np.where(at >= 0, np.maximum(counts[at] - cut, 0), 0) / total
        result: np.ndarray = found + cut * np.count_nonzero(counts) / total / CHARACTERS
        return np.maximum(result, 1 / (total * CHARACTERS))

    def _interpolate(
        self, keys: np.ndarray, counts: np.ndarray, before: np.ndarray, last: np.ndarray, lower: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(chance of each `last` after `before`, number of the n-gram that they make or -1)."""
        if not len(keys) or not len(before):
            return lower, np.full(len(before), -1)
        wanted = np.where((before >= 0) & (last >= 0), before * self._width + last, -1)
        place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
        known = keys[place] == wanted
        beginnings = keys // self._width
        total = np.bincount(beginnings, weights=counts)
        kinds = np.bincount(beginnings, weights=counts > 0)
        seen = (before >= 0) & (before < len(total))
        here = np.where(seen, before, 0)
        seen &= total[here] > 0
        sure = np.where(seen, total[here], 1)
        cut = _discount(counts)
        found = np.where(known, np.maximum(counts[place] - cut, 0), 0) / sure + cut * kinds[here] / sure * lower
        return np.where(seen, found, lower), np.where(known, place, -1)


def _points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)


def _discount(counts: np.ndarray) -> float:
    once, twice = int(np.sum(counts == 1)), int(np.sum(counts == 2))
    return once / (once + 2 * twice) if once and twice else 0.5


def ngram_bits(training: str, held_out: str) -> float:
    """Bits that the character 5-gram pays for `held_out` after it has read `training`."""
    return Ngram(training).bits(held_out)
