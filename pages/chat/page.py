"""Chat page: a conversation as people know it, and beside it the same as the model sees it, one stream of tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

import engine
from engine.serving import config
from pages.chat import conversation, server_view, stream, template_effect
from pages.chat.reply import DEFAULT_TOKENS, TOKEN_RANGE
from pages.chat.state import ChatState
from pages.components import examples
from pages.components.examples import Example
from pages.components.text import text_strip
from pages.frame import frame
from pages.i18n.translator import Translator, plain
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import (
    address,
    example_language,
    fragment,
    messages,
    model_access,
    model_picker,
    remote_notice,
    sampling_controls,
)
from pages.shell.open_in_step import open_in_step

WORK_SLICE_SECONDS = 0.001  # work between two redraws of the page: one forward pass
TOKEN_DELAY_SECONDS = 0.03  # pause between passes, so that a visitor can follow the text and stop it
MAX_SIMPLIFIED = 8  # characters named in the remark on Simplified Chinese

session = session_state.get(TextState)
state = session_state.get(ChatState)
t = Translator(session_state.language())
state.t = t


def act(value: dict[str, Any]) -> None:
    """Callback: what the visitor did in the conversation."""
    model = model_access.loaded_model(session)
    kind, turn = value.get("kind"), value.get("turn")
    if model is None or type(turn) is not int:
        return
    if kind in ("send", "edit", "again") and not server_view.is_ready(state):
        return
    text, at = str(value.get("text") or ""), value.get("at")
    if kind == "stop":
        state.run.stop()
    elif kind == "send":
        state.send(session, model, turn, text)
    elif kind == "edit" and type(at) is int:
        state.edit(session, model, turn, at, text)
    elif kind == "again":
        seed = session.seed
        state.again(session, model, turn)
        if session.seed != seed:
            session_state.set_widget("seed", session.seed)
            state.settings_changed = True
    elif kind == "go_on":
        state.go_on(turn)
    elif kind == "clear":
        state.clear(turn)


def say(text: str) -> None:
    """Callback: send an example."""
    model = model_access.loaded_model(session)
    if model is not None and not state.run.running and server_view.is_ready(state):
        state.send(session, model, state.turn, text)


def open_stream(value: dict[str, Any] | None = None) -> None:
    """Callback: open the stream on the step page, at the place that was clicked."""
    value = value or {"turn": state.turn}
    node, token = value.get("node", value.get("after", -1)), value.get("token", -1)
    if all(type(number) is int for number in (value.get("turn"), node, token)):
        open_in_step(session, state.load_in_step, value["turn"], node, token)


def choose_server(name: str | None = None) -> None:
    """Callback: let the chosen server reply, or the model at hand."""
    model = model_access.loaded_model(session)
    if model is not None:
        state.choose_server(model, server_view.chosen() if name is None else name)


def change_system() -> None:
    state.system = str(session_state.widget("chat_system") or "")


def change_plain() -> None:
    model = model_access.loaded_model(session)
    if model is not None:
        state.set_plain(model, bool(session_state.widget("chat_plain")))


def change_thinking() -> None:
    state.thinking = bool(session_state.widget("chat_thinking"))


def sync_widgets() -> None:
    """Set the widgets from the state, after a link has restored it."""
    session_state.set_widget("chat_system", state.system)
    session_state.set_widget("chat_plain", state.plain)
    session_state.set_widget("chat_thinking", state.thinking)


def draw_conversation(model: engine.Model) -> None:
    data = conversation.data(state, model, t)
    data["disabled"] = data["disabled"] or not server_view.is_ready(state)
    conversation.draw(data, act)
    messages.show_problem(state.run.problem, t, "chat.kept")
    if state.answer is not None and t.language != "zh_Hans" and (characters := state.answer.simplified):
        st.caption(t("chat.simplified", characters=plain("".join(characters[:MAX_SIMPLIFIED]))))
    texts = example_language.for_examples(t).list("chat.examples")
    buttons = [Example(text, f"chat example {text}", partial(say, text)) for text in texts]
    if server_view.is_ready(state):
        examples.draw(buttons, t, note=example_language.note(t))


def draw_stream(model: engine.Model) -> None:
    """The stream of tokens, its length, what its signs mean, and the way to the step page."""
    reply = state.reply
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{t('chat.stream')}**", width="content")
        st.button(
            t("chat.take"), key="chat_take", on_click=open_stream, disabled=reply is None or state.run.running,
            help=t("chat.take_help"),
        )  # fmt: skip
    if reply is None:
        st.caption(t("chat.stream_empty"))
        return
    strip = stream.data(reply, state.run.running, state.turn, model, session.annotator, t)
    text_strip.draw(strip, open_stream, open_stream, key="chat_stream")
    st.caption(t("chat.length", count=f"{len(reply.ids):,}", most=f"{model.context_length:,}"))
    st.caption(t("chat.legend_plain" if state.is_plain(model) else "chat.legend"))


def draw_settings(model: engine.Model) -> None:
    """The system prompt, the length of a reply, and where the model has a chat template, whether it is used."""
    has_template = model.chat_template is not None and not state.server
    columns = st.columns([1.2, 1, 1] if has_template else [2, 1], gap="medium", vertical_alignment="bottom")
    with columns[0]:
        session_state.default_widget("chat_system", state.system)
        placeholder = t("chat.system_template" if has_template or state.server else "chat.system_placeholder")
        st.text_input(
            t("chat.system"), key="chat_system", persist_state="session", on_change=change_system,
            placeholder=placeholder, disabled=config.current().demo, help=t("chat.system_help"),
        )  # fmt: skip
    with columns[1]:
        state.tokens = sampling_controls.token_count_slider(
            t("chat.most"), *TOKEN_RANGE, DEFAULT_TOKENS, "chat_tokens", width="stretch"
        )
    if has_template:
        with columns[2]:
            session_state.default_widget("chat_plain", state.plain)
            st.toggle(
                t("chat.plain_toggle"), key="chat_plain", persist_state="session", on_change=change_plain,
                help=t("chat.plain_help"),
            )  # fmt: skip
            if model.chat_template is not None and model.chat_template.can_skip_thinking:
                session_state.default_widget("chat_thinking", state.thinking)
                st.toggle(
                    t("chat.thinking_toggle"), key="chat_thinking", persist_state="session", on_change=change_thinking,
                    help=t("chat.thinking_help"),
                )  # fmt: skip


@fragment.workbench
def workbench() -> None:
    if state.settings_changed:  # by an action on the conversation: the controls are not in this fragment
        state.settings_changed = False
        st.rerun()
    model = model_access.wait_for_model(session, t)
    messages.show_model_problem(session.problem, t)
    state.ready(model)
    asking = server_view.draw_choice(state, session, choose_server, t)
    with st.container():
        if state.server:
            server_view.draw_unready(state, t)
        elif model.chat_template is None:
            st.caption(t("chat.base"))
        if not state.server:
            remote_notice.draw_among(model, t)
    left, right = st.columns([1, 1.05], gap="large")
    with left:
        draw_conversation(model)
    with right:
        if server_view.shows_reply(state):
            server_view.draw_reply(state, partial(choose_server, ""), t)
        else:
            draw_stream(model)
    with st.container():
        draw_settings(model)
    with st.container():
        if state.server:
            server_view.draw_sampling(state, session, t)
    fragment.mark_answered()
    if state.run.running:
        if state.run.go_on(WORK_SLICE_SECONDS):
            fragment.rerun(after=TOKEN_DELAY_SECONDS)
        st.rerun()  # the whole page: what the template changes is another fragment
    address_bar.update()
    if state.too_long:
        st.caption(t("chat.too_long"))
    if asking:
        fragment.rerun(after=server_view.REFRESH_SECONDS)


@fragment.part
def compare() -> None:
    """What the template changes, in a fragment of its own below the settings."""
    model = model_access.wait_for_model(session, t)
    template_effect.draw(state, model, session, t)
    fragment.mark_answered()
    if state.effect.running:
        state.effect.go_on(WORK_SLICE_SECONDS)
        fragment.rerun(after=TOKEN_DELAY_SECONDS)


address_bar = address.AddressBar(session, t, state, sync_widgets)
frame.begin(t("chat.title"), t("chat.lead"), session, t)
address_bar.restore()
workbench()
sampling_controls.draw(session, t)
compare()
model_picker.draw(session, t)
