"""One visitor's game of guessing the next token, and every move they can make in it. Knows no screen.

Ten rounds: a text is shown up to a place, the visitor guesses (types, or takes one of four), then all is shown. The
texts are the page's own, or one that the visitor brought. What the rounds are worth is `engine.tally`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from engine import usage
from engine.errors import EngineError, PromptError
from engine.serving import admission
from pages.quiz.question_texts import ROUNDS, deal

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.quiz.questions import QuizQuestion
    from engine.quiz.scoring import Outcome

Mode = Literal["type", "choose"]
MODES: tuple[Mode, ...] = ("type", "choose")
_GAMES = 100_000  # apart, so that the seeds of two games never meet


@dataclass
class QuizState:
    mode: Mode = "type"
    game: int = 0
    own: str = ""  # the text that the visitor brought; empty while the page's own are played
    language: str = ""  # of the texts
    model_name: str = ""
    questions: list[QuizQuestion] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    at: int = 0  # the round on show; as many as there are rounds: the summary
    draft: str = ""  # typed and not yet guessed
    turn: int = 0  # grows with every question that is shown; an answer carries the one it was made on
    problem: EngineError | None = None  # why the last move in the game was refused
    own_problem: EngineError | None = None  # why a text of the visitor's own was

    @property
    def revealed(self) -> bool:
        """Whether the question on show has been answered."""
        return self.at < len(self.outcomes)

    @property
    def finished(self) -> bool:
        """Whether the summary is on show."""
        return bool(self.questions) and self.at == len(self.questions)

    @property
    def question(self) -> QuizQuestion:
        return self.questions[self.at]

    @property
    def seed(self) -> int:
        """Of the question on show."""
        return self.game * _GAMES + self.at

    def ready(self, model: Model, language: str) -> None:
        """Begin where nothing is begun. Another model begins again, for numbers of two models do not mix; another
        language changes the texts of a game in which nothing was answered. Raises what `begin` does."""
        untouched = not self.outcomes and not self.own and self.language != language
        if not self.questions or self.model_name != model.name or untouched:
            try:
                self._begin(model, language, self.game, self.own)
            except PromptError as error:  # the visitor's own text is not for this model
                if not self.own:
                    raise
                self._begin(model, language, self.game, "")
                self.own_problem = error

    def _begin(self, model: Model, language: str, game: int, own: str) -> None:
        questions = _of_own(model, own, game) if own else _of_page(model, language, game)
        if not own:
            self._open(model, questions[0])
        self.questions, self.outcomes, self.at, self.draft = questions, [], 0, ""
        self.language, self.model_name, self.game, self.own = language, model.name, game, own
        self.turn += 1
        self.problem = self.own_problem = None

    def again(self, model: Model, turn: int, language: str) -> None:
        """Another game: other texts, or other places of the visitor's own."""
        if turn == self.turn and self.finished:
            self._move(lambda: self._begin(model, language, self.game + 1, self.own))

    def bring(self, model: Model, language: str, text: str) -> None:
        """Play with a text of the visitor's own."""
        try:
            if not text.strip():
                raise PromptError("quiz_no_text", "no text was brought")
            self._begin(model, language, self.game, text)
        except EngineError as error:
            self.own_problem = error

    def leave(self, model: Model, language: str) -> None:
        """Back to the page's own texts."""
        self._move(lambda: self._begin(model, language, self.game, ""))

    def write(self, turn: int, text: str) -> None:
        """What stands in the box, not yet guessed."""
        if turn == self.turn and not self.revealed:
            self.draft = text

    def guess(self, model: Model, turn: int, typed: str) -> None:
        """Answer by typing; one refused stays in the box."""
        from engine.quiz import questions as questions_module

        if self._answerable(model, turn):
            self.draft = typed
            self._move(lambda: self._answer(model, questions_module.guess_token_ids(model, self.question, typed)))

    def choose(self, model: Model, turn: int, token_id: int) -> None:
        """Answer by taking one of the options."""
        from engine.quiz import questions as questions_module

        if self._answerable(model, turn):
            given = questions_module.options(model, self.question, self.seed)
            if token_id in given:
                self._move(lambda: self._answer(model, (token_id,), len(given)))

    def go(self, model: Model, turn: int) -> None:
        """On to the next question, after the last one to the summary."""
        if turn == self.turn and self.revealed and self.model_name == model.name:
            self._move(lambda: self._go(model))

    def _go(self, model: Model) -> None:
        if self.at + 1 < len(self.questions):
            self._open(model, self.questions[self.at + 1])
        self.at += 1
        self.turn += 1
        self.draft = ""

    def _answerable(self, model: Model, turn: int) -> bool:
        waiting = bool(self.questions) and not self.finished and not self.revealed
        return waiting and turn == self.turn and self.model_name == model.name

    def _answer(self, model: Model, token_ids: tuple[int, ...], options: int = 0) -> None:
        from engine.quiz import questions as questions_module

        self.outcomes.append(questions_module.score_round(model, self.question, token_ids, options))

    def _move(self, move: Callable[[], None]) -> None:
        try:
            self.problem = None
            move()
        except EngineError as error:
            self.problem = error

    @staticmethod
    def _open(model: Model, question: QuizQuestion) -> None:
        """Let the model answer before anybody sees the question: one pass over what stands before the place."""
        admission.charge(1 + len(question.before) // usage.TOKENS_PER_STEP)
        _ = model.distribution(question.before)


def _of_page(model: Model, language: str, game: int) -> list[QuizQuestion]:
    """A place in each of ten texts. Raises EngineError(`quiz_model`) where the model's tokenizer leaves too few."""
    from engine.quiz import questions as questions_module
    from engine.sampling.distribution import uniform

    found: list[QuizQuestion] = []
    for text in deal(language, game):
        if places := questions_module.find_questions(model, text):
            found.append(places[int(uniform(game, len(found)) * len(places))])
        if len(found) == ROUNDS:
            return found
    raise EngineError("quiz_model", "the tokenizer leaves too few places to ask at")


def _of_own(model: Model, text: str, game: int) -> list[QuizQuestion]:
    """Ten places of one text, from left to right, so that none gives away a later one; all in one pass.

    Raises PromptError: `quiz_short` (values: count of places, how many it takes), and what `read_prompt` does.
    """
    from engine.quiz import questions as questions_module
    from engine.sampling.distribution import uniform

    ids = model.read_prompt(text)
    places = questions_module.find_questions(model, text)
    if len(places) < ROUNDS:
        raise PromptError("quiz_short", "too few places to ask at", count=len(places), most=ROUNDS)
    _ = model.records(ids)
    drawn = sorted(range(len(places)), key=lambda at: uniform(game, at))[:ROUNDS]
    return [places[at] for at in sorted(drawn)]
