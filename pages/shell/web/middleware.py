"""What the web server does besides Streamlit: the app's own start page, compression, updates of classrooms."""

from __future__ import annotations

from starlette.middleware import Middleware
from streamlit import config
from streamlit.web.server.starlette import starlette_app, starlette_server

from pages.shell.web import room_updates
from pages.shell.web.compression import Compression
from pages.shell.web.start_page import StartPage, bundle

_streamlit = starlette_app.create_streamlit_middleware
_stop = starlette_server.UvicornServer.stop


def install() -> None:
    """Add the app's middleware to the server that Streamlit will start.

    Streamlit takes middleware only for an app that is started in another way (`st.App`), without the options of
    `streamlit run`.
    """
    bundle()  # an unknown start page is reported now, not to the first visitor
    starlette_app.create_streamlit_middleware = _middleware
    starlette_server.UvicornServer.stop = _stop_server  # type: ignore[method-assign, assignment]


def _stop_server(server: starlette_server.UvicornServer) -> None:
    """Stop the server, which waits for open requests: those that wait for news are answered."""
    room_updates.stop()
    _stop(server)


def _middleware() -> list[Middleware]:
    """Streamlit's middleware and, closest to the routes, the app's."""
    base = config.get_option("server.baseUrlPath") or ""
    own = (room_updates.RoomUpdates, Compression, StartPage)
    return [*_streamlit(), *(Middleware(kind, base=base) for kind in own)]
