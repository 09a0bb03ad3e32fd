"""What a visitor notes in one step of a lesson: a guess with what came out, and the ledger of the settings tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import engine
from engine.errors import EngineError
from pages.course import guesses, placeholders
from pages.course.learner import Learner
from pages.course.lesson import Ledger, Step
from pages.course.placeholders import NO_VALUE
from pages.i18n.translator import LANGUAGES, Translator

MAX_ROWS = 8  # of a ledger; the oldest is dropped
# Placeholders of the text: a ledger with one of them only has texts that were written with the settings of their row.
OF_TEXT = ("continuation", "written", "perplexity", "least", "least_p", "log_p", "text_p")

Row = dict[str, tuple[str, ...]]  # cells, by language


@dataclass
class Notes:
    """Notes of one step; kept until the session ends.

    guess  what was typed, also if it cannot be read
    truth  what came out, by language, as long as the task held; empty without a guess
    rows   rows of the ledger by the settings that were tried, in the order of the first attempt
    now    settings of the row of the present state; None if it has no row
    """

    guess: str = ""
    truth: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[str, ...], Row] = field(default_factory=dict)
    now: tuple[str, ...] | None = None
    _verified: tuple[Any, tuple[int, ...]] | None = None  # cache of `_is_written`: arguments, and a text that is

    def update(self, step: Step, learner: Learner, holds: bool) -> None:
        """Take the present state into the ledger; where the task holds, note what came out."""
        if step.ledger is not None:
            self._record(step.ledger, learner)
        guess = step.guess
        if holds and guess is not None and guesses.read(self.guess, guess) is not None:
            truth = {language: guesses.true_value(guess, learner, Translator(language)) for language in LANGUAGES}
            if NO_VALUE not in truth.values():
                self.truth = truth

    def _record(self, ledger: Ledger, learner: Learner) -> None:
        """Add the row of the present state, or replace the one with the same settings."""
        self.now = None
        names = [name for _, name in (*ledger.settings, *ledger.results)]
        if any(name in OF_TEXT for name in names) and not self._is_written(learner):
            return
        row: Row = {}
        for language in LANGUAGES:
            t = Translator(language)
            row[language] = tuple(placeholders.value(name, learner, t) for name in names)
            if NO_VALUE in row[language]:
                return
        self.now = row[LANGUAGES[0]][: len(ledger.settings)]
        self.rows[self.now] = row
        if len(self.rows) > MAX_ROWS:
            del self.rows[next(iter(self.rows))]

    def _is_written(self, learner: Learner) -> bool:
        """Whether the text after the prompt is the one that the present settings write."""
        session, model, ids = learner.session, learner.model, learner.trace.token_ids()
        first = learner.trace.prompt_length
        arguments = (model.name, session.strategy, session.settings, session.seed, ids[:first])
        verified = ids[:first]
        if self._verified is not None and self._verified[0] == arguments:
            verified = self._verified[1]
        common = len(verified) if ids[: len(verified)] == verified else first
        try:
            for at in range(common, len(ids)):
                if engine.choose(model, ids[:at], session.strategy, session.settings, session.seed)[1] != ids[at]:
                    return False
        except EngineError:
            return False
        self._verified = arguments, ids
        return len(ids) > first

    def table(self, ledger: Ledger, language: str) -> dict[str, Any]:
        """Data of the ledger in `notes.js`; rows with one number as their setting are in ascending order."""
        keys = list(self.rows)
        if all(len(key) == 1 and _number(key[0]) is not None for key in keys):
            keys.sort(key=lambda key: _number(key[0]) or 0.0)
        return {
            "settings": len(ledger.settings),
            "columns": [title for title, _ in (*ledger.settings, *ledger.results)],
            "rows": [{"cells": list(self.rows[key][language]), "now": key == self.now} for key in keys],
        }


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None
