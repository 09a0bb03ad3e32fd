"""Names of whole vocabularies: no two tokens look alike, and ordinary tokens are named by their text."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from engine.model.model import Model
from engine.tokenization.tokenized_text import standalone_tokenizer
from engine.tokenization.vocabulary import Vocabulary
from tests import tiny

ROOT = Path(__file__).parents[3]
# What draws nothing: Default_Ignorable_Code_Point (Unicode 15.1, DerivedCoreProperties.txt) and the blank Braille cell.
IGNORABLE = {
    *(0x00AD, 0x034F, 0x061C, 0x3164, 0xFEFF, 0xFFA0, 0x2800),
    *(*range(0x115F, 0x1161), *range(0x17B4, 0x17B6), *range(0x180B, 0x1810), *range(0x200B, 0x2010)),
    *(*range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9)),
    *(*range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)),
}
SPACES = [
    " ",
    "\u00a0",
    "\u1680",
    *map(chr, range(0x2000, 0x200B)),
    "\u202f",
    "\u205f",
    "\u3000",
    "\t",
    "\n",
    "\r",
    "\v",
]
TRICKY = [
    *SPACES, "  ", "\u2028", "\u2029", "\u0085", "\x00", "\x1b", "\x7f", "\u200b", "\u200c", "\u200d", "\u2060",
    "\ufeff", "\u00ad", "\u034f", "\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\ufe0f", "\ufe00",
    "\u0301", "\u0308", "\u20dd", "\U000e0041", "\U000e0100", "at", " at", "at ", "a\u200dt", "at\u200b",
    "\ufeffat", "a\u00adt", "at\ufe0f", "é", "e\u0301", "Å", "\u212b", "Ω", "\u2126", "不", "\uf967", "가",
    "\u1100\u1161", "ガ", "カ\u3099", "␣", "↵", "⇥", "␡", "∅", "◌", "◌\u0301", "␀", "##", "###", "##at",
    "##\u200d", "▁", "▁at", "</w>", "<0x41>", "<0x20>", "‹41›", "‹00A0›", "‹200D›", "A", "氣", "👨", "👨\u200d",
    "👨\u200d👩", "\u200d👩", "❤", "❤\ufe0f",
]  # fmt: skip


def seen(name: str) -> str:
    """What can be seen of a name."""
    return unicodedata.normalize("NFC", "".join(char for char in name if ord(char) not in IGNORABLE))


def alike(names: list[str]) -> list[tuple[str, int]]:
    """Names by what can be seen of them, where there are several."""
    assert all(name and "\ufffd" not in name for name in names)
    return [(name, count) for name, count in Counter(map(seen, names)).items() if count > 1]


def texts() -> list[str]:
    """The project's own texts in two languages, and the tricky strings."""
    own = (ROOT / "README.md", ROOT / "README.zh-TW.md")
    return [*(line for file in own for line in file.read_text("utf-8").splitlines()), *TRICKY]


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=6000, initial_alphabet=alphabet, min_frequency=1, show_progress=False)
    tokenizer.train_from_iterator(texts() + TRICKY * 20, trainer)
    tokenizer.add_tokens(["\u3000\u3000", "at\u200d", AddedToken(" ", normalized=False)])
    return tokenizer


def end_of_word() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    special = ["<unk>", "[unk]", "<|unk|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=3000, special_tokens=special, end_of_word_suffix="</w>", min_frequency=1, show_progress=False
    )
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in TRICKY if text.strip()])
    return tokenizer


def wordpiece() -> Tokenizer:
    words = ["[UNK]", "[PAD]", "<pad>", *TRICKY, *(f"##{text}" for text in TRICKY)]
    known = {word: i for i, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordPiece(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in ("[UNK]", "[PAD]", "<pad>")])
    return tokenizer


