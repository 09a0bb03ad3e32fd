"""What the chat template changes: the same messages continued with it and without it, token by token, side by side."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.chat import stream
from pages.chat.reply import Reply
from pages.chat.state import ChatState
from pages.components.text import text_strip
from pages.i18n.translator import Translator, plain
from pages.session.text_state import TextState
from pages.shell import messages

if TYPE_CHECKING:
    from engine.model.model import Model


def _ignore(_: Any) -> None:
    """The strips are only to be looked at: the main one opens texts."""


def draw(state: ChatState, model: Model, session: TextState, t: Translator) -> None:
    """The part of the page; nothing for a conversation that uses no template."""
    reply = state.reply
    if reply is None or state.is_plain(model):
        return
    st.subheader(t("chat.effect.title"), anchor=False)
    st.caption(t("chat.effect.lead"))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        running = state.effect.running
        st.button(
            t("chat.effect.start"), key="chat_compare", on_click=partial(state.compare, model),
            disabled=state.run.running or running,
        )  # fmt: skip
        st.button(t("step.stop"), key="chat_compare_stop", on_click=state.effect.stop, disabled=not running)
    messages.show_problem(state.effect.problem, t, "chat.kept")
    other = state.compared
    if other is None:
        return
    left, right = st.columns(2, gap="large")
    with left:
        _draw_side("with_template", reply, False, state, model, session, t)
    with right:
        _draw_side("without", other, running, state, model, session, t)


def _draw_side(
    name: str, reply: Reply, running: bool, state: ChatState, model: Model, session: TextState, t: Translator
) -> None:
    st.markdown(f"**{t('chat.effect.with_template' if name == 'with_template' else 'chat.effect.without')}**")
    data = stream.data(reply, running, state.turn, model, session.annotator, t)
    text_strip.draw(data, _ignore, _ignore, key=f"chat_effect_{name}")
    st.markdown(" ".join(sentences(reply, running, model, t)))


def sentences(reply: Reply, running: bool, model: Model, t: Translator) -> list[str]:
    """How the reply begins and how it ends, as Markdown."""
    told = []
    if reply.token_ids:
        output = model.records(reply.chat.ids)[-1]
        token_id = int(output.top[0])
        label = model.vocabulary.label(token_id, model.vocabulary.pending(reply.chat.ids))
        p = t.percent(math.exp(output.log_probability(token_id)))
        told.append(t("chat.effect.first", token=plain(label), p=p))
    count = len(reply.token_ids) - bool(reply.end_name)
    if running:
        told.append(t("chat.effect.going", count=count))
    elif reply.end_name:
        told.append(t("chat.effect.ended", count=count, token=plain(reply.end_name)))
    else:
        told.append(t("chat.effect.unended", count=count))
    return told
