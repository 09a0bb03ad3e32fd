"""Share panel in the head of every page: link, QR code, embedding snippet, downloads, upload.

Drawn only while it is open; a closed panel costs nothing.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import segno
import streamlit as st

from pages.components.register import register
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell import address
from pages.shell.share import downloads, local_network

MAX_QR_VERSION = 25  # 117 modules a side, which a phone can scan from the back row of a classroom
QUIET_ZONE = 4  # modules of white around the code
_panel = register("share_panel", Path(__file__))


@st.fragment
def draw(session: TextState, t: Translator, exports: downloads.Exports = downloads.NOTHING) -> None:
    """A button that opens the panel for the current state of the page."""
    panel = st.popover(t("share.title"), key="share", on_change="rerun")
    if panel.open:
        with panel:
            st.caption(t("share.lead"))
            _panel(key="share_panel", data=data(t))
            if address.left_out():
                st.caption(t(f"share.cut.{address.left_out()}"))
            downloads.draw(session, t, exports)


def data(t: Translator) -> dict[str, Any]:
    """Data of the component: link, QR code or None, why nobody else could scan it, snippet, labels."""
    names = ("link", "copy", "copied", "large", "no_qr", "embed")
    reach = local_network.reach(address.link())

    def link(full: bool = True, **more: str) -> str:
        made = address.link(full, **more)
        return local_network.at(made, reach.host) if reach.host else made

    return {
        "link": link(),
        "qr": qr_code(link(full=False)),
        "notice": t(f"share.local.{reach.notice}", host=reach.opened_as) if reach.notice else "",
        "scannable": reach.notice in ("", "open"),
        "embed": snippet(f"{link(lang=t.language)}&embed=true", t("app.title")),
        "labels": {name: t(f"share.{name}") for name in names},
    }


def qr_code(link: str) -> str | None:
    """QR code (ISO/IEC 18004, error level L) as the URL of an SVG image; None where the link is too long."""
    try:
        code = segno.make_qr(link, error="l", boost_error=False)
    except segno.DataOverflowError:
        return None
    if int(code.version) > MAX_QR_VERSION:
        return None
    return code.svg_data_uri(border=QUIET_ZONE, omitsize=True, light="#fff")


def snippet(link: str, title: str) -> str:
    """HTML that embeds the page in another."""
    src, name = html.escape(link, quote=True), html.escape(title, quote=True)
    return f'<iframe src="{src}" title="{name}" width="100%" height="720" style="border:0" loading="lazy"></iframe>'
