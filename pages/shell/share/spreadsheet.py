"""Tables for a spreadsheet: candidates, the whole text, beams, compared texts, one head's matrix.

UTF-8 with a byte-order mark, so that Excel reads Chinese; numbers as exact as they were computed. A text that a
spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises ("CSV Injection"); what a token
really is stands beside it, as its id and its bytes.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model

Cell = str | float | bool | None
# At the beginning, and after what another setting of the spreadsheet could take for the end of a cell.
_FORMULA = re.compile(r"(^|[\t\r\n\0,;|\"'])(?=[=+\-@＝＋－＠\t\r\n\0])")


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet computes.

    >>> guarded("=1+1"), guarded("a;=1"), guarded("1 + 1 = 2")
    ("'=1+1", "a;'=1", '1 + 1 = 2')
    """
    return _FORMULA.sub(r"\1'", text)


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file as RFC 4180 has it. Every text is guarded and quoted; None is an empty cell."""
    written = io.StringIO()
    out = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in (header, *rows):
        out.writerow([_cell(value) for value in row])
    return written.getvalue().encode("utf-8-sig", "replace")


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return str(value).lower()
    return guarded(repr(value)) if math.isinf(value) else repr(value)


def column_names(names: str, t: Translator) -> list[str]:
    """The engine's names of these columns, each with what it means."""
    return [t(f"export.column.{name}") for name in names.split()]


def token_hex(model: Model, token_id: int) -> str:
    """What a token really is. Never a number to a spreadsheet."""
    return "0x" + model.vocabulary.token_bytes(token_id).hex().upper()


def joined_ids(ids: Sequence[int]) -> str:
    return " ".join(str(i) for i in ids)
