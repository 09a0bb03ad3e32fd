"""Sentences about a run of speculative or Jacobi decoding, from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.i18n.translator import Translator
from pages.speculative.state import LAYERS, Plan

if TYPE_CHECKING:
    from engine.decoding.jacobi import JacobiDecoding
    from engine.decoding.speculative import SpeculativeDecoding

EQUAL_TIME = 0.05  # of the ratio of two times: what differs by less is reported as about the same
SHORT_TIME = 0.03  # seconds: shorter times are not compared


def about_drafting(work: SpeculativeDecoding, plan: Plan, layers: int, t: Translator) -> list[str]:
    """Passes, guesses, whether the text is that of one token a pass, and time, as far as they are known.

    layers: of the whole model
    """
    if not work.rounds:
        return []
    guesses = [guess for each in work.rounds for guess in each.guesses]
    used = [guess for guess in guesses if guess.kept is not None]
    told = [t("speculative.passes", n=work.written, passes=work.passes)]
    if work.stop_reason == "end" and work.written < plan.tokens:
        told.append(t("speculative.ended", n=work.written))
    kept = sum(bool(guess.kept) for guess in used)
    counts = {"kept": kept, "checked": len(used), "guessed": len(guesses)}
    told.append(t("speculative.kept", **counts) if used else t("speculative.no_guess"))
    if plan.drafter == LAYERS and work.draft_passes:
        whole = t.number(work.draft_passes * plan.layers / layers, 0)
        told.append(t("speculative.cost", drafts=work.draft_passes, layers=plan.layers, all=layers, whole=whole))
    if plan.strategy == "sample" and work.stop_reason:
        told.append(t("speculative.sampled"))
    elif work.identical is not None:
        told.append(t("speculative.identical" if work.identical else "speculative.rounding"))
    if work.single_seconds is not None:
        told.append(_time(work.seconds, work.single_seconds, t))
    return told


def _time(seconds: float, single: float, t: Translator) -> str:
    ratio = seconds / single
    key = "equal_time" if abs(ratio - 1) < EQUAL_TIME else "slower" if ratio > 1 else "faster"
    key = "short_time" if single < SHORT_TIME else key
    factor = t.number(max(ratio, 1 / ratio))
    return t(f"speculative.{key}", ms=t.number(seconds * 1000, 0), single=t.number(single * 1000, 0), factor=factor)


def about_jacobi(work: JacobiDecoding, t: Translator) -> list[str]:
    """Passes against places, once the run has ended by itself."""
    if not work.passes or not work.done:
        return []
    final = work.final[-1]
    told = [t("speculative.grid.result", places=final, passes=work.passes)]
    lucky = sum(after - before > 1 for before, after in zip(work.final, work.final[1:], strict=False))
    told.append(t("speculative.grid.lucky", n=lucky) if lucky else t("speculative.grid.never"))
    return told
