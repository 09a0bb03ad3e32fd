"""What the server sends before any script runs: compressed files, the start page, its pictures."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import streamlit
from PIL import Image

from pages.i18n.translator import Translator
from pages.shell import navigation
from tests.load.client import Visitor
from tests.serving import Server, started

STREAMLIT = Path(streamlit.__file__).parent / "static"
TEXTS = (".js", ".css", ".json", ".svg")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with started() as running:
        yield running


class Answer:
    """Answer to a plain GET, as a messenger or a browser sends it."""

    def __init__(self, address: str, method: str = "GET", **headers: str) -> None:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=fields, method=method), timeout=20
        ) as found:
            self.status, self.headers, self.sent = found.status, found.headers, found.read()

    @property
    def body(self) -> bytes:
        return gzip.decompress(self.sent) if self.headers["Content-Encoding"] == "gzip" else self.sent


class Page(HTMLParser):
    """Attributes of a page's root, its title, its `meta` by name or property, addresses of its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.language, self.title, self.meta, self.links = "", "", dict[str, str](), dict[str, str]()
        self._in_title = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_title = tag == "title"
        if tag == "html":
            self.language = values["lang"]
        elif tag == "meta":
            self.meta[values.get("name") or values.get("property", "")] = values.get("content", "")
        elif tag == "link":
            self.links[values["href"]] = values["rel"]

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
            self._in_title = False


def page(address: str, **headers: str) -> Page:
    return Page(Answer(address, **headers).body.decode("utf-8"))


def static_files() -> list[Path]:
    return sorted(path for path in (STREAMLIT / "static").rglob("*") if path.is_file())


def test_scripts_and_styles_are_compressed_and_the_same(server: Server) -> None:
    texts = [path for path in static_files() if path.suffix in TEXTS]
    assert len(texts) > 100
    for path in texts:
        answer = Answer(
            f"{server.address}/{path.relative_to(STREAMLIT).as_posix()}", Accept_Encoding="gzip, deflate, br"
        )
        assert answer.headers["Content-Encoding"] == "gzip", path
        assert "Accept-Encoding" in answer.headers["Vary"] and "immutable" in answer.headers["Cache-Control"]
        assert int(answer.headers["Content-Length"]) == len(answer.sent)
        assert hashlib.sha256(answer.body).digest() == hashlib.sha256(path.read_bytes()).digest(), path


def test_who_cannot_read_compressed_files_gets_plain_ones(server: Server) -> None:
    path = max((p for p in static_files() if p.suffix == ".js"), key=lambda p: p.stat().st_size)
    address = f"{server.address}/{path.relative_to(STREAMLIT).as_posix()}"
    for accepted in ("", "identity", "br", "gzip;q=0", "gzip; q=0.0, br"):
        answer = Answer(address, Accept_Encoding=accepted)
        assert answer.headers["Content-Encoding"] is None and answer.sent == path.read_bytes(), accepted
    part = Answer(address, Accept_Encoding="gzip", Range="bytes=10-19")
    assert part.status == 206 and part.sent == path.read_bytes()[10:20]
    head = Answer(address, "HEAD", Accept_Encoding="gzip")
    assert head.sent == b"" and head.status == 200


def test_a_known_file_is_not_sent_again(server: Server) -> None:
    path = next(p for p in static_files() if p.suffix == ".css")
    address = f"{server.address}/{path.relative_to(STREAMLIT).as_posix()}"
    tag = Answer(address, Accept_Encoding="gzip").headers["ETag"]
    with pytest.raises(urllib.error.HTTPError) as caught:
        Answer(address, Accept_Encoding="gzip", If_None_Match=tag)
    assert caught.value.code == 304


def test_fonts_are_left_alone(server: Server) -> None:
    path = next(p for p in static_files() if p.suffix == ".woff2")
    answer = Answer(f"{server.address}/{path.relative_to(STREAMLIT).as_posix()}", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] is None and answer.sent == path.read_bytes()


def test_pages_and_json_are_compressed(server: Server) -> None:
    for path in ("/", "/beam", "/_stcore/agent/openapi.json"):
        packed, plain = (Answer(server.address + path, Accept_Encoding=kind) for kind in ("gzip", "identity"))
        assert packed.body == plain.sent, path
        assert plain.headers["Content-Encoding"] is None
        assert packed.headers["Content-Encoding"] == "gzip", path


