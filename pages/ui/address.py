"""The address bar always says what is on the table, and what an address says is put on the table.

    t      the trace (`engine.codec`): prompt, settings, every choice, all branches, the cursor, the model's name
    text   the same text as characters, for where the trace's model is not at hand; left out where it gets too long
    lang   the language, where it is not the browser's own
    lesson the lesson and its step, where one is on: `05-beam.2`
    …      what the page itself has open, each under a short name: see `View` in `said.py`

An address is taken when somebody arrives (a link, a reload, a server that was started again) and when they go Back or
Forward; at any other time the browser may be a click behind, and is not asked. Streamlit pushes an entry of the
browser's history whenever the address changes; `address.js` sees to it that a run is one entry, not one for each token,
and a text that is typed one, not one for each key.

A page makes its `Here`, calls `open()` before it draws its widgets and `write()` at the end of each of its fragments.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import streamlit as st

import engine
from engine import bundled
from engine.errors import EngineError, TraceError
from engine.serving import model_registry
from engine.trace.link_codec import decode_text, encode_text
from engine.trace.trace import Trace
from pages.learn import arranging, reading
from pages.ui import component, models, settings, state
from pages.ui.i18n import Translator, plain
from pages.ui.said import Nothing, Notice, Said, View, write
from pages.ui.session import Session

if TYPE_CHECKING:
    from engine.model.model import Model

MOST = 7_500  # characters of a query: what the servers between a browser and this one let through
_history = component.register("address", "address")


class Here:
    """A page's address. `view` is what the page has open; `show` lets its widgets say what an address said;
    `widgets` are those whose value belongs into it as it is: by short name the key, and the values there are, the one
    to begin with first."""

    def __init__(
        self,
        session: Session,
        t: Translator,
        view: View | None = None,
        show: Callable[[], None] = lambda: None,
        widgets: Mapping[str, tuple[str, tuple[object, ...]]] | None = None,
    ) -> None:
        self.session, self.t, self.view = session, t, view or Nothing()
        self._show, self._widgets = show, widgets or {}
        self._arrived = False
        self._kept = state.address()

    def open(self) -> None:
        """Take what the address says, if anything is new in it. Comes before the page's widgets."""
        _history(key="history", data={})
        query = st.query_params.to_dict()
        arrived = self._kept.written is None or (state.went_through_history() and query != self._kept.written)
        if not query:  # another page was opened, or there never was one: nothing is said, and all is to be written
            self._kept.written = {}
        elif arrived:
            self._take(Said(query))
            self._kept.written = query
            self._arrived = not state.went_through_history()  # that, Streamlit sees to itself
        self._tell()

    def write(self, after: float = 0.0) -> None:
        """Let the address bar say what is on the table now; nothing is sent where it says so already.

        Streamlit draws the whole page anew for it, a few milliseconds: where an eye waits, it is told some seconds
        `after` the rest.
        """
        now, arrived = self._now(), self._arrived
        self._kept.page = st.context.url or ""
        self._arrived = False
        if now == self._kept.written:
            return
        time.sleep(after)
        if arrived or not st.query_params:
            # The entry of the history is new: it is to say this. Streamlit would push a second one.
            _history(key="history_entry", data={"query": urlencode(now)})
        else:
            st.query_params.from_dict(now)
        self._kept.written = now

    def _now(self) -> dict[str, str]:
        now = self._text()
        now |= self.view.address()
        for name, (key, values) in self._widgets.items():
            if (value := state.widget(key)) in values[1:]:
                now[name] = write(value)
        now |= state.course().address()
        if self.t.language != state.browser_language():
            now["lang"] = self.t.language
        return now

    def _text(self) -> dict[str, str]:
        model = models.ready(self.session)
        if model is None:
            return {}
        trace = self.session.ready(model)
        if self._kept.coded is None or self._kept.coded[0] is not trace:
            code, self._kept.cut = coded(trace)
            text = encode_text(*said_in_words(model, trace, self.session.prompt))
            self._kept.coded = trace, code, text if len(code) + len(text) < MOST else ""
        _, code, text = self._kept.coded
        return {name: value for name, value in (("t", code), ("text", text)) if value}

    def _take(self, said: Said) -> None:
        self._kept.notice = None
        step = state.course().follow(said, reading.lessons(self.t.language))
        before = self.session.model_name
        try:
            trace = engine.decode_trace(said.text("t")) if "t" in said else None
        except TraceError as error:
            self._note(f"address.{error.code}")
            trace = None
        if trace is not None and trace.model != before:
            if model_registry.allowed(trace.model):
                self.session.choose_model(trace.model)
            else:
                self._note("address.not_allowed", said, trace)
                trace = None
        model = models.wait(self.session, self.t)
        if trace is not None and self.session.model_name != trace.model:
            self.session.problem = None
            self._note("address.missing", said, trace)
            trace = None
        try:
            if trace is not None:
                self.session.open(model, trace, in_words(said)[0])
                if trace.fingerprint[4:] not in ("", model.fingerprint[4:]):
                    self._note("address.other_weights", said, trace, replay=False)
                self.session.ready(model)
            self.view.follow_address(said, self.session, model)
        except TraceError:
            self._note("address.other_tokens", said, trace)
        except EngineError as error:
            self.session.ready(model)
            self.session.problem = error
        settings.show(self.session)
        for name, (key, values) in self._widgets.items():
            state.set_widget(key, next((value for value in values if write(value) == said.text(name)), values[0]))
        self._show()
        if step is not None and "t" not in said:  # a link to a lesson and no more
            arranging.arrange(step)

    def _note(self, key: str, said: Said | None = None, trace: Trace | None = None, replay: bool = True) -> None:
        name = self.t("settings.bundled") if trace is not None and trace.model == bundled.BUNDLED_NAME else ""
        words = in_words(said) if said is not None and replay else ("", "")
        values = {"name": name or plain(trace.model)} if trace is not None else {}
        self._kept.notice = Notice(key, values, self.session.turn, words if words[0] else None)

    def _tell(self) -> None:
        notice = self._kept.notice
        if notice is None:
            return
        st.warning(self.t(notice.key, **notice.values))
        if notice.replay is not None:
            st.button(self.t("address.replay"), key="address_replay", on_click=self._replay, args=notice.replay)

    def _replay(self, prompt: str, written: str) -> None:
        """Put the text of a link on the table of the model at hand."""
        self._kept.notice = None
        models.act(self.session, Session.replay, prompt, written)
        state.set_widget("prompt", self.session.prompt)


