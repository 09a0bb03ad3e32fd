"""The tokens page: chips, cards, merges and rows say what the tokenizer does; typing, switching, bad input."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from streamlit.testing.v1 import AppTest

from engine.model.loading import load
from engine.model.model import Model
from engine.tokenization.tokenized_text import standalone_tokenizer
from engine.tokenization.tokenized_text import tokenize as cut_by
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.tokens import bpe_merges, explanation, state, token_details, tokenizer_comparison
from pages.tokens.state import TokensState
from tests import tiny
from tests.engine.tokenization.test_encode import HARD, texts
from tests.pages.visit import state_of, visit

LANGUAGES = ("zh_Hant", "en")
EMOJI = "好 👍🏽龘"


@given(text=texts)
def test_chips_and_cards_hold_the_whole_text(text: str) -> None:
    vocabulary = standalone_tokenizer("bundled")
    found = cut_by(vocabulary, text)
    data = token_details.data(vocabulary, found, None, 0, Translator("en"))
    drawn = [token for group in data["groups"] for token in group["tokens"]]
    assert [index for index, *_ in drawn] == list(range(min(len(found.token_ids), token_details.MOST_DRAWN)))
    assert all(label and "\ufffd" not in label for _, label, _ in drawn)
    assert bytes.fromhex("".join(card[1] for card in data["cards"])).decode() == text
    assert [card[0] for card in data["cards"]] == list(found.token_ids)


def test_a_fragment_names_its_character() -> None:
    vocabulary = standalone_tokenizer("bundled")
    data = token_details.data(vocabulary, cut_by(vocabulary, EMOJI), None, 0, Translator("en"))
    assert [group["whole"] for group in data["groups"]] == [None, None, "👍🏽", "龘"]
    assert [label for _, label, _ in data["groups"][-1]["tokens"]] == ["1–2/3", "3/3"]
    assert data["cards"][-1][1:] == ["98", [["龘", "U+9F98", 3, 3, 3]]]


@given(text=texts)
def test_every_sign_along_the_merges_is_what_is_there(text: str) -> None:
    vocabulary = standalone_tokenizer("bundled")
    replay = vocabulary.merges.derive(text)
    data = bpe_merges.data(vocabulary, replay, 0, 0)
    signs = {at: sign for at, (sign, _) in enumerate(data["parts"])}
    held = {at: vocabulary.token_bytes(i) for at, i in enumerate(replay.parts)}
    for at, right_at, _, made in data["merges"]:
        held[at] += held.pop(right_at)
        del signs[right_at]
        signs[at] = made
        assert made[0] and "\ufffd" not in made[0]
        try:
            held[at].decode()
            assert made[1] == ""
        except UnicodeDecodeError:
            assert bytes.fromhex(made[1]) == held[at]
    assert [sign[0] for sign in signs.values()] == vocabulary.pieces(replay.ids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_count_what_each_tokenizer_gives(language: str, model: Model) -> None:
    text = "今天天氣真好, the weather"
    found = [("own", model.vocabulary, cut_by(model.vocabulary, text))]
    found += [
        (name, standalone_tokenizer(name), cut_by(standalone_tokenizer(name), text))
        for name in ("bundled", "characters", "bytes")
    ]
    data = tokenizer_comparison.compared(found, Translator(language))
    assert len(data["columns"]) == 3
    totals = [int(row["numbers"][0]) for row in data["rows"]]
    assert totals == [
        len(model.encode(text)),
        len(standalone_tokenizer("bundled").encode(text)),
        len(text),
        len(text.encode()),
    ]
    assert data["rows"][2]["numbers"][1:] == ["1.00", "1.00"] and data["rows"][3]["numbers"][1] == "3.00"
    only_english = [("bytes", standalone_tokenizer("bytes"), cut_by(standalone_tokenizer("bytes"), "abc"))]
    assert len(tokenizer_comparison.compared(only_english, Translator(language))["columns"]) == 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ["字", *HARD])
def test_reasons_are_about_this_text(language: str, text: str, model: Model) -> None:
    found = cut_by(model.vocabulary, text)
    lines = explanation.why(model, found, None, Translator(language))
    assert str(len(found.token_ids)) in lines[0] and str(len(text.encode())) in lines[0]
    assert str(model.context_length) in lines[1]


def test_the_text_follows_the_step_page_until_one_is_typed(model: Model) -> None:
    session, cuts = TextState(prompt="今天", model_name=model.name), TokensState()
    cuts.ready(session, model)
    assert cuts.text == "今天"
    session.set_prompt(model, "the cat")
    cuts.ready(session, model)
    assert (cuts.text, cuts.own) == ("the cat", False)
    cuts.typed(cuts.box, "the cats")
    session.set_prompt(model, "天")
    cuts.ready(session, model)
    assert (cuts.text, cuts.own) == ("the cats", True)
    cuts.follow()
    cuts.ready(session, model)
    assert cuts.text == "天"


def test_moves_that_are_out_of_date_do_nothing(model: Model) -> None:
    cuts = TokensState()
    cuts.take("今天天氣")
    tokens, replay = cuts.cut(model).token_ids, cuts.derivation(model)
    cuts.open(cuts.turn, 1)
    cuts.merge_to(cuts.turn, 2)
    for turn, index in ((cuts.turn - 1, 0), (cuts.turn, -1), (cuts.turn, len(tokens))):
        cuts.open(turn, index)
    for turn, count in ((cuts.turn - 1, 1), (cuts.turn, -1), (cuts.turn, len(replay.merges) + 1)):
        cuts.merge_to(turn, count)
    cuts.typed(cuts.box - 1, "typed into a box that was filled anew")
    assert (cuts.opened, cuts.merged, cuts.text) == (1, 2, "今天天氣")
    cuts.open(cuts.turn, 1)
    assert cuts.opened is None
    cuts.typed(cuts.box, "今")
    assert cuts.merged == 0


def page(language: str) -> AppTest:
    return visit("tokens", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_any_text_is_cut_or_refused_with_a_sentence(language: str) -> None:
    app = page(language)
    cuts = state_of(app, TokensState)
    assert cuts.text == ("今天天氣真" if language == "zh_Hant" else "The weather today is")
    for text in ("字", "\0\x1b\r", "👩‍👩‍👧🇹🇼", "<b>*hi*</b> $x$ :cat:", "今天天氣真好。\n" * 300, " "):
        cuts.take(text)
        app.run()
        assert not app.exception and not app.error and not app.info
    cuts.take("")
    app.run()
    assert len(app.info) == 1 and not app.exception
    cuts.take("字" * (state.MOST_CHARACTERS + 1))
    app.run()
    assert len(app.error) == 1 and not app.exception


def test_the_text_is_kept_while_other_pages_are_looked_at() -> None:
    app = page("zh_Hant")
    app.button(key="cut example ChatGPT").click().run()
    app.switch_page(navigation.path("step")).run()
    app.button(key="next").click().run()
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
