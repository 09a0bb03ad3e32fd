"""Cut into tokens: any text in the model's tokens, how they came about, and the same text in other tokenizers."""

from __future__ import annotations

import streamlit as st

import engine
from engine.bundled import BUNDLED_NAME
from engine.errors import EngineError
from pages.ui import address, cut, cutting, merging, models, page, settings, shaded, state, text_box
from pages.ui.i18n import Translator

session = state.session()
cuts = state.cutting()
t = Translator(state.language())


def draw_box(model: engine.Model) -> None:
    """The text, and some to begin with; the step page's is among them where another one stands here."""
    text_box.draw(cuts.text, cuts.box, state.dark(), t("cut.text"), t("cut.placeholder"), cuts.typed, key="cut_text")
    names, texts = t.list("cut.examples.names"), t.list("cut.examples.texts")
    elsewhere = cuts.own and cuts.text != cuts.at_hand(session, model)
    also = (t("cut.follow"), cuts.follow) if elsewhere else None
    text_box.examples(list(zip(names, texts, strict=True)), t, cuts.take, key="cut", also=also)


def draw_merges(model: engine.Model) -> None:
    st.subheader(t("cut.merge.title"), anchor=False)
    st.caption(t("cut.merge.lead"))
    try:
        replay = cuts.replay(model)
    except EngineError as error:
        st.info(t(f"error.{error.code}"))
        return
    merging.draw(merging.data(model.vocabulary, replay, cuts.merged, cuts.turn), state.dark(), t, cuts.merge_to)
    if len(cuts.text) > cutting.MOST_MERGED:
        st.caption(t("cut.merge.beginning", most=cutting.MOST_MERGED))
    st.caption(t("cut.merge.legend", count=f"{model.vocabulary.merges.count:,}"))


def draw_compared(model: engine.Model) -> None:
    from engine.tokenization.tokenized_text import standalone_tokenizer
    from engine.tokenization.tokenized_text import tokenize as cut_by

    st.subheader(t("cut.compare.title"), anchor=False)
    st.caption(t("cut.compare.lead"))
    tokenizers = [] if model.name == BUNDLED_NAME else [("own", model.vocabulary)]
    tokenizers += [(name, standalone_tokenizer(name)) for name in ("bundled", "characters", "bytes")]
    found = [(name, vocabulary, cut_by(vocabulary, cuts.text)) for name, vocabulary in tokenizers]
    cut.draw_compared(cut.compared(found, t), state.dark())


@models.fragment
def workbench() -> None:
    model = models.wait(session, t)
    cuts.ready(session, model)
    here.write()
    draw_box(model)
    try:
        found = cuts.cut(model)
    except EngineError as error:
        models.tell(error, t, "cut.kept")
        return
    if not cuts.text:
        st.info(t("cut.empty"))
        return
    cut.draw(cut.data(model.vocabulary, found, cuts.opened, cuts.turn, t), state.dark(), t, cuts.open)
    if len(found.token_ids) > cut.MOST_DRAWN:
        st.caption(t("cut.more", count=f"{len(found.token_ids) - cut.MOST_DRAWN:,}"))
    draw_merges(model)
    draw_compared(model)
    st.subheader(t("cut.why.title"), anchor=False)
    shaded.draw([], cut.why(model, found, cuts.opened, t), state.dark(), key="cut_why")


here = address.Here(session, t, cuts)
page.begin(t("cut.title"), t("cut.lead"), session, t, "tokens")
here.open()
workbench()
with st.sidebar:
    settings.draw_model(session, t)
