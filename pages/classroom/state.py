"""A visitor's place in a classroom, as teacher or member, and the actions on it. No Streamlit here.

The room itself is in the store of `engine.classroom`; here is only which one it is, and the key that opens it. The
browser keeps the key as well (`room_updates.js`), so that whoever reloads or wakes up is the same person.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from engine import usage
from engine.classroom import plain_text, question
from engine.classroom.classroom import Classroom
from engine.classroom.question import Game, Question
from engine.classroom.records import Answer, Member, Room, Round
from engine.classroom.shared import classroom
from engine.classroom.tally import Tokens
from engine.errors import EngineError
from engine.serving import admission
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from pages.shell.question_texts import ROUNDS, questions_of_game

if TYPE_CHECKING:
    from engine.model.model import Model

Role = Literal["", "teacher", "member"]


@dataclass
class ClassroomState:
    """One visitor's place.

    role, code, key  the room that the visitor is in, as whom, and the teacher's secret or the member's key
    wanted           code that was typed or came with the link; `named`: whether its room asks for a nickname, None
                     while no such room has been found
    draft            nickname that was typed and refused
    arriving         secret of a teacher that came with the link
    left             why the visitor is no longer in a room: `ended`, `removed`; "" otherwise
    following        whether the class sees the teacher's text between the questions; `shown_at`: when it was shown last
    dismissed        last round whose result the teacher has put away
    problem          why the last action was refused
    redraw           whether the page has to be drawn anew, because the role has changed
    """

    role: Role = ""
    code: str = ""
    key: str = ""
    wanted: str = ""
    named: bool | None = None
    draft: str = ""
    arriving: str = ""
    left: Literal["", "ended", "removed"] = ""
    following: bool = False
    shown_at: float = 0.0
    dismissed: int = 0
    problem: EngineError | None = None
    redraw: bool = False

    @property
    def school(self) -> Classroom:
        return classroom()

    def attempt(self, action: Callable[[], None]) -> None:
        """Run an action and store its EngineError in `problem`."""
        self.problem = None
        try:
            action()
        except EngineError as error:
            self.problem = error

    # Coming and going

    def open_room(self, named: bool) -> None:
        """Open a room and hold it."""
        admission.charge()
        room, secret = self.school.open_room(named)
        self._enter("teacher", room.code, secret)

    def look_up(self, typed: str, visitor: str) -> None:
        """Find the room of a code; join it at once where it asks for no nickname."""
        self.wanted, self.named = plain_text.clean(typed, 20), None
        room = self.school.look_up(typed, visitor)
        self.wanted, self.named = room.code, room.named
        if not room.named:
            self.join("", visitor)

    def join(self, name: str, visitor: str) -> None:
        """Join the room that was looked up."""
        self.draft = plain_text.clean(name, plain_text.MAX_NAME)
        admission.charge()
        joined = self.school.join(self.wanted, name, visitor)
        self._enter("member", self.wanted, joined.key)

    def come_back(self, role: str, code: str, key: str, visitor: str) -> None:
        """Be again who the browser says; a room or member that is gone is told, and the browser forgets it.

        Whoever sends codes in this way is bounded as if they were typed.
        """
        try:
            if role == "teacher":
                self.hold(code, key, visitor)
                return
            room = self.school.look_up(code, visitor)
        except EngineError as error:
            if error.code != "room_none":  # too many codes just now: the browser keeps the key, and may try again
                raise
            self.left = "ended"
            return
        if self.school.member(room.code, key) is None:
            self.left = "removed"
        else:
            self._enter("member", room.code, key)

    def hold(self, code: str, secret: str, visitor: str) -> None:
        """Hold a room by the teacher's secret."""
        room = self.school.held_by(code, secret, visitor)
        self._enter("teacher", room.code, secret)
        self.following = bool(room.text)

    def _enter(self, role: Role, code: str, key: str) -> None:
        self.role, self.code, self.key = role, code, key
        self.left, self.wanted, self.named, self.draft, self.arriving = "", "", None, "", ""
        self.dismissed, self.following, self.redraw = 0, False, True

    def leave(self, why: Literal["", "ended", "removed"] = "") -> None:
        """Be in no room; the member stays in the room and can come back."""
        self.role, self.code, self.key, self.left, self.redraw = "", "", "", why, True

    def room(self) -> Room | None:
        """The room that the visitor is in; leaves it where it has ended."""
        room = self.school.find(self.code) if self.role else None
        if self.role and room is None:
            self.leave("ended")
        return room

    def member(self) -> Member | None:
        """The member that the visitor is; leaves the room where the teacher has removed the member."""
        member = self.school.member(self.code, self.key) if self.role == "member" else None
        if self.role == "member" and member is None:
            self.leave("removed")
        return member

    # The teacher's actions

    def ask(self, model: Model, session: TextState) -> None:
        """Ask the class what follows the text at the cursor."""
        ids = session.ready(model).token_ids()
        self._ask(model, lambda seed: question.ask_about(model, ids, seed), len(ids))

    def ask_in_game(self, model: Model, language: str) -> None:
        """Ask the next question of the game that is running, or the first one of another game."""
        last = self._last_question()
        place = last.game if last is not None else None
        if place is not None and place.index + 1 < place.rounds:
            game = Game(place.language, place.number, place.index + 1, place.rounds)
        else:
            # Another game in each room, so that nobody has played it alone: the quiz begins with game 0.
            number = place.number + 1 if place is not None else 1 + zlib.crc32(self.code.encode()) % 1_000
            game = Game(language, number, 0, ROUNDS)
        asked = questions_of_game(model, game.language, game.number)[game.index]
        self._ask(
            model,
            lambda seed: question.ask_about(model, asked.before, seed, asked.truth, asked.rest, game),
            len(asked.before),
        )

    def _ask(self, model: Model, make: Callable[[int], Question], tokens: int) -> None:
        if self.role != "teacher":
            return
        admission.charge(1 + tokens // usage.TOKENS_PER_STEP)
        last = self.school.store.last_round(self.code)
        seed = zlib.crc32(f"{self.code} {last.number if last else 0}".encode())
        self.school.ask(self.code, make(seed))

    def reveal(self, model: Model, number: int) -> None:
        """End the round and compare; with the model that asked it."""
        from engine.classroom.comparison import compare

        if self.role == "teacher":
            admission.charge()
            self.school.reveal(self.code, number, partial(compare, model))

    def withdraw(self, number: int) -> None:
        """Take a question back; what was answered is gone."""
        last = self.school.store.last_round(self.code)
        if self.role == "teacher" and last is not None and last.number == number and last.state != "revealed":
            self.school.store.remove_round(self.code, number)

    def take(self, model: Model, session: TextState, number: int, tokens: Tokens) -> None:
        """Continue the teacher's text by what the class or the model has chosen."""
        last = self._last_question()
        if last is None or last.game is not None or not self.is_about(last, model, session):
            return
        for token_id in tokens:
            session.pick(model, session.turn, token_id)
        self.dismissed = number

    @staticmethod
    def is_about(asked: Question, model: Model, session: TextState) -> bool:
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

    def follow(self, on: bool, text: str) -> None:
        """Show the class the teacher's text between the questions, or no longer."""
        if self.role == "teacher":
            self.following = on
            self.school.store.change_room(self.code, text=text[-question.SHOWN_CHARACTERS :] if on else "")

    def show_text(self, text: str) -> None:
        """Show the class the text as it is now, if it is shown and has changed."""
        room = self.room() if self.role == "teacher" and self.following else None
        if room is not None and room.text != text[-question.SHOWN_CHARACTERS :]:
            self.follow(True, text)

    def close(self) -> None:
        """End the room, and remove everything in it."""
        if self.role == "teacher":
            self.school.store.remove_room(self.code)
            self.leave("ended")

    # A member's actions

    def answer(self, model: Model, number: int, typed: str) -> None:
        """Answer by a typed text, or change the answer."""
        from engine.quiz.questions import QuizQuestion, guess_token_ids

        room, member, asked = self.room(), self.member(), self._last_question(number)
        if room is not None and member is not None and asked is not None:
            admission.charge()
            text = plain_text.clean(typed, plain_text.MAX_ANSWER)
            tokens = guess_token_ids(model, QuizQuestion(asked.ids, 0, ()), text)
            shown = _text_of(model, asked.ids, tokens)
            self.school.answer(room, number, Answer(member.number, text, tokens, shown))

    def pick(self, number: int, token: int) -> None:
        """Answer by one of the options, or change the answer."""
        room, member, asked = self.room(), self.member(), self._last_question(number)
        if room is None or member is None or asked is None:
            return
        for option, text in asked.options:
            if option == token:
                admission.charge()
                answer = Answer(member.number, text, (token,), text, len(asked.options))
                self.school.answer(room, number, answer)

    def last_round(self) -> Round | None:
        """The last round of the room."""
        return self.school.store.last_round(self.code)

    def _last_question(self, number: int | None = None) -> Question | None:
        """The question of the last round, if that is round `number`."""
        last = self.last_round()
        wanted = last is not None and number in (None, last.number)
        return Question.from_json(last.question) if last is not None and wanted else None

    # The address bar

    def to_query(self) -> dict[str, str]:
        """The code alone: a link that is shared from here lets others join, and never hold the room."""
        return {"room": self.code} if self.role else {"room": self.wanted} if self.named is not None else {}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Remember the code, and a teacher's secret, of a link; `session` and `model` are unused."""
        code = params.text("room")
        if code and code.upper() != self.code:
            self.wanted, self.arriving, self.named = code[:20], params.text("teach")[:100], None
            self.role, self.code, self.key, self.left = "", "", "", ""


def _text_of(model: Model, before: Tokens, tokens: Tokens) -> str:
    """Display text of an answer: a label, or the character that several tokens encode."""
    if len(tokens) == 1:
        return model.vocabulary.label(tokens[0], model.vocabulary.pending(before))
    return "".join(group for _, _, group in model.vocabulary.groups(tokens))
