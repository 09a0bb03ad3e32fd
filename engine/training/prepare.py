"""Folders of text → one array of token ids a source, and the documents held out for validation.

Written to the work folder: `tokens/NAME.bin` (uint16, every document followed by `<eos>`), `held-out/NAME.txt`
(documents, a blank line between) and `sources.json`. Running it again replaces them, so new text can be taken in
between two parts of a run.

Every fourth document is cut at a few random places before it is encoded, so that the model also meets words written
with more tokens than they need: a prompt may end in the middle of one (快|樂). It is what BPE-dropout (Provilkov et
al. 2020) does, but never inside a character.
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

END = 0  # the id of <eos>, in every tokenizer made here
BATCH = 2000  # documents encoded at once
CUT_DOCUMENTS = 4  # one document in so many is cut
CUT_LENGTH = 10  # characters between two cuts, on average


def pieces(document: str, rng: random.Random) -> list[str]:
    """The document whole, or cut at random places between characters; joined, the pieces are the document."""
    if rng.randrange(CUT_DOCUMENTS):
        return [document]
    cuts = [at for at in range(1, len(document)) if not rng.randrange(CUT_LENGTH)]
    return [document[a:b] for a, b in zip([0, *cuts], [*cuts, len(document)], strict=True)]


def prepare(sources: Sequence[corpus.Source], tokenizer: Tokenizer, work: Path, per_thousand: int) -> None:
    """Tokenise every source, after taking out the documents that are held out."""
    require_space(work, 3 * sum(s.path.stat().st_size for s in sources) + 10**6)
    (work / "tokens").mkdir(parents=True, exist_ok=True)
    (work / "held-out").mkdir(exist_ok=True)
    stated = work / "sources.json"
    known: dict[str, dict[str, int]] = json.loads(stated.read_text("utf-8")) if stated.is_file() else {}
    for source in sources:
        train, held_out = corpus.split(corpus.documents(source), per_thousand)
        if not train:
            raise TrainingError(f"{source.path} is too small: nothing is left to train on.")
        ids: list[np.ndarray] = []
        rng = random.Random(source.name)
        for at in range(0, len(train), BATCH):
            cut = [pieces(document, rng) for document in train[at : at + BATCH]]
            encoded = iter(tokenizer.encode_batch(list(chain(*cut)), add_special_tokens=False))
            for parts in cut:
                found = [i for _ in parts for i in next(encoded).ids]
                ids.append(np.array([*found, END], dtype=np.uint16))
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
        self.sizes: dict[str, int] = {n: s["tokens"] for n, s in sorted(json.loads(stated.read_text("utf-8")).items())}
        self._tokens = {n: np.memmap(work / "tokens" / f"{n}.bin", dtype=np.uint16, mode="r") for n in self.sizes}
        self._starts = {n: np.flatnonzero(tokens == END) + 1 for n, tokens in self._tokens.items()}  # after an <eos>
        self._seed = seed

    def batch(self, step: int, shares: dict[str, float], rows: int, length: int) -> np.ndarray:
        """(rows, length + 1) int64: each row a stretch of one source, chosen by its share.

        Every second row, about, begins with a document, as a prompt does; the others begin anywhere.
        """
        rng = np.random.default_rng((self._seed, step))
        names = rng.choice(list(shares), size=rows, p=list(shares.values()))
        out = np.zeros((rows, length + 1), dtype=np.int64)
        for row, name in enumerate(names):
            tokens = self._tokens[name]
            last = max(0, len(tokens) - length - 1)
            at = int(rng.integers(0, last + 1))
            if rng.random() < 0.5:
                at = int(min(self._starts[name][np.searchsorted(self._starts[name], at)], last))
            piece = np.asarray(tokens[at : at + length + 1])
            out[row] = np.resize(piece, length + 1)  # a source shorter than a row is read again from its beginning
        return out
