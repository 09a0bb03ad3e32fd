"""CSV tables: every number equals the engine's, and no cell is evaluated as a formula."""

from __future__ import annotations

import csv
import io
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.trace.trace import Trace
from pages.attention.export import attention_csv
from pages.beam.export import beams_csv, nodes_csv
from pages.compare.export import texts_csv
from pages.compare.state import CompareSettings, CompareState
from pages.i18n.translator import Translator
from pages.shell.share import spreadsheet, text_csv
from pages.step import export
from pages.step.export import candidates_csv
from tests.payloads import PAYLOADS

T = Translator("zh_Hant")
FORMULA_STARTS = tuple("=+-@＝＋－＠\t\r\n\0")


def parsed(data: bytes) -> list[dict[str, str]]:
    """Rows of a CSV file, by the engine's column name that each header begins with."""
    assert data.startswith(b"\xef\xbb\xbf")
    found = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    names = [re.split("（| [(]", name)[0] for name in found[0]]
    assert len(set(names)) == len(names)
    assert {len(row) for row in found} == {len(names)}
    return [dict(zip(names, row, strict=True)) for row in found[1:]]


def test_the_candidates_are_the_distribution(model: Model) -> None:
    found = model.distribution(model.encode("the cat"), Settings(temperature=0.7, top_k=9, top_p=0.8))
    rows = parsed(candidates_csv(model, found, T))
    assert len(rows) == found.size
    ids = [int(row["token_id"]) for row in rows]
    assert ids == found.order.tolist()
    for name, values in (("raw", found.raw), ("probability", found.probabilities), ("logit", found.logits)):
        assert np.array_equal(np.array([row[name] for row in rows], dtype=np.float32), values[ids]), name
    kept = [row["kept"] == "true" for row in rows]
    assert kept == (found.probabilities[ids] > 0).tolist()
    assert {row["cut_by"] for row in rows if row["kept"] == "false"} <= {"top_k", "top_p"}
    assert all(row["cut_by"] == "" for row in rows if row["kept"] == "true")
    assert [bytes.fromhex(row["bytes"][2:]) for row in rows] == [model.vocabulary.token_bytes(i) for i in ids]


def test_of_a_large_vocabulary_the_rest_is_one_row(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MAX_ROWS", 20)
    found = model.distribution(model.encode("the cat"))
    rows = parsed(candidates_csv(model, found, T))
    assert len(rows) == 21
    assert math.isclose(sum(float(row["raw"]) for row in rows), 1.0, abs_tol=1e-5)


@pytest.mark.parametrize("strategy", ["sample", "greedy"])
def test_the_text_is_scored_as_it_stands(model: Model, strategy: Any) -> None:
    settings = Settings(temperature=0.5, top_k=5, repetition_penalty=1.3)
    trace = Trace.start(model.name, model.encode("天氣 cat"), settings, strategy)
    for token_id in (30, 40, 50):
        trace = trace.choose(token_id, "hand")
    trace = trace.back()
    rows = parsed(text_csv.whole_text(model, trace, T))
    ids = tuple(trace.choices[i].token_id for i in trace.line())
    assert [int(row["token_id"]) for row in rows] == list(ids)
    assert [row["after_cursor"] for row in rows] == ["false"] * (len(ids) - 1) + ["true"]
    score = model.score(ids)
    assert rows[0]["log_probability"] == rows[0]["probability"] == ""
    for at, row in enumerate(rows[1:], 1):
        distribution, _, _ = engine.choose(model, ids[:at], strategy, settings, 0)
        assert float(row["log_probability"]) == score.log_probabilities[at]
        assert int(row["rank"]) == score.ranks[at]
        assert math.isclose(math.exp(float(row["log_probability"])), float(row["raw"]), rel_tol=1e-4)
        assert float(row["probability"]) == distribution.probabilities[ids[at]]
        assert float(row["entropy"]) == distribution.entropy
    assert [row["how"] for row in rows[-3:]] == ["hand"] * 3


def test_beams(model: Model) -> None:
    search = engine.beam_search(model, model.encode("the"), width=3, max_new_tokens=4)
    nodes = parsed(nodes_csv(search, 2, T))
    assert [int(row["node"]) for row in nodes] == [node.index for node in search.nodes if node.level <= 2]
    for row in nodes:
        node = search.nodes[int(row["node"])]
        assert (float(row["score"]), row["fate"], int(row["parent"])) == (node.score, node.status, node.parent)
    beams = parsed(beams_csv(search, T))
    for row, found in zip(beams, search.sequences, strict=True):
        assert float(row["score"]) == found.score
        assert tuple(int(i) for i in row["token_ids"].split()) == found.token_ids[len(search.ids) :]


def test_compared_texts(model: Model) -> None:
    comparison = CompareState(CompareSettings(model.name, "the cat", seeds=(1, 2), max_new_tokens=4))
    comparison.start(model)
    while comparison.work(model, 1):
        pass
    rows = parsed(texts_csv(comparison, model, T))
    assert len(rows) == sum(len(run.generation.texts) + 1 for run in comparison.runs)
    texts = [row for row in rows if row["token_ids"]]
    names = [run.strategy.name for run in comparison.runs for _ in run.generation.texts]
    assert [row["strategy"] for row in texts] == names
    for row in texts:
        ids = tuple(int(i) for i in row["token_ids"].split())
        score = model.score((*comparison.prompt_ids, *ids))
        known = [value for value in score.log_probabilities[len(comparison.prompt_ids) :] if value is not None]
        assert math.isclose(float(row["log_probability"]), sum(known), abs_tol=1e-3)


def test_attention_is_the_lower_half(model: Model) -> None:
    ids = model.encode("the cat =1+1")
    matrix = model.attention(ids)[1, 2]
    labels = model.pieces(ids)
    found = list(csv.reader(io.StringIO(attention_csv(matrix, labels, T).decode("utf-8-sig"), newline="")))
    assert len(found) == len(ids) + 1
    for at, row in enumerate(found[1:]):
        assert np.array_equal(np.array(row[2 : at + 3], dtype=np.float32), matrix[at, : at + 1])
        assert set(row[at + 3 :]) <= {""}
    assert sum(cell.startswith(FORMULA_STARTS) for row in found for cell in row) == 0


@pytest.mark.parametrize("payload", [*PAYLOADS, "a,=1", 'a"=1', "a;@x", "a\t=1", "\n=1", "'=1", "\0=1"])
def test_no_text_is_computed(payload: str) -> None:
    data = spreadsheet.to_csv(["=x"], [[payload]])
    cells = [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")) for cell in row]
    assert len(cells) == 2
    for cell in cells:
        # With any delimiter setting of the spreadsheet, no cell begins like a formula.
        assert not any(part.startswith(FORMULA_STARTS[:8]) for part in re.split(r"[\t\r\n\0,;|\"]", cell)), cell
        assert not cell.startswith(FORMULA_STARTS)


@given(st.text(max_size=30))
def test_nothing_but_apostrophes_is_added(text: str) -> None:
    guarded = spreadsheet.guarded(text)
    assert guarded.replace("'", "") == text.replace("'", "")
    assert not guarded.startswith(FORMULA_STARTS)
    data = spreadsheet.to_csv(["x"], [[text]]).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data, newline="")))
    assert rows == [["x"], [guarded.encode("utf-8", "replace").decode()]]


def test_numbers_stay_numbers() -> None:
    data = spreadsheet.to_csv(["x"], [[-7.125], [None], [True], [12], [-math.inf], [1e-30]]).decode("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(data))][1:] == ["-7.125", "", "true", "12", "'-inf", "1e-30"]
