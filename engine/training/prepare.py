"""Folders of text → one array of token ids a source, and the documents held out for validation.

Written to the work folder: `tokens/NAME.bin` (uint16, every document followed by `<eos>`), `held-out/NAME.txt`
(documents, a blank line between) and `sources.json`. Running it again replaces them, so new text can be taken in
between two parts of a run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from engine.training import corpus
from engine.training.errors import TrainingError, require_space

BATCH = 2000  # documents encoded at once


def prepare(sources: Sequence[corpus.Source], tokenizer: Tokenizer, work: Path, per_thousand: int) -> None:
    """Tokenise every source, after taking out the documents that are held out."""
    require_space(work, 3 * sum(s.path.stat().st_size for s in sources) + 10**6)
    (work / "tokens").mkdir(parents=True, exist_ok=True)
    (work / "held-out").mkdir(exist_ok=True)
    stated = work / "sources.json"
    known: dict[str, dict[str, int]] = json.loads(stated.read_text("utf-8")) if stated.is_file() else {}
    end = tokenizer.token_to_id("<eos>")
    for source in sources:
        train, held_out = corpus.split(corpus.documents(source), per_thousand)
        if not train:
            raise TrainingError(f"{source.path} is too small: nothing is left to train on.")
        ids: list[np.ndarray] = []
        for at in range(0, len(train), BATCH):
            for encoding in tokenizer.encode_batch(train[at : at + BATCH], add_special_tokens=False):
                ids.append(np.array([*encoding.ids, end], dtype=np.uint16))
        tokens = np.concatenate(ids)
        tokens.tofile(work / "tokens" / f"{source.name}.bin")
        (work / "held-out" / f"{source.name}.txt").write_text("\n\n".join(held_out), "utf-8")
        characters = sum(map(len, train))
        known[source.name] = {"tokens": len(tokens), "characters": characters, "held_out": sum(map(len, held_out))}
        print(f"{source.name:24} {characters:>12,} characters {len(tokens):>12,} tokens "
              f"{characters / len(tokens):5.2f} characters a token", flush=True)  # fmt: skip
        stated.write_text(json.dumps(known, indent=1, ensure_ascii=False), "utf-8")


class Batches:
    """Batches drawn from prepared sources: a pure function of seed and step, so that a resumed run sees the same."""

    def __init__(self, work: Path, seed: int) -> None:
        stated = work / "sources.json"
        if not stated.is_file():
            raise TrainingError(f"{work} holds no prepared text: run the prepare command first.")
        self.names = sorted(json.loads(stated.read_text("utf-8")))
        self._tokens = {n: np.memmap(work / "tokens" / f"{n}.bin", dtype=np.uint16, mode="r") for n in self.names}
        self._seed = seed

    def batch(self, step: int, shares: dict[str, float], rows: int, length: int) -> np.ndarray:
        """(rows, length + 1) int64: each row a stretch of one source, chosen by its share."""
        rng = np.random.default_rng((self._seed, step))
        names = rng.choice(list(shares), size=rows, p=list(shares.values()))
        out = np.zeros((rows, length + 1), dtype=np.int64)
        for row, name in enumerate(names):
            tokens = self._tokens[name]
            at = int(rng.integers(0, max(1, len(tokens) - length - 1)))
            piece = np.asarray(tokens[at : at + length + 1])
            out[row] = np.resize(piece, length + 1)  # a source shorter than a row is read again from its beginning
        return out
