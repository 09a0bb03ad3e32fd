"""Tokenizer training: byte-level BPE, character and byte tokenizers, saved as Hugging Face fast tokenizers.

BPE starts from 256 bytes and repeatedly merges the most frequent pair; `tokenizer.json` contains the merges in order,
so that they can be replayed. A merge that would create a token of more than two Chinese characters is dropped unless
`pre_tokenizer.ALL_WORDS` contains it. `decode(encode(x)) == x` for any text.

Special tokens are `<eos>` and, for BPE, those of the chat format; they have the lowest ids. Text that contains the
characters `<eos>` is encoded as ordinary text with `split_special_tokens=True`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from engine.tokenization.unicode import byte_of_character
from engine.training import chat_format
from engine.training.errors import TrainingError
from engine.training.pre_tokenizer import ALL_WORDS, PATTERN, splitter

EOS = "<eos>"
CONTEXT = 512
OVERSHOOT = 1.35  # ratio of trained to requested entries, since some are dropped afterwards


SPECIAL = (EOS, *chat_format.TOKENS)
_LONG = frozenset(ALL_WORDS)
_BYTES = byte_of_character()
_CHARACTERS = {byte: character for character, byte in _BYTES.items()}


def _is_allowed(text: str) -> bool:
    """Whether a merged token is permitted: at most two Chinese characters, or listed in ALL_WORDS."""
    hanzi = sum("\u3400" <= c <= "\u9fff" for c in text)
    return hanzi <= 2 or text in _LONG


def train_bpe(texts: Sequence[str], size: int) -> Tokenizer:
    """Byte-level BPE tokenizer of at most `size` entries (300 to 65,536, else TrainingError).

    Merges are learned between whole characters, and the merges that build a character from its bytes come first. So
    every common character can be a single token in any context, and every token is a single byte, a prefix of one
    character, or a sequence of whole characters. Rare characters fall back to their bytes.
    """
    if not 300 <= size <= 65_536:
        raise TrainingError(f"A vocabulary of {size} is outside 300–65,536 (256 bytes, special tokens, and merges).")
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated")
    # The trainer's own choice is not reproducible: it leaves open which of equally frequent characters it takes.
    characters = _most_frequent(texts, (size - 256 - len(SPECIAL)) * 2 // 5)
    trainer = trainers.BpeTrainer(
        vocab_size=int(size * OVERSHOOT),
        initial_alphabet=characters,
        limit_alphabet=len(characters),
        max_token_length=12,
        min_frequency=2,
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    learned = json.loads(raw.to_str())["model"]
    vocabulary = _with_bytes(SPECIAL)
    merges: list[tuple[str, str]] = []

    def merge(left: str, right: str) -> None:
        if left + right not in vocabulary and len(vocabulary) < size:
            vocabulary[left + right] = len(vocabulary)
            merges.append((left, right))

    alphabet = sorted((i, token) for token, i in learned["vocab"].items() if len(token) == 1)
    for _, character in alphabet:
        symbols = _as_bytes(character)
        for at in range(1, len(symbols)):
            merge(symbols[:at], symbols[at])
    for left, right in learned["merges"]:
        if _is_allowed(left + right):
            left, right = _as_bytes(left), _as_bytes(right)
            if left in vocabulary and right in vocabulary:
                merge(left, right)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = splitter()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    return tokenizer


def _with_bytes(special: Sequence[str]) -> dict[str, int]:
    """Vocabulary of special tokens, from id 0, and the 256 bytes after them."""
    return {name: i for i, name in enumerate([*special, *sorted(_BYTES, key=lambda c: _BYTES[c])])}


def _as_bytes(text: str) -> str:
    """Text in the alphabet of byte-level BPE: one printable character a byte."""
    return "".join(_CHARACTERS[byte] for byte in text.encode("utf-8"))


def byte_tokenizer() -> Tokenizer:
    """Byte tokenizer of 257 entries: `<eos>` and the bytes."""
    tokenizer = Tokenizer(models.BPE(vocab=_with_bytes([EOS]), merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(EOS, special=True, normalized=False)])
    return tokenizer


def character_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Character tokenizer of the most frequent characters; other characters fall back to their bytes (`<0xE4>`).

    Entries: `<eos>`, 256 bytes, and up to `size` − 257 characters.
    """
    common = _most_frequent(texts, max(0, size - 257))
    vocabulary = {EOS: 0} | {f"<0x{byte:02X}>": byte + 1 for byte in range(256)}
    for character in common:
        vocabulary.setdefault(character, len(vocabulary))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(EOS, special=True, normalized=False)])
    return tokenizer


def _most_frequent(texts: Iterable[str], count: int) -> list[str]:
    """The most frequent characters, most frequent first."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    return sorted(counts, key=lambda c: (-counts[c], c))[:count]


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Save a tokenizer as a folder for `AutoTokenizer.from_pretrained`, with the chat template if it has its tokens."""
    has_chat = tokenizer.token_to_id(chat_format.END_OF_TURN) is not None
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=chat_format.TEMPLATE if has_chat else None,
        eos_token=EOS,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    folder.mkdir(parents=True, exist_ok=True)
    wrapped.save_pretrained(str(folder))


def load(folder: Path) -> Tokenizer:
    """Fast tokenizer saved by `save`; `<eos>` in a text is encoded as ordinary text. Raises TrainingError."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise TrainingError(f"{folder} holds no tokenizer.json: run the tokenizer command first.")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return tokenizer


def sample(
    sources: Mapping[str, Callable[[], list[str]]], weights: Mapping[str, float], characters: int, seed: int = 0
) -> Iterator[str]:
    """Documents for tokenizer training, from each source up to its share of `characters`, by weight (default 1).

    Documents are truncated to 20,000 characters. A source smaller than its share is repeated up to four times.
    """
    total = sum(weights.get(name, 1.0) for name in sources)
    for name, read in sources.items():
        quota = characters * weights.get(name, 1.0) / total
        documents = read()
        random.Random(seed).shuffle(documents)
        length = 0.0
        for document in documents * 4:
            if length >= quota:
                break
            piece = document[:20_000]
            length += len(piece)
            yield piece
