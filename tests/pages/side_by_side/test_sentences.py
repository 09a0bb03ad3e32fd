"""Sentences of the side-by-side page: every one is used, and says what its numbers are; links that hold text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experiments.model_comparison import Comparison
from engine.experiments.text_surprise import TextSurprise
from engine.trace.link_codec import decode_text
from pages.i18n.translator import LANGUAGES, Translator
from pages.i18n.translator import sentences as words
from pages.side_by_side import link, sentences
from pages.side_by_side.link import LinkedText
from pages.side_by_side.result import Reading, Result

FOLDER = Path(link.__file__).parent


def test_every_sentence_is_used() -> None:
    code = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))
    built = {f"side.size.{size}" for size in ("near", "between", "far")}
    built |= {f"side.surprise.{kind}" for kind in ("same", "a_less", "b_less")}
    for key in (key for key in words("en") if key.startswith("side.")):
        assert key in built or f'"{key}"' in code or key == "side.title", key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_size_of_a_divergence_is_told(language: str) -> None:
    t = Translator(language)
    for value, size in ((0.02, "near"), (0.1, "near"), (0.3, "between"), (0.5, "far"), (1.0, "far")):
        told = sentences.divergence(Comparison((), value, 0.25, 0.5, 7, False), t)
        assert told[1] == t(f"side.size.{size}") and f"{value:.3f}" in told[0]
        assert "25" in told[2] and "50" in told[2] and "7" in told[2]
    assert sentences.divergence(Comparison((), None, 1.0, 1.0, 0, False), t)[0] == t("side.no_divergence")
    assert sentences.divergence(Comparison((), 0.0, 0.0, 0.0, 9, True), t)[-1] == t("side.equal")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_model_that_predicts_better_is_named(language: str) -> None:
    t = Translator(language)
    for first, second, kind in ((1.0, 2.0, "a_less"), (2.0, 1.0, "b_less"), (1.001, 1.002, "same")):
        result = Result((Reading((1,)), Reading((2,))), None, TextSurprise(2, 8, first, second))
        numbers = {"a": f"{first:.2f}", "b": f"{second:.2f}", "count": "8"}
        told = sentences.bits(result, t)
        assert told == [t(f"side.surprise.{kind}", **numbers), t("side.bits_after", start="2")]


@given(st.text(max_size=40), st.lists(st.text(max_size=5), max_size=6), st.text(max_size=12))
def test_a_link_gives_back_what_it_holds(prompt: str, written: list[str], second: str) -> None:
    linked = LinkedText(prompt, tuple(written), second)
    code = link.encoded(linked)
    try:
        (prompt + "".join(written) + second).encode()
    except UnicodeEncodeError:  # a lone surrogate
        return
    assert code is not None and link.decoded(decode_text(code)[0], "") == linked


@pytest.mark.parametrize("text", ["", "[]", "3", '{"prompt": 3}', '{"written": [1]}', '{"second": null}', "[" * 9_999])
def test_what_no_link_says_is_refused(text: str) -> None:
    assert link.decoded(text, "") is None


def test_a_text_too_long_for_a_link_leaves_the_second_model() -> None:
    long = "".join(chr(0x4E00 + i * 7 % 20_000) for i in range(4_000))
    code = link.encoded(LinkedText(long, (), "a/b"))
    assert code is not None and link.decoded(decode_text(code)[0], "天") == LinkedText("天", (), "a/b")
