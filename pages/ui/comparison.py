"""What one visitor compares: one prompt through every strategy, and every move they can make. Knows no screen.

The work is done in small pieces, so that a page can draw what is there, and a person can stop it, at any moment. What
is done stays, whatever happens to the rest and whichever page is looked at meanwhile.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine import door
from engine.measures import Measures, measure
from engine.shared import BUNDLED_NAME
from engine.strategies import WAYS, Way
from engine.types import EngineError, How
from pages.ui.session import FIRST_PROMPT, Session

if TYPE_CHECKING:
    from engine.kept import Kept
    from engine.model import Model
    from engine.together import Together, Written

FIRST_VALUES = {way.name: way.parameter.first for way in WAYS if way.parameter}
KEPT_STEPS = 12


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every strategy. `values` holds the one number of each that has one, by its name."""

    model: str = BUNDLED_NAME
    prompt: str = FIRST_PROMPT
    values: tuple[tuple[str, float], ...] = tuple(FIRST_VALUES.items())
    seeds: tuple[int, ...] = (7, 8, 9)
    max_new_tokens: int = 20

    def value(self, way: Way) -> float:
        return dict(self.values).get(way.name, 0.0)


@dataclass
class Entry:
    """One strategy's part of the answer; `problem` says why it could not be carried out."""

    way: Way
    value: float
    together: Together
    problem: EngineError | None = None

    @property
    def finished(self) -> bool:
        """Whether nobody and nothing cut it short."""
        return self.problem is None and self.together.done and not any(t.stop == "person" for t in self.together.texts)

    def measures(self, seeds: int) -> Measures:
        """Of all seeds together; what does not draw writes the same with each of them."""
        texts = [(text.token_ids, text.log_probabilities) for text in self.together.texts]
        return measure(*texts, times=1 if self.way.draws else seeds)


@dataclass
class Comparison:
    """`answered` is what `entries` belong to; `question` is what would be asked now."""

    question: Question = field(default_factory=Question)
    answered: Question | None = None
    ids: tuple[int, ...] = ()  # of the prompt that is answered
    entries: list[Entry] = field(default_factory=list)
    running: bool = False
    turn: int = 0  # grows with every start; a click carries the turn it was made on
    problem: EngineError | None = None
    from_step: str | None = None  # the step page's prompt when this page last looked
    _kept: dict[tuple[object, ...], list[Kept]] = field(default_factory=dict)

    def ready(self, model: Model) -> None:
        """Forget the answers of another model: their tokens mean nothing to this one."""
        self.question = replace(self.question, model=model.name)
        if self.answered is not None and self.answered.model != model.name:
            self.answered, self.entries, self.running = None, [], False
            self.turn += 1

    def start(self, model: Model) -> None:
        """Ask the question. A prompt that cannot be read leaves the answers there are as they are."""
        try:
            door.check_run(self.question.max_new_tokens)
            ids = model.read_prompt(self.question.prompt)
        except EngineError as error:
            self.problem = error
            return
        self.stop()
        self.answered, self.ids, self.entries = replace(self.question, model=model.name), ids, []
        self.problem, self.running = None, True
        self.turn += 1

    def work(self, model: Model, seconds: float) -> bool:
        """Go on for about so long. True while there is more to do."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            self._piece(model)
        return self.running

    def _piece(self, model: Model) -> None:
        """Begin with the next strategy, or a token more for each text of the one at work."""
        from engine.together import Together

        assert self.answered is not None
        at_work = self.entries[-1] if self.entries else None
        if at_work is None or at_work.together.done:
            if len(self.entries) == len(WAYS):
                self.running = False
                return
            way, asked = WAYS[len(self.entries)], self.answered
            value = asked.value(way)
            together = Together(model, self.ids, way, value, asked.seeds, asked.max_new_tokens)
            self.entries.append(Entry(way, value, together))
            return
        try:
            door.step()
        except EngineError as error:  # the host's limits have an end: what is written stays
            self.problem = error
            self.stop()
            return
        try:
            at_work.together.step()
        except EngineError as error:
            at_work.problem = error
            at_work.together.stop()

    def stop(self) -> None:
        """The person says stop; what is written stays."""
        if self.running:
            self.running = False
            for entry in self.entries:
                entry.together.stop()

    @property
    def progress(self) -> float:
        """Share of the work that is done, from 0 to 1; a text that ends early makes it jump."""
        if self.answered is None or not self.entries:
            return 0.0
        at_work = self.entries[-1].together
        longest = max(len(text.token_ids) for text in at_work.texts)
        part = 1.0 if at_work.done else longest / self.answered.max_new_tokens
        return (len(self.entries) - 1 + part) / len(WAYS)

    @property
    def finished(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.finished]

    def take(self, session: Session, model: Model, turn: int, entry: int, text: int) -> bool:
        """Put a text on the step page's table. False for a click that is out of date."""
        if turn != self.turn or self.answered is None or self.answered.model != model.name:
            return False
        if not (0 <= entry < len(self.entries) and 0 <= text < len(self.entries[entry].together.texts)):
            return False
        chosen = self.entries[entry]
        written: Written = chosen.together.texts[text]
        way = chosen.way
        if way.name != "beam":  # that chooses whole texts: there are no settings with which a step would do the same
            session.strategy = "sample" if way.draws else "greedy"
            plain = replace(session.settings, repetition_penalty=1.0, no_repeat_ngram_size=0)
            session.settings = way.settings(chosen.value) if way.draws else plain
            session.seed = session.seed if written.seed is None else written.seed
        how: How = "hand" if way.name == "beam" else "drawn" if way.draws else "greedy"
        session.take(model, self.answered.prompt, self.ids, written.token_ids, how)
        return True

    def kept(self, model: Model, prompt: str) -> list[Kept]:
        """How many tokens top-k and top-p leave along a text that begins with `prompt`; the latest few are remembered.

        Raises PromptError for a prompt that cannot be read.
        """
        from engine.kept import kept_along

        values, seed = dict(self.question.values), self.question.seeds[0]
        top_k, top_p = int(values["top_k"]), values["top_p"]
        asked = (model.name, prompt, top_k, top_p, seed)
        if asked not in self._kept:
            found = kept_along(model, model.read_prompt(prompt), top_k, top_p, seed, KEPT_STEPS)
            self._kept = dict([*self._kept.items(), (asked, found)][-4:])
        return self._kept[asked]
