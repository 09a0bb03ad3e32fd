"""State of the next-token quiz and the actions on it. No Streamlit here.

A game has ten rounds: a text is shown up to a position, the visitor guesses the next token (typed, or one of four
options), then the rest is revealed. The texts are the page's own, or one pasted by the visitor. Scores are computed by
`engine.quiz.scoring`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from engine import usage
from engine.errors import EngineError, PromptError
from engine.serving import admission
from pages.shell.question_texts import ROUNDS, questions_of_game

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.quiz.questions import QuizQuestion
    from engine.quiz.scoring import Outcome

Mode = Literal["type", "choose"]
MODES: tuple[Mode, ...] = ("type", "choose")
_SEEDS_PER_GAME = 100_000  # more than the rounds of a game, so that no two questions share a seed


@dataclass
class QuizState:
    """One game of one visitor.

    mode              how the visitor answers
    game              number of the game; determines its texts and questions
    own_text          text pasted by the visitor; empty while the page's own texts are used
    language          language of the page's texts
    model_name        model that the questions belong to
    questions         of all rounds; outcomes: of the answered ones
    round_index       displayed round, from 0; the number of rounds while the summary is displayed
    draft             typed, not yet submitted guess
    turn              incremented with every new question; an answer with an earlier turn is ignored
    problem           why the last action of the game was refused
    own_text_problem  why the pasted text was refused
    """

    mode: Mode = "type"
    game: int = 0
    own_text: str = ""
    language: str = ""
    model_name: str = ""
    questions: list[QuizQuestion] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    round_index: int = 0
    draft: str = ""
    turn: int = 0
    problem: EngineError | None = None
    own_text_problem: EngineError | None = None

    @property
    def revealed(self) -> bool:
        """Whether the displayed question has been answered."""
        return self.round_index < len(self.outcomes)

    @property
    def finished(self) -> bool:
        """Whether the summary is displayed."""
        return bool(self.questions) and self.round_index == len(self.questions)

    @property
    def question(self) -> QuizQuestion:
        """The displayed question."""
        return self.questions[self.round_index]

    @property
    def seed(self) -> int:
        """Seed of the options of the displayed question."""
        return self.game * _SEEDS_PER_GAME + self.round_index

    def ready(self, model: Model, language: str) -> None:
        """Start the game if there is none, the model has changed, or the language has and nothing is answered yet.

        Scores of two models cannot be averaged, so a new model restarts the game. If it cannot use the visitor's own
        text, the page's texts are used and `own_text_problem` is set. Raises the errors of a game with the page's
        texts.
        """
        language_changed = not self.outcomes and not self.own_text and self.language != language
        if not self.questions or self.model_name != model.name or language_changed:
            try:
                self._start(model, language, self.game, self.own_text)
            except EngineError as error:
                if not self.own_text:
                    raise
                self._start(model, language, self.game, "")
                self.own_text_problem = error

    def _start(self, model: Model, language: str, game: int, own_text: str) -> None:
        questions = _own_text_questions(model, own_text, game) if own_text else questions_of_game(model, language, game)
        if own_text:
            _ = model.distribution(questions[0].before)  # computed with the whole text; raises for unusable numbers
        else:
            self._predict(model, questions[0])
        self.questions, self.outcomes, self.round_index, self.draft = questions, [], 0, ""
        self.language, self.model_name, self.game, self.own_text = language, model.name, game, own_text
        self.turn += 1
        self.problem = self.own_text_problem = None

    def start_new_game(self, model: Model, turn: int, language: str) -> None:
        """After a finished game: start the next one, with other texts or other positions of the visitor's text."""
        if turn == self.turn and self.finished:
            self._try(lambda: self._start(model, language, self.game + 1, self.own_text))

    def use_own_text(self, model: Model, language: str, text: str) -> None:
        """Start a game with a text of the visitor's own."""
        try:
            if not text.strip():
                raise PromptError("quiz_no_text", "the text is empty")
            self._start(model, language, self.game, text)
        except EngineError as error:
            self.own_text_problem = error

    def use_page_texts(self, model: Model, language: str) -> None:
        """Start a game with the page's own texts."""
        self._try(lambda: self._start(model, language, self.game, ""))

    def set_mode(self, mode: Mode) -> None:
        """Answer in another way; what was wrong with a typed guess does not matter to it."""
        if mode != self.mode and isinstance(self.problem, PromptError):
            self.problem = None
        self.mode = mode

    def set_draft(self, turn: int, text: str) -> None:
        """Store the typed, not yet submitted guess."""
        if turn == self.turn and not self.revealed:
            self.draft = text

    def guess(self, model: Model, turn: int, typed: str) -> None:
        """Answer with a typed guess; a refused one remains as the draft."""
        from engine.quiz.questions import guess_token_ids

        if self._accepts_answer(model, turn):
            self.draft = typed
            self._try(lambda: self._answer(model, guess_token_ids(model, self.question, typed)))

    def choose_option(self, model: Model, turn: int, token_id: int) -> None:
        """Answer with one of the options."""
        from engine.quiz.questions import options

        if self._accepts_answer(model, turn):
            token_ids = options(model, self.question, self.seed)
            if token_id in token_ids:
                self._try(lambda: self._answer(model, (token_id,), len(token_ids)))

    def next_round(self, model: Model, turn: int) -> None:
        """Display the next question, or the summary after the last one."""
        if turn == self.turn and self.revealed and self.model_name == model.name:
            self._try(lambda: self._next_round(model))

    def _next_round(self, model: Model) -> None:
        if self.round_index + 1 < len(self.questions):
            self._predict(model, self.questions[self.round_index + 1])
        self.round_index += 1
        self.turn += 1
        self.draft = ""

    def _accepts_answer(self, model: Model, turn: int) -> bool:
        unanswered = bool(self.questions) and not self.finished and not self.revealed
        return unanswered and turn == self.turn and self.model_name == model.name

    def _answer(self, model: Model, token_ids: tuple[int, ...], options: int = 0) -> None:
        from engine.quiz.questions import score_round

        self.outcomes.append(score_round(model, self.question, token_ids, options))

    def _try(self, action: Callable[[], None]) -> None:
        """Run an action and store its EngineError in `problem`."""
        try:
            self.problem = None
            action()
        except EngineError as error:
            self.problem = error

    @staticmethod
    def _predict(model: Model, question: QuizQuestion) -> None:
        """Compute the model's answer before the question is displayed: one charged pass over the text before it."""
        admission.charge(1 + len(question.before) // usage.TOKENS_PER_STEP)
        _ = model.distribution(question.before)


def _own_text_questions(model: Model, text: str, game: int) -> list[QuizQuestion]:
    """Ten questions of one text, from left to right, so that none reveals a later answer. Runs one pass over the text.

    Raises PromptError: `quiz_short` (values: number of suitable positions, number required), and the errors of
    `Model.read_prompt`.
    """
    from engine.quiz.questions import find_questions
    from engine.sampling.distribution import uniform

    ids = model.read_prompt(text)
    questions = find_questions(model, text)
    if len(questions) < ROUNDS:
        raise PromptError("quiz_short", "too few suitable positions", count=len(questions), most=ROUNDS)
    _ = model.records(ids)
    chosen = sorted(range(len(questions)), key=lambda index: uniform(game, index))[:ROUNDS]
    return [questions[index] for index in sorted(chosen)]
