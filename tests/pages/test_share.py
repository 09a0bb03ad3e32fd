"""The share panel's parts: a QR code that a reader of another make reads, a snippet that stays one element."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
import zxingcpp

from pages.ui.share import LARGEST, QUIET, snippet, squares


def drawn(path: str, size: int, scale: int = 4) -> np.ndarray:
    """The SVG path as a picture: black on white."""
    picture = np.full((size, size), 255, np.uint8)
    parts = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path)
    assert path == "".join(f"M{x} {y}h{n}v1h-{m}z" for x, y, n, m in parts)
    for x, y, n, m in parts:
        assert n == m
        picture[int(y), int(x) : int(x) + int(n)] = 0
    return np.kron(picture, np.ones((scale, scale), np.uint8))


@pytest.mark.parametrize("length", [1, 60, 300, 1_200])
def test_a_qr_code_reads_as_the_link(length: int) -> None:
    link = "https://class.example/beam?t=" + "Ab3_-xYz" * (length // 8) + "A"
    code = squares(link)
    assert code is not None
    assert [found.text for found in zxingcpp.read_barcodes(drawn(code["path"], code["size"]))] == [link]


def test_there_is_white_around_it() -> None:
    code = squares("https://class.example/")
    assert code is not None
    picture = drawn(code["path"], code["size"], 1)
    assert (picture[:QUIET] == 255).all() and (picture[:, -QUIET:] == 255).all()
    assert (picture[QUIET] == 0).any()


@pytest.mark.parametrize("length", [1_400, 2_900, 10_000])
def test_one_that_the_back_row_could_not_scan_is_not_drawn(length: int) -> None:
    assert squares("https://class.example/?t=" + "A" * length) is None
    code = squares("https://class.example/?t=" + "A" * 1_200)
    assert code is not None and code["size"] <= 17 + 4 * LARGEST + 2 * QUIET


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
