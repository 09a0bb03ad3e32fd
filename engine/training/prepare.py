"""Data preparation: one array of token ids a source, the validation split, and reproducible training batches.

Files in the work folder: `tokens/NAME.bin` (uint16, every document followed by `<eos>`), `held-out/NAME.txt`
(documents separated by a blank line) and `sources.json`. Running it again replaces them, so text can be added between
two parts of a training run.

A random part of the documents is split at random positions before encoding (`Cuts`), so that the model also sees words
encoded with more tokens than necessary: a prompt may end inside a token (快|樂). The effect is that of BPE-dropout
(Provilkov et al. 2020), but never inside a character, and reproducible: that of `tokenizers` has no seed. Conversations
are not split, since a chat template encodes whole messages.

Measured on a sample of all kinds of text, with a tokenizer of 14,336 entries: cuts cost tokens, and give ends of
prompts inside a token, by 1,000 tokens.

    share 0.25, every 10 characters   2.2 % more tokens, 16 ends, in 23 % of the documents
    share 1, every 40 characters      2.7 %, 19, in 95 %
    share 1, every 20 characters      5.1 %, 35, in 99 %
    share 1, every 10 characters      9.8 %, 67, in all

All documents are cut by default: where only some are, a text without cuts so far tells the model that its end is none.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from engine.training import chat_format, corpus
from engine.training.errors import TrainingError, require_space

END = 0  # the id of <eos> in every tokenizer of `training.tokenizer`
BATCH = 2000  # documents encoded at once


@dataclass(frozen=True)
class Cuts:
    """Random splits of training documents.

    share   part of the documents that is split, 0 to 1
    length  characters between two split positions, on average, at least 1

    Raises TrainingError for others.
    """

    share: float = 1.0
    length: float = 25

    def __post_init__(self) -> None:
        if not (0 <= self.share <= 1 and self.length >= 1):
            raise TrainingError("The share of cut documents is 0 to 1, and the length between two cuts at least 1.")


DEFAULT_CUTS = Cuts()


def pieces(document: str, rng: random.Random, cuts: Cuts) -> list[str]:
    """Pieces of a document whose concatenation is the document: itself, or split at random character positions."""
    if rng.random() >= cuts.share:
        return [document]
    positions = [at for at in range(1, len(document)) if rng.random() < 1 / cuts.length]
    return [document[a:b] for a, b in zip([0, *positions], [*positions, len(document)], strict=True)]


def chat_parts(document: str, tokenizer: Tokenizer, where: str) -> list[str | int]:
    """Parts of a conversation, in order: ids of special tokens, and texts that are still to be encoded.

    Encoded, they are what `apply_chat_template` gives for its messages. Raises TrainingError.
    """
    ids = chat_format.token_ids(tokenizer)
    parts: list[str | int] = []
    for role, text in chat_format.messages(document, where):
        parts += [ids[f"<|{role}|>"], text, ids[chat_format.END_OF_TURN]]
    return parts


def encode(documents: Sequence[Sequence[str | int]], tokenizer: Tokenizer) -> list[np.ndarray]:
    """Token ids (uint16) of documents in parts: ids, and texts that are encoded each by itself; `<eos>` at the end."""
    texts = [part for document in documents for part in document if isinstance(part, str)]
    encodings = iter(tokenizer.encode_batch(texts, add_special_tokens=False))
    encoded = []
    for document in documents:
        ids: list[int] = []
        for part in document:
            ids += next(encodings).ids if isinstance(part, str) else [part]
        encoded.append(np.array([*ids, END], dtype=np.uint16))
    return encoded


def prepare(
    sources: Sequence[corpus.Source],
    tokenizer: Tokenizer,
    work: Path,
    per_thousand: int,
    simplified_per_thousand: int = 0,
    cuts: Cuts = DEFAULT_CUTS,
) -> None:
    """Write the token arrays and the validation split of all sources.

    per_thousand             documents in a thousand that are held out
    simplified_per_thousand  documents in a thousand that are converted to Simplified Chinese

    Raises TrainingError.
    """
    require_space(work, 3 * sum(s.path.stat().st_size for s in sources) + 10**6)
    (work / "tokens").mkdir(parents=True, exist_ok=True)
    (work / "held-out").mkdir(exist_ok=True)
    index = work / "sources.json"
    sizes: dict[str, dict[str, int]] = json.loads(index.read_text("utf-8")) if index.is_file() else {}
    for source in sources:
        train, held_out = corpus.read(source, per_thousand, simplified_per_thousand)
        if not train:
            raise TrainingError(f"{source.path} is too small: nothing is left to train on.")
        ids: list[np.ndarray] = []
        rng = random.Random(source.name)
        for at in range(0, len(train), BATCH):
            batch = train[at : at + BATCH]
            if chat_format.is_chat(source.name):
                ids += encode([chat_parts(document, tokenizer, str(source.path)) for document in batch], tokenizer)
            else:
                ids += encode([pieces(document, rng, cuts) for document in batch], tokenizer)
        tokens = np.concatenate(ids)
        tokens.tofile(work / "tokens" / f"{source.name}.bin")
        (work / "held-out" / f"{source.name}.txt").write_text("\n\n".join(held_out), "utf-8")
        characters = sum(map(len, train))
        sizes[source.name] = {"tokens": len(tokens), "characters": characters, "held_out": sum(map(len, held_out))}
        print(f"{source.name:24} {characters:>12,} characters {len(tokens):>12,} tokens "
              f"{characters / len(tokens):5.2f} characters a token", flush=True)  # fmt: skip
        index.write_text(json.dumps(sizes, indent=1, ensure_ascii=False), "utf-8")


def is_prepared(work: Path, sources: Sequence[str]) -> bool:
    """Whether all these sources, by name, are prepared in a work folder."""
    index = work / "sources.json"
    return index.is_file() and not set(sources) - set(json.loads(index.read_text("utf-8")))


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
