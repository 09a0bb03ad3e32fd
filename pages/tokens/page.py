"""Tokens page: a text in the model's tokens, its BPE merges, and the same text in other tokenizers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import streamlit as st

import engine
from engine.errors import EngineError
from engine.serving import model_registry
from pages.components import examples, text_area
from pages.components.examples import Example
from pages.components.tables import shaded_tokens
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, example_language, fragment, messages, model_access, model_picker, remote_notice
from pages.tokens import bpe_merges, explanation, export, token_details, tokenizer_comparison
from pages.tokens.state import MAX_MERGE_CHARACTERS, TokensState

session = session_state.get(TextState)
state = session_state.get(TokensState)
t = Translator(session_state.language())


def named_texts() -> Iterator[tuple[str, str]]:
    """The examples with their names, of which some are the text itself."""
    own, texts = (each.list("cut.examples.texts") for each in (t, example_language.for_prompts(t)))
    for name, own_text, text in zip(t.list("cut.examples.names"), own, texts, strict=True):
        yield text if name == own_text else name, text


def draw_box(model: engine.Model) -> None:
    """Text box and example buttons, with one for the text of the step page if it differs."""
    text_area.draw(state.text, state.box_version, t("cut.text"), t("cut.placeholder"), state.on_typed, key="cut_text")
    step_text_differs = state.own and state.text != state.step_text(session, model)
    buttons = [Example(name, f"cut example {name}", partial(state.load_text, text)) for name, text in named_texts()]
    if step_text_differs:
        buttons.append(Example(t("cut.follow"), "cut also", state.follow_step_page))
    examples.draw(buttons, t, "cut examples")


def draw_merges(model: engine.Model) -> None:
    st.subheader(t("cut.merge.title"), anchor=False)
    st.caption(t("cut.merge.lead"))
    try:
        derivation = state.derivation(model)
    except EngineError as error:
        st.info(t(f"error.{error.code}"))
        if model.is_remote:
            remote_notice.draw_local(session, t)
        return
    merges = bpe_merges.data(model.vocabulary, derivation, state.merge_count, state.turn)
    bpe_merges.draw(merges, t, state.merge_to)
    with st.container():
        if len(state.text) > MAX_MERGE_CHARACTERS:
            st.caption(t("cut.merge.beginning", most=MAX_MERGE_CHARACTERS))
    st.caption(t("cut.merge.legend", count=f"{model.vocabulary.merges.count:,}"))


def draw_comparison(model: engine.Model) -> None:
    from engine.tokenization.tokenized_text import tokenize

    st.subheader(t("cut.compare.title"), anchor=False)
    st.caption(t("cut.compare.lead"))
    tokenizers = tokenizer_comparison.choice(model, model_registry.loaded())
    rows = [(tokenizer, tokenize(tokenizer.vocabulary, state.text)) for tokenizer in tokenizers]
    tokenizer_comparison.draw(tokenizer_comparison.data(rows, t))
    st.caption(t("cut.compare.more"))


@fragment.workbench
def workbench() -> None:
    model = model_access.wait_for_model(session, t)
    messages.show_model_problem(session.problem, t)
    state.update_text(session, model)
    address_bar.update()
    draw_box(model)
    try:
        tokenized = state.tokenized(model)
    except EngineError as error:
        messages.show_problem(error, t, "cut.kept")
        return
    if not state.text:
        st.info(t("cut.empty"))
        return
    details = token_details.data(model.vocabulary, tokenized, state.opened, state.turn, t)
    token_details.draw(details, t, state.toggle_token)
    with st.container():
        if more := token_details.more_tokens(len(tokenized.token_ids) - token_details.MAX_CHIPS, t):
            st.caption(more)
    with st.container():
        draw_merges(model)
    draw_comparison(model)
    st.subheader(t("cut.why.title"), anchor=False)
    shaded_tokens.draw([], explanation.sentences(model, tokenized, state.opened, t), key="cut_why")


address_bar = address.AddressBar(session, t, state)
frame.begin(t("cut.title"), t("cut.lead"), session, t, export.EXPORTS)
address_bar.restore()
workbench()
model_picker.draw(session, t)
