"""Token strings that need their decoder, characters that draw nothing, and text split at a prompt."""

from __future__ import annotations

import sys
import unicodedata

import pytest
import regex
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from engine.tokenization.unicode import readable, visible
from engine.tokenization.vocabulary import Vocabulary
from tests import tiny


def suffixed() -> Tokenizer:
    """BPE with a mark at the end of words, as in GPT-1."""
    words = [
        "<unk>",
        "c",
        "a",
        "t",
        "s",
        "h",
        "e",
        "t</w>",
        "s</w>",
        "e</w>",
        "at</w>",
        "cat</w>",
        "th",
        "the</w>",
        ".</w>",
    ]
    merges = [("a", "t</w>"), ("c", "at</w>"), ("t", "h"), ("th", "e</w>")]
    tokenizer = Tokenizer(
        models.BPE({w: i for i, w in enumerate(words)}, merges, unk_token="<unk>", end_of_word_suffix="</w>")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    tokenizer.add_special_tokens(["<unk>"])
    return tokenizer


def whole_words() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "the": 1, "cat": 2, "sat": 3, ".": 4}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["<unk>"])
    return tokenizer


def metaspace() -> Tokenizer:
    """Unigram with spaces as ▁ and no start token."""
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0), ("▁the", -1.0), ("▁cat", -1.0), ("▁sat", -1.0)], 0, False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


@pytest.mark.parametrize(("make", "text"), [(suffixed, "the cat."), (whole_words, "the cat sat.")])
def test_texts_read_as_the_tokenizers_own_decoder_has_them(make: object, text: str) -> None:
    tokenizer = make()  # type: ignore[operator]
    vocabulary = Vocabulary(make(), tokenizer.get_vocab_size())  # type: ignore[operator]
    ids = vocabulary.encode(text)
    for end in range(1, len(ids) + 1):
        assert vocabulary.text(ids[:end]) == tokenizer.decode(list(ids[:end]))
    assert not any("</w>" in piece for piece in vocabulary.pieces(ids))
    names = [vocabulary.label(i) for i in range(vocabulary.size)]
    assert len(set(names)) == len(names), "two tokens that read alike"


@pytest.mark.parametrize("make", [tiny.byte_level, tiny.sentencepiece, metaspace, suffixed, whole_words])
def test_prompt_and_continuation_are_the_whole_text(make: object) -> None:
    from engine.model.model import Model

    tokenizer = make()  # type: ignore[operator]
    vocabulary = Vocabulary(tokenizer, tokenizer.get_vocab_size())
    model = Model("tiny", vocabulary, None, 64, frozenset())  # type: ignore[arg-type]
    ids = vocabulary.encode("the cat sat")
    for cut in range(len(vocabulary.start) + 1, len(ids)):
        assert model.text(ids[:cut]) + model.continuation(ids[:cut], ids[cut:]) == model.text(ids)


INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Z}\p{C}\u2800]")


@pytest.mark.slow
def test_every_character_that_draws_nothing_has_a_mark() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if 0xD800 <= code < 0xE000:
            continue
        shown = visible(char)
        assert shown and not INVISIBLE.search(shown), f"U+{code:04X}"
    for char in "\u3164\u115f\u1160\uffa0\u2800\u3000\u00a0\u180e":
        assert visible(char) == f"‹{ord(char):04X}›"
    assert readable("👩‍👩‍👧") == "👩‍👩‍👧" and unicodedata.category("\u2800") == "So"
