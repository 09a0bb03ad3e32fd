"""Scores of the members over the rounds of a game, with the scores of the quiz."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.classroom.comparison import Result
from engine.classroom.records import Answer, Member


@dataclass(frozen=True, slots=True)
class Standing:
    """Score of one member, of the class as one player, or of the model.

    rounds  rounds answered
    hits    answers equal to the true token
    bits    mean surprisal of the answers under the model; inf where one has probability 0, None without an answer or
            where a server does not tell one
    """

    member: Member | None
    rounds: int
    hits: int
    bits: float | None


def standings(members: Sequence[Member], rounds: Sequence[tuple[Result, Sequence[Answer]]]) -> list[Standing]:
    """One line a member: most hits first, of equal hits the fewest bits, then the order of arrival."""
    found = [_standing(member, rounds) for member in members]
    return sorted(found, key=lambda s: (-s.hits, s.bits is None, s.bits or 0.0, s.member.number if s.member else 0))


def _standing(member: Member, rounds: Sequence[tuple[Result, Sequence[Answer]]]) -> Standing:
    bits: list[float | None] = []
    hits = 0
    for result, answers in rounds:
        own = next((answer for answer in answers if answer.member == member.number), None)
        if own is not None:
            bar = result.bar(own.tokens)
            bits.append(bar.bits if bar else None)
            hits += own.tokens == result.truth
    known = [value for value in bits if value is not None]
    mean = sum(known) / len(known) if known and len(known) == len(bits) else None
    return Standing(member, len(bits), hits, mean)


def crowd_standing(results: Sequence[Result]) -> Standing:
    """The line of the class as one player, whose guess is always its most chosen token; rounds with an answer count."""
    chosen = [(result, result.bar(result.chosen)) for result in results]
    answered = [(result, bar.bits) for result, bar in chosen if bar is not None]
    hits = sum(result.chosen == result.truth for result, _ in answered)
    known = [bits for _, bits in answered if bits is not None]
    mean = sum(known) / len(known) if known and len(known) == len(answered) else None
    return Standing(None, len(answered), hits, mean)


def model_standing(results: Sequence[Result]) -> Standing:
    """The model's line: its guess is always its most probable token."""
    hits = sum(result.best == result.truth for result in results)
    mean = sum(result.score.best for result in results) / len(results) if results else None
    return Standing(None, len(results), hits, mean)
