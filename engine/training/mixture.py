"""Data mixture: the share of each source in the training tokens, by its name.

Shares are high for the project's own text, on which the lessons rely, then for everyday language, explanations and
stories. Records of parliament and meetings are most of the corpus but are downweighted. Sources without an entry use
`OTHER`. The shares change when the learning rate starts to fall, since data seen in that phase has the largest effect
on the final model. Repetition of small sources is limited by `REPEATS`.
"""

from __future__ import annotations

from collections.abc import Mapping

REPEATS = (
    10  # approximate maximum of epochs over a source in a run: more leads to memorization (Muennighoff et al. 2023)
)

# prefix of a source's name: (share while the learning rate is constant, share while it falls)
SHARES: dict[str, tuple[float, float]] = {
    "spoken-zh": (0.170, 0.130),
    "parliament-zh": (0.130, 0.080),
    "encyclopedia-zh": (0.110, 0.080),
    "everyday-zh": (0.080, 0.070),
    "stories-zh": (0.060, 0.060),
    "ai-zh": (0.040, 0.030),
    "poetry-zh": (0.030, 0.015),
    "spoken-en": (0.110, 0.060),
    "everyday-en": (0.030, 0.035),
    "ai-en": (0.030, 0.020),
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
    "own-collocations-zh": (0.012, 0.020),
    "own-rhymes-zh": (0.006, 0.010),
    "own-chat-zh": (0.012, 0.022),
    "own-translation": (0.012, 0.022),
    "own-everyday-en": (0.025, 0.040),
    "own-qa-en": (0.010, 0.014),
    "own-stories-en": (0.022, 0.032),
    "own-ai-en": (0.010, 0.014),
    "own-school-en": (0.010, 0.014),
    "own-rhymes-en": (0.003, 0.005),
    "own-chat-en": (0.008, 0.014),
    "own-python": (0.008, 0.014),
    # Sources of which there are several with one beginning have a smaller share each.
    "own-school-zh-": (0.005, 0.008),
    "own-stories-zh-": (0.020, 0.030),
    "own-stories-en-": (0.020, 0.030),
    "own-family-en": (0.006, 0.010),
}
OTHER = (0.020, 0.020)


def is_english(source: str) -> bool:
    """Whether a source is English, by its name: `spoken-en`, `own-qa-en-grammar`."""
    return "en" in source.split("-")


def shares(sizes: Mapping[str, int], falling: bool, tokens: int) -> dict[str, float]:
    """Share of each source in a run of `tokens` tokens; the shares sum to 1.

    sizes    number of tokens by source
    falling  whether the learning rate falls

    The longest matching prefix in SHARES applies. The share of a source that would be repeated more than about REPEATS
    times is reduced in favour of the others.

    >>> shares({"stories-zh": 10**6, "spoken-zh": 10**7}, falling=True, tokens=10**6)
    {'stories-zh': 0.3157894736842105, 'spoken-zh': 0.6842105263157895}
    """
    raw = {}
    for name in sizes:
        matching = [prefix for prefix in SHARES if name.startswith(prefix)]
        raw[name] = (SHARES[max(matching, key=len)] if matching else OTHER)[falling]
    total = sum(raw.values())
    raw = {name: min(value / total, REPEATS * sizes[name] / tokens) for name, value in raw.items()}
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()}


def with_english(weights: Mapping[str, float], share: float) -> dict[str, float]:
    """Weights, scaled so that the English sources have a share of `share` and the others the rest.

    >>> with_english({"spoken-en": 1.0, "spoken-zh": 1.0, "poetry-zh": 1.0}, 0.4)
    {'spoken-en': 0.4, 'spoken-zh': 0.3, 'poetry-zh': 0.3}
    """
    totals = {True: 0.0, False: 0.0}
    for name, weight in weights.items():
        totals[is_english(name)] += weight
    if not all(totals.values()):
        return dict(weights)
    parts = {True: share, False: 1 - share}
    return {n: w / totals[is_english(n)] * parts[is_english(n)] for n, w in weights.items()}
