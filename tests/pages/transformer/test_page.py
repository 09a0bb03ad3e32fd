"""Page of the whole model: what its boxes say against `transformers`, for several families; actions and links."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from transformers import AutoModelForCausalLM, PreTrainedModel

from engine.bundled import BUNDLED
from engine.model.loading import load
from engine.model.model import Model
from engine.serving import model_registry
from pages.i18n.translator import LANGUAGES, Translator, sentences
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.transformer import diagram
from pages.transformer.blocks import SHOWN
from pages.transformer.details import NEURONS, TOKENS, Shown, details
from pages.transformer.state import BOXES, TransformerState
from tests import tiny
from tests.pages.visit import component_data, follow_link, state_of, visit

T = Translator("en")


@pytest.fixture(scope="module")
def bundled() -> Model:
    return model_registry.request().result()


@pytest.fixture(scope="module")
def reference() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="eager").eval()


def shown(model: Model, prompt: str, layer: int = 0, head: int = 0) -> tuple[TransformerState, Shown]:
    session, state = TextState(prompt=prompt, model_name=model.name), TransformerState(layer=layer, head=head)
    ids = state.update_text(session, model)
    found = state.activations(model)
    distribution, chosen, u = session.choice(model)
    return state, Shown(
        model, found, model.pieces(ids), state.layer, state.head, distribution, chosen, u, session,
    )  # fmt: skip


def told(box: str, of: Shown, kind: str) -> list[dict[str, Any]]:
    return [block for block in details(box, of, T) if block["kind"] == kind]


@torch.inference_mode()
def test_the_numbers_are_those_of_transformers(bundled: Model, reference: PreTrainedModel) -> None:
    layer, head = 3, 2
    _, of = shown(bundled, "今天天氣真好, and", layer, head)
    out = reference(torch.tensor([of.found.ids]), output_hidden_states=True, output_attentions=True, use_cache=False)
    [table] = told("tokens", of, "table")
    assert [row[1] for row in table["rows"]] == [f"{token:,}" for token in of.found.ids]
    assert table["mark"] == len(of.found.ids) - 1
    states = [state[0, -1] for state in out.hidden_states]
    [embedding] = told("embedding", of, "vector")
    np.testing.assert_allclose(embedding["values"], states[0][:SHOWN], atol=6e-4)
    [table] = told("attention", of, "table")
    weights = out.attentions[layer][0, head, -1]
    assert [row[-1] for row in table["rows"]] == [T.percent(float(weight)) for weight in weights]
    scores = np.array([float(row[1].replace("−", "-")) for row in table["rows"]])
    np.testing.assert_allclose(np.exp(scores) / np.exp(scores).sum(), weights, atol=0.02)
    lengths = [float(state.norm()) for state in states[:-1]]
    [line] = told("stream", of, "line")
    assert line["texts"][:-1] == [T.number(length, 2) for length in lengths] and line["at"] == layer + 1
    rows = dict(told("stream", of, "table")[0]["rows"])
    assert rows[T("transformer.stream.before")] == T.number(lengths[layer], 2)
    assert rows[T("transformer.stream.after")] == T.number(lengths[layer + 1], 2)
    [final] = told("norm", of, "vector")
    np.testing.assert_allclose(final["values"], states[-1][:SHOWN], atol=2e-3)
    logits = out.logits[0, -1]
    best = torch.topk(logits, 5)
    probabilities = torch.softmax(logits, dim=-1)
    [table] = told("logits", of, "table")
    assert [row[1] for row in table["rows"]] == [T.number(float(value), 2) for value in best.values]
    [table] = told("softmax", of, "table")
    assert [row[3] for row in table["rows"][:5]] == [T.percent(float(probabilities[i])) for i in best.indices]
    powers = torch.exp(logits - logits.max())
    assert [row[2] for row in table["rows"][:5]] == [T.number(float(powers[i]), 3) for i in best.indices]
    others = float(powers.sum() - powers[best.indices].sum())
    assert float(table["rows"][5][2]) == pytest.approx(others, abs=2e-3)
    assert sum(table["shares"]) == pytest.approx(1, abs=1e-3)
    assert any(T.number(float(powers.sum()), 3) in block["text"] for block in told("softmax", of, "text"))


def test_the_strongest_neurons_are_listed(bundled: Model) -> None:
    _, of = shown(bundled, "今天天氣真", 2)
    neurons = of.at.neurons
    assert neurons is not None
    [table] = told("mlp", of, "table")
    order = sorted(range(len(neurons)), key=lambda i: -abs(neurons[i]))[:NEURONS]
    assert [row[0] for row in table["rows"]] == [str(i + 1) for i in order]
    assert abs(table["shares"][0]) == 1 and table["shares"] == sorted(table["shares"], key=abs, reverse=True)
    assert [share < 0 for share in table["shares"]] == [row[1].startswith("−") for row in table["rows"]]


def test_of_a_long_text_the_last_tokens_and_the_highest_weights_are_listed(bundled: Model) -> None:
    _, of = shown(bundled, "今天天氣真好，" * 6)
    [table] = told("tokens", of, "table")
    assert len(table["rows"]) == TOKENS
    assert any(str(len(of.labels) - TOKENS) in block["text"] for block in told("tokens", of, "text"))
    [table] = told("attention", of, "table")
    assert len(table["rows"]) == TOKENS and T("transformer.attention.most", n=TOKENS) in [
        block["text"] for block in told("attention", of, "text")
    ]


@pytest.mark.parametrize(
    ("family", "box", "sentence"),
    [
        ("gpt2", "embedding", "embedding.sum"),
        ("gemma2", "embedding", "embedding.scaled"),
        ("gemma2", "attention", "attention.other"),
        ("llama", "embedding", "embedding.rotary"),
        ("mamba", "attention", "attention.none"),
        ("mamba", "mlp", "mlp.unknown"),
    ],
)
def test_what_a_family_has_otherwise_is_told(family: str, box: str, sentence: str, tmp_path: Path) -> None:
    model = load(tiny.build(family, tmp_path / family), from_hub=False)
    state, of = shown(model, "the cat sat", layer=9, head=9)
    assert state.layer == 2 and state.head == (0 if family == "mamba" else 3), "clipped to the model's"
    beginning = sentences("en")[f"transformer.{sentence}"].partition("{")[0]
    assert any(block["text"].startswith(beginning) for block in told(box, of, "text"))
    for language in LANGUAGES:
        data = diagram.data(of, state, Translator(language))
        assert [entry[0] for entry in data["boxes"]] == list(BOXES)
        assert math.isfinite(sum(sum(entry[3].get("values", [])) for entry in data["boxes"]))
        assert json.dumps(data)


def test_every_box_has_its_words() -> None:
    for language in LANGUAGES:
        known = {key for key in sentences(language) if key.startswith("transformer.")}
        needed = {f"transformer.{table}.{box}" for table in ("box", "note") for box in BOXES}
        assert needed | {f"transformer.go.{box}" for box in diagram.PAGES} <= known
        assert set(diagram.PAGES) == {key.split(".")[2] for key in known if key.startswith("transformer.go.")}


def picture(app: AppTest) -> Any:
    [component] = [each.proto for each in app.get("bidi_component") if each.proto.id.endswith("-transformer")]
    return component


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_follows_its_events_and_its_link(language: str) -> None:
    app = visit("transformer", language)
    assert not app.exception
    data = component_data(picture(app))
    assert data["chosen"] == {"box": "tokens", "layer": 0, "head": 0} and data["layers"] == 6
    state, session = state_of(app, TransformerState), state_of(app, TextState)
    state.show(state.text_version, "attention", 4, 1)
    state.show(state.text_version - 1, "mlp", 0, 0)
    app.run()
    data = component_data(picture(app))
    assert data["chosen"] == {"box": "attention", "layer": 4, "head": 1} and not data["begun"]
    query = state.to_query()
    assert query == {"box": "attention", "head": "5.2"}
    again = TransformerState()
    again.from_query(QueryParams(query), session, model_registry.request().result())
    assert (again.box, again.layer, again.head) == ("attention", 4, 1)
    session.step(model_registry.request().result())
    app.run()
    after = component_data(picture(app))
    assert after["text"] == data["text"] + 1 and after["begun"]
    state.leaving = diagram.PAGES["attention"]
    app.run()
    assert app.session_state["current page"] == "attention" and not app.exception


def test_values_out_of_range_in_a_link_are_clipped() -> None:
    for values in ({"box": "nothing", "head": "99.99"}, {"box": "mlp", "head": "0.0"}, {"head": "x"}):
        app = follow_link(values, "transformer")
        data = component_data(picture(app))
        assert not app.exception and data["chosen"]["box"] in BOXES
        assert 0 <= data["chosen"]["layer"] < 6 and 0 <= data["chosen"]["head"] < 6
    assert navigation.path("transformer") == "pages/transformer/page.py"
