"""Tokens page: chips, token details, merges and comparison rows against the tokenizer; typing, switching, bad input."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from streamlit.testing.v1 import AppTest

from engine.bundled import BUNDLED_NAME
from engine.model.loading import load
from engine.model.model import Model
from engine.tokenization.tokenized_text import standalone_tokenizer, tokenize
from engine.tokenization.vocabulary import Vocabulary
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.tokens import bpe_merges, explanation, token_details, tokenizer_comparison
from pages.tokens.state import MAX_CHARACTERS, TokensState
from pages.tokens.tokenizer_comparison import Tokenizer
from tests import tiny
from tests.engine.tokenization.test_encode import HARD, texts
from tests.pages.visit import move, state_of, visit

LANGUAGES = ("zh_Hant", "en")
EMOJI = "好 👍🏽龘"


@given(text=texts)
def test_chips_and_cards_hold_the_whole_text(text: str) -> None:
    vocabulary = standalone_tokenizer("bundled")
    tokenized = tokenize(vocabulary, text)
    data = token_details.data(vocabulary, tokenized, None, 0, Translator("en"))
    drawn = [token for group in data["groups"] for token in group["tokens"]]
    assert [index for index, *_ in drawn] == list(range(min(len(tokenized.token_ids), token_details.MAX_CHIPS)))
    assert all(label and "\ufffd" not in label for _, label, _ in drawn)
    assert bytes.fromhex("".join(card[1] for card in data["cards"])).decode() == text
    assert [card[0] for card in data["cards"]] == list(tokenized.token_ids)


def test_a_part_of_a_character_names_the_character() -> None:
    vocabulary = standalone_tokenizer("bundled")
    data = token_details.data(vocabulary, tokenize(vocabulary, EMOJI), None, 0, Translator("en"))
    assert [group["whole"] for group in data["groups"]] == [None, None, "👍🏽", "龘"]
    assert [label for _, label, _ in data["groups"][-1]["tokens"]] == ["1–2/3", "3/3"]
    assert data["cards"][-1][1:] == ["98", [["龘", "U+9F98", 3, 3, 3]], ""]


@given(text=texts)
def test_every_sign_is_the_token_after_its_merge(text: str) -> None:
    vocabulary = standalone_tokenizer("bundled")
    derivation = vocabulary.merges.derive(text)
    data = bpe_merges.data(vocabulary, derivation, 0, 0)
    signs = {at: sign for at, (sign, _) in enumerate(data["parts"])}
    token_bytes = {at: vocabulary.token_bytes(i) for at, i in enumerate(derivation.parts)}
    for at, right_at, _, merged in data["merges"]:
        token_bytes[at] += token_bytes.pop(right_at)
        del signs[right_at]
        signs[at] = merged
        assert merged[0] and "\ufffd" not in merged[0]
        try:
            token_bytes[at].decode()
            assert merged[1] == ""
        except UnicodeDecodeError:
            assert bytes.fromhex(merged[1]) == token_bytes[at]
    assert [sign[0] for sign in signs.values()] == vocabulary.pieces(derivation.ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_count_the_tokens_of_each_tokenizer(language: str, model: Model) -> None:
    text = "今天天氣真好, the weather"
    tokenizers = [Tokenizer("own", model.vocabulary)]
    tokenizers += [Tokenizer(name, standalone_tokenizer(name)) for name in ("bundled", "characters", "bytes")]
    rows = [(tokenizer, tokenize(tokenizer.vocabulary, text)) for tokenizer in tokenizers]
    data = tokenizer_comparison.data(rows, Translator(language))
    assert len(data["columns"]) == 3
    totals = [int(row["numbers"][0]) for row in data["rows"]]
    assert totals == [
        len(model.encode(text)),
        len(standalone_tokenizer("bundled").encode(text)),
        len(text),
        len(text.encode()),
    ]
    assert data["rows"][2]["numbers"][1:] == ["1.00", "1.00"] and data["rows"][3]["numbers"][1] == "3.00"
    only_english = [(tokenizers[-1], tokenize(tokenizers[-1].vocabulary, "abc"))]
    assert len(tokenizer_comparison.data(only_english, Translator(language))["columns"]) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_other_loaded_model_has_a_row(language: str, model: Model) -> None:
    bundled = Model(BUNDLED_NAME, model.vocabulary, model.prefix_cache, model.context_length, model.end_ids)
    vocabulary = Vocabulary(tiny.wordpiece(), tiny.wordpiece().get_vocab_size())
    other = Model("somebody/other", vocabulary, model.prefix_cache, model.context_length, model.end_ids)
    assert [each.key for each in tokenizer_comparison.choice(bundled, [bundled])] == ["bundled", "characters", "bytes"]
    (first, *rest) = tokenizer_comparison.choice(bundled, [bundled, other])
    assert [each.key for each in rest] == ["bundled", "characters", "bytes"]
    assert tokenizer_comparison.choice(other, [bundled, other])[0].key == "own"
    text = "the cat"
    count = len(tiny.wordpiece().encode(text, add_special_tokens=False).ids)
    (row,) = tokenizer_comparison.data([(first, tokenize(first.vocabulary, text))], Translator(language))["rows"]
    assert "somebody/other" in row["name"] and row["numbers"][0] == str(count)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ["字", *HARD])
def test_sentences_are_about_this_text(language: str, text: str, model: Model) -> None:
    tokenized = tokenize(model.vocabulary, text)
    lines = explanation.sentences(model, tokenized, None, Translator(language))
    assert str(len(tokenized.token_ids)) in lines[0] and str(len(text.encode())) in lines[0]
    assert str(model.context_length) in lines[1]


def test_the_text_follows_the_step_page_until_one_is_typed(model: Model) -> None:
    session, state = TextState(prompt="今天", model_name=model.name), TokensState()
    state.update_text(session, model)
    assert state.text == "今天"
    session.set_prompt(model, "the cat")
    state.update_text(session, model)
    assert (state.text, state.own) == ("the cat", False)
    state.on_typed(state.box_version, "the cats")
    session.set_prompt(model, "天")
    state.update_text(session, model)
    assert (state.text, state.own) == ("the cats", True)
    state.follow_step_page()
    state.update_text(session, model)
    assert state.text == "天"


def test_moves_that_are_out_of_date_do_nothing(model: Model) -> None:
    state = TokensState()
    state.load_text("今天天氣")
    tokens, derivation = state.tokenized(model).token_ids, state.derivation(model)
    state.toggle_token(state.turn, 1)
    state.merge_to(state.turn, 2)
    for turn, index in ((state.turn - 1, 0), (state.turn, -1), (state.turn, len(tokens))):
        state.toggle_token(turn, index)
    for turn, count in ((state.turn - 1, 1), (state.turn, -1), (state.turn, len(derivation.merges) + 1)):
        state.merge_to(turn, count)
    state.on_typed(state.box_version - 1, "typed into a box that has been refilled since")
    assert (state.opened, state.merge_count, state.text) == (1, 2, "今天天氣")
    state.toggle_token(state.turn, 1)
    assert state.opened is None
    state.on_typed(state.box_version, "今")
    assert state.merge_count == 0


def page(language: str) -> AppTest:
    return visit("tokens", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_any_text_is_tokenized_or_refused_with_a_sentence(language: str) -> None:
    app = page(language)
    state = state_of(app, TokensState)
    assert state.text == ("今天天氣真" if language == "zh_Hant" else "The weather today is")
    for text in ("字", "\0\x1b\r", "👩‍👩‍👧🇹🇼", "<b>*hi*</b> $x$ :cat:", "今天天氣真好。\n" * 300, " "):
        state.load_text(text)
        app.run()
        assert not app.exception and not app.error and not app.info
    state.load_text("")
    app.run()
    assert len(app.info) == 1 and not app.exception
    state.load_text("字" * (MAX_CHARACTERS + 1))
    app.run()
    assert len(app.error) == 1 and not app.exception


def test_the_text_survives_a_visit_to_another_page() -> None:
    app = page("zh_Hant")
    app.button(key="cut example ChatGPT").click().run()
    app.switch_page(navigation.path("step")).run()
    move(app, "next")
    app.switch_page(navigation.path("tokens")).run()
    assert state_of(app, TokensState).text == "ChatGPT"
    app.button(key="cut also").click().run()
    assert state_of(app, TokensState).text.startswith("今天天氣真")
    assert not app.exception


def test_a_model_that_merges_nothing_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tiny.wordpiece()
    folder = tiny.save(tmp_path / "wordpiece", tokenizer, tiny.FAMILIES["gpt2"][1](tokenizer.get_vocab_size()))
    monkeypatch.setenv("ENGINE_MODELS", f"{tmp_path}/*")
    app = page("en")
    state_of(app, TextState).choose_model(str(folder))
    app.run()
    assert not app.exception
    assert [info.value[:40] for info in app.info] == ["This model's tokenizer is WordPiece, whi"]
    assert load(folder, from_hub=False).encode("the cat") == tuple(tokenizer.encode("the cat").ids[:-1])
