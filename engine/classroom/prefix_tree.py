"""Compressed prefix tree (radix tree) of several texts, given as sequences of units."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

U = TypeVar("U", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Node(Generic[U]):
    """A node.

    units     the units from the parent's end on that all its texts share
    members   keys of the texts that go through it, in the order in which they were given
    ends      those of them that end here
    children  the nodes with the most texts first, of equally many the one that came first
    """

    units: tuple[U, ...]
    members: tuple[int, ...]
    ends: tuple[int, ...]
    children: tuple[Node[U], ...]


def prefix_tree(texts: Mapping[int, Sequence[U]]) -> tuple[Node[U], ...]:
    """The nodes after the empty prefix; a text without units is in none.

    >>> [first] = prefix_tree({1: "abc", 2: "abd", 3: "ab"})
    >>> "".join(first.units), first.members, first.ends, ["".join(child.units) for child in first.children]
    ('ab', (1, 2, 3), (3,), ['c', 'd'])
    """
    return _children({key: tuple(text) for key, text in texts.items()}, 0)


def _children(texts: Mapping[int, tuple[U, ...]], depth: int) -> tuple[Node[U], ...]:
    branches: dict[U, dict[int, tuple[U, ...]]] = {}
    for key, text in texts.items():
        if len(text) > depth:
            branches.setdefault(text[depth], {})[key] = text
    return tuple(_node(branch, depth) for branch in sorted(branches.values(), key=len, reverse=True))


def _node(texts: Mapping[int, tuple[U, ...]], depth: int) -> Node[U]:
    first = next(iter(texts.values()))
    stop = depth + 1
    while stop < len(first) and all(text[depth : stop + 1] == first[depth : stop + 1] for text in texts.values()):
        stop += 1
    ends = tuple(key for key, text in texts.items() if len(text) == stop)
    return Node(first[depth:stop], tuple(texts), ends, _children(texts, stop))
