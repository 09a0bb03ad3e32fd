"""Document of headings, lists and tables, for the screen and for paper; the component `paper.js`.

A block is a dictionary with its `kind`; see the functions here. All texts are drawn as plain text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pages.components.register import register

Block = dict[str, Any]
Link = dict[str, Any]  # path: relative to the app's address; text
_paper = register("paper", Path(__file__))


def draw(blocks: Sequence[Block], print_label: str) -> None:
    """Draw a document, below a button that prints the page."""
    _paper(key="paper", data={"blocks": list(blocks), "print": print_label})


def heading(text: str, new_page: bool = False) -> Block:
    """Heading; `new_page`: it begins a sheet of paper."""
    return {"kind": "heading", "text": text, "new_page": new_page}


def paragraph(text: str) -> Block:
    """Paragraph."""
    return {"kind": "paragraph", "text": text}


def items(texts: Sequence[str], numbered: bool = False) -> Block:
    """List."""
    return {"kind": "items", "texts": list(texts), "numbered": numbered}


def questions(texts: Sequence[str]) -> Block:
    """Numbered questions with lines to write on."""
    return {"kind": "questions", "texts": list(texts)}


def table(columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[Block]], to_fill_in: bool = False) -> Block:
    """Table. columns: (title, width in per cent); rows: cells by `cell`; `to_fill_in`: rows with room to write."""
    named = [{"title": title, "width": width} for title, width in columns]
    return {"kind": "table", "columns": named, "rows": [list(row) for row in rows], "to_fill_in": to_fill_in}


def cell(text: str = "", title: str = "", links: Sequence[Link] = ()) -> Block:
    """Cell of a table: a title, a text, links; any may be missing."""
    return {"text": text, "title": title, "links": list(links)}


def sheet_head(title: str, fields: Sequence[str], address: str, note: str, qr: str | None, qr_name: str) -> Block:
    """Head of a worksheet: title, `fields` to fill in, the app's address, a note, and its QR code (URL of an image)."""
    return {
        "kind": "sheet_head", "title": title, "fields": list(fields), "address": address, "note": note, "qr": qr,
        "qr_name": qr_name,
    }  # fmt: skip
