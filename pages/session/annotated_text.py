"""What the text strip draws, computed from a trace and the running model: tokens, surprises, alternatives, branches.

Plain data for the component in `strip.py`; no screen here.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.token_output import TokenOutput
    from engine.trace.trace import Trace

ALTERNATIVES = 5
_REMEMBERED = 1_000  # branches

Fact = tuple[float | None, int | None, list[tuple[int, str, float]]]


class TextAnnotator:
    """Builds what is drawn of one visitor's trace; remembers labels so that a long text costs no more than a short."""

    def __init__(self) -> None:
        self._labels: OrderedDict[tuple[int, ...], list[str]] = OrderedDict()
        self._facts: WeakKeyDictionary[TokenOutput, dict[int, Fact]] = WeakKeyDictionary()

    def annotate(self, model: Model, trace: Trace) -> dict[str, Any]:
        """nodes: [parent, label, how, special] of every choice; line: indices on the way that is shown; groups over
        the line: [from, to, text]; facts a token of the line: [log-probability, rank, alternatives]; totals."""
        line = trace.line()
        ids = [trace.choices[i].token_id for i in line]
        labels = model.pieces(ids)
        words = dict(zip(line, labels, strict=True))
        self._label_branches(model, trace, words)
        nodes = [
            [c.parent, words[i], c.how, c.token_id in model.vocabulary.special] for i, c in enumerate(trace.choices)
        ]
        records = model.records(ids)
        facts: list[Fact] = [(None, None, [])]
        facts += [self._fact(model, ids, at, records[at - 1]) for at in range(1, len(ids))]
        return {
            "nodes": nodes,
            "line": line,
            "cursor": trace.cursor,
            "groups": model.vocabulary.groups(ids),
            "facts": facts,
            "totals": totals([fact[0] for fact in facts[: line.index(trace.cursor) + 1]]),
        }

    def _label_branches(self, model: Model, trace: Trace, words: dict[int, str]) -> None:
        """Add the labels of all choices that are not on the line: each branch is read together with its beginning."""
        followed = {choice.parent for choice in trace.choices}
        for end in range(len(trace.choices)):
            if end in followed or end in words:
                continue
            path = trace.path(end)
            first = next(at for at, node in enumerate(path) if node not in words)
            before = max(0, first - 4)
            ids = tuple(trace.choices[node].token_id for node in path[before:])
            if ids not in self._labels:
                self._labels[ids] = model.pieces(ids)
                if len(self._labels) > _REMEMBERED:
                    self._labels.popitem(last=False)
            words |= zip(path[first:], self._labels[ids][first - before :], strict=True)

    def _fact(self, model: Model, ids: list[int], at: int, before: TokenOutput) -> Fact:
        """How probable the token at a place was, and what else could have stood there."""
        token_id = ids[at]
        facts = self._facts.setdefault(before, {})
        if token_id not in facts:
            pending = model.vocabulary.pending(ids[:at])
            others = [
                (i, model.vocabulary.label(i, pending), round(math.exp(before.log_probability(i)), 6))
                for i in before.top[:ALTERNATIVES]
            ]
            facts[token_id] = (round(before.log_probability(token_id), 4), before.rank(token_id), others)
        return facts[token_id]


def totals(log_probabilities: list[float | None]) -> dict[str, float]:
    """Of a text: the log-probability of all its predicted tokens, and their perplexity."""
    known = [value for value in log_probabilities if value is not None]
    total = sum(known)
    return {"log_probability": total, "perplexity": math.exp(-total / len(known)) if known else 1.0}
