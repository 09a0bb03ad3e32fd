"""Synchronisation of the URL query with the visitor's state, in both directions.

    t      the trace (`engine.trace.link_codec`): prompt, settings, all choices and branches, cursor, model name
    text   the same text as characters, for where the trace's model is not available; left out where it gets too long
    lang   the language, where it is not the browser's own
    lesson the active lesson and its step: `05-beam.2`
    own, draft  the lesson that a visitor wrote, and the one being written: see `course/own_lesson.py`
    prompts  the prompts that are offered in place of the examples: see `prompt_list.PromptList`
    …      state of the page itself, under short names: see `url_state.UrlState`
    check  a checksum of all these except `t`, `text`, `lang` and `prompts`

A link written by hand may instead have the parameters of `readable_link`, which become the ones above.
The query is read when a visitor arrives (a link, a reload, a restarted server) and when they go Back or Forward; at
any other time the browser may be one action behind, and is not consulted. Streamlit pushes a history entry whenever
the query changes; `address.js` merges the entries of one run of tokens, and those of one text being typed. Widgets
cannot be bound to the query instead (`bind="query-params"`): that forbids `st.query_params.from_dict`.

A page creates its `AddressBar`, calls `restore()` before its widgets and `update()` at the end of each fragment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

import engine
from engine.errors import EngineError, PromptError, TraceError
from engine.serving import model_registry
from engine.trace.link_codec import encode_text
from pages.components.register import register
from pages.i18n.translator import Translator
from pages.session import readable_link, session_state
from pages.session.prompt_list import PromptList
from pages.session.query_params import CHECK, DRAFT, OWN_LESSON, PROMPT_LIST, QueryParams, checksum, format_value
from pages.session.text_state import TextState
from pages.shell import extensions, link_notice, model_access, navigation, readable_arrival, sampling_controls
from pages.shell.link_notice import Notice
from pages.shell.text_params import MAX_QUERY_CHARACTERS, decoded_text, encode_for_url, text_and_continuation
from pages.shell.url_state import NoUrlState, UrlState

if TYPE_CHECKING:
    from engine.trace.trace import Trace

_history = register("address", Path(__file__).with_name("address.js"))


@dataclass
class AddressState:
    """State of one visitor's address bar; `written` is its query, None before the first run."""

    written: dict[str, str] | None = None
    page: str = ""  # URL of the page on which it was written
    left_out: str = ""  # of the trace for length: "branches", "all"
    notice: Notice | None = None
    encoded: tuple[Trace, str, str] | None = None  # the trace encoded last, as `t` and as `text`
    taken: int = 0  # characters of the query that were used otherwise then
    bar: AddressBar | None = None  # of the page drawn last
    wanted: tuple[str, dict[str, list[str]]] | None = None  # page, by its URL name, and the query that it is to show


