"""Component: a conversation as people know it, and the box for the next message (`conversation.js`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.serving import config
from pages.chat.reply import Reply
from pages.chat.server_reply import ServerReply
from pages.chat.state import ChatState
from pages.components.register import event_callback, register
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model

_component = register("conversation", Path(__file__))
_LABELS = (
    "you", "model", "thinking", "edit", "again", "go_on", "clear", "send", "stop", "say", "cancel", "empty",
)  # fmt: skip


def data(state: ChatState, model: Model, t: Translator) -> dict[str, Any]:
    """Data of the component.

    messages  {role, text, thinking, closed} of each; thinking: None for a message without such a part
    status    why the last reply ended; "" while it goes on
    """
    from engine.model.chat import reply_parts

    reply, local = state.answer, state.reply
    shown = state.shown
    messages = []
    for index, message in enumerate(shown):
        before = local.chat.text if local is not None and index == len(shown) - 1 else ""
        parts = reply_parts(message.content, before if message.role == "assistant" else "")
        is_own = message.role == "assistant"
        messages.append({
            "role": message.role,
            "text": parts.answer if is_own else message.content,
            "thinking": parts.thinking if is_own else None,
            "closed": parts.closed,
        })  # fmt: skip
    return {
        "turn": state.turn,
        "messages": messages,
        "running": state.run.running,
        "status": "" if reply is None or state.run.running else status(reply, t),
        "can_go_on": local is not None and local.stop_reason in ("length", "person") and not local.end_name,
        "disabled": config.current().demo,
        "labels": {name: t(f"chat.label.{name}") for name in _LABELS},
    }


def status(reply: Reply | ServerReply, t: Translator) -> str:
    """Why a reply ended, with the number of its tokens; "" for a server's of which only the text is known."""
    if isinstance(reply, ServerReply):
        counted = [t("chat.tokens_count", count=len(reply.tokens))] if reply.tokens else []
        return " ".join([t(f"chat.stopped_server.{reply.stop_reason}"), *counted]) if reply.stop_reason else ""
    count = t("chat.tokens_count", count=len(reply.token_ids))
    if reply.end_name:
        return f"{t('chat.stopped.end', token=reply.end_name)} {count}"
    return f"{t(f'chat.stopped.{reply.stop_reason}')} {count}" if reply.stop_reason else count


def draw(component_data: dict[str, Any], on_act: Callable[[dict[str, Any]], None], key: str = "conversation") -> None:
    """The component. `on_act` is called with {kind, turn}, and `text` and `at` where the kind has them.

    kind: `send`, `edit`, `again`, `go_on`, `stop`, `clear`
    """
    _component(key=key, data=component_data, on_act_change=event_callback(key, "act", on_act))
