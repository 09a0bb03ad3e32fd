"""Speculative decoding page without a browser: what it says against the engine, controls, links, refusals."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import engine
from engine.bundled import BUNDLED, BUNDLED_NAME
from engine.decoding.drafting import LookupDrafter, layer_drafter
from engine.decoding.speculative import SpeculativeDecoding
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from pages.i18n.translator import LANGUAGES, WRITTEN, Translator
from pages.shell.address import AddressState
from pages.speculative import rounds, sentences
from pages.speculative.state import EXPERIMENTS, Plan, SpeculativeState
from tests.pages.visit import component_data, follow_link, state_of, visit

T = Translator("en")
PROMPT = "Once upon a time, there was a"


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


def written(model: Model, strategy: Any = "greedy", copied: bool = False) -> SpeculativeDecoding:
    ids = model.encode("One, two, three. One, two, three. One," if copied else PROMPT)
    drafter = LookupDrafter() if copied else layer_drafter(model, 4)
    work = SpeculativeDecoding(model, ids, drafter, 4, strategy, Settings(), 3, 20)
    while work.step():
        pass
    return work


def run(app: AppTest) -> AppTest:
    app.button(key="speculative_start").click().run()
    while any(each.running for each in state_of(app, SpeculativeState).runs.values()):
        app.run()
    assert not app.exception
    return app


def told(app: AppTest) -> str:
    return "\n".join(str(element.value) for kind in (app.markdown, app.caption, app.error) for element in kind)


def component(app: AppTest, name: str) -> dict[str, Any]:
    [proto] = [each.proto for each in app.get("bidi_component") if each.proto.id.endswith(f"-{name}")]
    data = component_data(proto)
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_methods_run_and_write_what_greedy_search_writes(language: str, bundled: Model) -> None:
    t = Translator(language)
    app = visit("speculative", language)
    state = state_of(app, SpeculativeState)
    prompt = next(area.value for area in app.text_area if "speculative prompt" in str(area.key))
    greedy = [step.token_id for step in engine.generate(bundled, bundled.encode(str(prompt)), max_new_tokens=24)]
    run(app)
    work = state.runs["drafting"].work
    assert work.ids == [*bundled.encode(str(prompt)), *greedy]
    plan = state.runs["drafting"].asked
    about = sentences.about_drafting(work, plan, 6, t)
    assert len(about) > 4 and all(sentence in told(app) for sentence in about)
    cost = t.number(work.draft_passes * plan.layers / 6, 0)
    assert t("speculative.cost", drafts=work.draft_passes, layers=plan.layers, all=6, whole=cost) in about
    text = component(app, "draft_rounds")["text"]
    assert text == [prompt, "".join(bundled.pieces(work.ids)[work.prompt_length :])]
    assert t("speculative.identical") in told(app)
    assert t("speculative.passes", n=len(greedy), passes=work.passes) in told(app)
    assert len(component(app, "draft_rounds")["rounds"]) == work.passes
    app.segmented_control(key="speculative_shown").set_value("jacobi").run()
    run(app)
    jacobi = state.runs["jacobi"].work
    assert list(jacobi.token_ids) == greedy
    grid = component(app, "pass_grid")["rows"]
    assert grid[-1]["kinds"].count("final") == jacobi.final[-1] and len(grid) == jacobi.passes + 1
    assert grid[-1]["texts"][: len(greedy)] == [bundled.vocabulary.label(i) for i in greedy]
    assert t("speculative.grid.result", places=jacobi.final[-1], passes=jacobi.passes) in told(app)


@pytest.mark.parametrize("strategy", ["greedy", "sample"])
def test_the_chips_are_the_text_and_their_notes_its_numbers(strategy: str, bundled: Model) -> None:
    for copied in (False, True):
        work = written(bundled, strategy, copied)
        data = rounds.data(work, bundled, PROMPT, copied, 1, T)
        kinds = [chip["kind"] for chips in data["rounds"] for chip in chips]
        assert {"kept", "struck", "model"} <= set(kinds)
        text = "".join(c["text"] for chips in data["rounds"] for c in chips if c["kind"] in ("kept", "model"))
        assert text == "".join(bundled.vocabulary.label(i) for i in work.ids[-work.written :])
        for each, chips in zip(work.rounds, data["rounds"], strict=True):
            for guess, chip in zip(each.guesses, chips, strict=False):
                assert ("cannot be used" in chip["note"]) == (guess.kept is None) == (chip["kind"] == "late")
                if guess.kept is None:
                    continue
                assert T.percent(guess.model) in chip["note"] and ("copied" in chip["note"]) == copied
                assert copied or T.percent(guess.drafted) in chip["note"]
                if strategy == "sample":
                    assert (guess.limit == 1) == (T("speculative.note.drawn_sure") in chip["note"])
                    assert guess.limit == 1 or f"random number {T.percent(guess.u or 0)}" in chip["note"]
                    assert guess.limit == 1 or f"probability {T.percent(guess.limit or 0)}" in chip["note"]


def test_time_is_told_as_it_was_measured(bundled: Model) -> None:
    work, plan = written(bundled), Plan(PROMPT, "layers", 4, 4, "greedy", 20)
    assert work._text.seconds > 0
    for ratio, key in ((0.5, "faster"), (1.0, "equal_time"), (2.5, "slower")):
        work._text.seconds, work.single_seconds = 1.0, (1.0 + work.draft_seconds) / ratio
        sentence = sentences.about_drafting(work, plan, 6, T)[-1]
        assert sentence.startswith("Time, drafting included: ")
        assert (f"{max(ratio, 1 / ratio):.1f} times" in sentence) == (key != "equal_time")
        assert ("as long" in sentence) == (key == "slower")
    work.single_seconds = 0.02
    assert "too short" in sentences.about_drafting(work, plan, 6, T)[-1]
    work.identical = False
    assert T("speculative.rounding") in sentences.about_drafting(work, plan, 6, T)
    assert T("speculative.sampled") in sentences.about_drafting(work, replace(plan, strategy="sample"), 6, T)


def test_a_text_that_cannot_be_read_keeps_the_last_result() -> None:
    app = run(visit("speculative", "en"))
    before = state_of(app, SpeculativeState).runs["drafting"].work
    [area] = [area for area in app.text_area if "speculative prompt" in str(area.key)]
    area.set_value("").run()
    run(app)
    assert T("error.empty") in told(app) and state_of(app, SpeculativeState).runs["drafting"].work is before


def test_stop_keeps_what_is_there_and_a_link_sets_the_controls() -> None:
    app = follow_link({"shown": "drafting", "drafter": "lookup", "guesses": "7", "how": "sample"}, "speculative")
    assert app.segmented_control(key="speculative_drafter").value == "lookup"
    assert app.slider(key="speculative_guesses").value == 7
    assert app.segmented_control(key="speculative_how").value == "sample"
    run(app)
    assert T("speculative.stale") not in told(app)
    plan = state_of(app, SpeculativeState).runs["drafting"].asked
    [area] = [area for area in app.text_area if "speculative prompt" in str(area.key)]
    area.set_value("A text of my own").run()
    assert T("speculative.stale") in told(app)
    query = state_of(app, AddressState).written
    assert query is not None
    again = follow_link(query, "speculative")
    assert "A text of my own" in [area.value for area in again.text_area]
    damaged = follow_link({"speculative": "?", "lang": "en"}, "speculative")
    assert not damaged.exception and [each.value for each in damaged.warning] == [T("address.unread")]
    assert (plan.drafter, plan.guesses, plan.strategy) == ("lookup", 7, "sample")


def test_another_model_with_the_same_tokens_may_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = tmp_path / "twin"
    twin.mkdir()
    for file in BUNDLED.iterdir():
        if file.is_file():
            (twin / file.name).symlink_to(file)
    monkeypatch.setenv("ENGINE_MODELS", str(twin))
    model_registry.request(str(twin)).result()
    app = visit("speculative", "en")
    app.segmented_control(key="speculative_drafter").set_value("other").run()
    run(app)
    work = state_of(app, SpeculativeState).runs["drafting"].work
    assert all(guess.kept for each in work.rounds for guess in each.guesses) and work.identical
    assert state_of(app, SpeculativeState).runs["drafting"].asked.other == str(twin)
    assert state_of(app, SpeculativeState).model == BUNDLED_NAME


def test_every_sentence_is_there() -> None:
    for language in WRITTEN:
        t = Translator(language)
        for name in EXPERIMENTS:
            assert all(t(f"speculative.{table}.{name}") for table in ("name", "about", "start", "first"))
        assert not re.search(r"[{}]", t("speculative.why.text"))
