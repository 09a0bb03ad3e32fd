"""Grammars, documents, mixture, tokenizer round trips, and the project's own text."""

from __future__ import annotations

import random
import re
import tomllib
from fractions import Fraction
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from opencc import OpenCC
from tokenizers import Tokenizer

from engine.bundled import BUNDLED
from engine.training import corpus, evaluate, history, leaks, mixture
from engine.training.__main__ import OWN_TEXT, SUITE
from engine.training.errors import TrainingError
from engine.training.grammar import Grammar
from engine.training.prepare import Cuts, pieces
from engine.training.tokenizer import byte_tokenizer, character_tokenizer


def test_a_label_is_drawn_once_a_document() -> None:
    grammar = Grammar.parse("who = 貓 | 狗 | 鳥\n> {who:a}看{who:a}", "here")
    for seed in range(20):
        left, right = grammar.draw(random.Random(seed)).split("看")
        assert left == right


@pytest.mark.parametrize(
    "text", ["> {nobody}", "a = {a}\n> {a}", "a = x", "just words", "a = x\na = y\n> {a}", "> {open", "> close}"]
)
def test_a_broken_grammar_is_refused(text: str) -> None:
    with pytest.raises(TrainingError):
        Grammar.parse(text, "here")


@pytest.mark.parametrize("path", sorted(OWN_TEXT.glob("*.grammar")), ids=lambda p: p.stem)
def test_own_grammars_can_be_drawn_from(path: Path) -> None:
    drawn = Grammar.parse(path.read_text("utf-8"), path.name).draw_many(50, seed=1)
    assert len(drawn) == 50
    assert not any("{" in d and path.stem != "python" for d in drawn)


def test_there_are_thousands_of_sentences_by_hand_and_none_twice_in_a_file() -> None:
    lines = 0
    for path in OWN_TEXT.glob("*.txt"):
        documents = list(corpus.split_documents(path.read_text("utf-8")))
        assert len(documents) == len(set(documents)), path.name
        lines += sum(d.count("\n") + 1 for d in documents)
    assert lines > 3000


def test_own_text_is_traditional_chinese() -> None:
    simplified = set("们这说时会对发开关来过还没话给让见气爱点学习读书")
    for path in OWN_TEXT.iterdir():
        assert not simplified & set(path.read_text("utf-8")) - {"学"}, path.name


DIGITS = "零一二三四五六七八九"
OPERATIONS = {"+": "+", "加": "+", "-": "-", "減": "-", "×": "*", "乘以": "*", "÷": "/", "除以": "/"}
SUM = re.compile(
    r"(?<![\d.,點百千萬])(\d+|[零一二三四五六七八九十]+) ?(\+|-|×|÷|加|減|乘以|除以) ?(\d+|[零一二三四五六七八九十百]+)"
    r" ?(?:=|等於) ?(\d+|[零一二三四五六七八九十百]+)(?![\d.點分])"
)


def number(text: str) -> int:
    """Value of a number below a thousand in digits or in Chinese characters."""
    if text.isdigit():
        return int(text)
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    return (
        100 * (DIGITS.index(hundreds) if hundreds else 0)
        + (10 * (DIGITS.index(tens) if tens else 1) if ten else 0)
        + (DIGITS.index(ones.lstrip("零")) if ones.lstrip("零") else 0)
    )


@pytest.mark.parametrize(("text", "value"), [("42", 42), ("十", 10), ("四十二", 42), ("一百", 100), ("一百零五", 105)])
def test_numbers_in_characters_are_read(text: str, value: int) -> None:
    assert number(text) == value


def test_sums_in_own_text_are_right() -> None:
    found, wrong = 0, []
    for source in corpus.find_sources(OWN_TEXT):
        for a, operation, b, result in SUM.findall(source.path.read_text("utf-8")):
            x, y, z = Fraction(number(a)), Fraction(number(b)), number(result)
            sign = OPERATIONS[operation]
            value = x + y if sign == "+" else x - y if sign == "-" else x * y if sign == "*" else x / y
            found += 1
            if value != z:
                wrong.append((source.name, a, operation, b, result))
    assert wrong == []
    assert found > 1000


def is_dialogue(document: str) -> bool:
    """Whether `U: ` and `A: ` lines alternate, one to four times, after at most one line `S: `."""
    lines = document.split("\n")
    turns = lines[lines[0].startswith("S: ") :]
    return (
        len(turns) in (2, 4, 6, 8)
        and all(line.startswith(("U: ", "A: ")[i % 2]) for i, line in enumerate(turns))
        and all(line[3:].strip() for line in lines)
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("U: 你好\nA: 你好！", True), ("S: 簡短\nU: a\nA: b\nU: c\nA: d", True), ("U: a", False), ("A: a\nU: b", False),
        ("U: a\nA: b\nc", False), ("U: a\nA: ", False), ("S: a\nS: b\nU: c\nA: d", False), ("U: a\n\nA: b", False),
    ],
)  # fmt: skip
def test_the_chat_format(document: str, expected: bool) -> None:
    assert is_dialogue(document) == expected


def test_chat_sources_keep_the_chat_format() -> None:
    sources = [s for s in corpus.find_sources(OWN_TEXT) if s.name.startswith("chat-")]
    assert len(sources) >= 4
    for source in sources:
        assert [d for d in corpus.documents(source, 2_000) if not is_dialogue(d)] == [], source.name


