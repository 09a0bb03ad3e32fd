"""Traces: a valid tree with a valid cursor after any sequence of operations, and immutability."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sampling.settings import Settings
from engine.trace.link_codec import decode_trace, encode_trace
from engine.trace.trace import Choice, Trace

Move = tuple[str, int]
moves = st.lists(
    st.one_of(
        st.tuples(st.just("choose"), st.integers(0, 3)),
        st.tuples(st.just("go_to"), st.integers(0, 60)),
        st.tuples(st.just("back"), st.just(0)),
    ),
    max_size=40,
)
prompts = st.lists(st.integers(0, 3), min_size=1, max_size=5)


def start(prompt: list[int]) -> Trace:
    return Trace.start("bundled", prompt, Settings(), seed=3)


def play(trace: Trace, moves: list[Move]) -> Trace:
    for move, number in moves:
        if move == "choose":
            trace = trace.choose(number, ("greedy", "drawn", "hand")[number % 3])
        elif move == "go_to":
            trace = trace.go_to(number % len(trace.choices))
        else:
            trace = trace.back()
    return trace


@given(prompts, moves)
def test_the_choices_are_a_tree_that_begins_with_the_prompt(prompt: list[int], moves: list[Move]) -> None:
    trace = play(start(prompt), moves)
    assert trace.choices[: len(prompt)] == tuple(Choice(i - 1, token, "prompt") for i, token in enumerate(prompt))
    assert all(0 <= choice.parent < i for i, choice in enumerate(trace.choices) if i)
    assert all(choice.how != "prompt" for choice in trace.choices[len(prompt) :])
    for siblings in trace.children().values():
        tokens = [trace.choices[i].token_id for i in siblings]
        assert len(set(tokens)) == len(tokens), "duplicate child"
    assert sorted(i for siblings in trace.children().values() for i in siblings) == list(range(1, len(trace.choices)))


@given(prompts, moves)
def test_the_line_goes_through_the_cursor_to_a_leaf(prompt: list[int], moves: list[Move]) -> None:
    trace = play(start(prompt), moves)
    line, path = trace.line(), trace.path()
    assert path[0] == 0 and path[-1] == trace.cursor
    assert line[: len(path)] == path
    assert all(trace.choices[right].parent == left for left, right in itertools.pairwise(line))
    assert line[-1] not in trace.children()
    assert trace.token_ids() == tuple(trace.choices[i].token_id for i in path)


@given(prompts, moves, st.integers(0, 60))
def test_going_anywhere(prompt: list[int], moves: list[Move], number: int) -> None:
    trace = play(start(prompt), moves)
    node = number % len(trace.choices)
    moved = trace.go_to(node)
    assert moved.cursor == node and moved.choices == trace.choices
    assert moved.go_to(trace.cursor).token_ids() == trace.token_ids()
    for outside in (-1, len(trace.choices)):
        with pytest.raises(IndexError):
            trace.go_to(outside)


@given(prompts, moves)
def test_going_back_keeps_what_was_beyond(prompt: list[int], moves: list[Move]) -> None:
    trace = play(start(prompt), moves)
    line = trace.line()
    while trace.cursor:
        before = trace
        trace = trace.back()
        assert trace.cursor == before.choices[before.cursor].parent
        assert trace.line() == line
    assert trace.back() is trace


@given(prompts, moves, st.integers(0, 3))
def test_choosing_again_is_stepping_onto_it(prompt: list[int], moves: list[Move], token: int) -> None:
    trace = play(start(prompt), moves)
    once = trace.choose(token, "hand")
    twice = once.back().choose(token, "drawn")
    assert twice.cursor == once.cursor and len(twice.choices) == len(once.choices)
    assert once.choices[once.cursor].token_id == token and once.choices[once.cursor].parent == trace.cursor
    in_prompt = once.cursor < len(prompt)
    assert once.choices[once.cursor].how == ("prompt" if in_prompt else "hand")
    assert twice.choices[once.cursor].how == ("prompt" if in_prompt else "drawn")  # the last origin applies


@given(prompts, moves, moves)
def test_no_move_changes_an_earlier_trace(prompt: list[int], moves: list[Move], more: list[Move]) -> None:
    trace = play(start(prompt), moves)
    before = (trace.choices, trace.cursor, dict(trace.latest), trace.line(), hash(trace))
    play(trace, more)
    assert (trace.choices, trace.cursor, trace.latest, trace.line(), hash(trace)) == before


@given(prompts, moves)
def test_restart_shows_the_prompt_alone_and_keeps_every_branch(prompt: list[int], moves: list[Move]) -> None:
    trace = play(start(prompt), moves)
    restarted = trace.restart()
    assert restarted.line() == start(prompt).line() and restarted.token_ids() == tuple(prompt)
    assert restarted.choices == trace.choices
    for node in range(len(trace.choices)):
        assert restarted.go_to(node).token_ids() == trace.token_ids(node)
    assert decode_trace(encode_trace(restarted)) == restarted
    one, other = restarted.choose(5, "drawn"), start(prompt).choose(5, "drawn")
    assert [one.choices[i].token_id for i in one.line()] == [other.choices[i].token_id for i in other.line()]


@given(prompts, moves)
def test_the_same_moves_give_the_same_trace(prompt: list[int], moves: list[Move]) -> None:
    assert play(start(prompt), moves) == play(start(prompt), moves)


def test_branches_stay() -> None:
    trace = start([7, 8]).choose(1, "drawn").choose(2, "drawn").go_to(1).choose(3, "hand")
    assert trace.token_ids() == (7, 8, 3)
    assert trace.children() == {0: [1], 1: [2, 4], 2: [3]}
    assert trace.go_to(2).line() == [0, 1, 2, 3]
    assert trace.go_to(2).back().line() == [0, 1, 2, 3]
    assert trace.token_ids(3) == (7, 8, 1, 2)


def test_a_trace_begins_with_something() -> None:
    with pytest.raises(ValueError, match="at least one"):
        start([])
