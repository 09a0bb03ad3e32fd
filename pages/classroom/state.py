"""What a teacher or a member of a class does in a room: the actions of a visitor's `Place`. No Streamlit here."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from engine import usage
from engine.classroom import plain_text, question
from engine.classroom.progress import Place, works_of
from engine.classroom.question import Game, Question, question_of
from engine.classroom.records import Answer, Room, Round
from engine.classroom.spread import Spread, spread_from, spread_of
from engine.classroom.tally import Tokens
from engine.serving import admission
from pages.classroom import spread_view
from pages.classroom.showing import Showing
from pages.session.text_state import TextState
from pages.shell.question_texts import ROUNDS, questions_of_game

if TYPE_CHECKING:
    from engine.model.model import Model


@dataclass
class ClassroomState(Showing):
    """A visitor's place, and what the visitor does there. Each action is ignored where the role does not allow it.

    reported  where the room knows this member to be in the course, and since when the member is at that stage
    """

    reported: Place | None = None
    since: float = 0.0

    def entered(self, room: Room) -> None:
        super().entered(room)
        self.reported = None

    # The teacher's actions

    def ask(self, model: Model, session: TextState) -> None:
        """Ask the class what follows the text at the cursor."""
        ids, ordinal = session.ready(model).token_ids(), self._ordinal()
        self._ask(lambda seed: replace(question.ask_about(model, ids, seed), ordinal=ordinal), len(ids))

    def spread(self, model: Model, session: TextState) -> None:
        """Have everybody continue the text at the cursor, with the teacher's settings and a seed of their own."""
        ids, ordinal = session.ready(model).token_ids(), self._ordinal()
        wanted = (session.strategy, session.settings, session.run_tokens)
        self._ask(lambda seed: spread_from(model, ids, *wanted, ordinal), len(ids))

    def _ordinal(self) -> int:
        """Number of the next task about an own text, games not counted."""
        tasks = [question_of(each) for each in self.school.store.rounds(self.code)]
        return 1 + sum(each is None or each.game is None for each in tasks)

    def last_game(self) -> Game | None:
        """Place of the last question that was asked in a game; own questions may have come since."""
        last = self.last_question()
        if last is not None and last.game is not None:  # without the other rounds, which is most often enough
            return last.game
        asked = (question_of(each) for each in reversed(self.school.store.rounds(self.code)))
        return next((each.game for each in asked if each is not None and each.game is not None), None)

    def ask_in_game(self, model: Model, language: str, anew: bool = False) -> None:
        """Ask the next question of the last game, or the first one of another game: if it is finished, or `anew`."""
        place = self.last_game()
        if place is not None and place.index + 1 < place.rounds and not anew:
            game = Game(place.language, place.number, place.index + 1, place.rounds)
        else:
            # Another game in each room, so that nobody has played it alone: the quiz begins with game 0.
            number = place.number + 1 if place is not None else 1 + zlib.crc32(self.code.encode()) % 1_000
            game = Game(language, number, 0, ROUNDS)
        asked = questions_of_game(model, game.language, game.number)[game.index]
        self._ask(
            lambda seed: question.ask_about(model, asked.before, seed, asked.truth, asked.rest, game),
            len(asked.before),
        )

    def _ask(self, make: Callable[[int], Question | Spread], tokens: int) -> None:
        if self.role != "teacher":
            return
        admission.charge(1 + tokens // usage.TOKENS_PER_STEP)
        last = self.school.store.last_round(self.code)
        seed = zlib.crc32(f"{self.code} {last.number if last else 0}".encode())
        self.asked = self.school.ask(self.code, make(seed)).number

    def reveal(self, model: Model, number: int) -> None:
        """End the round and compare; with the model that asked it."""
        if self.role == "teacher":
            admission.charge()
            self.school.reveal(self.code, number, partial(_conclude, model))

    def withdraw(self, number: int) -> None:
        """Take a question back; what was answered is gone."""
        last = self.school.store.last_round(self.code)
        if self.role == "teacher" and last is not None and last.number == number and last.state != "revealed":
            self.school.store.remove_round(self.code, number)

    def take(self, model: Model, session: TextState, number: int, tokens: Tokens) -> None:
        """Continue the teacher's text by what the class or the model has chosen."""
        last = self.last_question()
        if last is None or last.game is not None or not self.is_about(last, model, session):
            return
        for token_id in tokens:
            session.pick(model, session.turn, token_id)
        self.dismissed = number

    @staticmethod
    def is_about(asked: Question | Spread, model: Model, session: TextState) -> bool:
        """Whether a question is about the teacher's text as it is now: nothing was written or chosen since."""
        return asked.model == model.name and asked.ids == session.ready(model).token_ids()

    def remove(self, number: int) -> None:
        """Remove a member with all answers."""
        if self.role == "teacher":
            self.school.store.remove_member(self.code, number)

    def set_joinable(self, joinable: bool) -> None:
        """Let new members in, or not."""
        if self.role == "teacher":
            self.school.store.change_room(self.code, joinable=joinable)

    def set_words(self, text: str) -> None:
        """Replace the teacher's own list of unwanted words."""
        if self.role == "teacher":
            self.school.store.change_room(self.code, words=plain_text.read_words(text))

    def see_result(self, revealed: Round, model: Model, session: TextState) -> bool:
        """Whether a result is still to be shown: this window's text has not gone on since.

        A question of another window is about the text there: its result is shown until it is put away.
        """
        self.seen = max(self.seen, revealed.number)
        asked = task_of(revealed)
        if (isinstance(asked, Question) and asked.game is not None) or self.is_about(asked, model, session):
            return True
        gone_on = session.ready(model).token_ids()[: len(asked.ids)] == asked.ids
        return self.asked != revealed.number and not gone_on

    def close(self) -> None:
        """End the room, and remove everything in it."""
        if self.role == "teacher":
            self.school.store.remove_room(self.code)
            self.leave("ended")

    # A member's actions

    def answer(self, model: Model, number: int, typed: str) -> None:
        """Answer by a typed text, or change the answer."""
        from engine.quiz.questions import QuizQuestion, guess_token_ids

        room, member, asked = self.room(), self.member(), self.last_question(number)
        if room is not None and member is not None and asked is not None:
            admission.charge()
            text = plain_text.clean(typed, plain_text.MAX_ANSWER)
            tokens = guess_token_ids(model, QuizQuestion(asked.ids, 0, ()), text)
            shown = _text_of(model, asked.ids, tokens)
            self.school.answer(room, number, Answer(member.number, text, tokens, shown))

    def pick(self, number: int, token: int) -> None:
        """Answer by one of the options, or change the answer."""
        room, member, asked = self.room(), self.member(), self.last_question(number)
        if room is None or member is None or asked is None:
            return
        for option, text in asked.options:
            if option == token:
                admission.charge()
                answer = Answer(member.number, text, (token,), text, len(asked.options))
                self.school.answer(room, number, answer)

    def write_on(self, model: Model, number: int) -> None:
        """Continue the text of the round with the member's seed; the same text again, where it was done already."""
        room, member, last = self.room(), self.member(), self.last_round()
        task = spread_of(last) if last is not None and last.number == number else None
        if room is not None and member is not None and task is not None:
            admission.charge(task.tokens)
            self.school.put_text(room, number, member.number, task.write(model, member.number))

    def report(self, place: Place | None) -> None:
        """Store where this member is in the course, if it has changed."""
        if place == self.reported:
            return
        member = self.member()
        if member is None:
            return
        before, self.reported = self.reported, place
        if before is None or place is None or before[:2] != place[:2]:
            self.since = time.time()
        for work in works_of(member.number, place, self.since):
            self.school.store.put_work(self.code, work)


def task_of(asked: Round) -> Question | Spread:
    """The task of a round."""
    return spread_of(asked) or Question.from_json(asked.question)


def _conclude(model: Model, asked: Round, answers: list[Answer]) -> dict[str, Any]:
    """JSON values of a round's result."""
    from engine.classroom.comparison import compare

    task = task_of(asked)
    return compare(model, task, answers).to_json() if isinstance(task, Question) else spread_view.result(model, answers)


def _text_of(model: Model, before: Tokens, tokens: Tokens) -> str:
    """Display text of an answer: a label, or the character that several tokens encode."""
    if len(tokens) == 1:
        return model.vocabulary.label(tokens[0], model.vocabulary.pending(before))
    return "".join(group for _, _, group in model.vocabulary.groups(tokens))
