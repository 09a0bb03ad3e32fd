"""What the chat page shows of servers that only chat: who replies, what a server is asked, and what it reported."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.errors import ModelError
from engine.serving import chat_servers, endpoints
from pages.chat import server_tokens
from pages.chat.reply import Choosing
from pages.chat.server_reply import ServerReply, server_sampling
from pages.chat.state import ChatState
from pages.i18n.model_names import display_name
from pages.i18n.translator import Translator, plain
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import messages, navigation

REFRESH_SECONDS = 0.3  # between two looks at servers that are being asked what they can do
_KEY = "chat_server"


def draw_choice(state: ChatState, session: TextState, choose: Callable[[], None], t: Translator) -> bool:
    """Who replies, where there is a choice; whether a server is still being asked what it can do."""
    asking = chat_servers.look()
    names = [endpoint.model_name for endpoint in chat_servers.offered()]
    if state.server and state.server not in names:
        names.append(state.server)
    if names:
        # Also after a link has restored the choice.
        session_state.set_widget(_KEY, state.server)
        st.segmented_control(
            t("chat.who"), ["", *names], required=True, key=_KEY, on_change=choose, help=t("chat.who_help"),
            format_func=lambda name: _label(name, session, t),
        )  # fmt: skip
    if state.lost:
        st.caption(t("chat.server.lost", name=plain(state.lost)))
    return asking


def _label(name: str, session: TextState, t: Translator) -> str:
    shown = plain(display_name(name or session.model_name, t))
    return t("chat.who_server", name=shown) if chat_servers.is_chat_only(name) else shown


def chosen() -> str:
    """For the callback: name of the model of the server that the visitor has chosen; "" for the model at hand."""
    return str(session_state.widget(_KEY) or "")


def is_ready(state: ChatState) -> bool:
    """Whether the model at hand is to reply, or a server that is known to chat."""
    return not state.server or chat_servers.is_chat_only(state.server)


def shows_reply(state: ChatState) -> bool:
    """Whether the tokens of a server's reply are what there is to see."""
    return bool(state.server) and chat_servers.known(state.server) != "steps"


def draw_unready(state: ChatState, t: Translator) -> None:
    """Why the chosen server cannot reply: it is still being asked, it cannot be reached, or it does more than chat."""
    name = plain(display_name(state.server, t))
    match chat_servers.known(state.server):
        case "asking":
            st.caption(t("chat.server.asking", name=name))
        case "steps" if endpoints.find(state.server) is not None:
            st.info(t("chat.server.steps", name=name))
            st.page_link(navigation.path("models"), label=t("models.title"))
        case "failed":
            try:
                chat_servers.server(state.server)
            except ModelError as error:
                messages.show_problem(error, t)
            again = chat_servers.ask_again
            st.button(t("chat.server.try_again"), key="chat_server_again", on_click=again, args=(state.server,))
        case _:
            pass


def draw_reply(state: ChatState, to_local: Callable[[], None], t: Translator) -> None:
    """The tokens of the server's reply, what is to be said about them, and the way to a model that can be stepped."""
    name = plain(display_name(state.server, t))
    st.markdown(f"**{t('chat.server.title')}**")
    reply = state.answer if isinstance(state.answer, ServerReply) else None
    if reply is None:
        st.caption(t("chat.server.empty"))
    elif reply.is_given:
        st.caption(t("chat.server.given"))
    else:
        server_tokens.draw(server_tokens.data(reply, state.run.running, state.turn, t))
        for sentence in remarks(reply, t):
            st.caption(sentence)
    if is_ready(state):
        st.caption(t("chat.server.cannot", name=name))
    st.button(t("chat.server.local"), key="chat_server_local", on_click=to_local, disabled=state.run.running)


def remarks(reply: ServerReply, t: Translator) -> list[str]:
    """What is to be known about the tokens of a reply."""
    if not reply.done:
        return []
    if not reply.tokens:
        return [t("chat.server.no_logprobs")] if reply.text else []
    found = [t("chat.server.legend")]
    if (fewest := reply.fewest_listed) < reply.most_listed:
        found.append(t("chat.server.fewer", asked=reply.most_listed, got=fewest))
    if reply.unreported:
        found.append(t("chat.server.unreported", written=reply.written, reported=len(reply.tokens)))
    return [*found, t("chat.server.link")]


def draw_sampling(state: ChatState, session: TextState, t: Translator) -> None:
    """What the next reply is asked for, and what of it is the server's own."""
    choosing = Choosing(session.strategy, session.settings, session.seed)
    sampling = server_sampling(choosing, state.tokens)
    values = {"temperature": f"{sampling.temperature:g}", "top_p": f"{sampling.top_p:g}", "most": sampling.tokens}
    if sampling.seed is None:
        st.caption(t("chat.server.sent_greedy", **values))
    else:
        st.caption(t("chat.server.sent", seed=sampling.seed, **values))
