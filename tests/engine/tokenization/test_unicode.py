"""Characters of Simplified Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.tokenization.unicode import simplified_characters

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("台湾最高的山是大屿山，大屿山。", "湾屿"), ("这是我们说的话。", "这们说话"), ("玉山。", ""), ("", ""),
        ("後面的公里、乾麵和台灣", ""), ("后面的公里", ""), ("看着", ""), ("こんにちは、学校と会社", ""),
        ("The capital is 北京, 2024", ""), ("\ud83d学", "学"),
    ],
)  # fmt: skip
def test_characters_that_only_simplified_chinese_has(text: str, expected: str) -> None:
    assert simplified_characters(text) == list(expected)


def test_the_traditional_chinese_of_this_project_has_none() -> None:
    folders = (ROOT / "engine" / "training" / "text", ROOT / "pages" / "course" / "lessons" / "zh_Hant")
    files = [path for folder in folders for path in folder.iterdir()] + [*ROOT.glob("pages/*/words.zh_Hant.toml")]
    assert len(files) > 40
    for path in files:
        assert not simplified_characters(path.read_text("utf-8")), path.name
