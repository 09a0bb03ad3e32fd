"""The share panel, the same in the head of every page: drawn only while it is open, so that it costs nothing closed.

What else leaves the app (files, pictures) is `exports.py`'s, below the link.
"""

from __future__ import annotations

import html
from typing import Any

import segno
import streamlit as st

from pages.ui import address, component, exports, state
from pages.ui.i18n import Translator
from pages.ui.picture import Place
from pages.ui.session import Session

LARGEST = 25  # version of a QR code: 117 squares a side, which a phone still reads from the back row
QUIET = 4  # squares of white around it
_panel = component.register("share_panel", "share")


@st.fragment
def draw(session: Session, t: Translator, place: Place | None = None) -> None:
    """A button; opened, everything by which this page can be given to others, as it stands at that moment."""
    panel = st.popover(t("share.title"), key="share", on_change="rerun")
    if panel.open:
        with panel:
            st.caption(t("share.lead"))
            _panel(key="share_panel", data=data(t) | {"dark": state.dark()})
            if address.cut():
                st.caption(t(f"share.cut.{address.cut()}"))
            exports.draw(session, t, place)


def data(t: Translator) -> dict[str, Any]:
    """The link, its QR code (None where it is too long for one), the snippet, and every word."""
    names = ("link", "copy", "copied", "large", "no_qr", "embed")
    return {
        "link": address.link(),
        "qr": squares(address.link(full=False)),
        "embed": snippet(f"{address.link(lang=t.language)}&embed=true", t("app.title")),
        "labels": {name: t(f"share.{name}") for name in names},
    }


def squares(link: str) -> dict[str, Any] | None:
    """The dark squares of a QR code (ISO/IEC 18004, error level L) as an SVG path, a rectangle for each run of them."""
    try:
        code = segno.make_qr(link, error="l", boost_error=False)
    except segno.DataOverflowError:
        return None
    if int(code.version) > LARGEST:
        return None
    rows = [list(row) for row in code.matrix_iter(border=QUIET)]
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                parts.append(f"M{x} {y}h{end - x}v1h{x - end}z")
            x = end + 1
    return {"size": len(rows), "path": "".join(parts)}


def snippet(link: str, title: str) -> str:
    """HTML that shows the page inside of another."""
    src, name = html.escape(link, quote=True), html.escape(title, quote=True)
    return f'<iframe src="{src}" title="{name}" width="100%" height="720" style="border:0" loading="lazy"></iframe>'
