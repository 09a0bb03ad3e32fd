"""Page for teachers: lesson plans, a worksheet and its answers, questions to discuss, ideas and their steps."""

from __future__ import annotations

import streamlit as st

from engine.bundled import BUNDLED_NAME
from pages.frame import frame
from pages.i18n.translator import Translator, plain
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, extensions, fragment, local_network, navigation
from pages.shell.share import panel
from pages.teachers import answers, documents, lesson_links, material, paper
from pages.teachers.documents import PARTS, PartName

# On paper, the worksheet has no title but its own, and no foot with the address of this page.
_BARE = """<style>@media print {
  [data-testid=stLayoutWrapper]:has(> .st-key-head) { display: none; }
  .stMainBlockContainer::after, [data-testid=stCaptionContainer] { display: none !important; }
}</style>"""

session = session_state.get(TextState)
t = Translator(session_state.language())


def sheet_blocks(values: dict[str, str]) -> list[paper.Block]:
    """The worksheet with the app's address, and a QR code that offers its prompts if phones can reach the address."""
    base = address.page_address().rpartition("/teachers")[0] + "/"
    reach = local_network.reach(base)
    if reach.notice not in ("", "open"):
        return documents.sheet(values, t, "", None)
    home = local_network.reachable(base)
    query = lesson_links.prompts_query(material.read(t.language).sheet.prompts)
    return documents.sheet(values, t, home, panel.qr_code(f"{home}?{query}"))


@fragment.part
def draw_part(part: PartName) -> None:
    """One part of the material; the numbers are those of the bundled model, whichever the visitor has loaded."""
    with_numbers = part in documents.WITH_NUMBERS
    values = answers.bundled_values(t.language) if with_numbers else answers.setup_values(t.language)
    blocks = sheet_blocks(values) if part == "sheet" else documents.WITHOUT_ADDRESS[part](values, t)
    if part == "sheet":
        st.html(_BARE)
        if not any(block.get("qr") for block in blocks):
            st.caption(t("teachers.sheet.no_qr"))
    paper.draw(blocks, t("teachers.print"))
    if with_numbers and part != "sheet":
        st.caption(t("teachers.live"))
    if with_numbers and session.model_name != BUNDLED_NAME:
        st.info(t("teachers.model", name=plain(session.model_name)))


address_bar = address.AddressBar(session, t, widgets={"shown": ("teachers_part", PARTS)})
frame.begin(t("teachers.title"), t("teachers.lead"), session, t)
address_bar.restore()
selected = st.segmented_control(
    t("teachers.which"), PARTS, default=PARTS[0], required=True, format_func=lambda part: t(f"teachers.part.{part}"),
    key="teachers_part", persist_state="session", label_visibility="collapsed",
)  # fmt: skip
draw_part(selected)
if extensions.links is not None:  # not on a page that is run alone
    st.page_link(navigation.path("write"), label=t("own_lesson.door"), width="content")
    st.page_link(navigation.path("classroom"), label=t("classroom.for_teachers"), width="content")
address_bar.update()
