"""The web server's sockets: an answer's second message does not wait for the first to be acknowledged."""

from __future__ import annotations

import socket

from streamlit.web.server.starlette import starlette_server

from pages.shell.web import server_socket


def without_delay(connection: socket.socket) -> bool:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_accepted_connections_send_each_message_at_once() -> None:
    bind = starlette_server._bind_socket
    try:
        server_socket.install()
        with (
            starlette_server._bind_socket("127.0.0.1", 0, 1) as listening,
            socket.create_connection(listening.getsockname()),
            listening.accept()[0] as accepted,
        ):
            assert without_delay(accepted)
    finally:
        starlette_server._bind_socket = bind