def pieces() -> list[str]:
    """Pieces of SentencePiece: all bytes, and texts with ▁ for a space."""
    special = ["<unk>", "<s>", "</s>"]
    texts = [text.replace(" ", "▁") for text in TRICKY]
    return list(
        dict.fromkeys([*special, *(f"<0x{byte:02X}>" for byte in range(256)), *texts, *map(chr, range(33, 256))])
    )


def unigram() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram([(piece, -float(i)) for i, piece in enumerate(pieces())], 0, True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in ("<unk>", "<s>", "</s>")])
    tokenizer.add_tokens([AddedToken(" at", normalized=False), AddedToken("\u00a0", normalized=False)])
    return tokenizer


def sentencepiece_bpe() -> Tokenizer:
    known = {piece: i for i, piece in enumerate(pieces())}
    tokenizer = Tokenizer(models.BPE(known, [], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def word_level() -> Tokenizer:
    words = dict.fromkeys(["[UNK]", *TRICKY, *(word for line in texts() for word in line.split())])
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


KINDS = (byte_level, end_of_word, wordpiece, unigram, sentencepiece_bpe, word_level, tiny.wordpiece, tiny.sentencepiece)


@pytest.mark.parametrize("make", KINDS)
def test_every_kind_of_tokenizer(make: Callable[[], Tokenizer]) -> None:
    tokenizer = make()
    vocabulary = Vocabulary(tokenizer, tokenizer.get_vocab_size() + tiny.UNNAMED)
    assert not alike([vocabulary.label(i) for i in range(vocabulary.size)])
    assert not alike([vocabulary.groups([i])[0][2] for i in range(vocabulary.size)])


@pytest.mark.parametrize("name", ["bundled", "characters", "bytes"])
def test_tokenizers_of_the_project(name: str) -> None:
    vocabulary = standalone_tokenizer(name)
    assert not alike([vocabulary.label(i) for i in range(vocabulary.size)])


@pytest.mark.parametrize(
    "prompt", ["今天天氣真", "Once upon a time", "小明說：「", "def f(x):\n", "The weather is ", "1, 2, 3", "天氣"]
)
def test_the_likeliest_tokens_of_the_bundled_model(model: Model, prompt: str) -> None:
    """Also after the beginning of a character, which changes what the candidates are called."""
    ids = model.encode(prompt)
    half = next(i for i in range(model.vocabulary.size) if model.vocabulary.token_bytes(i) == b"\xe6")
    for text in (ids, (*ids, half)):
        assert not alike([candidate.text for candidate in model.distribution(text).top(50)])


def test_ordinary_tokens_keep_their_names(model: Model) -> None:
    """A token of letters and spaces reads as its text; so does the plainer one of two that look alike."""
    for token_id in range(model.vocabulary.size):
        data = model.vocabulary.token_bytes(token_id)
        if data.strip().isalnum() and token_id not in model.vocabulary.special:
            assert model.vocabulary.label(token_id) == data.decode().replace(" ", "␣")
    tokenizer = wordpiece()
    vocabulary = Vocabulary(tokenizer, tokenizer.get_vocab_size())
    names = {text: vocabulary.label(tokenizer.get_vocab()[text]) for text in ("at", "氣", "é", "不", "##氣")}
    assert names == {"at": "at", "氣": "氣", "é": "é", "不": "不", "##氣": "##氣"}


def test_marks() -> None:
    """The mark tells what differs: the continuation of a word, a single byte, an invisible character, a double."""
    tokenizer = sentencepiece_bpe()
    vocabulary = Vocabulary(tokenizer, tokenizer.get_vocab_size())
    names = [vocabulary.label(tokenizer.get_vocab()[text]) for text in ("B", "<0x42>", "a\u200dt", "e\u0301", "\uf967")]
    assert names == ["B", "‹42›", "a‹200D›t", "e‹0301›", "不‹F967›"]
    assert vocabulary.pieces([tokenizer.get_vocab()["at"], tokenizer.get_vocab()["<0x42>"]]) == ["at", "‹42›"]
