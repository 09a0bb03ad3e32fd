"""Prompt suites and cut phrases: extent, no prompt twice, and no prompt that the product shows as an example."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator

from engine.tokenization.unicode import simplified_characters
from engine.training import prompt_suite, word_edges
from engine.training.__main__ import SUITE
from tests.imports import ROOT

PROMPTS = {path.stem: prompt_suite.read(path) for path in sorted(SUITE.glob("*.toml"))}
PHRASES = word_edges.read(SUITE / "word-edges" / "word-edge.toml")
TEXTS = {name: [p.text for p in prompts] for name, prompts in PROMPTS.items()} | {"edge": [p.text for p in PHRASES]}
RUNNING_EXAMPLES = {
    "今天天氣真", "人工智能是", "人工智慧是", "從前有一隻", "我覺得", "台灣的首都是", "端午節要吃", "一加一等於",
    "台灣最高的山是", "The weather today is", "Once upon a time", "The capital of France is", "冬天很", "The sky is",
}  # fmt: skip
ADOPTED = {"台灣最高的山是"}  # was a ready prompt of the pages after `held-out` was written


def strings(value: object) -> Iterator[str]:
    """All strings of a TOML document, whole and line by line."""
    if isinstance(value, str):
        yield value.strip()
        yield from (line.strip() for line in value.splitlines())
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def test_no_two_suites_share_a_prompt() -> None:
    assert set(TEXTS) == {"everyday", "held-out", "lessons", "edge"}
    counts = Counter(text for texts in TEXTS.values() for text in texts)
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_suite_but_that_of_the_lessons_contains_an_example_of_the_pages() -> None:
    shown = {s for path in (ROOT / "pages").rglob("*.toml") for s in strings(tomllib.loads(path.read_text("utf-8")))}
    assert len(RUNNING_EXAMPLES & shown) > 8, "the pages' prompts are not where this test looks"
    unseen = {text for name, texts in TEXTS.items() if name != "lessons" for text in texts}
    assert unseen & (shown | RUNNING_EXAMPLES) == ADOPTED


def test_everyday_has_the_languages_that_it_promises() -> None:
    everyday = PROMPTS["everyday"]
    assert Counter((p.language, p.theme == "simplified") for p in everyday) == {
        ("zh", False): 80, ("zh", True): 10, ("en", False): 30,
    }  # fmt: skip
    assert all(len(set(p.accept)) == len(p.accept) and "" not in p.accept for p in everyday)
    for prompt in everyday:
        assert bool(simplified_characters(prompt.text)) <= (prompt.theme == "simplified"), prompt.text


def test_the_cut_phrases_have_the_languages_that_they_promise_and_end_inside_a_word() -> None:
    assert Counter((p.language, p.theme == "simplified") for p in PHRASES) == {
        ("zh", False): 140, ("zh", True): 10, ("en", False): 50,
    }  # fmt: skip
    for phrase in PHRASES:
        assert phrase.text == phrase.text.strip() and phrase.rest == phrase.rest.strip()
        if phrase.language == "en":
            assert phrase.text[-1].isalpha() and phrase.rest.isascii() and phrase.rest.islower()
        else:
            assert all("\u4e00" <= c <= "\u9fff" for c in phrase.text[-1] + phrase.rest)
            simplified = bool(simplified_characters(phrase.text + phrase.rest))
            assert simplified == (phrase.theme == "simplified"), phrase.text