def test_shares_add_up_and_every_own_source_has_one() -> None:
    names = [s.name for s in corpus.find_sources(OWN_TEXT, "own-")]
    for falling in (False, True):
        assert sum(mixture.shares(dict.fromkeys(names, 10**6), falling, 10**6).values()) == pytest.approx(1)
    assert [n for n in names if not any(n.startswith(prefix) for prefix in mixture.SHARES)] == []


def test_a_small_source_is_not_read_again_and_again() -> None:
    shares = mixture.shares({"stories-zh": 1_000, "spoken-zh": 10**6}, falling=False, tokens=10**6)
    assert shares["stories-zh"] * 10**6 / 1_000 == pytest.approx(mixture.REPEATS, rel=0.5)
    assert sum(shares.values()) == pytest.approx(1)


def test_documents_cut_for_training_are_still_the_documents() -> None:
    dice = random.Random(1)
    documents = ["今天天氣真好，我們一起去公園玩吧。" * 3] * 400
    split = [pieces(document, dice, Cuts(0.25, 10)) for document in documents]
    assert all("".join(parts) == document for parts, document in zip(split, documents, strict=True))
    assert 60 < sum(len(parts) > 1 for parts in split) < 140  # one in four


@pytest.mark.parametrize("cuts", [Cuts(0, 10), Cuts(1, 1), Cuts(1, 20), Cuts(0.5, 5)])
def test_cuts_are_as_many_as_asked_for_and_reproducible(cuts: Cuts) -> None:
    document = "今天天氣真好，我們一起去公園玩吧。" * 6
    split = [pieces(document, random.Random(seed), cuts) for seed in range(300)]
    assert split == [pieces(document, random.Random(seed), cuts) for seed in range(300)]
    cut = [parts for parts in split if len(parts) > 1]
    assert len(cut) / len(split) == pytest.approx(cuts.share, abs=0.1)
    if cut:
        assert sum(map(len, cut)) / len(cut) == pytest.approx(1 + (len(document) - 1) / cuts.length, rel=0.1)


def test_impossible_cuts_are_refused() -> None:
    for share, length in ((-0.1, 10), (1.1, 10), (0.5, 0)):
        with pytest.raises(TrainingError):
            Cuts(share, length)


def test_the_split_depends_on_nothing_but_the_document() -> None:
    documents = [f"句子{i}" for i in range(2000)]
    train, held_out = corpus.split(documents, 50)
    assert set(corpus.split(documents[::-1], 50)[1]) == set(held_out)
    assert 50 < len(held_out) < 160
    assert not set(train) & set(held_out)


TOKENIZERS = {
    "bundled": Tokenizer.from_file(str(BUNDLED / "tokenizer.json")),
    "bytes": byte_tokenizer(),
    "characters": character_tokenizer(["今天天氣真好"], 300),
}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(TOKENIZERS)), st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_decoding_gives_back_any_text(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]
    tokenizer.encode_special_tokens = True
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_the_recorded_prompts_are_the_lessons_own_in_three_kinds() -> None:
    lessons = {p["text"] for p in tomllib.loads((SUITE / "lessons.toml").read_text("utf-8"))["prompt"]}
    kinds = tomllib.loads(history.PROMPTS.read_text("utf-8"))
    assert set(kinds["zh"]) | set(kinds["en"]) <= lessons
    assert set(kinds["simplified"]) <= set(map(OpenCC("tw2sp").convert, lessons)) - lessons
    assert all(prompt.isascii() for prompt in kinds["en"]) and not any(prompt.isascii() for prompt in kinds["zh"])
    assert len(set(history.read_prompts())) == len(history.read_prompts()) == 40


def test_the_training_text_is_not_made_of_an_unseen_suite() -> None:
    """Everyday phrases occur by chance, in text on the same themes; most of a suite's prompts do not."""
    own = [file.read_text("utf-8") for file in sorted(OWN_TEXT.iterdir())]
    for file in OWN_TEXT.glob("*.grammar"):
        own += Grammar.parse(file.read_text("utf-8"), file.name).draw_many(400, seed=0)
    whole = leaks.without_space("\n".join(own))
    assert len(whole) > 500_000
    for path in set(SUITE.glob("*.toml")) - {SUITE / "lessons.toml"}:
        prompts = [p["text"] for p in tomllib.loads(path.read_text("utf-8"))["prompt"]]
        found = [prompt for prompt in prompts if leaks.without_space(prompt) in whole]
        assert len(found) <= len(prompts) / 2, (path.name, found)


@pytest.mark.parametrize("name", ["everyday", "held-out", "lessons"])
def test_the_suites_can_be_read(name: str) -> None:
    prompts = tomllib.loads((SUITE / f"{name}.toml").read_text("utf-8"))["prompt"]
    assert len(prompts) >= 75
    assert all(p["text"] and p["accept"] and p["language"] in ("zh", "en") for p in prompts)
    assert len({p["text"] for p in prompts}) == len(prompts)


@pytest.mark.parametrize(
    ("piece", "accept", "expected"),
    [("好", ["好"], True), ("好", ["好啊"], True), ("好啊", ["好"], True), ("壞", ["好"], False), ("", ["好"], False)],
)
def test_acceptance_goes_by_beginnings(piece: str, accept: list[str], expected: bool) -> None:
    assert evaluate.accepted(piece, accept) == expected
