"""Client for Streamlit's websocket protocol: opens a page, clicks and types as a browser would, and draws nothing.

Sends widget states and the hashes of cached messages, and reads the elements that the server sends. Connects only to
servers on this machine.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection

from pages.shell.web import simple_view


@dataclass
class Shown:
    """A widget as last sent by the server: its id, the id of its fragment, whether it is disabled."""

    id: str
    fragment: str
    disabled: bool


@dataclass
class Visitor:
    """One connection of a visitor who wants all parts of the step page; `open` it first, `close` it at the end.

    widgets   all widgets sent so far, by the app's key
    errors    texts of all error and warning boxes and of all exceptions
    texts     texts sent by the last run, outside of components
    labels    labels of all metrics
    data      data of all components sent so far, by the app's key
    received  bytes received, `sent` bytes sent
    """

    address: str
    page: str = ""
    widgets: dict[str, Shown] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    received: int = 0
    sent: int = 0
    _states: dict[str, WidgetState] = field(default_factory=dict)
    _cache: dict[str, ForwardMsg] = field(default_factory=dict)
    _page_hash: str = ""
    _socket: ClientConnection | None = None

    async def open(self, seconds: float = 60.0, origin: str | None = None) -> None:
        """Connect and wait until the page is drawn. Raises ValueError for a server on another machine."""
        where = urlsplit(self.address)
        if where.hostname != "127.0.0.1":
            raise ValueError(f"only servers on this machine: {self.address}")
        self._socket = await websockets.connect(
            f"ws://{where.netloc}/_stcore/stream", subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=origin or self.address, max_size=None,  # type: ignore[arg-type]
            additional_headers={"Cookie": simple_view.cookie(simple=False)},
        )  # fmt: skip
        await self._run("", seconds)

    async def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            await self._socket.close()

    def vanish(self) -> None:
        """Abort the connection without a close frame, as a closed laptop does."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def click(self, key: str, seconds: float = 30.0) -> float:
        """Press a button; returns the seconds until its changes are drawn. Raises KeyError for an unknown key."""
        await self.press(key)
        return await self._finished(time.perf_counter(), seconds)

    async def press(self, key: str) -> None:
        """Press a button without waiting for the result."""
        shown = self.widgets[key]
        self.texts.clear()
        await self._send(shown.fragment, WidgetState(id=shown.id, trigger_value=True))

    async def move(self, kind: str, seconds: float = 30.0, **values: int) -> float:
        """Make a move on the step page's stage; returns the seconds until its changes are drawn."""
        shown = self.widgets["stage"]
        moves = [{"n": self.data["stage"]["made"] + 1, "kind": kind} | values]
        self._states[shown.id] = WidgetState(id=shown.id, json_value=json.dumps({"moves": moves}))
        return await self._run(shown.fragment, seconds)

    async def type(self, key: str, text: str, seconds: float = 30.0) -> float:
        """Fill in a text box and press Enter; returns the seconds until the changes are drawn."""
        shown = self.widgets[key]
        self._states[shown.id] = WidgetState(id=shown.id, string_value=text)
        return await self._run(shown.fragment, seconds)

    async def set_number(self, key: str, value: float, seconds: float = 30.0) -> float:
        """Move a slider; returns the seconds until the changes are drawn."""
        shown = self.widgets[key]
        state = WidgetState(id=shown.id)
        state.double_array_value.data.append(value)
        self._states[shown.id] = state
        return await self._run(shown.fragment, seconds)

    async def trigger(self, key: str, event: str, value: dict[str, object], seconds: float = 30.0) -> float:
        """Report an event of a component; returns the seconds until its changes are drawn."""
        shown = self.widgets[key]
        self.texts.clear()
        # The name of the widget that takes a component's events: `_make_trigger_id` in Streamlit's components.v2.
        events = WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{shown.id}__events")
        events.json_trigger_value = json.dumps([{"event": event, "value": value}])
        self._states[shown.id] = WidgetState(id=shown.id, json_value="{}")  # the events are part of its value
        await self._send(shown.fragment, events)
        return await self._finished(time.perf_counter(), seconds)

    async def _run(self, fragment: str, seconds: float) -> float:
        self.texts.clear()
        await self._send(fragment)
        return await self._finished(time.perf_counter(), seconds)

    async def _send(self, fragment: str, *triggers: WidgetState) -> None:
        assert self._socket is not None
        message = BackMsg()
        run = message.rerun_script
        run.fragment_id, run.page_script_hash = fragment, self._page_hash
        run.page_name = "" if self._page_hash else self.page  # as a browser: by name at first
        run.cached_message_hashes.extend(self._cache)
        run.context_info.locale, run.context_info.timezone = "zh-TW", "Asia/Taipei"
        run.widget_states.widgets.extend([*self._states.values(), *triggers])
        data = message.SerializeToString()
        self.sent += len(data)
        await self._socket.send(data)

    async def _finished(self, since: float, seconds: float) -> float:
        """Read messages until a script run has finished without an immediate rerun; the seconds since `since`."""
        async with asyncio.timeout(seconds):
            while True:
                message = await self._receive()
                kind = message.WhichOneof("type")
                if kind == "delta":
                    self._record(message)
                elif kind == "navigation":
                    self._page_hash = message.navigation.page_script_hash
                elif kind == "script_finished" and message.script_finished in (
                    ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
                ):  # fmt: skip
                    return time.perf_counter() - since

    async def _receive(self) -> ForwardMsg:
        assert self._socket is not None
        data = await self._socket.recv()
        assert isinstance(data, bytes)
        self.received += len(data)
        message = ForwardMsg()
        message.ParseFromString(data)
        if message.WhichOneof("type") == "ref_hash":
            cached, metadata = self._cache[message.ref_hash], message.metadata
            message = ForwardMsg()
            message.CopyFrom(cached)
            message.metadata.CopyFrom(metadata)
        elif message.metadata.cacheable:
            self._cache[message.hash] = message
        return message

    def _record(self, message: ForwardMsg) -> None:
        delta = message.delta
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        kind = element.WhichOneof("type") or ""
        widget = getattr(element, kind, None)
        if kind == "alert":
            self.texts.append(widget.body)  # type: ignore[union-attr]
            if widget.format in (widget.ERROR, widget.WARNING):  # type: ignore[union-attr]
                self.errors.append(widget.body)  # type: ignore[union-attr]
        elif kind == "exception":
            self.errors.append(f"{widget.type}: {widget.message}")  # type: ignore[union-attr]
        elif kind == "metric":
            self.labels.append(widget.label)  # type: ignore[union-attr]
        elif kind == "markdown":
            self.texts.append(widget.body)  # type: ignore[union-attr]
        name = getattr(widget, "id", "")
        if name.startswith("$$ID-"):
            key = name.split("-", 2)[2]  # $$ID-HASH-KEY
            self.widgets[key] = Shown(name, delta.fragment_id, bool(getattr(widget, "disabled", False)))
            if kind == "bidi_component" and widget.WhichOneof("data") == "json":  # type: ignore[union-attr]
                [self.data[key]] = json.loads(widget.json)  # type: ignore[union-attr]
            self._store_state(kind, name, widget)

    def _store_state(self, kind: str, name: str, widget: object) -> None:
        """Store a widget's value, which the browser sends back with every message, whoever set it."""
        state = WidgetState(id=name)
        if kind in ("text_input", "text_area"):
            state.string_value = widget.value if widget.set_value else widget.default  # type: ignore[attr-defined]
        elif kind == "slider":
            state.double_array_value.data.extend(widget.value if widget.set_value else widget.default)  # type: ignore[attr-defined]
        else:
            return
        if name not in self._states or widget.set_value:  # type: ignore[attr-defined]
            self._states[name] = state
