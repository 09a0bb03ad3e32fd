"""A text under teacher forcing: tokens shaded by surprise, the worst of them, the text beside itself shifted by one.

`chips`, `worst` and `shifted` make plain data; the components draw it (`forced.js`, `worst.js`, `shifted.js`) and the
first two report a click (`open`: {turn, position}).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pages.ui import component, cut
from pages.ui.i18n import Translator

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.score import Score

WORST = 6
BEFORE = 6  # tokens shown before a surprise
SHIFTED = 8

_chips = component.register("forced_text", "forced", "chips")
_worst = component.register("worst_surprises", "worst")
_shifted = component.register("shifted_text", "shifted")


def numbers(model: Model, score: Score, t: Translator) -> list[list[str]]:
    """What is counted of the text: [name, value, what it means]."""
    from engine.model.score import bits_per_character

    bits = bits_per_character(model.vocabulary, score)
    values = {
        "predicted": f"{score.predicted:,}",
        "loss": t.number(score.loss, 2),
        "perplexity": t.number(score.perplexity, 1),
        "bits": "–" if bits is None else t.number(bits, 2),
    }
    return [[t(f"training.{name}"), value, t(f"training.{name}_help")] for name, value in values.items()]


def chips(model: Model, score: Score, opened: int | None, turn: int, t: Translator) -> dict[str, Any]:
    """groups as in `cut.chips`; facts: by token [loss in nats or None, as it is read, what resting on it tells]."""
    facts: list[list[Any]] = []
    for value, rank in zip(score.log_probabilities, score.ranks, strict=True):
        if value is None:
            facts.append([None, "", t("strip.first")])
        else:
            told = t("strip.rank", p=t.percent(math.exp(value)), rank=f"{rank:,}")
            facts.append([round(-value, 4), t.number(-value, 1), told])
    return {
        "turn": turn, "opened": opened, "facts": facts, "groups": cut.chips(model.vocabulary, score.token_ids),
        "numbers": numbers(model, score, t),
    }  # fmt: skip


def worst(model: Model, score: Score, opened: int | None, turn: int, t: Translator) -> dict[str, Any]:
    """The least expected tokens, worst first: [position, text before, token, numbers, what the model expected]."""
    from engine.model.score import least_expected as least_expected

    labels = model.pieces(score.token_ids)
    rows = []
    for at in least_expected(score, WORST):
        value, rank = score.log_probabilities[at], score.ranks[at]
        assert value is not None
        distribution = model.distribution(score.token_ids[:at])
        guess = distribution.candidate(distribution.likeliest())
        told = t("training.worst_told", p=t.percent(math.exp(value)), rank=f"{rank:,}", loss=t.number(-value, 1))
        expected = t("training.expected", token=guess.text, p=t.percent(guess.raw)) if rank != 1 else ""
        before = ("… " if at > BEFORE else "") + " ".join(labels[max(0, at - BEFORE) : at])
        rows.append([at, before, labels[at], told, expected])
    return {"turn": turn, "opened": opened, "rows": rows}


def shifted(model: Model, score: Score, around: int) -> list[list[Any]]:
    """Around a position, for each place [what is read there, what must be predicted there, its loss]."""
    labels = model.pieces(score.token_ids)
    first = max(1, min(around - SHIFTED // 2, len(labels) - SHIFTED))
    places = range(first, min(first + SHIFTED, len(labels)))
    return [[labels[at - 1], labels[at], round(-(score.log_probabilities[at] or 0.0), 1)] for at in places]


def table(model: Model, score: Score, t: Translator) -> list[list[str | None]]:
    """Every token with its numbers, for those who would rather read: rows for `as_table`."""
    rows: list[list[str | None]] = []
    facts = zip(model.pieces(score.token_ids), score.log_probabilities, score.ranks, strict=True)
    for at, (token, value, rank) in enumerate(facts, 1):
        numbers = ("–", "–", "–")  # nothing stands before the first, so nothing predicted it
        if value is not None and rank is not None:
            numbers = (t.percent(math.exp(value)), f"{rank:,}", t.number(-value, 3))
        rows.append([None, str(at), token, *numbers])
    return rows


def draw_chips(shown: dict[str, Any], dark: bool, t: Translator, on_open: Callable[[int, int], None]) -> None:
    """What `chips` made. `on_open` is told the turn and the position."""
    data = shown | {"dark": dark, "legend": t("training.legend"), "text": t("access.text")}
    _chips(key="forced", data=data, on_open_change=component.report("forced", "open", _told(on_open)))


def draw_worst(shown: dict[str, Any], dark: bool, on_open: Callable[[int, int], None]) -> None:
    """What `worst` made. `on_open` as above."""
    data = shown | {"dark": dark}
    _worst(key="worst", data=data, on_open_change=component.report("worst", "open", _told(on_open)))


def draw_shifted(places: list[list[Any]], dark: bool, t: Translator) -> None:
    """What `shifted` made."""
    labels = {word: t(f"training.shift_{word}") for word in ("reads", "predicts", "loss")}
    _shifted(key="shifted", data={"places": places, "dark": dark, "labels": labels})


def _told(on_open: Callable[[int, int], None]) -> Callable[[dict[str, Any]], None]:
    return lambda value: on_open(int(value["turn"]), int(value["position"]))
