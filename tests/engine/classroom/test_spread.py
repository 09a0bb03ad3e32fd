"""A task that everybody continues: what a seed writes, held to `engine.generate`; and the tree of prefixes."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.classroom.prefix_tree import Node, prefix_tree
from engine.classroom.question import Question, question_of
from engine.classroom.records import Round
from engine.classroom.spread import MOST_TOKENS, spread_from, spread_of, units
from engine.errors import PromptError
from engine.model.model import Model
from engine.sampling.settings import Settings


@pytest.fixture(scope="module")
def model() -> Model:
    return engine.load()


@pytest.mark.parametrize("strategy", ["sample", "greedy"])
def test_a_seed_writes_what_generate_writes(model: Model, strategy: engine.sampling.settings.Strategy) -> None:
    ids, settings = model.encode("今天天氣真"), Settings(temperature=1.2, top_k=40)
    task = spread_from(model, ids, strategy, settings, 12, 1)
    texts = set()
    for seed in range(1, 9):
        expected = [step.token_id for step in engine.generate(model, ids, strategy, settings, seed, 12)]
        written = task.write(model, seed)
        assert list(written.tokens) == [i for i in expected if i not in model.end_ids][: len(written.tokens)]
        assert model.text(ids) + written.text == model.text((*ids, *written.tokens)) and "\ufffd" not in written.text
        assert len(expected) - len(written.tokens) <= 4, "at most the end-of-text token or a part of a character"
        shown = "".join(text for _, text in units(model, written.tokens))
        assert shown.replace("␣", " ").replace("↵", "\n") == written.text
        texts.add(written)
    assert (len(texts) == 1) == (strategy == "greedy")


def test_a_task_is_stored_with_its_settings_and_told_from_a_question(model: Model) -> None:
    ids = model.encode("Once upon a time")
    task = spread_from(model, ids, "sample", Settings(temperature=0.5, top_p=0.9), 10_000, 3)
    assert task.tokens == MOST_TOKENS and task.before == "Once upon a time"
    stored = Round(1, "open", json.loads(json.dumps(task.to_json())))
    assert spread_of(stored) == task and question_of(stored) is None
    question = Round(2, "open", json.loads(json.dumps(Question("m", (1,), "a", ()).to_json())))
    assert spread_of(question) is None and question_of(question) == Question("m", (1,), "a", ())


def test_a_text_that_cannot_be_continued_is_refused(model: Model) -> None:
    partial = next(i for i in range(model.vocabulary.size) if model.vocabulary.pending((i,)))
    with pytest.raises(PromptError) as refused:
        spread_from(model, (partial,), "sample", Settings(), 5, 1)
    assert refused.value.code == "room_pending"
    with pytest.raises(PromptError):
        spread_from(model, model.encode("天") * model.context_length, "sample", Settings(), 5, 1)


def paths(nodes: tuple[Node[str], ...], before: str = "") -> dict[int, str]:
    """The text of each key, read off the tree."""
    found: dict[int, str] = {}
    for node in nodes:
        text = before + "".join(node.units)
        found |= dict.fromkeys(node.ends, text) | paths(node.children, text)
    return found


def check(nodes: tuple[Node[str], ...]) -> None:
    assert len({node.units[0] for node in nodes}) == len(nodes), "siblings differ in their first unit"
    assert [len(node.members) for node in nodes] == sorted((len(node.members) for node in nodes), reverse=True)
    for node in nodes:
        assert node.units and Counter(node.members) == Counter(
            (*node.ends, *(key for child in node.children for key in child.members))
        )
        assert len(node.children) != 1 or node.ends, "what all go on with belongs to the node"
        check(node.children)


@given(st.dictionaries(st.integers(1, 40), st.text("ab", max_size=6), max_size=12))
def test_every_text_is_found_in_the_tree_once(texts: dict[int, str]) -> None:
    tree = prefix_tree(texts)
    check(tree)
    assert paths(tree) == {key: text for key, text in texts.items() if text}
    assert sum(len(node.members) for node in tree) == sum(map(bool, texts.values()))
