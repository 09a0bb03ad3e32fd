"""Recordings: numbers equal to the engine's, escaping of texts, and a page without external resources."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.decoding.beam_types import BeamSettings
from engine.interpret import attention_maps
from engine.model.loading import load
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from engine.trace.trace import Trace
from pages.attention.state import AttentionState
from pages.beam.state import BeamState
from pages.i18n.translator import Translator
from pages.recording import html_page, replay
from pages.session.text_state import TextState
from tests import tiny
from tests.payloads import PAYLOADS

T = Translator("zh_Hant")


def branched_trace(model: Model) -> Trace:
    """A prompt with four tokens drawn by the engine and a branch chosen by hand; the cursor is on the first line."""
    trace = Trace.start(model.name, model.encode("the cat"), Settings(top_p=0.9, temperature=0.8), seed=3)
    for _ in range(4):
        _, token_id, _ = engine.choose(model, trace.token_ids(), "sample", trace.settings, trace.seed)
        trace = trace.choose(token_id, "drawn")
    branch = trace.go_to(trace.prompt_length).choose(77, "hand").choose(78, "hand")
    return branch.go_to(trace.prompt_length + 2)


def collect(model: Model, trace: Trace, **fields: Any) -> dict[str, Any]:
    return replay.collect(model, trace, AttentionState(**fields), BeamState(), T)


def test_each_step_shows_what_the_engine_chose_from(model: Model) -> None:
    trace = branched_trace(model)
    data = collect(model, trace)
    for node, variants in data["steps"].items():
        ids = trace.token_ids(node)
        distribution, own, u = engine.choose(model, ids, "sample", trace.settings, trace.seed)
        for following, step in variants.items():
            chosen = trace.choices[int(following)] if following else None
            picked = [row for row in step["bars"] if row["state"] == "pick"]
            token_id = chosen.token_id if chosen else own
            assert [row["token"] for row in picked] == [f"#{token_id}"]
            assert step["told"].count("{token}") == 1 and step["word"] == distribution.candidate(token_id).text
            for row in step["bars"][: replay.BARS]:
                assert row["raw"] == distribution.raw[int(row["token"][1:])]
                assert row["shown"] == distribution.probabilities[int(row["token"][1:])]
            assert step["u"] == (u if token_id == own and (chosen is None or chosen.how == "drawn") else None)
            assert step["interval"] == list(distribution.interval(token_id))
            assert math.isclose(sum(row["raw"] for row in step["bars"]), 1, abs_tol=1e-5)


def test_every_step_from_the_prompt_on_is_there(model: Model) -> None:
    trace = branched_trace(model)
    data = collect(model, trace)
    expected = {(i, c) for i, children in trace.children().items() for c in children if c >= trace.prompt_length}
    included = {(node, int(child)) for node, variants in data["steps"].items() for child in variants if child}
    assert included == expected
    score = model.score(trace.token_ids(trace.line()[-1]))
    log_probabilities = [data["facts"][i][0] for i in trace.line()]
    assert log_probabilities == [None if v is None else round(v, 4) for v in score.log_probabilities]
    assert [data["nodes"][i][1] for i in trace.line()] == model.pieces(score.token_ids)


@pytest.mark.parametrize("view", ["head", "layer", "all", "rollout"])
def test_where_each_token_looked_is_the_attention(model: Model, view: Any) -> None:
    trace = branched_trace(model)
    data = collect(model, trace, view=view, layer=1, head=2)
    for end in (trace.line()[-1], len(trace.choices) - 1):
        full = model.attention(trace.token_ids(end))
        expected = {"head": full[1, 2], "layer": full[1].mean(0), "all": full.mean((0, 1))}.get(view)
        expected = attention_maps.rollout(full) if expected is None else expected
        for at, node in enumerate(trace.path(end)):
            row = np.frombuffer(base64.b64decode(data["rows"][node]), dtype="<u2") / 65535
            assert np.allclose(row, expected[at, : at + 1], atol=1e-4)


def test_a_model_without_attention_is_replayed_without_it(tmp_path: Path) -> None:
    model = load(tiny.build("mamba", tmp_path / "mamba"))
    data = collect(model, branched_trace(model))
    assert data["rows"] == {} and "attention" not in data["words"]
    assert data["steps"]


def test_the_number_of_steps_is_limited(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MAX_STEPS", 3)
    trace = branched_trace(model)
    data = collect(model, trace)
    assert sum(len(variants) for variants in data["steps"].values()) == 3
    assert set(data["steps"]) == set(trace.line()[trace.prompt_length - 1 :][:3])
    assert len(data["facts"]) == len(trace.choices)


def test_the_beam_search_is_there_only_where_it_is_of_this_prompt(model: Model) -> None:
    session = TextState(prompt="the cat", model_name=model.name)
    trace = session.ready(model)
    beam = BeamState(BeamSettings(width=2, max_new_tokens=3))
    beam.update_search(session, model)
    tree = replay.collect(model, trace, AttentionState(), beam, T)["tree"]
    assert len(tree["nodes"]) > 2
    session.set_prompt(model, "the dog")
    assert replay.collect(model, session.ready(model), AttentionState(), beam, T)["tree"] is None


class Elements(HTMLParser):
    """Elements of a page with their attributes (`elements`), and the text in each by tag (`inside`)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {}
        self.current_tag = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.current_tag = tag
        self.inside.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self.current_tag = ""

    def handle_data(self, data: str) -> None:
        if self.current_tag:
            self.inside[self.current_tag][-1] += data


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_leaves_its_json(payload: str) -> None:
    text = html_page.to_embedded_json({"text": payload, payload: [payload]})
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == {"text": payload, payload: [payload]}


def test_the_page_is_the_same_whatever_the_texts_say(model: Model) -> None:
    plain = Elements(html_page.page(collect(model, branched_trace(model)), T))
    trace = Trace.start(model.name, model.encode(" ".join(PAYLOADS))[: model.context_length - 1], Settings())
    data = collect(model, trace)
    data["nodes"] = [[-1, payload, "prompt", False, 0] for payload in PAYLOADS]
    hostile = Elements(html_page.page(data, Translator("en")))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in plain.elements]
    assert [tag for tag, _ in plain.elements].count("script") == 2
    assert not any(
        name.startswith("on") or name in ("src", "href") for _, attributes in hostile.elements for name in attributes
    )
    assert json.loads(hostile.inside["script"][0])["nodes"] == data["nodes"]


def test_its_policy_allows_its_own_script_and_style_and_nothing_else(model: Model) -> None:
    parsed = Elements(html_page.page(collect(model, branched_trace(model)), T))
    policy = next(attributes["content"] for _, attributes in parsed.elements if attributes.get("http-equiv"))
    assert policy is not None
    for tag, text in (("script-src", parsed.inside["script"][-1]), ("style-src", parsed.inside["style"][0])):
        assert f"{tag} 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?:(?!//www\.w3\.org/)|unsafe|\*", policy)
    whole = html_page.page(collect(model, branched_trace(model)), T)
    assert set(re.findall(r"https?://[\w./]+", whole)) <= {"http://www.w3.org/2000/svg"}


def test_sixty_four_tokens_of_the_bundled_model_are_well_below_two_megabytes() -> None:
    model = model_registry.request().result()
    trace = Trace.start(model.name, model.encode("從前有一隻"), Settings(), seed=1)
    for token_id in range(500, 564):  # improbable tokens, so that no step's data is small
        trace = trace.choose(token_id, "hand")
    assert len(html_page.page(collect(model, trace), T).encode()) < 1_000_000
