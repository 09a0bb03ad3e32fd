"""BPE merges: the derivation ends in the tokenizer's own tokens, for any text and every variant of BPE."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

from engine.errors import EngineError
from engine.tokenization.bpe import BPEMerges
from engine.tokenization.tokenized_text import standalone_tokenizer
from engine.tokenization.vocabulary import Vocabulary
from tests import tiny
from tests.engine.tokenization.test_encode import HARD, SPELLED

PIECES = [
    *HARD,
    *SPELLED,
    *" 今天氣象報告the\n",
    "天天",
    "thethe",
    " the cat",
    "aaaaa",
    "ChatGPT",
    "Weather's",
    "人工智能",
]
texts = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.sampled_from(PIECES)).map("".join))

_VOCABULARY = {"a": 0, "b": 1, "aa": 2, "ab": 3, "aab": 4, "aaab": 5, "c": 6}


def crossing() -> Tokenizer:
    """Merges whose order matters: `aaab` has several derivations, and some pairs overlap."""
    return Tokenizer(models.BPE(_VOCABULARY, [("a", "a"), ("aa", "b"), ("a", "b"), ("a", "aab"), ("aa", "ab")]))


def suffixed() -> Tokenizer:
    """As the first GPT: end-of-word suffix; consecutive unknown characters are fused into one token."""
    words = ["<unk>", "a", "b", "a</w>", "b</w>", "ab</w>", "ba", "bab</w>"]
    merges = [("a", "b</w>"), ("b", "a"), ("b", "ab</w>")]
    tokenizer = Tokenizer(
        models.BPE(
            {w: i for i, w in enumerate(words)}, merges, unk_token="<unk>", fuse_unk=True, end_of_word_suffix="</w>"
        )
    )
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def prefixed() -> Tokenizer:
    """Continuing-subword prefix; words in the vocabulary are not merged (`ignore_merges`); one added token."""
    words = ["a", "b", "##a", "##b", "ab", "##ab", "aba", "abab"]
    merges = [("a", "##b"), ("##a", "##b"), ("ab", "##a")]
    tokenizer = Tokenizer(
        models.BPE({w: i for i, w in enumerate(words)}, merges, continuing_subword_prefix="##", ignore_merges=True)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_tokens([AddedToken("bb", normalized=False)])
    return tokenizer


BUILT: dict[str, Callable[[], Tokenizer]] = {
    "byte_level": tiny.byte_level, "sentencepiece": tiny.sentencepiece, "crossing": crossing, "suffixed": suffixed,
    "prefixed": prefixed,
}  # fmt: skip


@pytest.fixture(scope="module", params=[*BUILT, "bundled", "characters", "bytes"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if request.param in BUILT:
        built = BUILT[request.param]()
        built.encode_special_tokens = True
        return built
    return standalone_tokenizer(request.param)._tokenizer


@pytest.fixture(scope="module")
def merges(tokenizer: Tokenizer) -> BPEMerges:
    return BPEMerges(tokenizer)


@given(st.one_of(texts, st.text("abc A"), st.text("ab").map("abab bb ".__add__)))
@example("")
@example("aaab aaaab aab abab")
@example("今天天氣真好，ChatGPT 👍🏽龘𠮷")
def test_the_end_is_what_the_tokenizer_gives(tokenizer: Tokenizer, merges: BPEMerges, text: str) -> None:
    replay = merges.derive(text)
    assert list(replay.ids) == tokenizer.encode(text, add_special_tokens=False).ids


@given(texts)
def test_each_merge_joins_neighbours_of_one_word_and_the_first_in_the_list_goes_first(
    merges: BPEMerges, text: str
) -> None:
    replay = merges.derive(text)
    table = merges._table
    for count, merge in enumerate(replay.merges):
        tokens = replay.after(count)
        pairs = [
            (table[left[1], right[1]][0], left[0])
            for left, right in itertools.pairwise(tokens)
            if replay.words[left[0]] == replay.words[right[0]] and (left[1], right[1]) in table
        ]
        assert (merge.rank, merge.at) == min(pairs)
        assert dict(tokens)[merge.at] == merge.left and dict(tokens)[merge.right_at] == merge.right
    assert replay.after(len(replay.merges))[:1] == [(0, replay.ids[0])] if replay.ids else not replay.parts


def test_a_long_word_is_quick_and_right() -> None:
    tokenizer = tiny.sentencepiece()
    text = "the 天天 " * 1500
    assert list(BPEMerges(tokenizer).derive(text).ids) == tokenizer.encode(text, add_special_tokens=False).ids


def test_merges_of_the_example() -> None:
    bundled = standalone_tokenizer("bundled")
    replay = bundled.merges.derive("今天")
    assert [bundled.token_bytes(i) for i in replay.parts] == [bytes([b]) for b in "今天".encode()]
    assert [bundled.text([m.token_id]) for m in replay.merges][-1] == "今天"
    assert replay.ids == bundled.encode("今天") and len(replay.ids) == 1


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (models.WordPiece({"a": 0, "[UNK]": 1}, unk_token="[UNK]"), "merges_wordpiece"),
        (models.Unigram([("a", -1.0), ("b", -2.0)]), "merges_unigram"),
        (models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"), "merges_other"),
        (models.BPE({"a": 0}, [], dropout=0.5), "merges_dropout"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_merge_is_refused(model: models.Model, code: str) -> None:
    with pytest.raises(EngineError) as caught:
        _ = Vocabulary(Tokenizer(model), 2).merges
    assert caught.value.code == code
