"""Three tokenizers, saved as Hugging Face fast tokenizers: byte-level BPE, characters, bytes.

BPE starts from 256 bytes and merges the most frequent pair again and again; the merges stay in
`tokenizer.json`, in order, so that they can be replayed. A merge that would make a token of more than two Chinese
characters is dropped unless `pretokens.WORDS` lists it. `decode(encode(x)) == x` for any text.

`<eos>` is the only special token. Text that happens to spell `<eos>` is encoded as plain characters with
`split_special_tokens=True`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from engine.tokenization.unicode import byte_of_character
from engine.training.errors import TrainingError
from engine.training.pre_tokenizer import PATTERN, WORDS, splitter

EOS = "<eos>"
CONTEXT = 512
SLACK = 1.35  # train this many times the entries asked for, since some are dropped afterwards


_BYTES = byte_of_character()
_CHARACTERS = {byte: character for character, byte in _BYTES.items()}


def _is_wanted(text: str) -> bool:
    """Whether a merged token may stay; see the top of the file."""
    hanzi = sum("\u3400" <= c <= "\u9fff" for c in text)
    return hanzi <= 2 or text in WORDS


def train_bpe(texts: Iterable[str], size: int) -> Tokenizer:
    """A byte-level BPE tokenizer of at most `size` entries.

    Merges are learned between whole characters, and a character's own bytes are merged before anything else: so each
    common character is a token by itself wherever it stands, and no token ends in the middle of one that it does not
    begin. Rare characters fall back to their bytes.
    """
    if not 300 <= size <= 65_536:
        raise TrainingError(f"A vocabulary of {size} is outside 300–65,536 (256 bytes, <eos>, and merges).")
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated")
    characters = (size - 257) * 2 // 5
    trainer = trainers.BpeTrainer(
        vocab_size=int(size * SLACK),
        limit_alphabet=characters,
        max_token_length=12,
        min_frequency=2,
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    learned = json.loads(raw.to_str())["model"]
    vocabulary = {EOS: 0} | {c: i for i, c in enumerate(sorted(_BYTES, key=lambda c: _BYTES[c]), 1)}
    merges: list[tuple[str, str]] = []

    def merge(left: str, right: str) -> None:
        if left + right not in vocabulary and len(vocabulary) < size:
            vocabulary[left + right] = len(vocabulary)
            merges.append((left, right))

    alphabet = sorted((i, token) for token, i in learned["vocab"].items() if len(token) == 1)
    for _, character in alphabet:
        written = _as_bytes(character)
        for at in range(1, len(written)):
            merge(written[:at], written[at])
    for left, right in learned["merges"]:
        if _is_wanted(left + right):
            left, right = _as_bytes(left), _as_bytes(right)
            if left in vocabulary and right in vocabulary:
                merge(left, right)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = splitter()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(EOS, special=True, normalized=False)])
    return tokenizer


def _as_bytes(text: str) -> str:
    """Text as byte-level BPE writes it: one printable character a byte."""
    return "".join(_CHARACTERS[byte] for byte in text.encode("utf-8"))


def byte_tokenizer() -> Tokenizer:
    """257 entries: `<eos>` and the bytes."""
    vocabulary = {EOS: 0} | {c: i for i, c in enumerate(sorted(_BYTES, key=lambda c: _BYTES[c]), 1)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(EOS, special=True, normalized=False)])
    return tokenizer


def character_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """The commonest characters, one entry each; a character outside them falls back to its bytes (`<0xE4>`)."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    common = sorted(counts, key=lambda c: (-counts[c], c))[: max(0, size - 257)]
    vocabulary = {EOS: 0} | {f"<0x{byte:02X}>": byte + 1 for byte in range(256)}
    for character in common:
        vocabulary.setdefault(character, len(vocabulary))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(EOS, special=True, normalized=False)])
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the files that `AutoTokenizer.from_pretrained(folder)` reads."""
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=EOS,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    folder.mkdir(parents=True, exist_ok=True)
    wrapped.save_pretrained(str(folder))


def load(folder: Path) -> Tokenizer:
    """The fast tokenizer alone, as saved by `save`; text that spells `<eos>` stays text."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise TrainingError(f"{folder} holds no tokenizer.json: run the tokenizer command first.")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return tokenizer


def sample(
    sources: Mapping[str, Callable[[], list[str]]], weights: Mapping[str, float], characters: int, seed: int = 0
) -> Iterator[str]:
    """Documents for BPE to learn from, each source up to its share of `characters`, so that none dominates.

    A source smaller than its share is given whole, up to four times over.
    """
    total = sum(weights.get(name, 1.0) for name in sources)
    for name, read in sources.items():
        wanted = characters * weights.get(name, 1.0) / total
        found = read()
        random.Random(seed).shuffle(found)
        written = 0.0
        for document in found * 4:
            if written >= wanted:
                break
            piece = document[:20_000]
            written += len(piece)
            yield piece
