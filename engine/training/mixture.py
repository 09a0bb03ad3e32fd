"""How often each source is seen while training: a share of all tokens, by the source's name.

The project's own text teaches what the lessons use; everyday language, explanations and stories come next;
records of parliament and meetings are most of the corpus but not of what is learned. Sources that are not named
share what `OTHER` says. The shares at the end differ from those at the beginning: what is seen while the learning
rate falls is remembered best. A small source is not read again and again: see `REPEATS`.
"""

from __future__ import annotations

from collections.abc import Mapping

REPEATS = 10  # times that a source is read in a run, about, at most: more is learned by heart (Muennighoff et al. 2023)

# prefix of a source's name: (share while the rate is constant, share while it falls)
SHARES: dict[str, tuple[float, float]] = {
    "spoken-zh": (0.170, 0.130),
    "parliament-zh": (0.130, 0.080),
    "encyclopedia-zh": (0.110, 0.080),
    "everyday-zh": (0.080, 0.070),
    "stories-zh": (0.060, 0.060),
    "ai-zh": (0.040, 0.030),
    "poetry-zh": (0.030, 0.015),
    "spoken-en": (0.070, 0.040),
    "everyday-en": (0.030, 0.035),
    "ai-en": (0.020, 0.015),
    "own-weather-zh": (0.025, 0.045),
    "own-smalltalk-zh": (0.022, 0.040),
    "own-ai-zh": (0.020, 0.035),
    "own-models-zh": (0.008, 0.012),
    "own-stories-zh": (0.035, 0.060),
    "own-qa-zh": (0.012, 0.022),
    "own-time-numbers-zh": (0.012, 0.022),
    "own-proverbs-zh": (0.012, 0.022),
    "own-greetings-zh": (0.010, 0.018),
    "own-school-zh": (0.010, 0.018),
    "own-family-zh": (0.010, 0.018),
    "own-food-zh": (0.010, 0.018),
    "own-animals-zh": (0.010, 0.018),
    "own-feelings-zh": (0.010, 0.018),
    "own-instructions-zh": (0.008, 0.014),
    "own-translation": (0.012, 0.022),
    "own-everyday-en": (0.025, 0.040),
    "own-qa-en": (0.010, 0.014),
    "own-stories-en": (0.012, 0.018),
    "own-ai-en": (0.010, 0.014),
    "own-python": (0.008, 0.014),
}
OTHER = (0.020, 0.020)


def shares(sizes: Mapping[str, int], falling: bool, tokens: int) -> dict[str, float]:
    """The share of each source in a run of so many tokens, adding up to 1. The longest prefix that fits a name decides.

    `sizes` are the sources' tokens. A source so small that its share would have it read more than `REPEATS` times
    gets less, and the others more.

    >>> shares({"stories-zh": 10**6, "spoken-zh": 10**7}, falling=True, tokens=10**6)
    {'stories-zh': 0.3157894736842105, 'spoken-zh': 0.6842105263157895}
    """
    raw = {}
    for name in sizes:
        fitting = [prefix for prefix in SHARES if name.startswith(prefix)]
        raw[name] = (SHARES[max(fitting, key=len)] if fitting else OTHER)[falling]
    total = sum(raw.values())
    raw = {name: min(value / total, REPEATS * sizes[name] / tokens) for name, value in raw.items()}
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()}
