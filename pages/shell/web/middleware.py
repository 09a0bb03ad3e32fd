"""What the web server does with an answer besides Streamlit: the app's own start page, compression."""

from __future__ import annotations

from starlette.middleware import Middleware
from streamlit import config
from streamlit.web.server.starlette import starlette_app

from pages.shell.web.compression import Compression
from pages.shell.web.start_page import StartPage, bundle

_streamlit = starlette_app.create_streamlit_middleware


def install() -> None:
    """Add the app's middleware to the server that Streamlit will start.

    Streamlit takes middleware only for an app that is started in another way (`st.App`), without the options of
    `streamlit run`.
    """
    bundle()  # an unknown start page is reported now, not to the first visitor
    starlette_app.create_streamlit_middleware = _middleware


def _middleware() -> list[Middleware]:
    """Streamlit's middleware and, closest to the routes, the app's."""
    base = config.get_option("server.baseUrlPath") or ""
    return [*_streamlit(), Middleware(Compression, base=base), Middleware(StartPage, base=base)]
