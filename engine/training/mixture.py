"""How often each source is seen while training: a share of all tokens, by the source's name.

The project's own text teaches what the lessons use; everyday language, explanations and stories come next;
records of parliament and meetings are most of the corpus but not of what is learned. Sources that are not named
share what `OTHER` says. The shares at the end differ from those at the beginning: what is seen while the learning
rate falls is remembered best.
"""

from __future__ import annotations

from collections.abc import Iterable

# prefix of a source's name: (share while the rate is constant, share while it falls)
SHARES: dict[str, tuple[float, float]] = {
    "own-weather-zh": (0.070, 0.080),
    "own-smalltalk-zh": (0.030, 0.045),
    "own-greetings-zh": (0.012, 0.018),
    "own-school-zh": (0.015, 0.020),
    "own-family-zh": (0.015, 0.020),
    "own-food-zh": (0.015, 0.020),
    "own-animals-zh": (0.015, 0.020),
    "own-feelings-zh": (0.012, 0.018),
    "own-time-numbers-zh": (0.012, 0.018),
    "own-qa-zh": (0.012, 0.018),
    "own-proverbs-zh": (0.006, 0.008),
    "own-instructions-zh": (0.008, 0.012),
    "own-models-zh": (0.010, 0.014),
    "own-ai-zh": (0.006, 0.008),
    "own-stories-zh": (0.010, 0.014),
    "own-everyday-en": (0.008, 0.012),
    "own-ai-en": (0.006, 0.008),
    "own-ai-zh-grammar": (0.050, 0.065),
    "ai-zh": (0.050, 0.045),
    "own-stories-zh-grammar": (0.060, 0.080),
    "stories-zh": (0.070, 0.070),
    "everyday-zh": (0.090, 0.080),
    "encyclopedia-zh": (0.080, 0.050),
    "spoken-zh": (0.140, 0.090),
    "parliament-zh": (0.060, 0.030),
    "poetry-zh": (0.010, 0.006),
    "own-everyday-en-grammar": (0.050, 0.065),
    "everyday-en": (0.050, 0.050),
    "own-stories-en-grammar": (0.020, 0.030),
    "own-stories-en": (0.006, 0.008),
    "own-ai-en-grammar": (0.015, 0.022),
    "ai-en": (0.030, 0.020),
    "own-qa-en": (0.008, 0.012),
    "own-translation": (0.010, 0.015),
    "own-python": (0.008, 0.010),
    "spoken-en": (0.040, 0.020),
}
OTHER = (0.020, 0.020)


def shares(names: Iterable[str], falling: bool) -> dict[str, float]:
    """The share of each source, adding up to 1. The longest prefix that fits a name decides.

    >>> shares(["stories-zh", "spoken-zh"], falling=False)
    {'stories-zh': 0.3333333333333333, 'spoken-zh': 0.6666666666666666}
    """
    raw = {}
    for name in names:
        fitting = [prefix for prefix in SHARES if name.startswith(prefix)]
        raw[name] = (SHARES[max(fitting, key=len)] if fitting else OTHER)[falling]
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()}
