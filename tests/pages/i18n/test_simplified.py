"""Simplified Chinese: what is committed is what the command writes, prompts and data are as the models know them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.tokenization.unicode import simplified_characters
from pages.course import catalog
from pages.i18n import simplified
from tests.pages.patterns import PATTERNS

FILES = simplified.sources()
IDS = [str(path.relative_to(simplified.PAGES)) for path in FILES]
PLACEHOLDER = re.compile(r"\{\w+\}|`[^`]*`|https?://[^)\s]+|\[[a-z_]+(?:\.[a-z_]+)+\]|<[^>]+>")


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """(key, value) of everything in a file that is no table and no list. The key has no positions."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, key)
    else:
        yield key, value


def read(path: Path) -> list[tuple[str, Any]]:
    return list(leaves(tomllib.loads(path.read_text("utf-8"))))


def is_listed(key: str, name: str) -> bool:
    """Whether `kept` or `prompts` names the key of a value."""
    return any(is_named(entry, key) for entry in simplified.settings()[name])


def is_named(name: str, key: str) -> bool:
    return f"{key}.".startswith(f"{name.removesuffix('.*')}.")


def traditional_only(text: str) -> set[str]:
    """Characters that Big5 has and GB 2312 lacks, the character sets of either script: 這 but not 的."""
    han = set(re.findall(r"[\u4e00-\u9fff]", text)) - {"龘"}
    return {char for char in han if _encodes(char, "big5") and not _encodes(char, "gb2312")}


def _encodes(char: str, charset: str) -> bool:
    try:
        return bool(char.encode(charset))
    except UnicodeEncodeError:
        return False


def test_every_committed_file_is_what_the_command_writes_now() -> None:
    """Where this fails: `make words`."""
    derived = simplified.derived()
    committed = {path for path in simplified.PAGES.rglob("*.toml") if "zh_Hans" in str(path)}
    assert len(derived) > 45 and committed == set(derived)
    assert [str(path) for path, content in derived.items() if path.read_text("utf-8") != content] == []
    assert all(content.startswith("# Generated") for content in derived.values())


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_only_sentences_are_converted(path: Path) -> None:
    traditional, converted = read(path), read(simplified.target(path))
    names = [re.sub(r"[^\x00-\x7f]+", "…", key) for key, _ in traditional]  # the columns of ledgers are sentences
    assert names == [re.sub(r"[^\x00-\x7f]+", "…", key) for key, _ in converted]
    for (key, before), (_, after) in zip(traditional, converted, strict=True):
        if not isinstance(before, str) or before.isascii() or is_listed(key, "kept"):
            assert after == before, key
            continue
        assert PLACEHOLDER.findall(after) == PLACEHOLDER.findall(before), key
        if is_listed(key, "prompts"):
            assert re.findall(r"[「」\n]", after) == re.findall(r"[「」\n]", before), key
            continue
        left = after
        for text in simplified.settings()["quoted"]:
            left = left.replace(text.translate(simplified._QUOTES), "")
        assert not traditional_only(left), (key, left)
        assert not re.search("[「」『』]", left.replace("引号「", "")), (key, left)


def test_lessons_keep_the_prompts_that_their_claims_were_measured_with() -> None:
    pairs = list(zip(catalog.lessons("zh_Hant"), catalog.lessons("zh_Hans"), strict=True))
    assert len(pairs) > 20
    for one, other in pairs:
        for step, converted in zip(one.steps, other.steps, strict=True):
            assert (step.prompt, step.settings, step.task) == (converted.prompt, converted.settings, converted.task)
    assert sum(bool(simplified_characters(step.text)) for _, lesson in pairs for step in lesson.steps) > 50


def test_sentences_of_lessons_terms_and_material_say_it_as_the_mainland_does() -> None:
    found = [
        (ident, key, match[0])
        for path, ident in zip(FILES, IDS, strict=True)
        for key, text in read(simplified.target(path))
        if isinstance(text, str) and not is_listed(key, "kept")
        for match in PATTERNS["zh_Hans"].finditer(text)
    ]
    assert found == []


def test_every_entry_of_the_overrides_is_needed() -> None:
    settings = simplified.settings()
    everything = "\n".join(path.read_text("utf-8") for path in FILES)
    pattern, _ = simplified._fixed(("words", "quoted"))
    used = {match[0] for match in pattern.finditer(everything)}
    assert {*settings["words"], *settings["quoted"]} - used == set()
    keys = {key for path in FILES for key, _ in read(path)}
    assert [
        name for name in (*settings["kept"], *settings["prompts"]) if not any(is_named(name, key) for key in keys)
    ] == []


def test_a_sentence_has_the_quotation_marks_of_the_mainland_and_a_prompt_its_own() -> None:
    assert simplified.sentence("按「下一步」，看機率怎麼變。") == "按“下一步”，看概率怎么变。"
    assert simplified.prompt("媽媽問：「今天天氣真") == "妈妈问：「今天天气真"
    assert simplified.sentence("接在「今天天氣真」後面") == "接在“今天天氣真”后面"
