"""Annotations of a trace, against the score and the vocabulary of the model."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel

from engine.model.loading import load
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.trace.trace import Trace
from pages.session.annotated_text import ALTERNATIVES, TextAnnotator
from tests import tiny


def trace_of(model: Model, text: str) -> Trace:
    return Trace.start(model.name, model.encode(text), Settings())


def test_facts_are_the_scores_of_the_text(model: Model) -> None:
    trace = trace_of(model, "the cat sat on the mat")
    annotations = TextAnnotator().annotate(model, trace)
    score = model.score(trace.token_ids())
    assert [f[1] for f in annotations["facts"]] == list(score.ranks)
    for (logp, _, _), expected in zip(annotations["facts"][1:], score.log_probabilities[1:], strict=True):
        assert logp == pytest.approx(expected, abs=1e-4)
    assert annotations["totals"]["log_probability"] == pytest.approx(score.log_probability, abs=1e-3)
    assert annotations["totals"]["perplexity"] == pytest.approx(score.perplexity, rel=1e-3)


def test_alternatives_are_the_likeliest_tokens_there(model: Model) -> None:
    ids = model.encode("the cat sat")
    annotations = TextAnnotator().annotate(model, trace_of(model, "the cat sat"))
    for at in range(1, len(ids)):
        top = model.distribution(ids[:at]).top(ALTERNATIVES)
        alternatives = annotations["facts"][at][2]
        assert [(i, text) for i, text, _ in alternatives] == [(c.token_id, c.text) for c in top]
        assert [p for _, _, p in alternatives] == pytest.approx([c.raw for c in top], abs=1e-5)


def test_totals_end_at_the_cursor(model: Model) -> None:
    trace = trace_of(model, "the cat sat").go_to(2)
    annotations = TextAnnotator().annotate(model, trace)
    assert annotations["totals"]["log_probability"] == pytest.approx(
        model.score(trace.token_ids()).log_probability, abs=1e-3
    )
    assert len(annotations["line"]) == len(trace.choices)


def test_labels_and_groups_are_the_models_pieces(model: Model) -> None:
    trace = trace_of(model, "天氣 cat")
    annotations = TextAnnotator().annotate(model, trace)
    assert [n[1] for n in annotations["nodes"]] == model.pieces(trace.token_ids())
    assert annotations["groups"] == model.vocabulary.groups(trace.token_ids())


def test_a_branch_is_labelled_after_what_stands_before_it(model: Model) -> None:
    ids = model.encode("貓")
    assert len(ids) > 1
    trace = trace_of(model, "a").choose(ids[0], "hand")
    for token_id in ids[1:]:
        trace = trace.choose(token_id, "hand")
    aside = trace.go_to(0).choose(40, "hand")
    labels = [n[1] for n in TextAnnotator().annotate(model, aside)["nodes"]]
    assert labels[1 : 1 + len(ids)] == model.pieces(model.encode("a貓"))[1:]


def test_looking_again_computes_nothing(model: Model) -> None:
    trace = trace_of(model, "the dog sat on the log")
    annotator = TextAnnotator()
    first = annotator.annotate(model, trace)
    passes = model.prefix_cache.counters.passes
    assert annotator.annotate(model, trace) == first
    assert model.prefix_cache.counters.passes == passes


def test_perplexity_of_one_token_is_one(model: Model) -> None:
    assert TextAnnotator().annotate(model, trace_of(model, "a"))["totals"] == {"log_probability": 0, "perplexity": 1.0}
    assert math.isfinite(TextAnnotator().annotate(model, trace_of(model, "ab"))["totals"]["perplexity"])


def test_a_model_surer_than_a_float_can_say_is_sent_as_json(tmp_path: Path) -> None:
    folder = tiny.build("gpt2", tmp_path / "sure")
    network = GPT2LMHeadModel.from_pretrained(folder)
    with torch.no_grad():
        network.transformer.ln_f.weight.mul_(1e4)
    network.save_pretrained(folder)
    model = load(folder, from_hub=False)
    annotations = TextAnnotator().annotate(model, trace_of(model, "the cat sat on the mat"))
    assert annotations["totals"]["perplexity"] is None and annotations["totals"]["log_probability"] < -10_000
    json.dumps(annotations, allow_nan=False)
    assert model.score(model.encode("the cat sat on the mat")).perplexity == math.inf
