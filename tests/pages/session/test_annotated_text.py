"""What the text strip is told, against the model's own score."""

from __future__ import annotations

import math

import pytest

from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.trace.trace import Trace
from pages.session.annotated_text import ALTERNATIVES, TextAnnotator


def trace_of(model: Model, text: str) -> Trace:
    return Trace.start(model.name, model.encode(text), Settings())


def test_facts_are_the_scores_of_the_text(model: Model) -> None:
    trace = trace_of(model, "the cat sat on the mat")
    built = TextAnnotator().annotate(model, trace)
    score = model.score(trace.token_ids())
    assert [f[1] for f in built["facts"]] == list(score.ranks)
    for (logp, _, _), expected in zip(built["facts"][1:], score.log_probabilities[1:], strict=True):
        assert logp == pytest.approx(expected, abs=1e-4)
    assert built["totals"]["log_probability"] == pytest.approx(score.log_probability, abs=1e-3)
    assert built["totals"]["perplexity"] == pytest.approx(score.perplexity, rel=1e-3)


def test_alternatives_are_the_likeliest_tokens_there(model: Model) -> None:
    ids = model.encode("the cat sat")
    built = TextAnnotator().annotate(model, trace_of(model, "the cat sat"))
    for at in range(1, len(ids)):
        top = model.distribution(ids[:at]).top(ALTERNATIVES)
        told = built["facts"][at][2]
        assert [(i, text) for i, text, _ in told] == [(c.token_id, c.text) for c in top]
        assert [p for _, _, p in told] == pytest.approx([c.raw for c in top], abs=1e-5)


def test_totals_end_at_the_cursor(model: Model) -> None:
    trace = trace_of(model, "the cat sat").go_to(2)
    built = TextAnnotator().annotate(model, trace)
    assert built["totals"]["log_probability"] == pytest.approx(model.score(trace.token_ids()).log_probability, abs=1e-3)
    assert len(built["line"]) == len(trace.choices)


def test_labels_and_groups_are_the_models_pieces(model: Model) -> None:
    trace = trace_of(model, "天氣 cat")
    built = TextAnnotator().annotate(model, trace)
    assert [n[1] for n in built["nodes"]] == model.pieces(trace.token_ids())
    assert built["groups"] == model.vocabulary.groups(trace.token_ids())


def test_a_branch_is_labelled_after_what_stands_before_it(model: Model) -> None:
    ids = model.encode("貓")
    assert len(ids) > 1
    trace = trace_of(model, "a").choose(ids[0], "hand")
    for token_id in ids[1:]:
        trace = trace.choose(token_id, "hand")
    aside = trace.go_to(0).choose(40, "hand")
    told = [n[1] for n in TextAnnotator().annotate(model, aside)["nodes"]]
    assert told[1 : 1 + len(ids)] == model.pieces(model.encode("a貓"))[1:]


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
