"""What each of the four experiments came to: its curves as plain data, and sentences that say only what its own numbers
say. Sentences for `plain` name tokens and must be drawn as plain text; the others may hold Markdown of ours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pages.ui.i18n import Translator
from pages.ui.lines import Line, Point

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation
    from engine.experiments.cloze import Cloze
    from engine.experiments.decoding_speed import DecodingSpeed
    from engine.experiments.error_accumulation import ForcedTokenExperiment, TextPair
    from engine.experiments.exposure_bias import ExposureBias, Prefix
    from engine.model.model import Model

# Colour, dash and mark of each curve.
_WAYS = {
    "whole": ("soft", "dotted", "triangle-up"),
    "cached": ("pick", "dashed", "square"),
    "at_once": ("draw", "solid", "circle"),
}
_PREFIXES = {
    "true": ("draw", "solid", "circle"),
    "own": ("pick", "dashed", "square"),
    "other": ("soft", "dotted", "triangle-up"),
}
_SAME = 0.05  # nats a token: means nearer than this are called equal


def times(timing: DecodingSpeed, t: Translator) -> list[Line]:
    """Milliseconds over the number of tokens."""
    lines = []
    for way, look in _WAYS.items():
        points = []
        for row in timing.times:
            seconds = getattr(row, way)
            told = "" if seconds is None else t("limits.sequential.point", n=row.tokens, ms=_ms(seconds, t))
            points.append(Point(row.tokens, None if seconds is None else seconds * 1000, told))
        lines.append(Line(t(f"limits.sequential.{way}"), *look, points))
    return lines


def _ms(seconds: float, t: Translator) -> str:
    return t.number(seconds * 1000, 0 if seconds >= 0.01 else 1)


def times_told(timing: DecodingSpeed, t: Translator) -> list[str]:
    """Of the longest text that was measured in two ways or more."""
    told = []
    known = [row for row in timing.times if row.at_once is not None]
    cached = next((row for row in reversed(known) if row.cached is not None), None)
    if cached is not None and cached.at_once and cached.cached:
        factor = cached.cached / cached.at_once
        key = "slower" if factor > 1 else "not_slower"
        told.append(
            t(f"limits.sequential.{key}", n=cached.tokens, once=_ms(cached.at_once, t), steps=_ms(cached.cached, t),
              factor=t.number(factor, 0 if factor >= 10 else 1))
        )  # fmt: skip
    whole = next((row for row in reversed(known) if row.whole is not None), None)
    if whole is not None and whole.whole:
        if whole.cached:
            factor = whole.whole / whole.cached
            key = "cache_helps" if factor > 1.1 else "cache_does_not"
            told.append(
                t(f"limits.sequential.{key}", n=whole.tokens, whole=_ms(whole.whole, t), factor=t.number(factor))
            )
        else:
            told.append(t("limits.sequential.no_cache", n=whole.tokens, whole=_ms(whole.whole, t)))
    if timing.difference is not None and told:
        told.append(t("limits.sequential.equal", difference=f"{timing.difference:.6f}"))
    return told


def errors_lines(fork: ForcedTokenExperiment, model: Model, t: Translator) -> tuple[list[Line], list[Line]]:
    """Log-probability token by token, and the running perplexity of what follows the fork, for the first seed."""
    from engine.experiments.error_accumulation import running_perplexity

    pair = fork.pairs[0]
    values, perplexities = [], []
    looks = (("own", pair.own, ("draw", "solid", "circle")), ("forced", pair.forced, ("branch", "dashed", "square")))
    for which, text, look in looks:
        words = model.pieces([*fork.ids, *text.token_ids])[len(fork.ids) :]
        name = t(f"limits.errors.{which}")
        values.append(Line(name, *look, [
            Point(i, v, f"{word}  {t.percent(math.exp(v))}")
            for i, (v, word) in enumerate(zip(text.log_probabilities, words, strict=True), 1)
        ]))  # fmt: skip
        perplexities.append(Line(name, *look, [
            Point(i, v, f"{word}  {t.number(v)}")
            for i, (v, word) in enumerate(zip(running_perplexity(text), words[1:], strict=True), 2)
        ]))  # fmt: skip
    return values, perplexities


def errors_plain(fork: ForcedTokenExperiment, model: Model, t: Translator) -> list[str]:
    """Where both texts part, and whether they come together again."""
    from engine.experiments.error_accumulation import first_difference, together_again

    pair = fork.pairs[0]
    words = [_words(fork, text, model) for text in (pair.own, pair.forced)]
    parted = first_difference(pair)
    if parted is None:
        return [t("limits.errors.same")]
    told = [t("limits.errors.parted", own=words[0][parted], forced=words[1][parted],
              p=t.percent(math.exp(pair.forced.log_probabilities[parted])))]  # fmt: skip
    again = together_again(pair)
    if again is None:
        told.append(t("limits.errors.never"))
    else:
        own, forced, length = again
        run = model.text(pair.own.token_ids[own : own + length])
        key = "again" if own == forced else "again_shifted"
        told.append(t(f"limits.errors.{key}", run=run, n=length, own=own + 1, forced=forced + 1))
    return told


def _words(fork: ForcedTokenExperiment, text: Continuation, model: Model) -> list[str]:
    return model.pieces([*fork.ids, *text.token_ids])[len(fork.ids) :]


def errors_told(pairs: list[TextPair], t: Translator) -> list[str]:
    """What the forced token did to all that followed, over the seeds."""
    from engine.experiments.error_accumulation import summarize

    found = summarize(pairs)
    if found is None:
        return [t("limits.errors.nothing")]
    numbers = {
        "own": t.number(found.own, 2), "forced": t.number(found.forced, 2), "seeds": found.seeds, "lower": found.lower,
        "own_perplexity": t.number(math.exp(-found.own)), "forced_perplexity": t.number(math.exp(-found.forced)),
    }  # fmt: skip
    change = found.forced - found.own
    key = "equal" if abs(change) < _SAME else "worse" if change < 0 else "better"
    if found.seeds == 1:
        return [t(f"limits.errors.{key}_once", **numbers)]
    return [t(f"limits.errors.{key}", **numbers)]


def left_plain(found: Cloze, model: Model, t: Translator) -> list[str]:
    """What the left part prefers, what the whole sentence prefers, and what the model would have written itself."""
    left, both = found.from_left, found.from_both
    numbers = {
        "left": left.text, "both": both.text, "p_left": t.percent(left.left_alone), "p_both": t.percent(both.whole),
        "before": t.percent(both.left_alone),
    }  # fmt: skip
    told = [t("limits.left.turned" if left is not both else "limits.left.not_turned", **numbers)]
    if not found.right:
        told = [t("limits.left.nothing_right", **numbers)]
    top = model.distribution(found.left_ids).top(5)
    words = t("limits.left.comma").join(f"{c.text.replace('␣', '')} {t.percent(c.raw)}" for c in top)
    told.append(t("limits.left.alone", words=words))
    if not all(filled.joined for filled in found.filled):
        names = t("limits.left.comma").join(filled.text for filled in found.filled if not filled.joined)
        told.append(t("limits.left.apart", names=names))
    return told


def exposure_lines(exposure: ExposureBias, t: Translator) -> list[Line]:
    """Mean loss at each position of the ends."""
    kinds: list[Prefix] = ["true", "own", "other"]
    return [
        Line(t(f"limits.exposure.{kind}"), *_PREFIXES[kind],
             [Point(i, v, t.number(v, 2)) for i, v in enumerate(exposure.loss(kind).by_position, 1)])
        for kind in kinds
    ]  # fmt: skip


def exposure_told(exposure: ExposureBias, t: Translator) -> list[str]:
    """How much the loss rose, whether that is exposure bias, and whether the model recovers."""
    from engine.experiments.exposure_bias import gap

    true, own, other = (exposure.loss(kind) for kind in ("true", "own", "other"))
    rise, beyond = gap(own, true), gap(own, other)
    numbers = {"true": t.number(true.mean, 2), "own": t.number(own.mean, 2), "other": t.number(other.mean, 2)}
    key = "rose" if rise.mean > _SAME else "did_not_rise"
    difference = t.number(abs(rise.mean), 2)
    told = [t(f"limits.exposure.{key}", above=rise.above, texts=len(own.by_text), difference=difference, **numbers)]
    if rise.mean > _SAME:
        error = beyond.error or 0.0
        key = "beyond" if beyond.mean > 2 * error else "below" if beyond.mean < -2 * error else "like_other"
        told.append(
            t(f"limits.exposure.{key}", other=numbers["other"], difference=t.number(abs(beyond.mean), 2),
              error=t.number(error, 2))
        )  # fmt: skip
        first, last = (
            sum(own.by_position[i] - true.by_position[i] for i in part) / len(part)
            for part in (range(3), range(len(own.by_position) - 3, len(own.by_position)))
        )
        key = "recovers" if last < first / 2 else "does_not_recover"
        told.append(t(f"limits.exposure.{key}", first=t.number(first, 2), last=t.number(last, 2)))
    return told
