"""What the looking-inside page works out: sentences about heads, the lens, what mattered, the small experiments.

Numbers come from `engine.heads`, `engine.lens` and `engine.mattered`; here they become rows and sentences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pages.ui import shaded
from pages.ui.i18n import Translator
from pages.ui.looking import Looking
from pages.ui.session import Session

if TYPE_CHECKING:
    from engine.heads import HeadDescription
    from engine.lens import Lens
    from engine.model import Model

MOST_MATTERED = 128  # tokens of a text for which every token is left out in turn
_AGREE, _PARTLY = 0.6, 0.3  # rank correlation from which two answers are called alike, or partly so


def heads_told(model: Model, t: Translator) -> list[list[str]]:
    """A sentence for each head of each layer: what it was found to do on a fixed probe."""
    from engine import heads

    return [[describe(head, t) for head in layer] for layer in heads.describe(model)]


def describe(found: HeadDescription, t: Translator) -> str:
    """What a head was found to do; says so where nothing stands out."""
    if found.kind is None:
        return t("inside.kind.none")
    return t(f"inside.kind.{found.kind}", score=t.percent(getattr(found, found.kind)))


def lens_of(looking: Looking, model: Model) -> Lens:
    """The lens of the text. Raises EngineError for a model that it does not fit."""
    from engine.lens import lens

    found: Lens = looking.once("lens", (model.name, looking.ids), lambda: lens(model, looking.ids))
    return found


def word(looking: Looking, model: Model, token_id: int) -> str:
    """How a token is read after the row on show."""
    return model.vocabulary.label(token_id, model.vocabulary.pending(looking.ids[: looking.at + 1]))


def target(session: Session, looking: Looking, model: Model) -> int:
    """The token that the row on show was used to predict: the one that follows it, or the model's choice now."""
    if looking.at + 1 < len(looking.ids):
        return looking.ids[looking.at + 1]
    return session.choice(model)[1]


def through_layers(found: Lens, position: int, token_id: int, word: str, t: Translator) -> pa.Table:
    """One row a layer, the last on top: rank and probability of a token there."""
    ranks, values = found.ranks(position, token_id), found.probabilities(position, token_id)
    layers = [t("inside.lens.layer", n=n) if n else t("inside.lens.embedding") for n in range(len(ranks))]
    return pa.table(
        {
            t("inside.lens.where"): layers[::-1],
            t("inside.lens.rank", token=word): [f"{rank:,}" for rank in ranks[::-1]],
            t("inside.lens.p"): [t.percent(value) for value in values[::-1]],
        }
    )


def cell_list(found: Lens, model: Model, ids: tuple[int, ...], cell: tuple[int, int], t: Translator) -> pa.Table:
    """The ten likeliest tokens of one layer at one position."""
    layer, position = cell
    pending = model.vocabulary.pending(ids[: position + 1])
    top = found.top(layer, position, 10)
    return pa.table(
        {
            t("inside.lens.token"): [model.vocabulary.label(token_id, pending) for token_id, _ in top],
            t("inside.lens.p"): [t.percent(p) for _, p in top],
        }
    )


def mattered(session: Session, looking: Looking, model: Model, t: Translator) -> tuple[list[dict[str, Any]], list[str]]:
    """Attention, leaving out, replacing and gradient on the same tokens; and sentences on where they agree.

    Raises EngineError where one cannot be had of this model.
    """
    from engine.mattered import agreement, gradient_input, occlusion

    ids = looking.ids[: looking.at + 1]
    token_id = target(session, looking, model)
    asked = (model.name, ids, token_id)
    out = looking.once("occlusion", asked, lambda: occlusion(model, ids, token_id), steps=1)
    gradient = looking.once("gradient", asked, lambda: gradient_input(model, ids, token_id), steps=1)
    shown = model.pieces(looking.ids)[: len(ids)]
    answers: dict[str, np.ndarray] = {}
    if out.masked_log_probabilities is not None:
        answers["attention"] = looking.matrix(model)[looking.at, : looking.at + 1]
        answers["masked"] = out.masked
    answers |= {"replaced": out.replaced, "gradient": gradient}
    rows = [
        shaded.row(
            t(f"inside.mattered.{name}"), t(f"inside.mattered.{name}_note"), shown, values.tolist(),
            [_told(name, float(value), t) for value in values],
        )
        for name, values in answers.items()
    ]  # fmt: skip
    lines = [t("inside.mattered.question", token=word(looking, model, token_id), p=t.percent(out.probability))]
    for name, values in answers.items():
        lines.append(t(f"inside.mattered.most_{name}", token=shown[int(np.argmax(values))]))
    for one, other in (("attention", "masked"), ("masked", "gradient")):
        if one in answers:
            lines += _agreement(one, other, agreement(answers[one], answers[other]), t)
    return rows, lines


def _told(name: str, value: float, t: Translator) -> str:
    """One token's number, as resting on it tells it."""
    if name == "attention":
        return t.percent(value)
    return t("inside.mattered.nats", value=t.number(value, 3))


def _agreement(one: str, other: str, value: float | None, t: Translator) -> list[str]:
    """How far two answers agree, in a sentence; none where that is not defined (a text of one token)."""
    if value is None:
        return []
    degree = "alike" if value >= _AGREE else "partly" if value >= _PARTLY else "unlike"
    names = {"one": t(f"inside.mattered.{one}"), "other": t(f"inside.mattered.{other}")}
    return [t(f"inside.mattered.{degree}", value=t.number(value, 2), **names)]


def outcome(name: str, looking: Looking, model: Model, t: Translator) -> str:
    """What an experiment found just now, in a sentence. Raises EngineError for a model that it cannot be made with."""
    from engine import heads

    times = looking.tried[name]
    if name == "previous":
        layer, head, score = heads.previous_token_head(model)
        return t("inside.try.previous_found", layer=layer + 1, head=head + 1, score=t.percent(score))
    if name == "sink":
        shares = heads.sink(looking.attention(model))
        layer, head = (int(i) for i in np.unravel_index(shares.argmax(), shares.shape))
        best, mean = t.percent(float(shares.max())), t.percent(float(shares.mean()))
        return t("inside.try.sink_found", layer=layer + 1, head=head + 1, score=best, mean=mean)
    found = looking.once("induction", (model.name, times), lambda: heads.induction_experiment(model, times), steps=1)
    numbers = {
        "first": t.number(found.first_mean, 2),
        "second": t.number(found.second_mean, 2),
        "shuffled": t.number(found.shuffled_mean, 2),
    }
    told = t("inside.try.copies" if found.copies else "inside.try.copies_not", **numbers)
    if found.score is None:
        return told
    head_told = t("inside.try.induction_head", layer=found.layer + 1, head=found.head + 1, score=t.percent(found.score))
    return f"{told} {head_told}"
