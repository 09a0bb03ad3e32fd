"""Compression baselines without neural networks: PPMd and an interpolated Kneser-Ney character 5-gram.

Each is trained on the training text of a source; the result is the code length in bits of the held-out text. PPMd is
an adaptive compressor that continues to learn on the held-out text; the 5-gram does not.
"""

from __future__ import annotations

import numpy as np

from engine.training.errors import TrainingError

ORDER = 5
PPMD_ORDER, PPMD_MEMORY = 16, 2**30
CHARACTERS = 2**16  # size of the alphabet over which probability of unseen characters is distributed


def ppmd_bits(training: str, held_out: str) -> float:
    """Code length of `held_out` in bits by PPMd (variant H, order 16) after `training`.

    Raises TrainingError without the package pyppmd.
    """
    try:
        from pyppmd import Ppmd7Encoder
    except ImportError as error:
        raise TrainingError("PPMd needs pyppmd: pip install -r requirements-training.txt, or --no-rivals.") from error
    encoder = Ppmd7Encoder(PPMD_ORDER, PPMD_MEMORY)
    encoder.encode(training.encode("utf-8"))
    size = len(encoder.encode(held_out.encode("utf-8"))) + len(encoder.flush())  # bytes
    return 8.0 * size


class Ngram:
    """Interpolated Kneser-Ney model of order 5 over characters, one discount an order (Chen & Goodman 1999).

    An n-gram is identified by the number of its first n − 1 characters, itself an (n − 1)-gram, and its last
    character, so that each order needs only a sorted table of such pairs:

        >>> round(Ngram("abababab").bits("ab"), 1) < round(Ngram("abababab").bits("ba" * 2 + "c"), 1)
        True
    """

    def __init__(self, text: str) -> None:
        points = _code_points(text or "\n")  # the tables must not be empty
        self._characters, last = np.unique(points, return_inverse=True)  # last: (N,) character numbers
        self._width = len(self._characters) + 1
        self._keys: list[np.ndarray] = []  # of orders 2, 3, …: sorted, number of the context × width + last character
        first_positions, numbers = [], [last]  # numbers[n - 1]: number of the n-gram that ends at each position
        for _ in range(2, ORDER + 1):
            context = numbers[-1][:-1]
            pairs = context * self._width + last[len(last) - len(context) :]
            keys, positions, ngrams = np.unique(pairs, return_index=True, return_inverse=True)
            self._keys.append(keys)
            first_positions.append(positions)
            numbers.append(ngrams)
        self._counts: list[np.ndarray] = []  # occurrences for the highest order, continuation counts for the others
        for order in range(1, ORDER + 1):
            if order == ORDER:
                self._counts.append(np.bincount(numbers[-1], minlength=len(self._keys[-1])))
            else:  # continuation count: number of different characters before the n-gram
                suffix = numbers[order - 1][first_positions[order - 1] + 1]
                size = len(self._characters) if order == 1 else len(self._keys[order - 2])
                self._counts.append(np.bincount(suffix, minlength=size))

    def bits(self, text: str) -> float:
        """Code length of a text in bits; its first four characters have shorter contexts."""
        points = _code_points(text)
        last = np.searchsorted(self._characters, points).clip(max=len(self._characters) - 1)
        last = np.where(self._characters[last] == points, last, -1)  # -1: unseen
        probabilities = self._unigram(last)
        numbers = last
        for order in range(2, ORDER + 1):
            keys, counts = self._keys[order - 2], self._counts[order - 1]
            probabilities[order - 1 :], numbers = self._interpolate(
                keys, counts, numbers[:-1], last[order - 1 :], probabilities[order - 1 :]
            )
        return float(-np.log2(probabilities).sum())

    def _unigram(self, last: np.ndarray) -> np.ndarray:
        """(N,) unigram probabilities, interpolated with a uniform distribution over CHARACTERS characters."""
        counts = self._counts[0]
        discount = _discount(counts)
        total = max(1, counts.sum())
        discounted = np.where(last >= 0, np.maximum(counts[last] - discount, 0), 0) / total
        result: np.ndarray = discounted + discount * np.count_nonzero(counts) / total / CHARACTERS
        return np.maximum(result, 1 / (total * CHARACTERS))

    def _interpolate(
        self, keys: np.ndarray, counts: np.ndarray, context: np.ndarray, last: np.ndarray, lower: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(P(last | context), number of the n-gram context + last, or -1), both (N,).

        context, last  (N,) numbers of the context and of the last character, -1 for unseen ones
        lower          (N,) P(last | context) of the next lower order
        """
        if not len(keys) or not len(context):
            return lower, np.full(len(context), -1)
        pairs = np.where((context >= 0) & (last >= 0), context * self._width + last, -1)
        index = np.searchsorted(keys, pairs).clip(max=len(keys) - 1)
        known = keys[index] == pairs
        contexts = keys // self._width
        totals = np.bincount(contexts, weights=counts)
        types = np.bincount(contexts, weights=counts > 0)  # number of different continuations
        seen = (context >= 0) & (context < len(totals))
        safe_context = np.where(seen, context, 0)
        seen &= totals[safe_context] > 0
        total = np.where(seen, totals[safe_context], 1)
        discount = _discount(counts)
        discounted = np.where(known, np.maximum(counts[index] - discount, 0), 0) / total
        probabilities = discounted + discount * types[safe_context] / total * lower
        return np.where(seen, probabilities, lower), np.where(known, index, -1)


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)


def _discount(counts: np.ndarray) -> float:
    """Absolute discount n1 / (n1 + 2 n2) of an order, n1 and n2 the numbers of counts of 1 and 2; 0.5 if one is 0."""
    once, twice = int(np.sum(counts == 1)), int(np.sum(counts == 2))
    return once / (once + 2 * twice) if once and twice else 0.5


def ngram_bits(training: str, held_out: str) -> float:
    """Code length of `held_out` in bits by the character 5-gram trained on `training`."""
    return Ngram(training).bits(held_out)
