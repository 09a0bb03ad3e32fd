"""The numbers behind each box of the diagram, as paragraphs, vectors, tables and lines for `diagram.js`.

All of them are those of the last token, at the layer and the head that the visitor chose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pages.i18n.translator import Translator
from pages.transformer.blocks import Block, length_in_words, length_of, table, text, vector

if TYPE_CHECKING:
    import engine
    from engine.interpret.activations import Activations, LayerActivations
    from engine.sampling.distribution import Distribution
    from pages.session.text_state import TextState

TOKENS = 12  # tokens that are listed
NEURONS = 8
BEST = 5  # most probable tokens


@dataclass(frozen=True)
class Shown:
    """What the details are of.

    labels         readable strings of the text's tokens
    layer, head    counted from 0
    distribution   of the next token
    chosen, u      the token that would be appended, and the number drawn for it; None where the text has ended, and for
                   a greedy choice
    """

    model: engine.Model
    found: Activations
    labels: Sequence[str]
    layer: int
    head: int
    distribution: Distribution
    chosen: int | None
    u: float | None
    session: TextState

    @property
    def at(self) -> LayerActivations:
        """The layer."""
        return self.found.layers[self.layer]

    @property
    def before(self) -> np.ndarray:
        """Input of the layer, (d,)."""
        return self.found.layers[self.layer - 1].output if self.layer else self.found.first


def details(box: str, shown: Shown, t: Translator) -> list[Block]:
    """The numbers behind a box."""
    return _DETAILS[box](shown, t)


def _tokens(shown: Shown, t: Translator) -> list[Block]:
    ids, first = shown.found.ids, max(0, len(shown.labels) - TOKENS)
    rows = [[label, f"{token:,}"] for label, token in zip(shown.labels[first:], ids[first:], strict=True)]
    left_out = [text(t("transformer.tokens.earlier", n=first))] if first else []
    return [
        text(t("transformer.tokens.how", token=shown.labels[-1])),
        *left_out,
        table(t("transformer.tokens.table"), t.list("transformer.tokens.columns"), rows, mark=len(rows) - 1),
    ]


def _embedding(shown: Shown, t: Translator) -> list[Block]:
    found, token = shown.found, shown.labels[-1]
    size = t("transformer.embedding.how", token=token, rows=f"{shown.model.vocabulary.size:,}", size=len(found.token))
    blocks = [text(size), vector(t("transformer.embedding.token", token=token), found.token, t)]
    place = len(found.ids)
    if found.beginning == "sum" and found.position is not None:
        blocks += [
            text(t("transformer.embedding.sum", place=place)),
            vector(t("transformer.embedding.position", place=place), found.position, t),
            vector(t("transformer.embedding.both"), found.first, t),
        ]
    elif found.beginning == "other":
        blocks += [text(t("transformer.embedding.other")), vector(t("transformer.embedding.first"), found.first, t)]
    else:
        if found.beginning == "scaled":
            factor = t.number(length_of(found.first) / max(length_of(found.token), 1e-12), 2)
            blocks.append(text(t("transformer.embedding.scaled", factor=factor)))
        blocks.append(text(t("transformer.embedding.rotary" if found.rotary else "transformer.embedding.nothing")))
    return blocks


def _attention(shown: Shown, t: Translator) -> list[Block]:
    layer = shown.at
    if layer.weights is None:
        blocks = [text(t("transformer.attention.none"))]
        return [*blocks, *_added(layer.mixed, t("transformer.attention.instead"), t)]
    weights = layer.weights[shown.head]  # (T,)
    listed = sorted(np.argsort(-weights, kind="stable")[:TOKENS].tolist())
    columns = t.list("transformer.attention.columns")
    scores = None if layer.scores is None else layer.scores[shown.head]  # (T,)
    rows = [
        [shown.labels[i], *([] if scores is None else [t.number(float(scores[i]), 2)]), t.percent(float(weights[i]))]
        for i in listed
    ]
    if scores is None:
        columns = [columns[0], columns[-1]]
    how = t("transformer.attention.how", token=shown.labels[-1])
    rest = [] if len(listed) == len(weights) else [text(t("transformer.attention.most", n=len(listed)))]
    return [
        text(how),
        {"kind": "head"},
        table(
            t("transformer.attention.table", layer=shown.layer + 1, head=shown.head + 1), columns, rows,
            [float(weights[i]) for i in listed], tone="attention",
        ),
        *rest,
        *([text(t("transformer.attention.other"))] if scores is None else []),
        text(t("transformer.attention.mix", heads=len(layer.weights))),
        *_added(layer.mixed, t("transformer.attention.added", layer=shown.layer + 1), t),
    ]  # fmt: skip


def _added(values: np.ndarray | None, name: str, t: Translator) -> list[Block]:
    """What a part adds, or a sentence where that cannot be told."""
    return [text(t("transformer.inseparable")) if values is None else vector(name, values, t)]


def _mlp(shown: Shown, t: Translator) -> list[Block]:
    layer = shown.at
    blocks = [text(t("transformer.mlp.how"))]
    if layer.neurons is None:
        blocks.append(text(t("transformer.mlp.none" if layer.mlp is not None else "transformer.mlp.unknown")))
    else:
        neurons = layer.neurons
        strongest = np.argsort(-np.abs(neurons), kind="stable")[:NEURONS].tolist()
        most = abs(float(neurons[strongest[0]])) or 1.0
        rows = [[f"{i + 1:,}", t.number(float(neurons[i]), 2)] for i in strongest]
        name = t("transformer.mlp.table", n=len(strongest), size=f"{len(neurons):,}")
        shares = [float(neurons[i]) / most for i in strongest]
        blocks.append(table(name, t.list("transformer.mlp.columns"), rows, shares, tone=""))
    return [*blocks, *_added(layer.mlp, t("transformer.mlp.added", layer=shown.layer + 1), t)]


def _stream(shown: Shown, t: Translator) -> list[Block]:
    layer, lengths = shown.at, shown.found.lengths()
    parts: list[tuple[str, np.ndarray | None]] = [
        ("before", shown.before), ("attention", layer.mixed), ("mlp", layer.mlp), ("after", layer.output),
    ]  # fmt: skip
    rows = [[t(f"transformer.stream.{name}"), length_in_words(part, t)] for name, part in parts if part is not None]
    line = {
        "kind": "line", "name": t("transformer.stream.line"), "values": [round(value, 3) for value in lengths],
        "at": shown.layer + 1, "columns": t.list("transformer.stream.layers"),
        "texts": [t.number(value, 2) for value in lengths],
    }  # fmt: skip
    return [
        text(t("transformer.stream.how", layer=shown.layer + 1)),
        table(
            t("transformer.stream.table", layer=shown.layer + 1), t.list("transformer.stream.columns"), rows, tone=""
        ),
        text(t("transformer.stream.directions")),
        *([text(t("transformer.inseparable"))] if layer.mixed is None and layer.mlp is None else []),
        line,
    ]


def _norm(shown: Shown, t: Translator) -> list[Block]:
    before, after = shown.found.layers[-1].output, shown.found.final
    how = t("transformer.norm.how", before=length_in_words(before, t), after=length_in_words(after, t))
    return [text(how), vector(t("transformer.norm.state", token=shown.labels[-1]), after, t)]


def _logits(shown: Shown, t: Translator) -> list[Block]:
    best = shown.distribution.top(BEST)
    rows = [[candidate.text, t.number(candidate.logit, 2)] for candidate in best]
    return [
        text(t("transformer.logits.how", size=f"{shown.distribution.size:,}")),
        table(t("transformer.logits.table", n=len(best)), t.list("transformer.logits.columns"), rows),
    ]


def _softmax(shown: Shown, t: Translator) -> list[Block]:
    best = shown.distribution.top(BEST)
    highest = best[0].logit
    powers = [math.exp(candidate.logit - highest) for candidate in best]
    total = 1 / best[0].raw  # of the powers of all tokens
    rows = [
        [candidate.text, t.number(candidate.logit, 2), t.number(power, 3), t.percent(candidate.raw)]
        for candidate, power in zip(best, powers, strict=True)
    ]
    shares = [candidate.raw for candidate in best]
    if shown.distribution.size > len(best):
        rest = max(0.0, 1 - sum(shares))
        rows.append([t("bars.others_word"), "", t.number(rest * total, 3), t.percent(rest)])
        shares.append(rest)
    return [
        text(t("transformer.softmax.how")),
        table(t("transformer.softmax.table"), t.list("transformer.softmax.columns"), rows, shares),
        text(t("transformer.softmax.total", best=best[0].text, total=t.number(total, 3), p=t.percent(best[0].raw))),
    ]


def _choice(shown: Shown, t: Translator) -> list[Block]:
    if shown.chosen is None:
        return [text(t("transformer.choice.ended"))]
    token = shown.distribution.candidate(shown.chosen)
    if shown.u is None:
        how = t("transformer.choice.greedy", token=token.text)
    else:
        how = t("transformer.choice.drawn", token=token.text, p=t.percent(token.probability), u=f"{shown.u:.4f}",
                seed=shown.session.seed)  # fmt: skip
    return [text(how), text(t("transformer.choice.again"))]


_DETAILS = {
    "tokens": _tokens, "embedding": _embedding, "attention": _attention, "mlp": _mlp, "stream": _stream,
    "norm": _norm, "logits": _logits, "softmax": _softmax, "choice": _choice,
}  # fmt: skip
