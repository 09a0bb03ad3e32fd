"""The HTML that a browser, or a messenger that previews a link, gets first: title, description, picture, splash.

Streamlit's own names no app and is empty until its scripts have run. Only its scripts and styles are taken from it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import FileResponse, HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util

from pages.components import theme
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator, nearest
from pages.shell import navigation
from pages.shell.web import simple_view

HERE = Path(__file__).parent
FILES = {
    "icon.svg": "icon.svg",
    "icon.png": "icon.png",
    "preview.png": "preview.png",
    # where browsers and Streamlit's clients look without being told
    "favicon.ico": "icon.png",
    "favicon.png": "icon.png",
}
_BUNDLE = re.compile(r'<script\b.*?</script>|<link\b[^>]*\brel="(?:modulepreload|stylesheet)"[^>]*>', re.DOTALL)


@cache
def bundle() -> str:
    """Streamlit's elements for scripts and styles. Its fonts are not preloaded: no text here is set in them."""
    streamlit = Path(file_util.get_static_dir(), "index.html").read_text("utf-8")
    found = _BUNDLE.findall(streamlit)
    if not any('type="module"' in element for element in found):
        raise RuntimeError("Streamlit's start page has another form than this version of the app knows")
    return "\n    ".join(found)


@cache
def _template() -> Template:
    return Template((HERE / "start_page.html").read_text("utf-8"))


def wanted_language(accepted: str, query: str) -> str:
    """Language of a request by its URL, else by Accept-Language; "" where neither names one."""
    asked = parse_qs(query).get("lang", [""])[-1]
    first = accepted.split(",")[0].split(";")[0].strip()
    if asked in LANGUAGES or first in ("", "*"):
        return asked if asked in LANGUAGES else ""
    return nearest(first)  # as the app itself chooses


def start_page(name: str, language: str, root: str, embedded: bool = False, simple: bool = False) -> str:
    """HTML of a page by its URL name. `root`: address of the app, for the picture; `simple`: see `simple_view`.

    Without a language, as messengers ask, titles are in those of `WRITTEN`; so are the texts of a preview always,
    because whoever sends a link does not know who reads it.
    """
    own = Translator(language or "en")
    both = [Translator(each) for each in WRITTEN]
    titles = " / ".join(navigation.tab_title(t, name) for t in both)
    values = {
        "lang": own.language.replace("_", "-"),
        "title": navigation.tab_title(own, name) if language else titles,
        "both_titles": titles,
        "description": " ".join(t("web.description") for t in both),
        "preview": " ".join(t("web.preview") for t in both),
        "no_script": " ".join(t("web.no_script") for t in both),
        "app": own("app.title"),
        "page": own("first.title") if simple else navigation.page_title(own, name) or own("app.title"),
        "root": root,
        "paper": theme.LIGHT.paper,
        "dark_paper": theme.DARK.paper,
        "kind": " ".join(kind for kind, is_so in (("embedded", embedded), ("simple", simple)) if is_so),
    }
    parts = {"bundle": bundle(), "style": _part("splash.css"), "script": _part("splash.js")}
    parts["color_scheme"] = _part("color_scheme.js")
    return _template().substitute({key: html.escape(value) for key, value in values.items()} | parts)


@cache
def _part(name: str) -> str:
    return (HERE / name).read_text("utf-8").strip()


class StartPage:
    """ASGI middleware that answers with this HTML wherever Streamlit answers with its own, and serves its pictures."""

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app = app
        self._base = f"/{base.strip('/')}/" if base.strip("/") else "/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = f"{scope['path']}/" if f"{scope.get('path')}/" == self._base else scope.get("path", "")
        name = path.removeprefix(self._base)
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or "/" in name:
            await self.app(scope, receive, send)
        elif name in FILES:
            cached = {"Cache-Control": "public, max-age=86400"}
            await FileResponse(HERE / FILES[name], headers=cached)(scope, receive, send)
        else:
            await self._page(name, scope, receive, send)

    async def _page(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def instead(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                kind = Headers(raw=message["headers"]).get("content-type", "")
                if message["status"] == 200 and kind.startswith("text/html"):
                    replaced = True
                    await self._response(name, scope)(scope, receive, send)
            if not replaced:
                await send(message)

        await self.app({**scope, "headers": _unconditional(scope["headers"])}, receive, instead)

    def _response(self, name: str, scope: Scope) -> HTMLResponse:
        headers = Headers(scope=scope)
        forwarded = headers.get("x-forwarded-proto", "").split(",")[0].strip()
        scheme = forwarded if forwarded in ("http", "https") else scope["scheme"]
        query = scope["query_string"].decode("latin-1")
        params = parse_qs(query)
        first = name in ("", "first")
        text = start_page(
            name,
            wanted_language(headers.get("accept-language", ""), query),
            f"{scheme}://{headers.get('host', '')}{self._base.rstrip('/')}",
            embedded=params.get("embed", [""])[-1] == "true",
            simple=first and simple_view.is_simple(cookie_parser(headers.get("cookie", "")), params),
        )
        return HTMLResponse(text, headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"})


def _unconditional(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers of a request without conditions, which would be about Streamlit's file."""
    return [(name, value) for name, value in headers if name not in (b"if-none-match", b"if-modified-since", b"range")]
