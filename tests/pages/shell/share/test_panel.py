"""Share panel: the QR code decodes to the link with an independent reader; the snippet is one element."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
import zxingcpp

from pages.shell.share.panel import MAX_QR_VERSION, QUIET_ZONE, qr_code, snippet


def drawn(url: str, scale: int = 4) -> np.ndarray:
    """Raster image of the SVG, whose path consists of lines one module wide; `scale` pixels for each module."""
    mime_type, _, svg = unquote(url).partition(",")
    assert mime_type == "data:image/svg+xml;charset=utf-8"
    root = ElementTree.fromstring(svg)
    width, height = map(int, root.attrib["viewBox"].split()[2:])
    assert width == height
    picture = np.full((height, width), 255, np.uint8)
    path = next(node.attrib["d"] for node in root if node.get("stroke") == "#000")
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        values = [float(number) for number in numbers.split()]
        if command == "h":
            picture[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])
    return np.kron(picture, np.ones((scale, scale), np.uint8))


@pytest.mark.parametrize("length", [1, 60, 300, 1_200])
def test_a_qr_code_reads_as_the_link(length: int) -> None:
    link = "https://class.example/beam?t=" + "Ab3_-xYz" * (length // 8) + "A"
    code = qr_code(link)
    assert code is not None
    assert [found.text for found in zxingcpp.read_barcodes(drawn(code))] == [link]


def test_there_is_white_around_it() -> None:
    code = qr_code("https://class.example/")
    assert code is not None
    picture = drawn(code, 1)
    assert (picture[:QUIET_ZONE] == 255).all() and (picture[:, -QUIET_ZONE:] == 255).all()
    assert (picture[QUIET_ZONE] == 0).any()


@pytest.mark.parametrize("length", [1_400, 2_900, 10_000])
def test_one_that_the_back_row_could_not_scan_is_not_drawn(length: int) -> None:
    assert qr_code("https://class.example/?t=" + "A" * length) is None
    code = qr_code("https://class.example/?t=" + "A" * 1_200)
    assert code is not None and len(drawn(code, 1)) <= 17 + 4 * MAX_QR_VERSION + 2 * QUIET_ZONE


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    "link", ["http://a/?t=x&head=3.5&embed=true", 'http://a/?"><script>alert(1)</script>', "http://a/?'<b"]
)
def test_the_snippet_is_one_frame_of_that_address(link: str) -> None:
    parser = Elements()
    parser.feed(snippet(link, 'a "title" <b>'))
    assert [tag for tag, _ in parser.found] == ["iframe"]
    assert parser.found[0][1]["src"] == link
    assert parser.found[0][1]["title"] == 'a "title" <b>'
