"""What a teacher shows the class outside the questions, and where a member is led by it. No Streamlit here.

Three things, each on its own: the teacher's text on the phones, the teacher's page in place of theirs, and links that
are handed out. A link is `PAGE?QUERY` within this app, as the address bar has it, so that a page opens with its text,
cursor, head or beams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from engine.classroom import plain_text, question
from engine.classroom.records import Room
from pages.classroom.place import Place
from pages.session.prompt_list import MAX_CHARACTERS, MAX_PROMPTS
from pages.session.query_params import DRAFT, OWN_LESSON
from pages.shell import navigation

MOST_HANDED = 12  # links that stay in the list of what was handed out
MAX_TITLE = 60  # characters
CLASSROOM = "classroom"
_LESSON = ("lesson", OWN_LESSON, DRAFT)
_NOT_SHARED = ("lang", "room", "teach")  # parameters that are a visitor's own


def link_of(page: str, query: dict[str, str]) -> str:
    """The link of a page, by its URL name, with what others are shown of its query: not a lesson that is open on it.

    What the teacher does in a lesson is not done by who looks on.
    """
    left_out = {*_NOT_SHARED, *_LESSON}
    shared = {} if page == CLASSROOM else {name: value for name, value in query.items() if name not in left_out}
    return f"{page}?{urlencode(shared)}" if shared else page


def lesson_link(page: str, query: dict[str, str]) -> str:
    """The link of the lesson's step that is open on a page, at its beginning; "" where none is."""
    lesson = {name: query[name] for name in ("lesson", OWN_LESSON) if name in query}
    return f"{page}?{urlencode(lesson)}" if "lesson" in lesson else ""


def destination(link: str) -> tuple[str, dict[str, list[str]]] | None:
    """Page and query of a link; None where this app has no such page, as the store may be another version's."""
    page, _, query = link.partition("?")
    known = {navigation.STEP, *(entry.name for entry in navigation.PAGES if entry.name != "first")}
    return (page, parse_qs(query)) if page in known else None


@dataclass
class Showing(Place):
    """A visitor's place, with what the visitor shows or is shown there.

    following  whether the class sees the teacher's text between the questions
    leading    whether the teacher's page is opened on the phones
    shown_at   when either was shown last
    own_text, own_page  text and link of this window when it was last looked at; None before. Only the window where they
               change shows them to the class: another one with the same secret may still have an old text
    along      whether this member is led to the teacher's page; `led_to`: the link to which the member was led last
    to_open    link that was chosen in the room, and is to be opened; `opened`: the last one that was handed out
    """

    following: bool = False
    leading: bool = False
    shown_at: float = 0.0
    own_text: str | None = None
    own_page: str | None = None
    along: bool = True
    led_to: str = ""
    to_open: str = ""
    opened: str = ""

    def entered(self, room: Room) -> None:
        self.following, self.leading, self.own_text, self.own_page = bool(room.text), bool(room.page), None, None
        self.along, self.led_to = True, ""

    # The teacher's actions

    def follow(self, on: bool, text: str) -> None:
        """Show the class the teacher's text between the questions, or no longer."""
        if self.role == "teacher":
            self.following, self.own_text = on, text
            self.school.store.change_room(self.code, text=text[-question.SHOWN_CHARACTERS :] if on else "")

    def show_text(self, text: str) -> None:
        """Show the class the text of this window, if the class follows and the text has changed in this window.

        Not in place of a result that this window has not shown: another one has revealed it.
        """
        room = self.room() if self.role == "teacher" and self.following else None
        changed, self.own_text = self.own_text not in (None, text), text
        if room is None or not changed:
            return
        last = self.last_round()
        if room.text and (last is None or last.result is None or last.number <= self.seen):
            self.follow(True, text)

    def lead(self, on: bool, link: str) -> None:
        """Open this page on the phones, and each that follows; or no longer."""
        if self.role == "teacher":
            self.leading, self.own_page = on, link
            self.school.store.change_room(self.code, page=link if on else "")

    def show_page(self, link: str) -> None:
        """Open the page of this window on the phones, if they are led and it has changed in this window."""
        room = self.room() if self.role == "teacher" and self.leading else None
        changed, self.own_page = self.own_page not in (None, link), link
        if room is not None and room.page and changed:
            self.lead(True, link)

    def read_room(self, room: Room) -> None:
        """Learn what another window of the teacher has changed: whether the class follows, and is led."""
        self.leading = bool(room.page)
        if room.text or self.own_text:  # an empty text that is shown cannot be told from none
            self.following = bool(room.text)

    def hand_out(self, title: str, link: str) -> None:
        """Put a link on the phones, at the end of the list; the same link again with its new title."""
        room = self.room() if self.role == "teacher" else None
        if room is not None and destination(link) is not None:
            others = tuple(entry for entry in room.handed if entry[1] != link)
            whole = plain_text.clean(title, 10 * MAX_TITLE)
            short = whole if len(whole) <= MAX_TITLE else f"{whole[:MAX_TITLE]}…"
            handed = (*others, (short, link))[-MOST_HANDED:]
            self.school.store.change_room(self.code, handed=handed)

    def hand_out_prompts(self, text: str, title: Callable[[int], str]) -> None:
        """Hand out a list of prompts, one a line, as a link to the step page that offers them.

        title  of so many prompts, before the prompts themselves
        """
        prompts: list[str] = []
        for line in dict.fromkeys(line.strip() for line in text.splitlines()):
            if line and len(prompts) < MAX_PROMPTS and len(line) + sum(map(len, prompts)) <= MAX_CHARACTERS:
                prompts.append(line)
        if prompts:
            link = f"{navigation.STEP}?{urlencode([('prompt', prompt) for prompt in prompts])}"
            self.hand_out(title(len(prompts)) + " · ".join(prompts), link)

    def take_back(self, link: str) -> None:
        """Remove a link from the list."""
        room = self.room() if self.role == "teacher" else None
        if room is not None:
            handed = tuple(entry for entry in room.handed if entry[1] != link)
            self.school.store.change_room(self.code, handed=handed)

    # Where a member is led

    def go_along(self, on: bool) -> None:
        """Be led to the teacher's page, at once; or no longer."""
        self.along, self.led_to = on, ""

    def stay(self) -> None:
        """Stay on the present page until the teacher's changes; for who comes back there."""
        room = self.room()
        self.led_to = room.page if room is not None else ""

    def waiting_page(self, room: Room) -> str:
        """Link of the teacher's page that this member has not been led to yet; "" for none."""
        wanted = self.role == "member" and self.along and room.page not in ("", self.led_to)
        return room.page if wanted else ""

    def open_handed(self, link: str) -> None:
        """Open a link that was handed out; from then on the member is not led away from it."""
        room = self.room()
        if room is not None and link in (entry[1] for entry in room.handed):
            self.along, self.to_open, self.opened = self.along and not room.page, link, link