class AddressBar:
    """The address bar of a page.

    url_state     the page's own part of the query
    sync_widgets  called after a restore, to set widgets from the restored state
    widgets       widgets whose value is in the query as it is: by short name (key, possible values, the default first)
    """

    def __init__(
        self,
        session: TextState,
        t: Translator,
        url_state: UrlState | None = None,
        sync_widgets: Callable[[], None] = lambda: None,
        widgets: Mapping[str, tuple[str, tuple[object, ...]]] | None = None,
    ) -> None:
        self.session, self.t, self.url_state = session, t, url_state or NoUrlState()
        self._sync_widgets, self._widgets = sync_widgets, widgets or {}
        self._arrived, self._state = False, session_state.get(AddressState)
        self._state.bar = self

    def restore(self) -> None:
        """Restore the state from the query if it has changed. Called before the page's widgets are drawn."""
        _history(key="history", data={})
        # Always drawn: if what is in it came and went by itself, all elements after it would move by one place, and
        # Streamlit would show them twice until the end of the run.
        with st.container(key="arrival"):
            self._restore_query()

    def _restore_query(self) -> None:
        query = st.query_params.to_dict()
        in_history = _is_history_navigation()
        wanted, self._state.wanted = self._state.wanted, None
        if wanted is not None and wanted[0] == session_state.current_page():
            self._show(wanted[1])
            return
        arrived = self._state.written is None or (in_history and query != self._state.written)
        if not query:  # another page was opened, or a URL without a query: `update` writes all of it
            self._state.written = {}
        elif arrived:
            self._restore_all({name: st.query_params.get_all(name) for name in query})
            self._state.written = query
            self._arrived = not in_history  # Streamlit handles its own history navigation
        link_notice.show(self._state.notice, self.session, self.t, self._forget_notice)

    def _show(self, query: dict[str, list[str]]) -> None:
        """Restore the state of a query that the page was led to; `update` then writes it to the URL, in place."""
        self._restore_all(query)
        self._state.written, self._arrived = {}, True
        link_notice.show(self._state.notice, self.session, self.t, self._forget_notice)

    def _restore_all(self, query: dict[str, list[str]]) -> None:
        texts, others = readable_link.split(query)
        self._restore_from(QueryParams(others), texts)

    def _forget_notice(self) -> None:
        self._state.notice = None

    def update(self, after: float = 0.0) -> None:
        """Write the current state to the query, if it has changed, `after` seconds from now.

        Streamlit redraws the whole page for it, a few milliseconds; the delay keeps these out of the response time.
        """
        query = self._current_query()
        if extensions.follow is not None:
            extensions.follow(self.session, query)
        with st.container():  # also where nothing is drawn: the elements after it keep their place in the page
            self._write_query(query, after)

    def _write_query(self, query: dict[str, str], after: float) -> None:
        arrived = self._arrived
        self._arrived, self._state.page = False, st.context.url or ""
        if query == self._state.written:
            return
        time.sleep(after)
        if arrived or not st.query_params:
            # The history entry is new: replace its query. Streamlit would push a second entry.
            _history(key="history_entry", data={"query": urlencode(query)})
        else:
            st.query_params.from_dict(query)
        self._state.written = query

    def _current_query(self) -> dict[str, str]:
        companion = extensions.companion.to_query()
        page = self.url_state.to_query()
        taken = sum(len((companion | page).get(name, "")) for name in (OWN_LESSON, DRAFT))
        query = self._text_query(taken) | page
        for name, (key, values) in self._widgets.items():
            if (value := session_state.widget(key)) in values[1:]:
                query[name] = format_value(value)
        query |= companion | session_state.get(PromptList).to_query()
        if self.t.language != session_state.browser_language():
            query["lang"] = self.t.language
        check = checksum(query)
        return ({CHECK: check} if check else {}) | query  # first: the end of a link is what gets lost

    def _text_query(self, taken: int) -> dict[str, str]:
        """`t` and `text`, beside `taken` characters of the query that are used otherwise."""
        model = model_access.loaded_model(self.session)
        if model is None:
            return {}
        trace = self.session.ready(model)
        if self._state.encoded is None or self._state.encoded[0] is not trace or self._state.taken != taken:
            code, self._state.left_out = encode_for_url(trace, taken)
            text = encode_text(*text_and_continuation(model, trace, self.session.prompt))
            text = text if len(code) + len(text) + taken < MAX_QUERY_CHARACTERS else ""
            self._state.encoded, self._state.taken = (trace, code, text), taken
        _, code, text = self._state.encoded
        return {name: value for name, value in (("t", code), ("text", text)) if value}

    def _restore_from(self, params: QueryParams, texts: readable_link.Texts) -> None:
        self._state.notice = None
        if not params.intact:
            self._note("address.changed")
            params = params.without_checked()
        if params.lost_text:
            self._note("address.trace", params)
        set_up = extensions.companion.from_query(params, self.t.language)
        if set_up is None and params.text("lesson"):
            self._note("address.own_lesson" if params.text("lesson").startswith("own.") else "address.lesson")
        try:
            trace = engine.decode_trace(params.text("t")) if "t" in params else None
        except TraceError as error:
            self._note(f"address.{error.code}")
            trace = None
        if trace is not None and trace.model != self.session.model_name:
            if model_registry.allowed(trace.model):
                self.session.choose_model(trace.model)
            else:
                self._note("address.not_allowed", params, trace)
                trace = None
        model = model_access.wait_for_model(self.session, self.t)
        if trace is not None and self.session.model_name != trace.model:
            self.session.problem = None
            self._note("address.missing", params, trace)
            trace = None
        try:
            if trace is not None:
                self.session.load_trace(model, trace, decoded_text(params)[0])
                if trace.fingerprint[4:] not in ("", model.fingerprint[4:]):
                    self._note("address.other_weights", params, trace, replay=False)
                self.session.ready(model)
            told = readable_arrival.apply(texts, params, self.session, model)
            self._state.notice = told or self._state.notice
            self.url_state.from_query(params, self.session, model)
        except TraceError:
            self._note("address.other_tokens", params, trace)
        except EngineError as error:
            self.session.ready(model)
            if isinstance(error, PromptError):  # of a text that is in no box
                self._state.notice = link_notice.refused(error)
            else:
                self.session.problem = error
        sampling_controls.sync_widgets(self.session)
        for name, (key, values) in self._widgets.items():
            by_text = {format_value(value): value for value in values}
            session_state.set_widget(key, by_text[params.one_of(name, tuple(by_text), format_value(values[0]))])
        if params.unread and self._state.notice is None:
            self._note("address.unread")
        self._sync_widgets()
        if set_up is not None and "t" not in params and texts.prompt is None:  # a link to a lesson, without a text
            set_up()

    def _note(self, key: str, params: QueryParams | None = None, trace: Trace | None = None, **more: bool) -> None:
        self._state.notice = link_notice.about(self.t, key, params, trace, **more)


def _is_history_navigation() -> bool:
    """Whether this run was started by the browser's Back or Forward."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and context.is_history_navigation


def lead_to(page: str, query: dict[str, list[str]]) -> None:
    """Show a page, by its URL name, with the state of a query, as if its link had been followed; in the same session.

    Called before anything of the present page is drawn.
    """
    session_state.get(AddressState).wanted = (page, query)
    if page != session_state.current_page():
        st.switch_page(navigation.path(page))


def page_address() -> str:
    """URL of the page, without a query."""
    url = st.context.url or ""
    return url if urlsplit(url).path else f"{url}/"


def link(full: bool = True, **more: str) -> str:
    """URL of the page's current state, with `more` parameters added; without `text`, for this server, if not `full`."""
    url = st.context.url or ""
    state = session_state.get(AddressState)
    common = (
        "t",
        "text",
        "lang",
        PROMPT_LIST,
    )  # on a page without state of its own, the previous page's parameters do not count
    query = {
        name: value
        for name, value in ((state.written or {}) | more).items()
        if (full or name != "text") and (state.page == url or name in common)
    }
    return f"{page_address()}?{urlencode(query)}"


def left_out() -> str:
    """Part of the trace that does not fit into a link: "", "branches", "all"."""
    return session_state.get(AddressState).left_out
