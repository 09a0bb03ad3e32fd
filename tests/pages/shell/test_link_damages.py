"""Links as they were handed on, of all pages: each opens the state that was meant, or the visitor is told."""

from __future__ import annotations

import html
import json
import quopri
import re
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.errors import TraceError
from pages.course import catalog
from pages.course.state import CourseState
from pages.i18n.translator import Translator
from pages.session.query_params import CHECK, CHECKED, QueryParams, checksum
from pages.session.text_state import TextState
from pages.shell.address import AddressState
from tests.pages.visit import follow_link, state_of

LINKS: list[dict[str, str]] = [
    json.loads(line)["query"] for line in (Path(__file__).parents[1] / "links.jsonl").open("rb")
]
MEANT, TOLD = "the state that was meant", "told"
PUNCTUATION = [c for c in map(chr, range(sys.maxunicode)) if unicodedata.category(c).startswith("P")]
INVISIBLE = ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u200e", "\u2028", "\u00a0", "\u3000"]
BREAKS = ["\n", "\r\n", "\r\n> ", "\n> > ", "\n    ", "=\n", "=\r\n", " ", "\t", *INVISIBLE]


def protected(query: dict[str, str]) -> dict[str, str]:
    """A link as it is written now."""
    return {CHECK: checksum(query), **query} if checksum(query) else query


def read(text: str) -> dict[str, str]:
    """The query that Streamlit reads from an address."""
    return dict(parse_qsl(text, keep_blank_values=True))


def outcome(text: str, meant: dict[str, str]) -> str:
    """What becomes of the query of a link that was to open `meant`; fails where it is neither of the two.

    The language is no part of the state: where it cannot be read, the page has the reader's own.
    """
    params = QueryParams(read(text))
    if not params.intact or params.lost_text:
        return TOLD
    try:
        if "t" in params or "t" in meant:
            assert engine.decode_trace(params.text("t")) == engine.decode_trace(meant["t"])
    except TraceError:
        return TOLD
    assert {n: params.text(n).lower() for n in CHECKED if n in params} == {
        n: v.lower() for n, v in meant.items() if n in CHECKED
    }, text
    return MEANT


def wrapped(text: str, mark: str, width: int) -> str:
    return mark.join(text[at : at + width] for at in range(0, len(text), width))


def quoted_printable(text: str) -> str:
    return quopri.encodestring(text.encode()).decode().replace("\n", "\r\n")


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


EXTRA = "utm_source=line&utm_medium=social&fbclid=IwAR0-x_y&gclid=Cj0KCQ&openExternalBrowser=1"
OPENS: dict[str, Callable[[str], str]] = {
    "as it was": str,
    "names in capitals": lambda text: re.sub(r"(^|&)[^=]+", lambda found: found[0].upper(), text),
    "encoded": lambda text: "&".join("=".join(quote(p, safe="").replace("-", "%2D").replace(".", "%2E") for p in
                                              part.split("=")) for part in text.split("&")),
    "encoded as one": lambda text: quote(text, safe=""),
    "encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "encoded and wrapped": lambda text: wrapped(quote(text, safe=""), "\n", 70),
    "entities": html.escape,
    "entities twice": lambda text: html.escape(html.escape(text)),
    "full-width": full_width,
    "more before": lambda text: f"{EXTRA}&{text}",
    "more behind": lambda text: f"{text}&{EXTRA}",
    "more behind another question mark": lambda text: f"{text}?{EXTRA}",
    "a fragment": lambda text: quote(f"{text}#:~:text=token", safe="&="),
    "in brackets": lambda text: f"{text})",
    "a mark of another script": lambda text: f"{text}\u0964\u300d",
}  # fmt: skip


@pytest.mark.parametrize("way", OPENS)
@pytest.mark.parametrize("write", [dict, protected], ids=["old", "new"])
def test_a_link_handed_on_opens_as_it_was_meant(way: str, write: Callable[[dict[str, str]], dict[str, str]]) -> None:
    for query in LINKS:
        assert outcome(OPENS[way](urlencode(write(query))), query) == MEANT, query


@pytest.mark.parametrize("mark", BREAKS)
@pytest.mark.parametrize("width", [20, 76])
def test_a_wrapped_link_opens_as_it_was_meant(mark: str, width: int) -> None:
    for query in LINKS:
        values = {name: wrapped(value, mark, width) for name, value in protected(query).items()}
        assert outcome(urlencode(values), query) == MEANT


CHANGES: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "small letters": str.lower,
    "quoted-printable": quoted_printable,
    "quoted-printable in one line": lambda text: quoted_printable(text).replace("\r\n", ""),
    "a title behind": lambda text: f"{text} Next token",
    "a title with plus signs": lambda text: f"{text}+Next+token",
    "typographic dashes": lambda text: text.replace("--", "\u2014").replace("-", "\u2013"),
    "underscores for emphasis": lambda text: f"{text}_",
    "cut": lambda text: text[: len(text) * 2 // 3],
    "its last character lost": lambda text: text[:-1],
    "given twice": lambda text: f"{text}https://next-token.example/?{text}",
}


@pytest.mark.parametrize("way", CHANGES)
def test_a_changed_link_opens_as_it_was_meant_or_is_told(way: str) -> None:
    for query in LINKS:
        assert outcome(CHANGES[way](urlencode(protected(query))), query) in (MEANT, TOLD)


