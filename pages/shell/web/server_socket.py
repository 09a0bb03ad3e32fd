"""Listening socket of the web server, with Nagle's algorithm off for the connections that it accepts.

Streamlit binds a socket without naming its protocol, and asyncio sets `TCP_NODELAY` only where the protocol is named
(python/asyncio, pull request 373; the same in uvicorn's issue 3149). With Nagle's algorithm on, Linux sends the second
message of an answer only after the browser has acknowledged the first, which it delays by 40 ms.
"""

from __future__ import annotations

import socket

from streamlit.web.server.starlette import starlette_server

_bind = starlette_server._bind_socket


def install() -> None:
    """Have the server that Streamlit will start send each message at once."""
    starlette_server._bind_socket = _bind_without_delay


def _bind_without_delay(address: str, port: int, backlog: int) -> socket.socket:
    listening = _bind(address, port, backlog)
    if listening.family != getattr(socket, "AF_UNIX", None):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted connections take it over
    return listening
