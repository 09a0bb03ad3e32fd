"""What every page has around it: less empty space above, a measure that an eye can follow."""

from __future__ import annotations

import streamlit as st

from engine.serving import config
from pages.ui import component, share
from pages.ui.i18n import Translator
from pages.ui.picture import Place
from pages.ui.session import Session

# Streamlit's own defaults leave a quarter of a phone's screen empty. Nothing here depends on anything a person typed.
# Its captions, key names and values get the contrast that small text needs. Quotation marks in English come from the
# Chinese font, which has them as wide as a character, too.
_STYLE = """<style>
.stMainBlockContainer { padding-top: 2.6rem; padding-bottom: 4rem; max-width: 1180px; }
:lang(en) .stApp { font-variant-east-asian: proportional-width; }
.stMain:focus-visible { outline: none; }
.stColumn { min-width: min(100%, 18rem); }
.stHorizontalBlock > :has(.st-key-share) { flex-shrink: 0; min-width: max-content; }
.stHorizontalBlock:has(> * .st-key-share) > :has(h1) { flex-shrink: 1; min-width: 0; }
.st-key-share button { white-space: nowrap; }
.stSidebar [data-testid="stSidebarUserContent"] { padding-top: 0; }
.stApp:has([data-testid="stExpandSidebarButton"]) .stMainBlockContainer { padding-top: 4rem; }
.st-key-language, .st-key-history, .st-key-history_entry { display: none; }
.stApp [data-testid="stCaptionContainer"], .stApp kbd { opacity: 0.74; }
.stApp [data-testid="stSliderThumbValue"], .stApp button[data-selected="true"] p,
.stApp button[kind="tertiary"]:hover p {
  color: light-dark(#1D2330, #8EC3EE);
}
@media (max-width: 1100px) { .stMainBlockContainer { padding-left: 2rem; padding-right: 2rem; } }
@media (max-width: 640px) { .stMainBlockContainer { padding-left: 0.9rem; padding-right: 0.9rem; } }
</style>"""

_language = component.register("language", "language")


def begin(title: str, lead: str, session: Session, t: Translator, place: Place | None = None) -> None:
    """The head of a page. `place` names it to the share panel, which then has this page's tables and pictures too."""
    st.html(_STYLE)
    _language(key="language", data={"language": t.language.replace("_", "-")}, on_turned_change=lambda: None)
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.title(title, anchor=False, width="content")
        share.draw(session, t, place)
    with st.container(key="lead"):
        st.caption(lead)
    if config.current().demo:
        st.info(t("host.demo"))
