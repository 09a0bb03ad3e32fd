"""A server that only chats: it gives log-probabilities of the replies that it writes, and continues no given text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.remote.capabilities import Capabilities
from engine.remote.chat_stream import ChatStream
from engine.remote.client import Client, Refusal
from engine.remote.endpoint import Endpoint
from engine.remote.errors import RemoteError
from engine.remote.probe import bytes_of_answer, probe_route
from engine.tokenization.chat_template import ChatMessage

_CONNECTIONS = 40  # a reply takes seconds, and a class asks at the same time


@dataclass(frozen=True, slots=True)
class ServerSampling:
    """What a server is asked to do with its own sampling. seed: None for greedy search."""

    temperature: float
    top_p: float
    seed: int | None
    tokens: int


class ChatServer:
    """Server that is asked for whole replies. Thread-safe."""

    def __init__(self, client: Client, capabilities: Capabilities) -> None:
        self.client, self.capabilities = client, capabilities

    @property
    def name(self) -> str:
        """Name of its endpoint."""
        return self.client.endpoint.name

    @property
    def top(self) -> int:
        """Number of alternatives that it is asked for."""
        most = self.client.endpoint.alternatives
        return min(self.capabilities.top, most) if most else self.capabilities.top

    def reply(self, messages: Sequence[ChatMessage], sampling: ServerSampling) -> ChatStream:
        """Ask for a reply to a conversation. Raises what `usage.before_request` raises."""
        most_bytes = bytes_of_answer(sampling.tokens * (self.top + 4))
        return ChatStream(self.client, self._body(messages, sampling), most_bytes)

    def _body(self, messages: Sequence[ChatMessage], sampling: ServerSampling) -> dict[str, Any]:
        said = [{"role": message.role, "content": message.content} for message in messages]
        body: dict[str, Any] = {"model": self.capabilities.model, "messages": said}
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        body |= {"logprobs": True, "top_logprobs": self.top, self.capabilities.length: sampling.tokens}
        body |= {"temperature": sampling.temperature, "top_p": sampling.top_p}
        return body if sampling.seed is None else body | {"seed": sampling.seed}


def connect_chat(endpoint: Endpoint) -> ChatServer | None:
    """The server of an endpoint, None for one that continues given texts as well. Raises RemoteError."""
    try:
        client = Client(endpoint, endpoint.secret(), connections=_CONNECTIONS)
    except ValueError:
        raise RemoteError("remote_key", f"{endpoint.name} has no key", name=endpoint.name) from None
    try:
        found = probe_route(client)
    except Refusal as refusal:
        raise client.error("remote_status", status=refusal.status) from None
    return ChatServer(client, found) if found.route == "chat" else None