def test_websockets_are_untouched(server: Server) -> None:
    async def visit() -> None:
        visitor = Visitor(server.address)
        await visitor.open()
        assert visitor.errors == [] and "prompt" in visitor.widgets
        await visitor.close()

    asyncio.run(visit())


LANGUAGES = [("zh-TW,zh;q=0.9,en;q=0.8", "zh_Hant"), ("zh-CN", "zh_Hans"), ("en-GB,en;q=0.9", "en"), ("de", "en")]


@pytest.mark.parametrize(("accepted", "language"), LANGUAGES)
def test_a_page_has_its_own_title_before_any_script(server: Server, accepted: str, language: str) -> None:
    t = Translator(language)
    titles = set()
    for entry in navigation.PAGES:
        path = "" if entry.name == "first" else entry.name
        found = page(f"{server.address}/{path}", Accept_Language=accepted)
        assert found.title == f"{t(entry.title)} · {t('app.title')}"
        assert found.language == language.replace("_", "-")
        titles.add(found.title)
    assert len(titles) == len({entry.title for entry in navigation.PAGES})


def test_a_link_with_a_language_has_its_title(server: Server) -> None:
    found = page(f"{server.address}/beam?lang=en", Accept_Language="zh-TW")
    assert found.language == "en" and found.title == "Beam search · Next token"
    odd = page(f"{server.address}/beam?lang=%22%3E%3Cscript%3E", Accept_Language="zh-TW")
    assert odd.language == "zh-Hant"


@pytest.mark.parametrize("path", ["/", "/quiz", "/beam?t=abc&lang=en"])
def test_a_messenger_finds_title_text_and_picture(server: Server, path: str) -> None:
    """Messengers send no language and run no script."""
    found = page(server.address + path)
    for language in ("zh_Hant", "en"):
        t = Translator(language)
        for name in ("description", "og:description"):
            assert t("web.description") in found.meta[name]
        assert t("app.title") in found.meta["og:title"]
    assert "Streamlit" not in found.title + "".join(found.meta.values())
    picture = Answer(found.meta["og:image"])
    assert picture.headers["Content-Type"] == "image/png" and found.meta["og:image"].startswith(server.address)
    assert (found.meta["og:image:width"], found.meta["og:image:height"]) == ("1200", "630")


def test_the_picture_has_the_address_that_the_visitor_used(server: Server) -> None:
    forwarded = page(server.address, Host="class.example", X_Forwarded_Proto="https")
    assert forwarded.meta["og:image"] == "https://class.example/preview.png"
    hostile = Answer(server.address, Host='x"><script>alert(1)</script>', X_Forwarded_Proto="javascript")
    assert b"<script>alert" not in hostile.body and b"javascript:" not in hostile.body


def test_icons_and_colours_are_the_apps(server: Server, tmp_path: Path) -> None:
    found = page(server.address)
    icons = [address for address, kind in found.links.items() if "icon" in kind]
    assert len(icons) >= 2 and "theme-color" in found.meta
    assert not any(kind == "preload" for kind in found.links.values()), "fonts in which nothing is written"
    for address in ("/icon.svg", "/icon.png", "/favicon.ico", "/favicon.png"):
        answer = Answer(server.address + address)
        assert answer.headers["Content-Type"].startswith("image/") and answer.sent, address
        assert answer.sent != (STREAMLIT / "favicon.png").read_bytes()
    (tmp_path / "icon.png").write_bytes(Answer(f"{server.address}/icon.png").sent)
    with Image.open(tmp_path / "icon.png") as icon:
        assert icon.size == (180, 180)


def test_a_returning_browser_gets_the_page_in_its_language(server: Server) -> None:
    """Streamlit's file has one tag for all languages: with it, a browser would keep what it has."""
    old = Answer(server.address, Accept_Language="zh-TW").headers
    assert old["ETag"] is None and old["Cache-Control"] == "no-cache" and "Accept-Language" in old["Vary"]
    later = Answer(server.address, If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT", Accept_Language="en")
    assert later.status == 200 and b'lang="en"' in later.body
