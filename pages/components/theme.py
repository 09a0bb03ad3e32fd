"""One meaning, one colour, on every page: for charts as values, for components as custom properties of their style.

All that is read as text (ink, soft, draw, pick, branch) has a contrast of at least 4.5 to the paper; what underlines a
text has 3. Belief and cut are grounds and pale bars, which always have their number or their reason beside them.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

SANS = "'Noto Sans TC', 'PingFang TC', 'Microsoft JhengHei', 'Noto Sans CJK TC', sans-serif"
MONOSPACE = "'Noto Sans Mono CJK TC', 'Sarasa Mono TC', 'Noto Sans TC', monospace"


class Palette(NamedTuple):
    ink: str
    paper: str
    line: str
    soft: str  # readable grey text
    belief: str  # what the model believes
    draw: str  # what may be drawn
    pick: str  # the chosen token, the cursor
    cut: str  # cut away, impossible
    branch: str  # another way it could go
    surprise: str  # how little a token of the text was expected
    attention: str  # what was looked at


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
    return DARK if dark else LIGHT


def css() -> str:
    """The palettes as custom properties (`--ink` …) of a component's `.root`, and of `.root.dark`.

    `--deepest` is how much of `--attention` or `--surprise` may lie behind words that must stay readable."""
    rules = ((".root", LIGHT, "62%"), (".root.dark", DARK, "46%"))
    return "\n".join(
        f"{selector} {{ {' '.join(f'--{name}: {value};' for name, value in colors._asdict().items())}"
        f" --deepest: {deepest}; }}"
        for selector, colors, deepest in rules
    )
