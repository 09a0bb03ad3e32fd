"""Annotations of a trace for the text strip: labels, log-probabilities, ranks, alternatives, branches.

Plain data for `components/text/text_strip.py`. No Streamlit here.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from engine.model.perplexity import perplexity

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.model.token_output import TokenOutput
    from engine.trace.trace import Trace

ALTERNATIVES = 5  # per position
_MAX_CACHED_BRANCHES = 1_000
_LOWEST = -1e6  # nats, sent for a probability of 0: JSON has no infinity

# Log-probability and rank of a token, and the most probable tokens at its position as (id, label, probability).
Fact = tuple[float | None, int | None, list[tuple[int, str, float]]]


class TextAnnotator:
    """Annotates one visitor's trace. Caches labels and facts, so that a step computes those of the new token only."""

    def __init__(self) -> None:
        self._labels: OrderedDict[tuple[int, ...], list[str]] = OrderedDict()
        self._facts: WeakKeyDictionary[TokenOutput, dict[int, Fact]] = WeakKeyDictionary()

    def annotate(self, model: Model, trace: Trace, probabilities: bool = True) -> dict[str, Any]:
        """Annotations of a trace.

        nodes   [parent, label, origin, special] of every choice
        line    indices of the choices on the current line, see `Trace.line`
        cursor  index of the current choice
        groups  [first, stop, text] over the line, see `Vocabulary.groups`
        facts   a `Fact` for each token of the line; all of the first one's are empty, and those of a token before which
                a server was not asked; without `probabilities` all facts
        totals  see `totals`, of the line up to the cursor; an infinite perplexity is None, as JSON has no infinity
        """
        line = trace.line()
        ids = [trace.choices[i].token_id for i in line]
        labels = dict(zip(line, model.pieces(ids), strict=True))
        self._label_branches(model, trace, labels)
        nodes = [
            [c.parent, labels[i], c.how, c.token_id in model.vocabulary.special] for i, c in enumerate(trace.choices)
        ]
        facts: list[Fact] = [(None, None, [])] * (1 if probabilities else len(ids))
        if probabilities:
            outputs = model.known_outputs(ids)
            facts += [self._fact(model, ids, position, outputs[position - 1]) for position in range(1, len(ids))]
        total = totals([fact[0] for fact in facts[: line.index(trace.cursor) + 1]])
        finite = math.isfinite(total["perplexity"])
        return {
            "nodes": nodes,
            "line": line,
            "cursor": trace.cursor,
            "groups": model.vocabulary.groups(ids),
            "facts": facts,
            "totals": total if finite else total | {"perplexity": None},
        }

    def _label_branches(self, model: Model, trace: Trace, labels: dict[int, str]) -> None:
        """Add the labels of all choices off the line, leaf by leaf.

        A branch is decoded with the four tokens before it: it may begin within a character.
        """
        parents = {choice.parent for choice in trace.choices}
        for leaf in range(len(trace.choices)):
            if leaf in parents or leaf in labels:
                continue
            path = trace.path(leaf)
            first = next(i for i, node in enumerate(path) if node not in labels)
            start = max(0, first - 4)
            ids = tuple(trace.choices[node].token_id for node in path[start:])
            if ids not in self._labels:
                self._labels[ids] = model.pieces(ids)
                if len(self._labels) > _MAX_CACHED_BRANCHES:
                    self._labels.popitem(last=False)
            labels |= zip(path[first:], self._labels[ids][first - start :], strict=True)

    def _fact(self, model: Model, ids: list[int], position: int, output: TokenOutput | None) -> Fact:
        """The fact of one token; `output` is the model output at the position before it, if it is known."""
        if output is None:
            return None, None, []
        token_id = ids[position]
        facts = self._facts.setdefault(output, {})
        if token_id not in facts:
            pending = model.vocabulary.pending(ids[:position])
            alternatives = [
                (i, model.vocabulary.label(i, pending), round(math.exp(output.log_probability(i)), 6))
                for i in output.top[:ALTERNATIVES]
            ]
            if output.is_listed(token_id):
                log_probability = max(output.log_probability(token_id), _LOWEST)
                facts[token_id] = (round(log_probability, 4), output.rank(token_id), alternatives)
            else:
                facts[token_id] = (None, None, alternatives)
        return facts[token_id]


def totals(log_probabilities: list[float | None]) -> dict[str, float]:
    """Total log-probability (nats) and perplexity of a text's predicted tokens; None marks the first token."""
    predicted = [value for value in log_probabilities if value is not None]
    total = sum(predicted)
    return {"log_probability": total, "perplexity": perplexity(-total / len(predicted)) if predicted else 1.0}
