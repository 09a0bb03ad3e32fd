"""Share panel in the head of every page: links, QR code, embedding snippet, the text to copy, downloads, upload.

Drawn only while it is open; a closed panel costs nothing.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import segno
import streamlit as st

from engine.errors import EngineError
from pages.components.register import register
from pages.i18n.translator import Translator
from pages.session import readable_link, session_state
from pages.session.prompt_list import MAX_PROMPTS, PromptList
from pages.session.text_state import FIRST_SETTINGS, TextState
from pages.shell import address, extensions, local_network, model_access
from pages.shell.share import downloads

MAX_QR_VERSION = 25  # 117 modules a side, which a phone can scan from the back row of a classroom
CONTINUING = ("step", "beam", "transformer", "attention", "compare")  # pages that continue the visitor's prompt
QUIET_ZONE = 4  # modules of white around the code
_panel = register("share_panel", Path(__file__))


@st.fragment
def draw(session: TextState, t: Translator, exports: downloads.Exports = downloads.NOTHING) -> None:
    """A button that opens the panel for the current state of the page."""
    panel = st.popover(t("share.title"), key="share", on_change="rerun")
    if panel.open:
        with panel:
            st.caption(t("share.lead"))
            _panel(key="share_panel", data=data(session, t))
            if address.left_out():
                st.caption(t(f"share.cut.{address.left_out()}"))
            downloads.draw(session, t, exports)
            extensions.companion.offer(t)


def data(session: TextState, t: Translator) -> dict[str, Any]:
    """Data of the component: link, QR code or None, why nobody else could scan it, snippet, labels, and

    readable  link that can be read and changed by hand; "" on a page that does not continue the visitor's prompt
    text      the whole text; "" while the model is loading
    how       how the host, who alone sees this, lets others in: a title and a sentence; [] where there is no need
    """
    names = ("link", "copy", "copied", "large", "no_qr", "embed", "readable", "text")
    reach = local_network.reach(address.link())

    def link(full: bool = True, **more: str) -> str:
        return local_network.reachable(address.link(full, **more))

    readable = readable_query(session) if session_state.current_page() in CONTINUING else ""
    return {
        "link": link(),
        "readable": f"{local_network.reachable(address.page_address())}?{readable}" if readable else "",
        "text": whole_text(session),
        "qr": qr_code(link(full=False)),
        "notice": t(f"share.local.{reach.notice}", host=reach.opened_as) if reach.notice else "",
        "how": [t("share.local.how"), t("share.local.command")] if reach.notice == "closed" else [],
        "scannable": reach.notice in ("", "open"),
        "embed": snippet(f"{link(lang=t.language)}&embed=true", t("app.title")),
        "labels": {name: t(f"share.{name}") for name in names},
    }


def readable_query(session: TextState) -> str:
    """Query of the readable link: the prompt, then the others that are offered, and the settings."""
    offered = session_state.get(PromptList).texts
    prompts = list(dict.fromkeys((session.prompt, *offered)))[:MAX_PROMPTS] if offered else [session.prompt]
    return readable_link.write(prompts, session.settings, FIRST_SETTINGS, session.strategy, session.seed)


def whole_text(session: TextState) -> str:
    """The text with what follows the cursor; "" while the model is loading, or where it can read no prompt."""
    model = model_access.loaded_model(session)
    try:
        trace = session.ready(model) if model is not None else None
    except EngineError:
        trace = None
    if model is None or trace is None:
        return ""
    return model.text(tuple(trace.choices[i].token_id for i in trace.line()))


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
