"""CSV files for spreadsheets.

UTF-8 with a byte-order mark, so that Excel reads Chinese; numbers in full precision. A cell that a spreadsheet would
evaluate as a formula is prefixed with an apostrophe, as OWASP advises ("CSV Injection"); tables therefore contain the
id and the bytes of each token besides its text.
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
# At the beginning, and after any character that a spreadsheet may be set to treat as a delimiter.
_FORMULA = re.compile(r"(^|[\t\r\n\0,;|\"'])(?=[=+\-@＝＋－＠\t\r\n\0])")


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet evaluates.

    >>> guarded("=1+1"), guarded("a;=1"), guarded("1 + 1 = 2")
    ("'=1+1", "a;'=1", '1 + 1 = 2')
    """
    return _FORMULA.sub(r"\1'", text)


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file (RFC 4180). Every cell is quoted, every text guarded; None is an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in (header, *rows):
        writer.writerow([_cell(value) for value in row])
    return buffer.getvalue().encode("utf-8-sig", "replace")


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return str(value).lower()
    return guarded(repr(value)) if math.isinf(value) else repr(value)


def column_names(names: str, t: Translator) -> list[str]:
    """Header of a table: each column's name in the engine, with its explanation. `names` separated by spaces."""
    return [t(f"export.column.{name}") for name in names.split()]


def token_hex(model: Model, token_id: int) -> str:
    """Bytes of a token in hexadecimal, with a prefix that prevents a spreadsheet from reading a number."""
    return "0x" + model.vocabulary.token_bytes(token_id).hex().upper()


def joined_ids(ids: Sequence[int]) -> str:
    """Token ids in one cell, separated by spaces."""
    return " ".join(str(i) for i in ids)
