"""Looking inside: what the page draws and says is what the engine measured; long texts, models without attention."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from streamlit.testing.v1 import AppTest

from engine.interpret import attention_maps, heads, induction
from engine.model.loading import load
from engine.model.model import Model
from pages.attention import (
    attribution,
    experiments,
    head_descriptions,
    head_detail,
    head_overview,
    logit_lens,
    state,
    token_ranks,
)
from pages.attention.state import EXPERIMENTS, VIEWS, AttentionState
from pages.components import shaded_tokens
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from tests import tiny
from tests.pages.visit import state_of, visit

LANGUAGES = ("zh_Hant", "en")
TEXT = "今天天氣, the cat"


def looking(model: Model, text: str = TEXT) -> tuple[TextState, AttentionState, tuple[int, ...]]:
    session, found = TextState(prompt=text, model_name=model.name), AttentionState()
    return session, found, found.ready(session, model)


@given(arrays.arrays(np.float32, st.tuples(*[st.integers(1, 3)] * 2, *[st.integers(1, 120)] * 2).map(
    lambda s: (s[0], s[1], s[2], s[2])), elements=st.floats(0, 1, width=32)))  # fmt: skip
@settings(max_examples=40)
def test_a_small_map_shows_the_most_of_each_block(attention: np.ndarray) -> None:
    maps = head_overview.small(attention)
    layers, count, side, _ = maps.shape
    assert maps.shape[:2] == attention.shape[:2]
    assert side <= head_overview.CELLS
    block = -(-attention.shape[2] // side)
    for layer, head, row, column in itertools.product(range(layers), range(count), (0, side - 1), (0, side - 1)):
        part = attention[layer, head, row * block : (row + 1) * block, column * block : (column + 1) * block]
        assert maps[layer, head, row, column] == np.rint(part * 255).astype(np.uint8).max(initial=0)


def test_what_is_sent_stays_small() -> None:
    for layers, count, length in ((6, 6, 512), (32, 32, 256), (48, 25, 128)):
        attention = np.zeros((layers, count, length, length), dtype=np.float16)
        told = [[""] * count] * layers
        sent = head_overview.data(head_overview.small(attention), length, told, [], None, 0)["maps"]
        assert len(sent) < 750_000
    sent = head_detail.data(np.zeros((512, 512), dtype=np.float32), ["字"] * 512, 511, 0)["matrix"]
    assert len(sent) < 400_000


def test_the_large_map_is_the_matrix(model: Model) -> None:
    _, found, ids = looking(model)
    for view in VIEWS:
        found.view = view
        matrix = found.matrix(model)
        np.testing.assert_allclose(matrix.sum(axis=-1), 1, atol=1e-5)
        data = head_detail.data(matrix, model.pieces(ids), found.at, 0)
        sent = np.frombuffer(base64.b64decode(data["matrix"]), dtype="<u2")
        pairs = [matrix[row, column] for row in range(len(ids)) for column in range(row + 1)]
        np.testing.assert_allclose(sent / 65535, pairs, atol=1e-5)
        assert data["chosen"] == {"row": found.at}
    full = model.attention(ids)
    found.view, found.layer, found.head = "head", 1, 2
    np.testing.assert_array_equal(found.matrix(model), full[1, 2])
    found.view = "layer"
    np.testing.assert_allclose(found.matrix(model), full[1].mean(axis=0), atol=1e-6)
    found.view = "all"
    np.testing.assert_allclose(found.matrix(model), full.mean(axis=(0, 1)), atol=1e-6)
    found.view = "rollout"
    np.testing.assert_allclose(found.matrix(model), attention_maps.rollout(full), atol=1e-6)


def test_moves_that_are_out_of_date_or_impossible_do_nothing(model: Model) -> None:
    session, found, ids = looking(model)
    found.open(found.text - 1, 1, 1)
    found.choose_row(found.text, len(ids))
    found.choose_row(found.text, -1)
    found.choose_cell(found.text, -1, 0)
    assert (found.layer, found.head, found.row, found.cell) == (0, 0, None, None)
    found.choose_row(found.text, 2)
    found.choose_cell(found.text, 1, 2)
    assert (found.at, found.cell) == (2, (1, 2))
    found.open(found.text, 99, 99)  # of a larger model
    found.matrix(model)
    assert found.opened == (found.layer, found.head) == (2, 3)
    found.open(found.text, 1, None)
    assert (found.opened, found.view) == ((1, None), "layer")
    session.step(model)
    assert found.ready(session, model) != ids
    assert (found.row, found.cell) == (None, None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_head_is_described_by_its_scores(model: Model, language: str) -> None:
    t = Translator(language)
    told = head_descriptions.heads_told(model, t)
    described = heads.describe(model)
    assert [len(row) for row in told] == [len(row) for row in described]
    for row, line in zip(described, told, strict=True):
        for head, sentence in zip(row, line, strict=True):
            expected = t("inside.kind.none") if head.kind is None else t.percent(getattr(head, head.kind))
            assert expected in sentence
    kinds = {"previous", "first", "self", "duplicate_token", "induction", None}
    assert {head.kind for row in described for head in row} <= kinds


def test_the_table_of_heads_holds_all_that_was_measured(model: Model) -> None:
    for described, scored in zip(heads.describe(model), head_descriptions.scores(model), strict=True):
        for head, values in zip(described, scored, strict=True):
            shares = [head.previous, head.first, head.self, head.duplicate_token, head.induction]
            assert values == pytest.approx([*shares, np.exp(head.entropy)], abs=0.006)


def test_the_lens_table_ends_with_what_the_model_believes(model: Model) -> None:
    _, found, ids = looking(model)
    lens = state.lens_of(found, model)
    data = logit_lens.data(lens, model, model.pieces(ids), found.at, None, 0)
    assert [row[0] for row in data["rows"]] == [3, 2, 1, 0]
    for at, cell in enumerate(data["rows"][0][1]):
        distribution = model.distribution(ids[: at + 1])
        best = distribution.candidate(distribution.argmax())
        assert cell[0] == best.text
        assert cell[1] == pytest.approx(best.raw, abs=1e-4)
        assert cell[2] == (at + 1 < len(ids) and ids[at + 1] == best.token_id)
    long = (ids * 9)[:63]
    from engine.interpret.logit_lens import logit_lens as make

    for row, first in ((62, 15), (40, 15), (39, 15), (38, 14), (20, 0), (0, 0)):
        data = logit_lens.data(make(model, long), model, model.pieces(long), row, None, 0)
        places = [column[0] for column in data["columns"]]
        assert places == list(range(first, first + logit_lens.POSITIONS))
        assert row in places
        assert [column[1] for column in data["columns"]] == [model.pieces(long)[at] for at in places]
        assert (data["columns"][-1][2] is None) == (places[-1] == 62)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ranks_and_lists_of_the_lens(model: Model, language: str) -> None:
    t = Translator(language)
    session, found, ids = looking(model)
    lens = state.lens_of(found, model)
    target = state.target(session, found, model)
    assert target == session.choice(model)[1]
    climbed = token_ranks.through_layers(lens, found.at, target, t)["rows"]
    assert [row[3] for row in climbed] == [f"{rank:,}" for rank in reversed(lens.ranks(found.at, target))]
    assert climbed[0][3] == f"{model.records(ids)[-1].rank(target):,}"
    assert [row[4] for row in climbed] == [rank == 1 for rank in reversed(lens.ranks(found.at, target))]
    assert climbed[0][1] == pytest.approx(model.distribution(ids).raw[target], abs=1e-5)
    found.choose_row(found.text, 1)
    assert state.target(session, found, model) == ids[2]
    for position in (1, len(ids) - 1):
        listed = token_ranks.likeliest(lens, model, (3, position), t)["rows"]
        top = lens.top(3, position, 10)
        assert [row[1] for row in listed] == [p for _, p in top]
        follows = ids[position + 1] if position + 1 < len(ids) else None
        assert [row[4] for row in listed] == [token_id == follows for token_id, _ in top]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_mattered_is_told_by_the_numbers(model: Model, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.interpret.attribution import gradient_input, occlusion

    t = Translator(language)
    for most in (attribution.MOST, 3):
        monkeypatch.setattr(attribution, "MOST", most)
        session, found, ids = looking(model)
        rows, told = attribution.mattered(session, found, model, t)
        target = state.target(session, found, model)
        out = occlusion(model, ids, target, most)
        n = min(most, len(ids))
        assert [len(row["parts"]) for row in rows] == [n] * 4
        assert [part[0] for part in rows[0]["parts"]] == model.pieces(ids)[-n:]
        assert t.percent(out.probability) in told[0]
        attention = found.matrix(model)[found.at, -n:]
        gradient = gradient_input(model, ids, target)[-n:]
        for row, values in zip(rows, (attention, out.masked, out.replaced, gradient), strict=True):
            shares = np.array([part[1] for part in row["parts"]])
            np.testing.assert_allclose(shares, np.asarray(values) / np.abs(values).max(), atol=1e-3)
        assert min(np.abs(out.masked).max(), np.abs(out.replaced).max()) > 0.01, "else they are shaded fainter"
        assert out.masked_log_probabilities is not None
        for i, log_probability in enumerate(out.masked_log_probabilities):
            after = t.percent(float(np.exp(log_probability)))
            assert rows[1]["parts"][i][2] == f"{t.percent(out.probability)} → {after}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_answers_agree_and_where_not(language: str) -> None:
    t = Translator(language)
    a, b, c, d, e = map(shaded_tokens.token, "abcde")
    one, three = (t("inside.mattered.place", token=a, n=n) for n in (3, 5))
    named = attribution.named(["a", "b", "a", "c", "d", "e"], 2, t)
    assert named == [one, b, three, c, d, e]

    def told(attention: list[float], masked: list[float], gradient: list[float]) -> list[str]:
        answers = {"attention": attention, "masked": masked, "gradient": gradient}
        return attribution.compared({name: np.array(values) for name, values in answers.items()}, named, 0.5, t)

    same = [0.1, 0.6, 0.1, 0.05, 0.05, 0.1]
    lines = told(same, same, same)
    assert lines[0] == t("inside.mattered.all_point", token=b)
    assert len(lines) == 3 and "1.00" in lines[1] and "1.00" in lines[2]
    name = {name: t(f"inside.mattered.{name}") for name in ("attention", "masked", "gradient")}
    assert lines[1] == t("inside.mattered.alike", one=name["attention"], other=name["masked"], value="1.00")
    hung = [0.0, 0.2, 0.1, 0.3, 2.0, 0.0]
    lines = told([0.8, 0.1, 0.02, 0.03, 0.04, 0.01], hung, hung)
    assert lines[0] == t("inside.mattered.points", names=name["attention"], token=one)
    both = t("inside.mattered.comma").join((name["masked"], name["gradient"]))
    assert lines[1] == t("inside.mattered.point", names=both, token=d)
    half = t.percent(0.5)
    assert lines[2] == t("inside.mattered.looked_only", token=one, p=t.percent(0.8), before=half, after=half)
    assert lines[3] == t("inside.mattered.unlike", one=name["attention"], other=name["masked"], value="0.12")
    lines = told([0.1, 0.15, 0.1, 0.05, 0.0, 0.6], hung, hung)
    fallen = t.percent(0.5 * float(np.exp(-2)))
    assert lines[2] == t("inside.mattered.needed_only", token=d, p=t.percent(0), before=half, after=fallen)
    alone = told([1.0], [0.0], [0.3])
    both = t("inside.mattered.comma").join((name["attention"], name["gradient"]))
    assert alone == [
        t("inside.mattered.nothing", names=name["masked"]), t("inside.mattered.point", names=both, token=one)
    ]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_experiments_tell_what_they_found(model: Model, language: str) -> None:
    t = Translator(language)
    _, found, ids = looking(model)
    for name in EXPERIMENTS:
        found.experiment(name)
    layer, head, score = heads.previous_token_head(model)
    previous = experiments.outcome("previous", found, model, t)
    assert previous.head == (layer, head)
    assert previous.sentence == t("inside.try.previous_found", layer=layer + 1, head=head + 1, score=t.percent(score))
    sink = attention_maps.sink(model.attention(ids))
    told = experiments.outcome("sink", found, model, t)
    assert t.percent(float(sink.max())) in told.sentence
    assert told.head is not None and sink[told.head] == sink.max()
    result = induction.induction_experiment(model, 1)
    said = experiments.outcome("induction", found, model, t)
    assert t.percent(float(np.exp(-result.second_mean))) in said.sentence
    kind = "copies" if result.copies else "copies_not"
    start = t(f"inside.try.{kind}", first="·", second="·", shuffled="·").split("·")[0]
    assert said.sentence.startswith(start)
    assert said.head == (result.layer, result.head)
    losses = [np.array([loss or 0.0 for loss in each]) for each in (result.first, result.second, result.shuffled)]
    for row, values in zip(said.surprise, losses, strict=True):  # one measure for all three
        shares = [part[1] for part in row["parts"]]
        np.testing.assert_allclose(shares, values / np.concatenate(losses).max(), atol=1e-3)
        assert [part[0] for part in row["parts"]] == model.pieces(result.token_ids)[result.start :][: len(values)]
    assert result.looked is not None and result.at is not None
    [looks] = said.looks
    assert [part[2] for part in looks["parts"]] == [t.percent(share) for share in result.looked]
    assert looks["parts"][result.at][0] in looks["note"] and looks["parts"][result.at + 1][0] in looks["note"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_cannot_be_asked_of_one_token_is_not_shown(model: Model, language: str) -> None:
    t = Translator(language)
    session, found, ids = looking(model, "a")
    assert len(ids) == 1
    rows, told = attribution.mattered(session, found, model, t)
    assert rows[1]["name"] == t("inside.mattered.masked")
    assert abs(rows[1]["parts"][0][1]) < 0.01, "it cannot be hidden from itself"
    assert len(told) > 1
    found.experiment("sink")
    assert experiments.outcome("sink", found, model, t) == experiments.ExperimentResult(
        t("inside.try.sink_short"), None
    )


def test_shaded_rows_scale_by_their_largest_value() -> None:
    found = shaded_tokens.row("a", "b", ["x", "y", "z"], [2.0, -4.0, 0.0], ["1", "2", "3"])
    assert [part[1] for part in found["parts"]] == [0.5, -1.0, 0.0]
    assert shaded_tokens.row("a", "b", ["x"], [0.0], ["1"])["parts"][0][1] == 0.0


@pytest.fixture
def app(request: pytest.FixtureRequest) -> AppTest:
    return visit("attention", getattr(request, "param", "zh_Hant"))


@pytest.mark.parametrize("app", LANGUAGES, indirect=True)
def test_the_page_shows_every_view_and_experiment(app: AppTest) -> None:
    assert not app.exception
    for view in VIEWS:
        state_of(app, AttentionState).show(view)
        app.run()
        assert not app.exception
    app.toggle(key="inside_mattered").set_value(True).run()
    for name in EXPERIMENTS:
        app.button(key=f"try {name}").click().run()
        assert not app.exception
    looking = state_of(app, AttentionState)
    for name in EXPERIMENTS:
        app.button(key=f"open {name}").click().run()
        assert not app.exception
        assert looking.opened == experiments.outcome(name, looking, load(), Translator("en")).head
    looking.choose_cell(looking.text, 2, 1)
    app.run()
    assert not app.exception


@pytest.mark.parametrize("text", ["好", "今天天氣真好，我們一起去公園。" * 20])
def test_one_token_and_a_long_text(app: AppTest, text: str) -> None:
    app.text_input(key="prompt").set_value(text).run()
    assert not app.exception
    app.text_input(key="prompt").set_value("今天天氣真好。" * 400).run()
    assert len(app.error) == 1
    assert not app.exception


def test_a_model_without_attention_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.build("mamba", tmp_path / "mamba")
    monkeypatch.setenv("ENGINE_MODELS", str(folder))
    driver = visit("attention", "en", session=TextState(prompt="the cat", model_name=str(folder)))
    assert load(folder, from_hub=False).name
    assert not driver.exception
    assert next(info.value for info in driver.info).startswith("This model computes no attention")
    for name in EXPERIMENTS:
        driver.button(key=f"try {name}").click().run()
        assert not driver.exception
