"""Cut into tokens: any text in the model's tokens, how they came about, and the same text in other tokenizers."""

from __future__ import annotations

from functools import partial

import streamlit as st

import engine
from engine.bundled import BUNDLED_NAME
from engine.errors import EngineError
from pages.components import examples, shaded_tokens, text_area
from pages.components.examples import Example
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, fragment, messages, model_access, model_picker
from pages.tokens import bpe_merges, explanation, export, state, token_details, tokenizer_comparison
from pages.tokens.state import TokensState

session = session_state.get(TextState)
cuts = session_state.get(TokensState)
t = Translator(session_state.language())


def draw_box(model: engine.Model) -> None:
    """The text, and some to begin with; the step page's is among them where another one stands here."""
    text_area.draw(cuts.text, cuts.box, t("cut.text"), t("cut.placeholder"), cuts.typed, key="cut_text")
    names, texts = t.list("cut.examples.names"), t.list("cut.examples.texts")
    elsewhere = cuts.own and cuts.text != cuts.at_hand(session, model)
    rows = zip(names, texts, strict=True)
    buttons = [Example(name, f"cut example {name}", partial(cuts.take, text)) for name, text in rows]
    if elsewhere:
        buttons.append(Example(t("cut.follow"), "cut also", cuts.follow))
    examples.draw(buttons, t, "cut examples")


def draw_merges(model: engine.Model) -> None:
    st.subheader(t("cut.merge.title"), anchor=False)
    st.caption(t("cut.merge.lead"))
    try:
        replay = cuts.derivation(model)
    except EngineError as error:
        st.info(t(f"error.{error.code}"))
        return
    bpe_merges.draw(bpe_merges.data(model.vocabulary, replay, cuts.merged, cuts.turn), t, cuts.merge_to)
    if len(cuts.text) > state.MOST_MERGED:
        st.caption(t("cut.merge.beginning", most=state.MOST_MERGED))
    st.caption(t("cut.merge.legend", count=f"{model.vocabulary.merges.count:,}"))


def draw_compared(model: engine.Model) -> None:
    from engine.tokenization.tokenized_text import standalone_tokenizer
    from engine.tokenization.tokenized_text import tokenize as cut_by

    st.subheader(t("cut.compare.title"), anchor=False)
    st.caption(t("cut.compare.lead"))
    tokenizers = [] if model.name == BUNDLED_NAME else [("own", model.vocabulary)]
    tokenizers += [(name, standalone_tokenizer(name)) for name in ("bundled", "characters", "bytes")]
    found = [(name, vocabulary, cut_by(vocabulary, cuts.text)) for name, vocabulary in tokenizers]
    tokenizer_comparison.draw_compared(tokenizer_comparison.compared(found, t))


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    cuts.ready(session, model)
    address_bar.update()
    draw_box(model)
    try:
        found = cuts.cut(model)
    except EngineError as error:
        messages.show_problem(error, t, "cut.kept")
        return
    if not cuts.text:
        st.info(t("cut.empty"))
        return
    token_details.draw(token_details.data(model.vocabulary, found, cuts.opened, cuts.turn, t), t, cuts.open)
    if len(found.token_ids) > token_details.MOST_DRAWN:
        st.caption(t("cut.more", count=f"{len(found.token_ids) - token_details.MOST_DRAWN:,}"))
    draw_merges(model)
    draw_compared(model)
    st.subheader(t("cut.why.title"), anchor=False)
    shaded_tokens.draw([], explanation.why(model, found, cuts.opened, t), key="cut_why")


address_bar = address.AddressBar(session, t, cuts)
frame.begin(t("cut.title"), t("cut.lead"), session, t, export.EXPORTS)
address_bar.restore()
workbench()
with st.sidebar:
    model_picker.draw(session, t)
