"""Data preparation: one array of token ids a source, the validation split, and reproducible training batches.

Files in the work folder: `tokens/NAME.bin` (uint16, every document followed by `<eos>`), `held-out/NAME.txt`
(documents separated by a blank line) and `sources.json`. Running it again replaces them, so text can be added between
two parts of a training run.

A random quarter of the documents is split at random positions before encoding, so that the model also sees words
encoded with more tokens than necessary: a prompt may end inside a token (快|樂). The effect is that of BPE-dropout
(Provilkov et al. 2020), but never inside a character.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from engine.training import corpus
from engine.training.errors import TrainingError, require_space

END = 0  # the id of <eos> in every tokenizer of `training.tokenizer`
BATCH = 2000  # documents encoded at once
CUT_DOCUMENTS = 4  # one document in so many is split
CUT_LENGTH = 10  # characters between two split positions, on average


def pieces(document: str, rng: random.Random) -> list[str]:
    """Pieces of a document whose concatenation is the document: itself, or split at random character positions."""
    if rng.randrange(CUT_DOCUMENTS):
        return [document]
    cuts = [at for at in range(1, len(document)) if not rng.randrange(CUT_LENGTH)]
    return [document[a:b] for a, b in zip([0, *cuts], [*cuts, len(document)], strict=True)]


def prepare(sources: Sequence[corpus.Source], tokenizer: Tokenizer, work: Path, per_thousand: int) -> None:
    """Write the token arrays and the validation split of all sources.

    per_thousand documents in a thousand are held out. Raises TrainingError.
    """
    require_space(work, 3 * sum(s.path.stat().st_size for s in sources) + 10**6)
    (work / "tokens").mkdir(parents=True, exist_ok=True)
    (work / "held-out").mkdir(exist_ok=True)
    index = work / "sources.json"
    sizes: dict[str, dict[str, int]] = json.loads(index.read_text("utf-8")) if index.is_file() else {}
    for source in sources:
        train, held_out = corpus.split(corpus.documents(source), per_thousand)
        if not train:
            raise TrainingError(f"{source.path} is too small: nothing is left to train on.")
        ids: list[np.ndarray] = []
        rng = random.Random(source.name)
        for at in range(0, len(train), BATCH):
            batch = [pieces(document, rng) for document in train[at : at + BATCH]]
            encodings = iter(tokenizer.encode_batch(list(chain(*batch)), add_special_tokens=False))
            for document_pieces in batch:
                document_ids = [i for _ in document_pieces for i in next(encodings).ids]
                ids.append(np.array([*document_ids, END], dtype=np.uint16))
        tokens = np.concatenate(ids)
        tokens.tofile(work / "tokens" / f"{source.name}.bin")
        (work / "held-out" / f"{source.name}.txt").write_text("\n\n".join(held_out), "utf-8")
        characters = sum(map(len, train))
        sizes[source.name] = {"tokens": len(tokens), "characters": characters, "held_out": sum(map(len, held_out))}
        print(f"{source.name:24} {characters:>12,} characters {len(tokens):>12,} tokens "
              f"{characters / len(tokens):5.2f} characters a token", flush=True)  # fmt: skip
        index.write_text(json.dumps(sizes, indent=1, ensure_ascii=False), "utf-8")


class Batches:
    """Random batches of prepared sources, a pure function of seed and step, so that a resumed run uses the same ones.

    sizes  number of tokens by source
    """

    def __init__(self, work: Path, seed: int) -> None:
        index = work / "sources.json"
        if not index.is_file():
            raise TrainingError(f"{work} holds no prepared text: run the prepare command first.")
        self.sizes: dict[str, int] = {n: s["tokens"] for n, s in sorted(json.loads(index.read_text("utf-8")).items())}
        self._tokens = {n: np.memmap(work / "tokens" / f"{n}.bin", dtype=np.uint16, mode="r") for n in self.sizes}
        self._starts = {n: np.flatnonzero(tokens == END) + 1 for n, tokens in self._tokens.items()}  # after an <eos>
        self._seed = seed

    def batch(self, step: int, shares: dict[str, float], rows: int, length: int) -> np.ndarray:
        """(rows, length + 1) int64: each row is a span of one source, sampled by its share.

        About half of the rows start at the beginning of a document, as a prompt does; the others start anywhere.
        """
        rng = np.random.default_rng((self._seed, step))
        names = rng.choice(list(shares), size=rows, p=list(shares.values()))
        out = np.zeros((rows, length + 1), dtype=np.int64)
        for row, name in enumerate(names):
            tokens = self._tokens[name]
            last = max(0, len(tokens) - length - 1)
            start = int(rng.integers(0, last + 1))
            if rng.random() < 0.5:
                start = int(min(self._starts[name][np.searchsorted(self._starts[name], start)], last))
            span = np.asarray(tokens[start : start + length + 1])
            out[row] = np.resize(span, length + 1)  # a source shorter than a row is repeated
        return out
