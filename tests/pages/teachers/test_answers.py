"""Answer key of the worksheet: every number equals that of transformers' own forward pass; what its sentences claim."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.bundled import BUNDLED
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator
from pages.teachers import __main__ as command
from pages.teachers import answers, material
from pages.teachers.material import Sheet

QUESTION = {
    "zh_Hant": "問：{}\n答：",
    "en": "Q: How many legs does a spider have?\nA: A spider has eight legs.\n\nQ: {}\nA:",
}


@cache
def reference() -> tuple[Any, Any]:
    """Model and tokenizer of transformers."""
    model = AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, local_files_only=True)
    return model.eval(), AutoTokenizer.from_pretrained(BUNDLED, local_files_only=True)


def ids_of(text: str) -> list[int]:
    _, tokenizer = reference()
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def logits(ids: list[int]) -> np.ndarray:
    """Logits at every position, (T, V) float64."""
    with torch.no_grad():
        return np.asarray(reference()[0](torch.tensor([ids])).logits[0].double())


def softmax(values: np.ndarray) -> np.ndarray:
    exponents = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


def name(token: int) -> str:
    text: str = reference()[1].decode([token])
    return text.strip()


@pytest.fixture(params=WRITTEN)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def given(language: str) -> tuple[Translator, Sheet, dict[str, str]]:
    return Translator(language), material.read(language).sheet, answers.bundled_values(language)


def test_the_first_prompt(language: str) -> None:
    t, sheet, values = given(language)
    scores = logits(ids_of(sheet.weather))[-1]
    p = softmax(scores)
    order = np.argsort(-p)
    for which, token in zip(("best", "second", "third"), order[:3].tolist(), strict=True):
        assert (values[which], values[f"{which}_p"]) == (name(token), t.percent(float(p[token])))
    assert values["choices"] == t.number(float(np.exp(-(p * np.log(p)).sum())))
    space = " " if language == "en" else ""
    for at, word in enumerate(sheet.words, 1):
        [token] = ids_of(sheet.weather + space + word)[len(ids_of(sheet.weather)) :]
        assert values[f"word{at}_p"] == t.percent(float(p[token]))
        assert values[f"word{at}_rank"] == f"{int((p > p[token]).sum()) + 1:,}"
    assert values["cold"] == t.percent(float(softmax(scores / 0.5).max()))
    assert values["hot"] == t.percent(float(softmax(scores / 1.6).max()))
    top = p[order[:5]]
    assert values["top5_sum"] == t.percent(float(top.sum()))
    assert values["top5"] == t.percent(float(top[0] / top.sum()))


def test_what_top_p_keeps(language: str) -> None:
    _, sheet, values = given(language)
    kept = []
    for at, prompt in enumerate(sheet.nucleus, 1):
        p = np.sort(softmax(logits(ids_of(prompt))[-1]))[::-1]
        kept.append(int((np.cumsum(p) < 0.9).sum()) + 1)
        assert values[f"nucleus{at}_kept"] == f"{kept[-1]:,}"
    assert kept == sorted(kept) and kept[0] < 3 and kept[-1] > 20 * kept[0], "from peaked to flat"


def test_the_path_and_where_greedy_search_leaves_it(language: str) -> None:
    t, sheet, values = given(language)
    prompt, ids = ids_of(sheet.path_prompt), ids_of(sheet.path_prompt + sheet.path)
    assert ids[: len(prompt)] == prompt
    p = softmax(logits(ids))
    steps = [(token, p[at - 1]) for at, token in enumerate(ids) if at >= len(prompt)]
    ranks = [int((row > row[token]).sum()) + 1 for token, row in steps]
    pattern = re.compile(r"(\S+) \D*(\d+)\D* ([\d.]+)%")
    shown = [match.groups() for part in values["path_steps"].split(" / ") if (match := pattern.fullmatch(part))]
    assert [name for name, _, _ in shown] == [name(token) for token, _ in steps]
    assert [int(rank) for _, rank, _ in shown] == ranks
    assert [f"{percent}%" for *_, percent in shown] == [t.percent(float(row[token])) for token, row in steps]
    assert all(name(token) in values["path_tokens"] for token, _ in steps)
    logs = [math.log(p[at - 1][token]) for at, token in enumerate(ids) if at]
    assert values["path_p"] == t.percent(math.exp(sum(logs)))
    assert values["path_ln"] == t.number(sum(logs), 2)
    assert values["path_perplexity"] == t.number(math.exp(-sum(logs) / len(logs)), 2)
    at = next(at for at, rank in enumerate(ranks) if rank > 1)
    assert values["path_leaves"] == name(steps[at][0])
    assert values["path_greedy"] == name(int(steps[at][1].argmax()))
    written = reference()[0].generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=25)[0].tolist()
    text: str = reference()[1].decode(written, skip_special_tokens=True)
    assert values["greedy_text"] == " ".join(text.split()).rstrip("。.")


def test_texts_that_are_cut(language: str) -> None:
    _, sheet, values = given(language)
    for at, text in enumerate(sheet.cut, 1):
        assert values[f"cut{at}_tokens"] == " / ".join(name(token) for token in ids_of(text))
        assert " / " in values[f"cut{at}_tokens"], "more than one token"


def test_the_gap_is_filled_otherwise_with_the_whole_sentence(language: str) -> None:
    t, _, values = given(language)
    left, _, right = values["gap"].partition("___")
    candidates = t.list("limits.left.candidates")[0].split("/")
    scores = []
    for candidate in candidates:
        ids = ids_of(left + candidate + right)
        logs = np.log(softmax(logits(ids)))
        each = [float(logs[at - 1][token]) for at, token in enumerate(ids) if at]
        first, last = len(ids_of(left.rstrip())), len(ids_of(left + candidate))
        scores.append((sum(each[first - 1 : last - 1]), sum(each[first - 1 :])))
    alone, whole = (softmax(np.array(column)) for column in zip(*scores, strict=True))
    one, other = int(alone.argmax()), int(whole.argmax())
    assert one != other, "the right part must change the answer: the key says so"
    assert (values["gap_left"], values["gap_left_p"]) == (candidates[one], t.percent(float(alone[one])))
    assert values["gap_both"] == candidates[other]
    assert values["gap_both_before"] == t.percent(float(alone[other]))
    assert values["gap_both_p"] == t.percent(float(whole[other]))


def test_a_known_question_and_an_unknown_one(language: str) -> None:
    t, _, values = given(language)
    least = {}
    for which in ("known", "unknown"):
        prompt = ids_of(QUESTION[language].format(values[which]))
        written = reference()[0].generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=60)[0].tolist()
        end = reference()[0].generation_config.eos_token_id
        ids = [token for token in written if token != end]
        p = softmax(logits(ids))
        each = [float(p[at - 1][token]) for at, token in enumerate(ids) if at >= len(prompt)]
        text = reference()[1].decode(ids[len(prompt) :]).strip()
        assert values[f"{which}_text"] == text.rstrip("。.") and "\n" not in text
        least[which] = min(each)
        assert values[f"{which}_least"] == t.percent(least[which])
        assert [part.rsplit(" ", 1)[-1] for part in values[f"{which}_steps"].split(" / ")] == [
            t.percent(x) for x in each
        ]
    right, wrong = {"zh_Hant": ("玉山", ("貝爾",)), "en": ("Tokyo", ("Lima",))}[language]
    assert right in values["known_text"] and not any(word in values["unknown_text"] for word in wrong)
    assert least["unknown"] < 0.5 * least["known"], "the probabilities tell them apart"


def test_a_derived_language_has_the_numbers_of_the_language_that_it_is_derived_from() -> None:
    """Its prompts too: those that the bundled model knows."""
    traditional, simplified = (answers.bundled_values(language) for language in ("zh_Hant", "zh_Hans"))
    worded = {"path_tokens", "path_steps"}  # with words of the language around the tokens
    assert {name: value for name, value in simplified.items() if name not in worded} == {
        name: value for name, value in traditional.items() if name not in worded
    }
    assert all(re.findall(r"[\d.]+%", simplified[name]) == re.findall(r"[\d.]+%", traditional[name]) for name in worded)
    assert material.read("zh_Hans").sheet == material.read("zh_Hant").sheet


def test_the_command_prints_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    printed = capsys.readouterr().out
    for language in LANGUAGES:
        t, values = Translator(language), answers.bundled_values(language)
        for task in material.read(language).tasks:
            assert material.fill(task.answer, values, t) in printed
    assert command.main(["--language", "en"]) == 0
    assert "解答" not in capsys.readouterr().out