@given(st.sampled_from(LINKS), st.floats(0, 1), st.characters(codec="utf-8"), st.sampled_from(["in", "for", "lost"]))
def test_one_character_changed_anywhere(query: dict[str, str], place: float, character: str, how: str) -> None:
    text = urlencode(protected(query))
    at = min(int(place * len(text)), len(text) - 1)
    damaged = text[:at] + ("" if how == "lost" else character) + text[at + (how != "in") :]
    assert outcome(damaged, query) in (MEANT, TOLD)


@given(st.sampled_from(LINKS), st.floats(0, 1), st.sampled_from("0123456789.-_=&?AaZz"))
def test_one_character_of_the_alphabet_changed_in_what_follows_the_text(
    query: dict[str, str], place: float, character: str
) -> None:
    """Where a digit becomes another digit, only the checksum can tell."""
    kept = {name: value for name, value in query.items() if name not in ("text", "lang")}
    text = urlencode(protected(kept))
    start = text.index("&t=") if "&t=" in text else 0
    tail = text.find("&", start + 1)
    at = tail + int(place * (len(text) - tail - 1)) if tail > 0 else len(text) - 1
    assert outcome(text[:at] + character + text[at + 1 :], query) in (MEANT, TOLD)


@given(st.sampled_from(LINKS), st.floats(0, 1))
def test_a_link_cut_anywhere_is_told(query: dict[str, str], place: float) -> None:
    text = urlencode(protected({name: value for name, value in query.items() if name not in ("text", "lang")}))
    at = int(place * len(text))
    if at < len(text) and at > len("check=123456&t"):
        assert outcome(text[:at], query) == TOLD


def test_quoted_printable_is_read() -> None:
    assert sum(outcome(quoted_printable(urlencode(protected(query))), query) == MEANT for query in LINKS) > 190


@pytest.mark.parametrize("mark", PUNCTUATION)
def test_a_mark_of_any_script_behind_a_link_leads_nowhere_else(mark: str) -> None:
    params = QueryParams(read(f"t=AQ&row=12{mark}"))
    if mark in "&#?":
        assert params.whole("row", 1, 20, 0) == 12
    elif mark in "-_\uff0d\uff3f":
        assert (params.whole("row", 1, 20, 0), params.unread) == (0, {"row"})
    elif mark != "%":
        assert (params.whole("row", 1, 20, 0), params.unread) == (12, set())
    lesson = CourseState()
    lesson.from_query(QueryParams(read(f"lesson=05-beam.2{mark}")), catalog.lessons("en"))
    assert (lesson.lesson, lesson.step) in (("beam", 1), (None, 0))


def test_every_parameter_of_a_page_is_in_the_checksum() -> None:
    assert {name for query in LINKS for name in query} <= CHECKED | {"t", "text", "lang"}
    for query in LINKS:  # a QR code leaves out the text, an embedded page names its language
        short = {name: value for name, value in query.items() if name != "text"} | {"lang": "en"}
        assert checksum(short) == checksum(query)


# What the visitor sees


def warnings(query: dict[str, str], page: str) -> list[str]:
    app = follow_link(query, page)
    assert not app.exception
    return [warning.value for warning in app.warning]


@pytest.mark.parametrize("language", ["en", "zh_Hant"])
def test_a_changed_setting_is_told_and_not_shown(language: str) -> None:
    t = Translator(language)
    link = next(query for query in LINKS if {"head", "row"} <= query.keys())
    link = protected({**link, "lang": language})
    assert warnings(link, "attention") == []
    assert warnings({**link, "row": "7"}, "attention") == [t("address.changed")]
    without = {name: value for name, value in link.items() if name != CHECK}
    assert warnings({**without, "row": "x"}, "attention") == [t("address.unread")]


def test_a_link_whose_text_lost_its_name_is_told_and_offers_the_text() -> None:
    query = next(query for query in LINKS if set(query) == {"t", "text", "bars"})
    app = follow_link({"tt": query["t"], "text": query["text"], "lang": "en"})
    assert [warning.value for warning in app.warning] == [Translator("en")("address.trace")]
    app.button(key="address_replay").click().run()
    assert not app.exception and not app.warning
    assert warnings({"tt": query["t"], "lang": "en"}, "step") == [Translator("en")("address.trace")]


def test_what_others_add_to_an_address_is_no_part_of_a_link() -> None:
    app = follow_link(read(EXTRA))
    assert not app.exception and not app.warning
    assert set(state_of(app, AddressState).written or {}) <= {"t", "text", "lang"}


@pytest.mark.parametrize("lesson", ["05-beam.x", "05-beam.2x", "05-beam.0", "05-beam.-1", "05-beam.1e1"])
def test_a_step_that_cannot_be_read_opens_no_other(lesson: str) -> None:
    app = follow_link({"lesson": lesson, "lang": "en"}, "beam")
    assert [warning.value for warning in app.warning] == [Translator("en")("address.lesson")]
    assert state_of(app, CourseState).lesson is None


def test_a_link_in_capitals_opens_the_lesson_and_the_language() -> None:
    app = follow_link({"LESSON": "05-BEAM.2", "LANG": "ZH_HANT"}, "beam")
    assert not app.exception and not app.warning
    assert (state_of(app, CourseState).lesson, state_of(app, CourseState).step) == ("beam", 1)
    assert app.title[0].value == Translator("zh_Hant")("beam.title")


def test_the_checksum_of_a_page_left_behind_is_not_handed_on() -> None:
    app = follow_link(protected(next(query for query in LINKS if "head" in query)), "attention")
    app.switch_page("pages/uses/page.py").run()
    written = dict(state_of(app, AddressState).written or {})
    assert written.pop(CHECK, "") == checksum(written)
    assert state_of(app, TextState).trace is not None
