"""Side-by-side page without a browser: a second model, what is appended, links, refusals, one model alone, a demo."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from transformers import GPT2Config

from engine.bundled import BUNDLED_NAME
from engine.serving import catalog, model_registry
from pages.i18n.translator import WRITTEN, Translator
from pages.session.text_state import TextState
from pages.shell.address import AddressState
from pages.side_by_side import sentences
from pages.side_by_side.state import SideState, candidates
from tests import tiny
from tests.pages.visit import component_data, follow_link, state_of, visit


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models that the host allows; two of them by name."""
    tiny.build("llama", tmp_path / "llama")
    tokenizer = tiny.wordpiece()
    config = GPT2Config(vocab_size=tokenizer.get_vocab_size(), n_positions=64, n_embd=32, n_layer=2, n_head=4)
    tiny.save(tmp_path / "bert", tokenizer, config, "[SEP]")
    monkeypatch.setenv("ENGINE_MODELS", f"{tmp_path}/llama,{tmp_path}/bert,{tmp_path}/*")
    return tmp_path


def settle(app: AppTest) -> AppTest:
    while state_of(app, SideState).loading is not None or state_of(app, SideState).run.running:
        app.run()
    assert not app.exception
    return app


def beside(name: str, language: str = "en", page: AppTest | None = None) -> AppTest:
    """The page with a second model, chosen in the select box."""
    app = page or visit("side-by-side", language)
    app.selectbox(key=f"side second {BUNDLED_NAME} ").set_value(name).run()
    return settle(app)


def told(app: AppTest) -> str:
    return "\n".join(
        str(element.value) for kind in (app.markdown, app.caption, app.warning, app.text) for element in kind
    )


def rows(app: AppTest) -> dict[str, Any]:
    [proto] = [e.proto for e in app.get("bidi_component") if e.proto.id.endswith("-side_rows")]
    data = component_data(proto)
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("language", WRITTEN)
def test_two_models_stand_side_by_side_and_the_numbers_are_right(place: Path, language: str) -> None:
    t, name = Translator(language), f"{place}/llama"
    app = beside(name, language)
    state = state_of(app, SideState)
    first, second = (model_registry.request(each).result() for each in (BUNDLED_NAME, name))
    sums = []
    for model, other in ((first, second), (second, first)):
        theirs = {other.vocabulary.token_bytes(i) for i in range(other.vocabulary.size)}
        raw = model.distribution(model.encode(state.text)).raw
        sums.append(sum(float(p) for i, p in enumerate(raw) if model.vocabulary.token_bytes(i) not in theirs))
    written = told(app)
    assert t.percent(sums[1]) in written and t.percent(sums[0]) in written
    assert state.result(first, second).comparison is not None
    data = rows(app)
    assert len(data["rows"]) == 10 and len(data["names"]) == 2
    lacks = [side for row in data["rows"] for side in row["sides"] if side[0] is None]
    assert lacks and all(side[1] == t("side.missing") for side in lacks)
    assert session_model(app) == BUNDLED_NAME


def session_model(app: AppTest) -> str:
    return state_of(app, TextState).model_name


def test_choices_and_rows_are_appended_and_taken_back(place: Path) -> None:
    app = beside(f"{place}/llama")
    state = state_of(app, SideState)
    before, first = state.text, model_registry.request().result()
    ids = first.encode(before)
    best = int(first.distribution(ids).raw.argmax())
    app.button(key="side_take_A").click().run()
    assert state.text == before + first.text([*ids, best]).removeprefix(first.text(ids)) != before
    app.button(key="side_back").click().run()
    assert state.text == before and app.button(key="side_back").disabled
    second = model_registry.request(state.second).result()
    comparison = state.result(first, second).comparison
    assert comparison is not None
    for at, row in enumerate(comparison.rows):
        state.pick(first, second, state.turn, at)
        assert state.text == before + (row.text if row.shared and row.text else "")
        state.back()
    state.pick(first, second, state.turn - 1, 0)
    assert state.text == before


def test_a_link_holds_the_text_and_the_second_model(place: Path) -> None:
    app = beside(f"{place}/llama")
    app.button(key="side_take_A").click().run()
    state = state_of(app, SideState)
    query = state_of(app, AddressState).written
    assert query is not None and "side" in query
    again = settle(follow_link(query, "side-by-side"))
    restored = state_of(again, SideState)
    assert (restored.prompt, restored.written, restored.second) == (state.prompt, state.written, state.second)
    assert again.text_area(key="side_prompt").value == state.prompt
    assert not again.error and len(rows(again)["names"]) == 2
    broken = settle(follow_link(query | {"side": query["side"][:-4]}, "side-by-side"))
    assert state_of(broken, SideState).text == state_of(broken, TextState).prompt


def test_a_lockstep_run_shows_every_step_and_can_be_kept(place: Path) -> None:
    app = beside(f"{place}/llama")
    state, t = state_of(app, SideState), Translator("en")
    before = state.text
    app.button(key="side_run_A").click().run()
    settle(app)
    work = state.run.work
    assert len(work.steps) == 5 and state.text == before
    values = [step.comparison.divergence for step in work.steps]
    sentence = sentences.lockstep(work, t)
    assert t.number(max(values), 3) in sentence and t.number(float(np.mean(values)), 3) in sentence
    assert sentence in told(app)
    app.button(key="side_keep").click().run()
    assert state.text == work.text and state.run.work is None
    app.button(key="side_back").click().run()
    assert state.text == before + "".join(step.text for step in work.steps[:-1])


