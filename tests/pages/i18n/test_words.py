"""Word files: all languages have the same keys and placeholders, and every key used by the code exists."""

from __future__ import annotations

import doctest
import re
import string
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from engine.errors import ModelError
from engine.sampling.logits_processors import FILTERS
from engine.sampling.settings import RANGES
from pages.i18n import translator
from pages.i18n.translator import LANGUAGES, PAGES, WRITTEN, Translator, sentences, word_files
from pages.shell import navigation
from pages.status.metrics import LIMITS
from tests.pages.patterns import PATTERNS

ROOT = Path(__file__).parents[3]
EXPORTS = sorted(path.parent.name for path in PAGES.glob("*/export.py"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_are_three_languages() -> None:
    assert sorted(LANGUAGES) == ["en", "zh_Hans", "zh_Hant"]
    assert WRITTEN == ("zh_Hant", "en") and len({Translator(language)("app.name") for language in LANGUAGES}) == 3
    assert {path.name for path in PAGES.rglob("words.*.toml")} == {f"words.{language}.toml" for language in LANGUAGES}


def test_each_table_of_words_is_in_one_room_alone_the_same_in_all_languages() -> None:
    rooms: dict[str, list[tuple[str, str]]] = {}
    for language in LANGUAGES:
        files = word_files(language)
        assert len(files) > 10
        rooms[language] = sorted(
            (table, path.parent.name) for path in files for table in tomllib.loads(path.read_text("utf-8"))
        )
        tables = [table for table, _ in rooms[language]]
        assert len(set(tables)) == len(tables)
    assert rooms["en"] == rooms["zh_Hant"] == rooms["zh_Hans"]


@pytest.mark.parametrize("language", ["zh_Hant", "zh_Hans"])
def test_all_have_the_same_keys_with_the_same_blanks(language: str) -> None:
    one, other = sentences(language), sentences("en")
    assert set(one) == set(other)
    for key, text in one.items():
        if isinstance(text, str):
            assert placeholders(text) == placeholders(other[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty(language: str) -> None:
    assert [key for key, text in sentences(language).items() if text == ""] == []


def test_every_key_that_the_code_names_exists_and_none_is_left_over() -> None:
    code = "".join(p.read_text("utf-8") for p in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")])
    named = set(re.findall(r"""(?:\bt|self|\.list)\(\s*"([a-z_]+\.[a-z_.]+)\"""", code)) | set(
        re.findall(r'"(note\.[a-z_]+)"', code)
    )
    pages = (*navigation.PAGES, navigation.STATUS)
    named |= {key for page in pages for key in (page.title, page.section)}
    known = set(sentences("en"))
    assert named - known == set()
    families = (
        "access.mass.",
        "error.",
        "host.",
        "address.",
        "share.",
        "stop.",
        "filter.",
        "loading.",
        "models.",
        "menu.",
        "settings.",
        "transformer.",
        "own_lesson.",
        "speculative.",
        "strip.",
        "bars.",
        "note.",
        "own.",
        "compare.",
        "limits.",
        "side.",
        "chat.",
        "classroom.",
        "both_sides.",
        "uses.",
        "beam.",
        "inside.",
        "export.",
        "replay.",
        "cut.",
        "training.",
        "course.",
        "quiz.",
        "remote.",
        "teachers.",
        "web.",
    )
    assert {k for k in known - named if not k.startswith(families)} == set()


def test_keys_that_are_put_together_exist() -> None:
    known = set(sentences("en"))
    stops, problems = ("end", "length", "context", "person"), ("empty", "characters", "context", "surrogate", "token")
    models = set(re.findall(r"`([a-z_]+)`", (ModelError.__doc__ or "").replace("`name`", "").partition("Codes")[2]))
    models -= {"needs", "free", "id", "files"}  # their values
    assert len(models) > 20
    used = {f"stop.{s}" for s in stops} | {f"error.{p}" for p in (*problems, *models)}
    used |= {f"error.{limit}" for limit in LIMITS} | {f"host.{limit}" for limit in LIMITS}
    used |= {f"filter.{f}" for f in FILTERS}
    used |= {f"settings.{s}{note}" for s in RANGES for note in ("", "_note")}
    assert used - known == set()


def test_every_error_of_a_model_is_listed_and_filled_in() -> None:
    """Every code that the engine raises is in the list that the sentences are compared with."""
    code = "".join(path.read_text("utf-8") for path in (ROOT / "engine").rglob("*.py"))
    raised = set(re.findall(r'ModelError\(\s*"([a-z_]+)"', code))
    assert len(raised) > 10
    assert {f"`{name}`" for name in raised} <= set(re.findall(r"`[a-z_]+`", ModelError.__doc__ or ""))
    filled = {"needs": "2.5 GB", "free": "1 GB", "id": "a/b", "revision": "c", "files": "d.gguf"}
    for language in LANGUAGES:
        for name in raised:
            assert "{" not in Translator(language)(f"error.{name}", **filled)


def test_every_error_of_a_server_has_its_sentence() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "engine" / "remote").rglob("*.py"))
    raised = set(re.findall(r'"(remote_[a-z_]+|merges_remote)"', code)) | {"unlisted"}
    assert len(raised) > 15
    filled = {"name": "here", "seconds": 3, "status": 500}
    for language in LANGUAGES:
        for name in raised:
            assert "{" not in Translator(language)(f"error.{name}", **filled)


def test_every_limit_has_its_sentence() -> None:
    files = ("serving/admission.py", "classroom/code_guesses.py")
    code = "".join((ROOT / "engine" / file).read_text("utf-8") for file in files)
    assert set(re.findall(r'"(limit_[a-z]+)"', code)) == set(LIMITS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_has_a_pattern_that_a_reader_stumbles_over(language: str) -> None:
    lines = {key: text if isinstance(text, list) else [text] for key, text in sentences(language).items()}
    assert len(lines) > 1000
    found = [
        (key, match[0]) for key, texts in lines.items() for text in texts for match in PATTERNS[language].finditer(text)
    ]
    assert found == []


def test_no_legend_says_that_a_colour_gets_darker() -> None:
    """A colour that stands for more is darker than light paper, but lighter than dark paper."""
    texts = {f"{path}": path.read_text("utf-8") for path in PAGES.rglob("*.toml") if path.parent.name != "texts"}
    assert len(texts) > 50
    compared = re.compile(r"[Tt]he (darker|deeper|lighter|paler)|\b(Darker|Deeper|Lighter|Paler):|越深|越淺|越淡")
    assert [(name, found[0]) for name, text in texts.items() if (found := compared.search(text))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_term_is_explained_where_it_stands(language: str) -> None:
    """Beside the term or in its tooltip: what it is, in plain words."""
    t = Translator(language)
    logarithm, equal = {
        "en": ("natural logarithm", "equally likely"),
        "zh_Hant": ("自然對數", "機率相同"),
        "zh_Hans": ("自然对数", "概率相同"),
    }[language]
    for key in ("limits.left.rows_legend", "limits.exposure.first", "training.loss_help", "compare.help.per_token"):
        assert "nats" in t(key) and logarithm in t(key), key
    assert logarithm in t("compare.flat.entropy") and logarithm in t("strip.log_p_help")
    for key in (
        "limits.errors.legend",
        "quiz.end.below",
        "quiz.end.above",
        "strip.perplexity_help",
        "compare.help.perplexity",
    ):
        assert equal in t(key), key
    assert t("compare.measure.distinct_2").lower() in t("compare.chart.note").lower()


def test_no_chinese_outside_the_locale_files() -> None:
    found = []
    scripts = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "pages").rglob("*.js")]
    assert len(scripts) > 130
    for path in scripts:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            code = line.split("#")[0].split("//")[0]
            if re.search(r"[\u4e00-\u9fff]", code) and '"""' not in code and not re.match(r"\s+\['", line):
                found.append(f"{path.name}:{number}: {line.strip()}")
    assert found == []


def test_texts_are_filled_in() -> None:
    assert Translator("en")("step.run", n=7) == "Run 7"


def test_every_picture_has_a_name() -> None:
    known = set(sentences("en"))
    assert len(EXPORTS) == 7
    for page in EXPORTS:
        keys = import_module(f"pages.{page}.export").PICTURES
        assert keys
        names = {key.split(" {")[0].removesuffix(" picture").replace(" ", "_") for key in keys}
        assert {f"export.picture.{name}" for name in names} <= known


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(translator).failed == 0
    t = Translator("en")
    assert [t.number(value, 2) for value in (float("inf"), float("-inf"), -0.001)] == ["∞", "−∞", "0.00"]
