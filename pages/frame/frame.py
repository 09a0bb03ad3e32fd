"""Frame of every page: global style, document language, title, share panel and lead."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

from engine.serving import config
from pages.components.register import register
from pages.frame import streamlit_words
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell import extensions
from pages.shell.share import panel
from pages.shell.share.downloads import NOTHING, Exports

# Smaller margins: Streamlit's defaults leave a quarter of a phone's screen empty. More contrast for captions, keyboard
# keys and slider values, which are small. A prompt's box is as high as its text, with the hint below it. Proportional
# width in English: its quotation marks come from the Chinese font, where they are full-width. No toolbar of Streamlit
# on charts and pictures: it lies on their legends, and its table and its menu speak English. Containers in which
# nothing is drawn take no room: they only keep places. Constant text: nothing that a visitor typed is inserted.
_STYLE = """<style>
.stMainBlockContainer { padding-top: 1rem; padding-bottom: 4rem; max-width: 1180px; }
:lang(en) .stApp { font-variant-east-asian: proportional-width; }
.stMain:focus-visible { outline: none; }
.stColumn { min-width: min(100%, 18rem); }
.st-key-share button { white-space: nowrap; }
.st-key-bar { border-bottom: 1px solid light-dark(#E4E1DA, #2A2F37); padding-bottom: 6px; }
.st-key-bar > :first-child p { font-weight: 700; }
.st-key-bar > .st-key-lang { margin-left: auto; }
.st-key-bar > :last-child { flex: none; width: auto; }
.st-key-head h1 { padding: 0; }
.st-key-lead { padding-top: 8px; }
.stMainBlockContainer > .stVerticalBlock { gap: 0.6rem; }
.st-key-menu_course { display: none; }
.st-key-menu_lab { gap: 0.1rem; }
.st-key-menu_lab a { padding-left: 0; }
.st-key-prompt_row > :has(.st-key-examples) { flex: 1 1 260px; }
.st-key-settings { align-items: flex-end; }
:has(+ [class*="st-key-enter_key"]) textarea {
  min-height: 2.375rem; max-height: 8rem; padding-block: 0.55rem; resize: none;
}
.stApp [data-testid="InputInstructions"] { top: 100%; bottom: auto; }
@supports (field-sizing: content) {
  :has(+ [class*="st-key-enter_key"]) textarea { field-sizing: content; height: auto; }
}
[class*="-examples"] { gap: 6px 8px; }
[class*="-examples"] button { border-radius: 999px; min-height: 0; padding: 1px 12px; white-space: nowrap; }
.st-key-die button::before { content: ""; width: 15px; height: 15px; margin-right: 7px; background: currentColor;
  mask: url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath \
fill-rule='evenodd' d='M4 1h8a3 3 0 0 1 3 3v8a3 3 0 0 1-3 3H4a3 3 0 0 1-3-3V4a3 3 0 0 1 3-3zM4 5a1 1 0 0 0 2 0a1 1 0 0 \
0-2 0zM10 5a1 1 0 0 0 2 0a1 1 0 0 0-2 0zM7 8a1 1 0 0 0 2 0a1 1 0 0 0-2 0zM4 11a1 1 0 0 0 2 0a1 1 0 0 0-2 0zM10 11a1 \
1 0 0 0 2 0a1 1 0 0 0-2 0z'/%3E%3C/svg%3E"); }
.st-key-doors { padding-top: 0.3rem; }
.st-key-doors a { border: 1px solid light-dark(#E4E1DA, #2A2F37); border-radius: 8px; padding: 0.4rem 1rem; }
@media (max-width: 640px) {
  [data-testid=stLayoutWrapper]:has(> .st-key-bar_links) { display: none; }
  .st-key-menu_course { display: flex; }
  .st-key-head > :last-child { flex-basis: 100%; }
  .st-key-bar :is(button, a) { padding-inline: 8px; }
  .st-key-settings { flex-wrap: nowrap; overflow: auto hidden; scrollbar-width: none; padding: 3px 0; }
  .st-key-settings > * { flex: none; }
  .st-key-lead { padding-top: 0; }
  .st-key-head { gap: 0; }
  .st-key-examples { flex-wrap: nowrap; overflow-x: auto; scrollbar-width: none; }
  .st-key-examples > * { flex: none; }
}
@media (max-width: 380px) { .st-key-bar { gap: 4px; } .st-key-bar :is(button, a) { padding-inline: 5px; } }
.st-key-language, .st-key-printing, .st-key-streamlit_words, [class*="st-key-enter_key"], .st-key-view, .st-key-history,
.st-key-history_entry,
[data-testid=stLayoutWrapper]:has(> .st-key-keyed_buttons),
[data-testid=stLayoutWrapper]:has(> .stVerticalBlock):not(
  :has(.stElementContainer:not(.st-key-history_entry) > :not(.stEmpty)),
  :has([data-testid=stLayoutWrapper] > :not(.stVerticalBlock))
) { display: none; }
[data-testid=stFullScreenFrame] [data-testid=stElementToolbar] { display: none; }
.stApp [data-testid="stCaptionContainer"], .stApp kbd { opacity: 0.74; }
.stApp [data-testid="stSliderThumbValue"], .stApp button[data-selected="true"] p,
.stApp button[kind="tertiary"]:hover p {
  color: light-dark(#1D2330, #8EC3EE);
}
@media (max-width: 1100px) {
  .stMainBlockContainer { padding-left: 2rem; padding-right: 2rem; }
  .st-key-bar { gap: 8px; }
}
@media (max-width: 640px) { .stMainBlockContainer { padding-left: 0.9rem; padding-right: 0.9rem; } }
</style>"""


@cache
def _print_style() -> str:
    return Path(__file__).with_name("print_style.css").read_text("utf-8")


_language = register("language", Path(__file__).with_name("document_language.js"))
_printing = register("printing", Path(__file__).with_name("printing.js"))


def begin(title: str, lead: str, session: TextState, t: Translator, exports: Exports = NOTHING) -> None:
    """Draw the head of a page: top bar with the share panel of the page's `exports`, title, lead, notice of a demo."""
    st.html(f"{_STYLE}<style>{_print_style()}</style>")
    _language(key="language", data={"language": t.language.replace("_", "-")}, on_turned_change=lambda: None)
    _printing(key="printing", data={})
    streamlit_words.draw(t)
    with st.container(key="bar", horizontal=True, vertical_alignment="center", gap="small"):
        if extensions.links is not None and not st.context.is_embedded:
            extensions.links(t)
        panel.draw(session, t, exports)
    with st.container(key="head", horizontal=True, vertical_alignment="top", gap="medium"):
        st.title(title, anchor=False, width="content")
        with st.container(key="lead"):
            st.caption(lead)
    if config.current().demo:
        st.info(t("host.demo"))