def test_bits_per_character_are_those_of_the_models(place: Path) -> None:
    app = beside(f"{place}/llama")
    state, t = state_of(app, SideState), Translator("en")
    models = [model_registry.request(name).result() for name in (BUNDLED_NAME, state.second)]
    found = state.result(*models).surprise
    assert found is not None
    sentence = sentences.bits(state.result(*models), t)[0]
    for model, value in zip(models, (found.first, found.second), strict=True):
        scores = model.score(model.encode(state.text)).log_probabilities
        tail, data = 0.0, b""
        for token_id, score in zip(reversed(model.encode(state.text)), reversed(scores), strict=True):
            if len(data) >= len(state.text[found.start :].encode()):
                break
            data = model.vocabulary.token_bytes(token_id) + data
            tail -= (score or 0.0) / math.log(2)
        assert value == pytest.approx(tail / found.characters, rel=1e-6) and t.number(value, 2) in sentence
    assert sentence in told(app)


def test_what_a_vocabulary_cannot_write_is_told(place: Path) -> None:
    app = beside(f"{place}/bert")
    t = Translator("en")
    app.text_area(key="side_prompt").set_value("今天黶").run()
    settle(app)
    assert any("黶" in warning.value for warning in app.warning) and t("side.no_bits") in told(app)


@pytest.mark.parametrize("bad", ["", "字" * 20_001, "今天天氣真好。" * 400], ids=range(3))
def test_a_bad_prompt_is_explained_and_the_text_stays(place: Path, bad: str) -> None:
    app = beside(f"{place}/llama")
    state = state_of(app, SideState)
    before = state.text
    app.text_area(key="side_prompt").set_value(bad).run()
    assert len(app.error) == 1 and state.text == before and not app.exception


def test_a_text_too_long_for_the_second_model_leaves_the_first(place: Path) -> None:
    app = beside(f"{place}/bert")
    t = Translator("en")
    app.text_area(key="side_prompt").set_value("今天天氣" * 16).run()
    assert len(app.error) == 1 and len(rows(app)["names"]) == 1
    state, first = state_of(app, SideState), model_registry.request().result()
    assert state.text == "今天天氣" * 16 and t("side.cannot_read", name="x")[-10:] in told(app)
    app.text_area(key="side_prompt").set_value("今天天氣" * 15 + "今天").run()  # 62 tokens with [CLS] 63
    second = model_registry.request(state.second).result()
    text, turn = state.text, state.turn
    state.append(first, second, turn, "天氣真好")
    assert state.problem is not None and state.problem.code == "context" and state.text == text
    app.run()
    assert state.refused_by == 1 and t("side.refused", name="x")[-20:] in told(app)
    assert len(app.error) == 1 and len(rows(app)["names"]) == 2


def test_a_model_that_cannot_be_loaded_is_told_and_can_be_tried_again(place: Path) -> None:
    app = visit("side-by-side", "en")
    state = state_of(app, SideState)
    state.choose(f"{place}/nothing")
    settle(app.run())
    assert state.load_problem is not None and len(app.error) == 1 and len(rows(app)["names"]) == 1
    tiny.build("gpt2", place / "nothing")
    app.button(key="side_again").click().run()
    settle(app)
    assert state.load_problem is None and not app.error and len(rows(app)["names"]) == 2
    state.choose("/etc/passwd")
    app.run()
    assert state.load_problem is not None and state.load_problem.code == "not_allowed" and not app.exception


@pytest.mark.parametrize("language", WRITTEN)
@pytest.mark.parametrize("demo", [False, True])
def test_one_model_alone_says_how_to_get_a_second(monkeypatch: pytest.MonkeyPatch, language: str, demo: bool) -> None:
    monkeypatch.delenv("ENGINE_MODELS", raising=False)
    if demo:
        monkeypatch.setenv("ENGINE_DEMO", "1")
    monkeypatch.setenv("ENGINE_CATALOG", "off")
    for use in model_registry.memory_use():
        model_registry.unload(use.name)
    assert candidates(BUNDLED_NAME) == []
    app = visit("side-by-side", language)
    t = Translator(language)
    assert not app.exception and not app.error and not app.selectbox
    assert t("side.only_one") in told(app) and len(rows(app)["names"]) == 1
    query = state_of(app, AddressState).written
    assert query is not None and "side" not in query


def test_the_bundled_model_stands_beside_another_at_hand(place: Path) -> None:
    app = settle(visit("side-by-side", "zh_Hant", session=TextState(model_name=f"{place}/llama")))
    assert state_of(app, SideState).second == BUNDLED_NAME and len(rows(app)["names"]) == 2
    assert not re.search(r"\{\w+\}", told(app))


def test_the_second_model_is_one_of_those_that_can_be_had(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.build("gpt2", place / "gpt2")
    assert f"{place}/gpt2" not in candidates(BUNDLED_NAME)
    for name in (BUNDLED_NAME, f"{place}/gpt2"):
        model_registry.request(name).result()
    assert candidates(f"{place}/llama")[0] == BUNDLED_NAME
    assert {f"{place}/gpt2", f"{place}/llama", f"{place}/bert"} <= set(candidates(BUNDLED_NAME))
    assert len(set(candidates(BUNDLED_NAME))) == len(candidates(BUNDLED_NAME))
    monkeypatch.setenv("ENGINE_CATALOG", "small")
    assert {model.name for model in catalog.offered()} <= set(candidates(BUNDLED_NAME))
    monkeypatch.setenv("ENGINE_DEMO", "1")
    assert candidates(BUNDLED_NAME) == []


def test_of_a_long_text_the_end_is_shown() -> None:
    app = visit("side-by-side", "en")
    for text in ("今天天氣真", "一二三四五六七八九十" * 20):
        app.text_area(key="side_prompt").set_value(text).run()
        assert not app.exception and state_of(app, SideState).text == text
        [shown] = [element.value for element in app.text if element.value.endswith(text[-5:])]
        assert shown == (text if len(text) < 80 else f"…{text[-80:]}")
