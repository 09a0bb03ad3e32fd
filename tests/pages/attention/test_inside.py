"""Attention page: component data, sentences and lists against the engine's numbers; long texts, no attention."""

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
from engine.serving import model_registry
from pages.attention import (
    attribution,
    experiments,
    head_descriptions,
    head_detail,
    head_overview,
    logit_lens,
    token_ranks,
)
from pages.attention.state import EXPERIMENTS, VIEWS, AttentionState, cached_lens, target_token
from pages.components.tables import shaded_tokens
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from tests import tiny
from tests.pages.visit import component_data, state_of, visit

LANGUAGES = ("zh_Hant", "en")
TEXT = "今天天氣, the cat"


def attention_state(model: Model, text: str = TEXT) -> tuple[TextState, AttentionState, tuple[int, ...]]:
    """Session, state of the attention page, and token ids for a text."""
    session, state = TextState(prompt=text, model_name=model.name), AttentionState()
    return session, state, state.update_text(session, model)


@given(arrays.arrays(np.float32, st.tuples(*[st.integers(1, 3)] * 2, *[st.integers(1, 120)] * 2).map(
    lambda s: (s[0], s[1], s[2], s[2])), elements=st.floats(0, 1, width=32)))  # fmt: skip
@settings(max_examples=40)
def test_a_small_map_holds_the_maximum_of_each_block(attention: np.ndarray) -> None:
    maps = head_overview.downsample(attention)
    layers, count, side, _ = maps.shape
    assert maps.shape[:2] == attention.shape[:2]
    assert side <= head_overview.MAX_CELLS
    block = -(-attention.shape[2] // side)
    for layer, head, row, column in itertools.product(range(layers), range(count), (0, side - 1), (0, side - 1)):
        part = attention[layer, head, row * block : (row + 1) * block, column * block : (column + 1) * block]
        assert maps[layer, head, row, column] == np.rint(part * 255).astype(np.uint8).max(initial=0)


@pytest.mark.slow
def test_what_is_sent_stays_small() -> None:
    for layers, count, length in ((6, 6, 512), (32, 32, 256), (48, 25, 128)):
        attention = np.zeros((layers, count, length, length), dtype=np.float16)
        sentences = [[""] * count] * layers
        sent = head_overview.data(head_overview.downsample(attention), length, sentences, [], None, 0)["maps"]
        assert len(sent) < 750_000
    sent = head_detail.data(np.zeros((512, 512), dtype=np.float32), ["字"] * 512, 511, 0)["matrix"]
    assert len(sent) < 400_000


def test_the_large_map_is_the_matrix(model: Model) -> None:
    _, state, ids = attention_state(model)
    for view in VIEWS:
        state.view = view
        matrix = state.matrix(model)
        np.testing.assert_allclose(matrix.sum(axis=-1), 1, atol=1e-5)
        data = head_detail.data(matrix, model.pieces(ids), state.selected_row, 0)
        sent = np.frombuffer(base64.b64decode(data["matrix"]), dtype="<u2")
        pairs = [matrix[row, column] for row in range(len(ids)) for column in range(row + 1)]
        np.testing.assert_allclose(sent / 65535, pairs, atol=1e-5)
        assert data["chosen"] == {"row": state.selected_row}
    full = model.attention(ids)
    state.view, state.layer, state.head = "head", 1, 2
    np.testing.assert_array_equal(state.matrix(model), full[1, 2])
    state.view = "layer"
    np.testing.assert_allclose(state.matrix(model), full[1].mean(axis=0), atol=1e-6)
    state.view = "all"
    np.testing.assert_allclose(state.matrix(model), full.mean(axis=(0, 1)), atol=1e-6)
    state.view = "rollout"
    np.testing.assert_allclose(state.matrix(model), attention_maps.rollout(full), atol=1e-6)


def test_moves_that_are_out_of_date_or_impossible_do_nothing(model: Model) -> None:
    session, state, ids = attention_state(model)
    state.open_head(state.text_version - 1, 1, 1)
    state.choose_row(state.text_version, len(ids))
    state.choose_row(state.text_version, -1)
    state.choose_cell(state.text_version, -1, 0)
    assert (state.layer, state.head, state.row, state.cell) == (0, 0, None, None)
    state.choose_row(state.text_version, 2)
    state.choose_cell(state.text_version, 1, 2)
    assert (state.selected_row, state.cell) == (2, (1, 2))
    state.open_head(state.text_version, 99, 99)  # of a larger model
    state.matrix(model)
    assert state.opened == (state.layer, state.head) == (2, 3)
    state.open_head(state.text_version, 1, None)
    assert (state.opened, state.view) == ((1, None), "layer")
    session.step(model)
    assert state.update_text(session, model) != ids
    assert (state.row, state.cell) == (None, None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_head_is_described_by_its_scores(model: Model, language: str) -> None:
    t = Translator(language)
    sentences = head_descriptions.head_sentences(model, t)
    described = heads.describe(model)
    assert [len(row) for row in sentences] == [len(row) for row in described]
    for row, line in zip(described, sentences, strict=True):
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


def test_the_last_layer_of_the_lens_is_the_prediction_of_the_model(model: Model) -> None:
    _, state, ids = attention_state(model)
    lens = cached_lens(state, model)
    data = logit_lens.data(lens, model, model.pieces(ids), state.selected_row, None, 0)
    assert [row[0] for row in data["rows"]] == [3, 2, 1, 0]
    for at, cell in enumerate(data["rows"][0][1]):
        distribution = model.distribution(ids[: at + 1])
        best = distribution.candidate(distribution.argmax())
        assert cell[0] == best.text
        assert cell[1] == pytest.approx(best.raw, abs=1e-4)
        assert cell[2] == (at + 1 < len(ids) and ids[at + 1] == best.token_id)
    long = (ids * 9)[:63]
    from engine.interpret.logit_lens import logit_lens as compute_lens

    for row, first in ((62, 15), (40, 15), (39, 15), (38, 14), (20, 0), (0, 0)):
        data = logit_lens.data(compute_lens(model, long), model, model.pieces(long), row, None, 0)
        positions = [column[0] for column in data["columns"]]
        assert positions == list(range(first, first + logit_lens.MAX_POSITIONS))
        assert row in positions
        assert [column[1] for column in data["columns"]] == [model.pieces(long)[at] for at in positions]
        assert (data["columns"][-1][2] is None) == (positions[-1] == 62)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ranks_and_lists_of_the_lens(model: Model, language: str) -> None:
    t = Translator(language)
    session, state, ids = attention_state(model)
    lens = cached_lens(state, model)
    target = target_token(session, state, model)
    assert target == session.choice(model)[1]
    by_layer = token_ranks.ranks_by_layer(lens, state.selected_row, target, t)["rows"]
    assert [row[3] for row in by_layer] == [f"{rank:,}" for rank in reversed(lens.ranks(state.selected_row, target))]
    assert by_layer[0][3] == f"{model.records(ids)[-1].rank(target):,}"
    assert [row[4] for row in by_layer] == [rank == 1 for rank in reversed(lens.ranks(state.selected_row, target))]
    assert by_layer[0][1] == pytest.approx(model.distribution(ids).raw[target], abs=1e-5)
    state.choose_row(state.text_version, 1)
    assert target_token(session, state, model) == ids[2]
    for position in (1, len(ids) - 1):
        listed = token_ranks.top_tokens(lens, model, (3, position), t)["rows"]
        top = lens.top(3, position, 10)
        assert [row[1] for row in listed] == [p for _, p in top]
        follows = ids[position + 1] if position + 1 < len(ids) else None
        assert [row[4] for row in listed] == [token_id == follows for token_id, _ in top]


@pytest.mark.parametrize("language", LANGUAGES)
def test_attribution_rows_hold_the_numbers(model: Model, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.interpret.attribution import gradient_input, occlusion

    t = Translator(language)
    for most in (attribution.MAX_TOKENS, 3):
        monkeypatch.setattr(attribution, "MAX_TOKENS", most)
        session, state, ids = attention_state(model)
        rows, sentences = attribution.compare_methods(session, state, model, t)
        target = target_token(session, state, model)
        result = occlusion(model, ids, target, most)
        n = min(most, len(ids))
        assert [len(row["parts"]) for row in rows] == [n] * 4
        assert [part[0] for part in rows[0]["parts"]] == model.pieces(ids)[-n:]
        assert t.percent(result.probability) in sentences[0]
        attention = state.matrix(model)[state.selected_row, -n:]
        gradient = gradient_input(model, ids, target)[-n:]
        for row, values in zip(rows, (attention, result.masked, result.replaced, gradient), strict=True):
            shares = np.array([part[1] for part in row["parts"]])
            np.testing.assert_allclose(shares, np.asarray(values) / np.abs(values).max(), atol=1e-3)
        assert min(np.abs(result.masked).max(), np.abs(result.replaced).max()) > 0.01, (
            "smaller values would be shaded faintly"
        )
        assert result.masked_log_probabilities is not None
        for i, log_probability in enumerate(result.masked_log_probabilities):
            after = t.percent(float(np.exp(log_probability)))
            assert rows[1]["parts"][i][2] == f"{t.percent(result.probability)} → {after}"


def displayed(values: dict[str, np.ndarray], probability: float, t: Translator) -> dict[str, list[str]]:
    """The values as the page displays them, beside a probability of the predicted token."""
    texts = {"attention": t.percent, "gradient": lambda value: t.number(value, 2)}
    left = lambda value: t.percent_of_log(float(np.log(probability)) - value)  # noqa: E731
    return {method: [texts.get(method, left)(float(value)) for value in array] for method, array in values.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_on_the_agreement_of_methods(language: str) -> None:
    t = Translator(language)
    a, b, c, d, e = map(shaded_tokens.token, "abcde")
    one, three = (t("inside.mattered.place", token=a, n=n) for n in (3, 5))
    names = attribution.token_names(["a", "b", "a", "c", "d", "e"], 2, t)
    assert names == [one, b, three, c, d, e]

    def sentences(attention: list[float], masked: list[float], gradient: list[float]) -> list[str]:
        lists = {"attention": attention, "masked": masked, "gradient": gradient}
        values = {method: np.array(numbers) for method, numbers in lists.items()}
        return attribution.agreement_sentences(values, displayed(values, 0.5, t), names, t.percent(0.5), t)

    same = [0.1, 0.6, 0.1, 0.05, 0.05, 0.1]
    lines = sentences(same, same, same)
    assert lines[0] == t("inside.mattered.all_point", token=b)
    assert len(lines) == 3 and "1.00" in lines[1] and "1.00" in lines[2]
    methods = {method: t(f"inside.mattered.{method}") for method in ("attention", "masked", "gradient")}
    assert lines[1] == t("inside.mattered.alike", one=methods["attention"], other=methods["masked"], value="1.00")
    peaked = [0.0, 0.2, 0.1, 0.3, 2.0, 0.0]
    lines = sentences([0.8, 0.1, 0.02, 0.03, 0.04, 0.01], peaked, peaked)
    assert lines[0] == t("inside.mattered.points", names=methods["attention"], token=one)
    both = t("inside.mattered.comma").join((methods["masked"], methods["gradient"]))
    assert lines[1] == t("inside.mattered.point", names=both, token=d)
    half = t.percent(0.5)
    assert lines[2] == t("inside.mattered.looked_only", token=one, p=t.percent(0.8), before=half, after=half)
    assert lines[3] == t("inside.mattered.unlike", one=methods["attention"], other=methods["masked"], value="0.12")
    lines = sentences([0.1, 0.15, 0.1, 0.05, 0.0, 0.6], peaked, peaked)
    fallen = t.percent(0.5 * float(np.exp(-2)))
    assert lines[2] == t("inside.mattered.needed_only", token=d, p=t.percent(0), before=half, after=fallen)
    alone = sentences([1.0], [0.0], [0.3])
    both = t("inside.mattered.comma").join((methods["attention"], methods["gradient"]))
    assert alone == [
        t("inside.mattered.nothing", names=methods["masked"]), t("inside.mattered.point", names=both, token=one)
    ]  # fmt: skip


shares = st.lists(st.floats(0, 1), min_size=2, max_size=6)
decreases = st.lists(st.floats(-3, 8) | st.sampled_from([0.0, 0.05, 0.1, 0.11, 2.3]), min_size=2, max_size=6)


@given(shares, decreases, st.floats(0.001, 1))
def test_attention_and_masking_are_only_set_against_each_other_where_both_hold(
    attention: list[float], masked: list[float], probability: float
) -> None:
    t, n = Translator("en"), min(len(attention), len(masked))
    values = {"attention": np.array(attention[:n]), "masked": np.array(masked[:n])}
    names = [f"token{i}" for i in range(n)]
    before = t.percent(probability)
    lines = attribution._attention_against_masking(values, displayed(values, probability, t), names, before, t)
    assert len(lines) <= 1
    for line in lines:
        at = next(i for i, name in enumerate(names) if name in line)
        ratio = float(np.exp(-masked[at]))
        if line.startswith("Much attention, little effect"):
            assert attention[at] >= max(attention[:n]) / 2 and 0.9 <= ratio <= 1.11
        else:
            assert line.startswith("Little attention, but needed")
            assert attention[at] <= 0.1 and ratio < 0.91


@pytest.mark.parametrize("language", LANGUAGES)
def test_experiments_report_what_they_measured(model: Model, language: str) -> None:
    t = Translator(language)
    _, state, ids = attention_state(model)
    for name in EXPERIMENTS:
        state.run_experiment(name)
    layer, head, score = heads.previous_token_head(model)
    previous = experiments.run("previous", state, model, t)
    assert previous.head == (layer, head)
    assert previous.sentence == t("inside.try.previous_found", layer=layer + 1, head=head + 1, score=t.percent(score))
    sink = attention_maps.sink(model.attention(ids))
    sink_result = experiments.run("sink", state, model, t)
    assert t.percent(float(sink.max())) in sink_result.sentence
    assert sink_result.head is not None and sink[sink_result.head] == sink.max()
    result = induction.induction_experiment(model, 1)
    displayed = experiments.run("induction", state, model, t)
    assert t.percent(float(np.exp(-result.second_mean))) in displayed.sentence
    kind = "copies" if result.copies else "copies_not"
    start = t(f"inside.try.{kind}", first="·", second="·", shuffled="·").split("·")[0]
    assert displayed.sentence.startswith(start)
    assert displayed.head == (result.layer, result.head)
    losses = [np.array([loss or 0.0 for loss in each]) for each in (result.first, result.second, result.shuffled)]
    for row, values in zip(displayed.surprise_rows, losses, strict=True):  # on a common scale
        shares = [part[1] for part in row["parts"]]
        np.testing.assert_allclose(shares, values / np.concatenate(losses).max(), atol=1e-3)
        assert [part[0] for part in row["parts"]] == model.pieces(result.token_ids)[result.start :][: len(values)]
    assert result.attention is not None and result.at is not None
    [attention_row] = displayed.attention_rows
    assert [part[2] for part in attention_row["parts"]] == [t.percent(share) for share in result.attention]
    assert (
        attention_row["parts"][result.at][0] in attention_row["note"]
        and attention_row["parts"][result.at + 1][0] in attention_row["note"]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_token_cannot_be_masked_and_has_no_sink(model: Model, language: str) -> None:
    t = Translator(language)
    session, state, ids = attention_state(model, "a")
    assert len(ids) == 1
    rows, sentences = attribution.compare_methods(session, state, model, t)
    assert rows[1]["name"] == t("inside.mattered.masked")
    assert abs(rows[1]["parts"][0][1]) < 0.01, "it cannot be hidden from itself"
    assert len(sentences) > 1
    state.run_experiment("sink")
    assert experiments.run("sink", state, model, t) == experiments.ExperimentResult(t("inside.try.sink_short"), None)


def test_shaded_rows_scale_by_their_largest_value() -> None:
    row = shaded_tokens.row("a", "b", ["x", "y", "z"], [2.0, -4.0, 0.0], ["1", "2", "3"])
    assert [part[1] for part in row["parts"]] == [0.5, -1.0, 0.0]
    assert shaded_tokens.row("a", "b", ["x"], [0.0], ["1"])["parts"][0][1] == 0.0


@pytest.fixture
def app(request: pytest.FixtureRequest) -> AppTest:
    return visit("attention", getattr(request, "param", "zh_Hant"))


@pytest.mark.slow
@pytest.mark.parametrize("app", LANGUAGES, indirect=True)
def test_the_page_shows_every_view_and_experiment(app: AppTest) -> None:
    assert not app.exception
    for view in VIEWS:
        state_of(app, AttentionState).set_view(view)
        app.run()
        assert not app.exception
    app.toggle(key="inside_mattered").set_value(True).run()
    for name in EXPERIMENTS:
        app.button(key=f"try {name}").click().run()
        assert not app.exception
    state = state_of(app, AttentionState)
    for name in EXPERIMENTS:
        app.button(key=f"open {name}").click().run()
        assert not app.exception
        assert state.opened == experiments.run(name, state, model_registry.request().result(), Translator("en")).head
    state.choose_cell(state.text_version, 2, 1)
    app.run()
    assert not app.exception


@pytest.mark.parametrize("text", ["好", "今天天氣真好，我們一起去公園。" * 20])
def test_one_token_and_a_long_text(app: AppTest, text: str) -> None:
    app.text_area(key="prompt").set_value(text).run()
    assert not app.exception
    app.text_area(key="prompt").set_value("今天天氣真好。" * 400).run()
    assert len(app.error) == 1
    assert not app.exception


def test_a_model_without_attention_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny.build("mamba", tmp_path / "mamba")
    monkeypatch.setenv("ENGINE_MODELS", str(folder))
    app = visit("attention", "en", session=TextState(prompt="the cat", model_name=str(folder)))
    assert load(folder, from_hub=False).name
    assert not app.exception
    assert next(info.value for info in app.info).startswith("This model has no attention")
    for name in EXPERIMENTS:
        app.button(key=f"try {name}").click().run()
        assert not app.exception


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_list_of_the_logit_lens_names_what_it_is_about(language: str) -> None:
    """The row that is shown and the cell that was clicked may be at different tokens."""
    app = visit("attention", language, session=TextState(prompt="今天天氣真好，我們一起去"))
    state = state_of(app, AttentionState)
    state.choose_row(state.text_version, 2)
    state.choose_cell(state.text_version, 4, 5)
    app.run()
    lists = {e.proto.id.rsplit("-", 1)[1]: component_data(e.proto)["name"] for e in app.get("bidi_component")
             if e.proto.id.endswith(("-inside_ranks", "-inside_cell"))}  # fmt: skip
    ranks, cell = lists["inside_ranks"], lists["inside_cell"]
    assert "真" in ranks and "3" in ranks and "好" in ranks
    assert "我們" in cell and "6" in cell and "4" in cell
    assert Translator(language)("inside.lens.layer", n=4) in cell
