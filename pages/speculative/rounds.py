"""Rounds of speculative decoding: the guesses of each, kept or struck out, and the token that the model added."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages.components.register import register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.speculative import Guess, Round, SpeculativeDecoding
    from engine.model.model import Model

_component = register("draft_rounds", Path(__file__))


def data(
    work: SpeculativeDecoding, model: Model, prompt: str, copied: bool, turn: int, t: Translator
) -> dict[str, Any]:
    """Data of the component. `copied`: the guesses are copied from the text, by a drafter without probabilities.

    rounds: a list of chips each, {text, kind, note}; kind is `kept`, `struck`, `late` (cannot be used) or `model`.
    """
    return {
        "name": t("speculative.rounds"),
        "turn": turn,
        "hint": t("speculative.hint"),
        "text": [prompt, "".join(model.pieces(work.ids)[work.prompt_length :])],
        "text_name": t("speculative.text"),
        "legend": [[kind, t(f"speculative.kind.{kind}")] for kind in ("kept", "struck", "late", "model")],
        "round": t("speculative.round"),
        "rounds": [_chips(each, work, model, copied, t) for each in work.rounds],
    }


def _chips(each: Round, work: SpeculativeDecoding, model: Model, copied: bool, t: Translator) -> list[dict[str, str]]:
    before = list(work.ids[: each.start])
    own = "" if each.token_id is None else _label(model, [*before, *each.token_ids[: each.kept]], each.token_id)
    chips = []
    text = list(before)
    for guess in each.guesses:
        token = _label(model, text, guess.token_id)
        kind = "late" if guess.kept is None else "kept" if guess.kept else "struck"
        chips.append({"text": token, "kind": kind, "note": note(guess, token, own, copied, t)})
        text.append(guess.token_id)
    if each.token_id is not None:
        rejected = each.kept < len(each.guesses)
        key = "replaced" if rejected else "added" if each.guesses else "alone"
        chips.append({"text": own, "kind": "model", "note": t(f"speculative.note.{key}", token=own)})
    return chips


def _label(model: Model, before: list[int], token_id: int) -> str:
    return model.vocabulary.label(token_id, model.vocabulary.pending(before))


def note(guess: Guess, token: str, own: str, copied: bool, t: Translator) -> str:
    """What happened to a guess, as a sentence; `own`: the model's token in its place."""
    values = {"token": token, "own": own, "model": t.percent(guess.model), "drafted": t.percent(guess.drafted)}
    if guess.kept is None:
        return t("speculative.note.late", **values)
    source = t(f"speculative.note.{'copied' if copied else 'guessed'}", **values)
    if guess.limit is None or guess.u is None:
        return f"{source} {t(f'speculative.note.{_outcome(guess)}', **values)}"
    if guess.limit == 1:
        return f"{source} {t('speculative.note.drawn_sure', **values)}"
    values |= {"limit": t.percent(guess.limit), "u": t.percent(guess.u)}
    return f"{source} {t(f'speculative.note.drawn_{_outcome(guess)}', **values)}"


def _outcome(guess: Guess) -> str:
    return "kept" if guess.kept else "struck"


def draw(payload: dict[str, Any]) -> None:
    """Draw the result of `data`."""
    _component(key="draft_rounds", data=payload)
