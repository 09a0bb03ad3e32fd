"""Page on which a visitor writes a lesson: title, steps, their texts and tasks; preview, link and file."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from engine.errors import EngineError
from pages.course import coach, kept_draft, own_lesson, own_state, own_tasks
from pages.course.lesson import PAGES
from pages.course.own_lesson import MAX_STEPS, MAX_TEXTS, MAX_TITLE, OWN, OwnLesson, OwnStep
from pages.course.own_state import OwnLessonState
from pages.course.state import CourseState
from pages.frame import frame
from pages.i18n.translator import Translator, plain
from pages.session import session_state
from pages.session.query_params import DRAFT, OWN_LESSON, QueryParams
from pages.session.text_state import TextState
from pages.shell import address, local_network, model_access, navigation

session = session_state.get(TextState)
own = session_state.get(OwnLessonState)
t = Translator(session_state.language())


class Draft:
    """The draft as a part of the URL."""

    def to_query(self) -> dict[str, str]:
        code = own_lesson.encode(own.draft) if own.draft != OwnLesson() else ""
        return {DRAFT: code} if code else {}

    def from_query(self, params: QueryParams, session: TextState, model: Any) -> None:
        if DRAFT in params:
            try:
                own.load(own_lesson.decode(params.text(DRAFT)))
            except EngineError:
                params.unread.add(DRAFT)


def title_of(page: str) -> str:
    """Title of a page by its name in lessons."""
    return navigation.page_title(t, "" if page == navigation.STEP else page)


def add() -> None:
    """Callback: append a step on the chosen page, as that page is now."""
    page = str(session_state.widget("own_page") or PAGES[0])
    learner = coach.present_learner()
    if learner is not None:
        own.add(own_state.captured(page, learner))


def begin(step: int) -> None:
    """Callback: open the draft as a lesson, at a step."""
    own.opened = own.draft
    session_state.get(CourseState).forget(OWN)
    lesson = own.lesson(t)
    if lesson is not None:
        coach.start_step(lesson, step)


def change_task(key: int, page: str) -> None:
    """Callback: another task was chosen; it begins with its usual number."""
    chosen = session_state.widget(f"own_task {key}")
    offered = next(each for each in own_tasks.OFFERED[page] if each.key == chosen)
    own.change(key, task=offered.condition(offered.usual))


def change_number(key: int, offered: own_tasks.Offered) -> None:
    own.change(key, task=offered.condition(session_state.widget(f"own_number {key} {offered.key}")))


def typed(box: str, most: int) -> str | None:
    """The text in a box; None where it is too long, which leaves the lesson as it is and the text in the box."""
    text = own_lesson.clean(str(session_state.widget(box) or ""))
    own.long.pop(box, None)
    if len(text) > most:
        own.long[box] = text
        return None
    return text


def change_text(key: int, name: str) -> None:
    text = typed(f"own_{name} {key}", MAX_TEXTS[name])
    if text is not None:
        own.change(key, **{name: text})


def change_title() -> None:
    text = typed("own_title", MAX_TITLE)
    if text is not None:
        own.draft = OwnLesson(text, own.draft.steps)


def show_length(box: str, most: int) -> None:
    """What to do about a text that is too long."""
    if box in own.long:
        length = len(own.long[box])
        st.error(t("own_lesson.too_long", n=t.number(length, 0), most=t.number(most, 0), by=t.number(length - most, 0)))


def read_file(key: str) -> None:
    file: Any = session_state.widget(key)
    if file is not None:
        own.read(file.getvalue())


def text_box(key: int, step: OwnStep, name: str, lines: int) -> None:
    """Box of one text of a step."""
    widget, draw = f"own_{name} {key}", st.text_input if lines == 1 else st.text_area
    session_state.set_widget(widget, own.long.get(widget, getattr(step, name)))
    options: dict[str, Any] = {} if lines == 1 else {"height": 26 * lines + 24}
    if name == "text":
        options["help"] = plain(t("own_lesson.text_help"))
    draw(
        t(f"own_lesson.{name}"),
        key=widget,
        on_change=change_text,
        args=(key, name),
        **options,
    )
    show_length(widget, MAX_TEXTS[name])


def draw_task(key: int, step: OwnStep) -> None:
    found = own_tasks.find(step.page, *step.task)
    assert found is not None
    offered, number = found
    session_state.set_widget(f"own_task {key}", offered.key)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.selectbox(
            t("own_lesson.which"), [each.key for each in own_tasks.OFFERED[step.page]], key=f"own_task {key}",
            format_func=lambda name: t(f"own_lesson.task.{name}", n="…"), on_change=change_task, args=(key, step.page),
        )  # fmt: skip
        if offered.value is None:
            widget, whole = f"own_number {key} {offered.key}", isinstance(offered.low, int)
            session_state.set_widget(widget, number)
            st.number_input(
                t("own_lesson.number"), offered.low, offered.high, key=widget, step=1 if whole else 0.1, width=140,
                on_change=change_number, args=(key, offered),
            )  # fmt: skip


def setting(entry: tuple[str, Any]) -> str:
    """A setting of a step as it is called on the screen."""
    name, value = entry
    return t(f"settings.{value}") if name == "strategy" else f"{t(f'settings.{name}')} {value:g}"


def draw_step(at: int, key: int, step: OwnStep) -> None:
    last = len(own.keys) - 1
    with st.expander(
        t("own_lesson.step", n=at + 1, page=title_of(step.page)), expanded=at == last, key=f"own_step {key}"
    ):
        if step.prompt:
            st.caption(t("own_lesson.prompt", text=plain(step.prompt)))
        if step.settings:
            st.caption(t("own_lesson.settings", settings=plain(" · ".join(map(setting, step.settings)))))
        text_box(key, step, "text", 4)
        draw_task(key, step)
        text_box(key, step, "do", 1)
        text_box(key, step, "then", 2)
        with st.container(horizontal=True, gap="small"):
            st.button(t("own_lesson.try"), key=f"own_try {key}", on_click=begin, args=(at,))
            for name, by in (("up", -1), ("down", 1)):
                impossible = at + by not in range(len(own.keys))
                st.button(t(f"own_lesson.{name}"), key=f"own_{name} {key}", disabled=impossible,
                          on_click=own.move, args=(key, by))  # fmt: skip
            st.button(t("own_lesson.remove"), key=f"own_remove {key}", on_click=own.remove, args=(key,))


def draw_share() -> None:
    """Link, file, and the box for a file."""
    st.subheader(t("own_lesson.share"), anchor=False)
    code = own_lesson.encode(own.draft)
    if own.draft.steps and code:
        first = own.draft.steps[0].page
        home = local_network.reachable(address.page_address()).rpartition("/write")[0]
        query = urlencode({"lesson": f"{OWN}.1", OWN_LESSON: code})
        st.caption(t("own_lesson.link"))
        reach = local_network.reach(address.page_address())
        if reach.notice:
            st.warning(t(f"share.local.{reach.notice}", host=reach.opened_as))
        st.code(f"{home}/{'' if first == navigation.STEP else first}?{query}", language=None, wrap_lines=True)
    elif own.draft.steps:
        st.warning(t("own_lesson.long"))
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.download_button(
            t("own_lesson.save"), own_lesson.to_json(own.draft), f"{t('own_lesson.file')}.json", "application/json",
            disabled=not own.draft.steps, on_click="ignore",
        )  # fmt: skip
    key = f"own_file {own.turn}"
    st.file_uploader(
        t("own_lesson.open"), ["json", "txt"], key=key, max_upload_size=1, on_change=partial(read_file, key)
    )
    if own.problem is not None:
        st.error(t(f"error.{own.problem.code}", **own.problem.values))


def workbench() -> None:
    coach.open_pending_page(t)
    kept_draft.draw(own)
    model_access.wait_for_model(session, t)  # which the steps read their texts from
    session_state.set_widget("own_title", own.long.get("own_title", own.draft.title))
    st.text_input(t("own_lesson.name"), key="own_title", on_change=change_title)
    show_length("own_title", MAX_TITLE)
    if not own.keys:
        st.info(t("own_lesson.empty", make=t("own_lesson.make"), share=t("share.title")))
    for at, (key, step) in enumerate(zip(tuple(own.keys), own.draft.steps, strict=True)):
        draw_step(at, key, step)
    full = len(own.keys) >= MAX_STEPS
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.selectbox(t("own_lesson.new"), PAGES, key="own_page", format_func=title_of, width=260)
        st.button(t("own_lesson.add"), key="own_add", on_click=add, disabled=full)
    if full:
        st.caption(t("own_lesson.full", most=MAX_STEPS))
    draw_share()


address_bar = address.AddressBar(session, t, Draft())
frame.begin(t("own_lesson.title"), t("own_lesson.lead"), session, t)
address_bar.restore()
with st.container(width=760):
    workbench()
address_bar.update()