def coded(trace: Trace) -> tuple[str, str]:
    """The trace as a link holds it, and what was left out of it: "", "branches", or "all"."""
    for left_out, shorter in (("", lambda: trace), ("branches", trace.line_alone)):
        try:
            code = engine.encode_trace(shorter())
        except TraceError:
            continue
        if len(code) < MOST:
            return code, left_out
    return "", "all"


def said_in_words(model: Model, trace: Trace, prompt: str) -> tuple[str, str]:
    """The prompt, and what was written after it up to the cursor."""
    beginning, whole = model.text(trace.token_ids(trace.prompt_length - 1)), model.text(trace.token_ids())
    return prompt, whole.removeprefix(beginning) if whole.startswith(beginning) else ""


def in_words(said: Said) -> tuple[str, str]:
    """The link's text as characters; empty where there is none."""
    try:
        return decode_text(said.text("text"))
    except TraceError:
        return "", ""


def link(full: bool = True, **more: str) -> str:
    """The address of the page as it stands, on the host under which the visitor sees it; `more` is added.

    Not full: without the text as characters, for those who open it here and now.
    """
    url = st.context.url or ""
    kept = state.address()
    common = ("t", "text", "lang")  # on a page that has nothing open, what the one before had does not count
    query = {
        name: value
        for name, value in ((kept.written or {}) | more).items()
        if (full or name != "text") and (kept.page == url or name in common)
    }
    return f"{url if urlsplit(url).path else f'{url}/'}?{urlencode(query)}"


def cut() -> str:
    """What does not fit into an address now: "", "branches", "all"."""
    return state.address().cut
