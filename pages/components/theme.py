"""Colour palettes of both themes, one colour for each meaning: values for charts, custom properties for components.

Text colours (ink, soft, draw, pick, branch) have a contrast of at least 4.5 to the paper, underlines (surprise) one of
3. Belief and cut are used for backgrounds and pale bars, always beside a number or a reason in text.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

SANS = "'Noto Sans TC', 'PingFang TC', 'Microsoft JhengHei', 'Noto Sans CJK TC', sans-serif"
MONOSPACE = "'Noto Sans Mono CJK TC', 'Sarasa Mono TC', ui-monospace, 'Noto Sans TC', monospace"
# Simplified Chinese: fonts with the shapes of mainland China. They have the Traditional characters as well.
SIMPLIFIED_SANS = "'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
SIMPLIFIED_MONOSPACE = "'Noto Sans Mono CJK SC', 'Sarasa Mono SC', ui-monospace, 'Noto Sans SC', monospace"


class Palette(NamedTuple):
    """Colours of one theme, as CSS colours."""

    ink: str  # text
    paper: str  # background
    line: str  # borders and grid lines
    soft: str  # secondary text
    belief: str  # probability before the filters
    draw: str  # probability after the filters
    pick: str  # the selected token, the cursor
    cut: str  # tokens removed by the filters
    branch: str  # other branches of the text
    surprise: str  # surprisal of a token
    attention: str  # attention weights


LIGHT = Palette(
    "#1D2330",
    "#FBFAF7",
    "#E4E1DA",
    "#5B6270",
    "#9DB7D5",
    "#0072B2",
    "#B34C00",
    "#B8BCC2",
    "#006F50",
    "#B87E00",
    "#7B3F98",
)
DARK = Palette(
    "#E8E6E1",
    "#14171C",
    "#2A2F37",
    "#98A0AB",
    "#4A6484",
    "#56B4E9",
    "#FF8A3D",
    "#5A6068",
    "#2CC295",
    "#E69F00",
    "#D6A8EA",
)


def is_dark() -> bool:
    """Whether the visitor sees the dark theme."""
    return st.context.theme.type == "dark"


def palette(dark: bool) -> Palette:
    """The palette of a theme."""
    return DARK if dark else LIGHT


def sans(language: str) -> str:
    """Fonts of the texts in a language, as the value of `font-family`."""
    return SIMPLIFIED_SANS if language == "zh_Hans" else SANS


def monospace(language: str) -> str:
    """Fonts of the tokens on a page in a language, as the value of `font-family`."""
    return SIMPLIFIED_MONOSPACE if language == "zh_Hans" else MONOSPACE


def page_css() -> str:
    """Style of Streamlit's own elements in Simplified Chinese: the font of its theme is for Traditional Chinese.

    Streamlit sets that font on many elements, not only on those from which others inherit it.
    """
    others = "[data-testid=stIconMaterial], code, pre, :is(code, pre, svg) *"
    return f":root:lang(zh-Hans) body :not({others}) {{ font-family: {SIMPLIFIED_SANS}; }}\n"


def css() -> str:
    """The palettes as custom properties (`--ink` …) of a component's `.root`, and of `.root.dark` except on paper.

    `--mono` and `--st-font`: the fonts, the latter as Streamlit calls it, which sets it for Traditional Chinese.
    `--deepest` is the largest share of `--attention` or `--surprise` in a background on which text stays readable.
    """
    rules = (
        ("all", ".root", LIGHT._asdict() | {"deepest": "62%", "mono": MONOSPACE}),
        ("all", ".root:lang(zh-Hans)", {"mono": SIMPLIFIED_MONOSPACE, "st-font": SIMPLIFIED_SANS}),
        ("screen", ".root.dark", DARK._asdict() | {"deepest": "46%"}),
        ("print", ".root", {"ink": "#000", "paper": "#fff", "soft": "#333"}),
    )
    return "\n".join(
        f"@media {medium} {{ {selector} {{ {' '.join(f'--{name}: {value};' for name, value in values.items())} }} }}"
        for medium, selector, values in rules
    )
