"""State of the page on both sides: a text with gaps, what fills them, and texts written in parallel. No Streamlit here.

The page always uses the two bundled models, which have the same tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.errors import EngineError
from engine.serving import admission

if TYPE_CHECKING:
    from engine.experiments.cloze import Cloze
    from engine.masked.gaps import GapResult, GapText
    from engine.masked.masked_model import MaskedModel
    from engine.masked.parallel_writing import ParallelWriting
    from engine.model.model import Model
    from engine.sampling.settings import Strategy

View = Literal["gap", "writing", "attention"]
VIEWS: tuple[View, ...] = ("gap", "writing", "attention")
PLACES = 16
PASSES = (16, 8, 4, 1)
MOST_MAPPED = 40  # tokens of an attention map


@dataclass(frozen=True)
class Wanted:
    """What texts are written by: the prompt, how tokens are chosen, the seed, whether tokens are hidden again."""

    prompt: str
    strategy: Strategy
    seed: int
    remask: bool


@dataclass(frozen=True)
class WrittenText:
    """A text of PLACES tokens. `passes`: through the model; `bits`: mean surprisal a token under the causal model."""

    passes: int
    token_ids: tuple[int, ...]
    text: str
    bits: float


@dataclass
class BothSidesState:
    """State of one visitor.

    sentence  as it was read last; text: with its gaps, None before
    place     the gap that is shown
    results   by the text that they belong to: of the gap that is shown, and the sentence scored with its candidates
    written   texts by number of passes, most first; one_by_one: that of the causal model
    """

    sentence: str = ""
    text: GapText | None = None
    place: int = 0
    turn: int = 0
    problem: EngineError | None = None
    result: tuple[tuple[object, ...], GapResult, Cloze | None] | None = None
    wanted: Wanted | None = None
    written: tuple[tuple[ParallelWriting, WrittenText], ...] = ()
    one_by_one: WrittenText | None = None
    writing_problem: EngineError | None = None

    def read(self, model: MaskedModel, sentence: str) -> None:
        """Read a sentence with gaps; one that is refused is the problem, and the last one stays."""
        from engine.masked import gaps

        if sentence == self.sentence and (self.text is not None or self.problem is not None):
            return
        self.sentence, self.problem = sentence, None
        self.turn += 1
        try:
            admission.check_prompt(sentence)
            self.text = gaps.read(model, sentence)
            self.place = self.text.gaps[0]
        except EngineError as error:
            self.problem = error

    def show(self, place: int) -> None:
        """Show another gap."""
        if self.text is not None and place in self.text.gaps:
            self.place = place

    def fill(self, token_id: int) -> None:
        """Fill the gap that is shown, and show the next one that is not filled."""
        if self.text is None or self.result is None:
            return
        if token_id not in [candidate.token_id for candidate in self.result[1].candidates]:
            return
        self.text = self.text.fill(self.place, token_id)
        self.place = next((at for at in self.text.gaps if at not in self.text.filled), self.place)

    def open(self, model: MaskedModel) -> None:
        """Hide the token of the gap that is shown again."""
        if self.text is not None:
            self.text = self.text.open(self.place, model.mask)

    def filled_in(self, model: MaskedModel, causal: Model) -> tuple[GapResult, Cloze | None] | None:
        """What fills the gap that is shown, and the whole sentence scored with each of its candidates.

        The latter for a single gap with text before it. Raises EngineError.
        """
        from engine.experiments import cloze
        from engine.masked import gaps

        if self.text is None:
            return None
        key = (self.text.ids, self.place)
        if self.result is None or self.result[0] != key:
            admission.charge(2)
            found = gaps.fill_in(model, causal, self.text, self.place)
            scored = None
            if len(self.text.gaps) == 1 and self.place > 0:
                texts = gaps.candidate_texts(model, found)[: cloze.MAX_CANDIDATES]
                if len(texts) > 1:
                    admission.charge(len(texts))
                    scored = cloze.fill(causal, self.sentence, texts)
            self.result = key, found, scored
        return self.result[1:]

    def write(self, model: MaskedModel, causal: Model, wanted: Wanted) -> None:
        """Write the same number of tokens in each number of PASSES, and one by one; a refused prompt is the problem."""
        self.writing_problem = None
        try:
            admission.check_prompt(wanted.prompt)
            ids = causal.read_prompt(wanted.prompt)
            admission.charge(sum(PASSES) + 2 * PLACES)
            written = tuple(self._written(model, causal, ids, passes, wanted) for passes in PASSES)
            single = self._one_by_one(causal, ids, wanted)
        except EngineError as error:
            self.writing_problem = error
            return
        self.wanted, self.written, self.one_by_one = wanted, written, single

    @staticmethod
    def _written(
        model: MaskedModel, causal: Model, ids: tuple[int, ...], passes: int, wanted: Wanted
    ) -> tuple[ParallelWriting, WrittenText]:
        from engine.masked.parallel_writing import ParallelWriting

        work = ParallelWriting(model, ids, PLACES, passes, wanted.strategy, wanted.seed, wanted.remask)
        while work.step():
            pass
        return work, _text(causal, ids, work.token_ids, passes)

    @staticmethod
    def _one_by_one(causal: Model, ids: tuple[int, ...], wanted: Wanted) -> WrittenText:
        import engine

        steps = engine.generate(causal, ids, wanted.strategy, None, wanted.seed, PLACES)
        return _text(causal, ids, tuple(step.token_id for step in steps), PLACES)


def _text(causal: Model, ids: tuple[int, ...], new: tuple[int, ...], passes: int) -> WrittenText:
    """A text with its mean surprisal a token under the causal model."""
    import math

    values = causal.score((*ids, *new)).log_probabilities[len(ids) :]
    bits = -sum(value for value in values if value is not None) / math.log(2) / len(new)
    return WrittenText(passes, new, causal.continuation(ids, new), bits)
