"""The numbers and tokens that a lesson's sentences may name in braces, each worked out from the running model now."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from pages.ui.story import totals

if TYPE_CHECKING:
    from pages.learn.tasks import Table
    from pages.ui.i18n import Translator


def _top(table: Table, t: Translator, rank: int) -> tuple[str, str]:
    distribution = table.model.distribution(table.trace.token_ids(), table.session.settings)
    candidate = distribution.top(rank)[rank - 1]
    return candidate.text, t.percent(candidate.raw)


def _logs(table: Table) -> list[float]:
    """Log-probability of every token of the text but the first."""
    return [value for value in table.model.score(table.trace.token_ids()).log_probabilities if value is not None]


def _least(table: Table) -> int:
    """Where the least expected token of the text stands; 0 in a text of one token."""
    logs = _logs(table)
    return logs.index(min(logs)) + 1 if logs else 0


def _last_p(table: Table, t: Translator) -> str:
    logs = _logs(table)
    return t.percent(math.exp(logs[-1])) if logs else "–"


def _kept(table: Table, t: Translator) -> str:
    distribution = table.model.distribution(table.trace.token_ids(), table.session.settings)
    return f"{int((distribution.probabilities > 0).sum()):,}"


def _choices(table: Table, t: Translator) -> str:
    entropy = table.model.distribution(table.trace.token_ids()).entropy
    return t.number(math.exp(entropy))


def _pieces(table: Table) -> list[str]:
    return table.model.pieces(table.trace.token_ids())


def _beyond(table: Table, t: Translator) -> str:
    """How probable it is that none of the first 20 tokens follows."""
    distribution = table.model.distribution(table.trace.token_ids())
    return t.percent(distribution.others([c.token_id for c in distribution.top(20)])[0])


def _forced_perplexity(table: Table, t: Translator) -> str:
    """Of the text under teacher forcing."""
    logs = list(table.model.score(table.forcing.ids).log_probabilities) if table.forcing.ids else []
    return t.number(totals(logs)["perplexity"])


FACTS: dict[str, Callable[[Table, Translator], str]] = {
    "best": lambda table, t: _top(table, t, 1)[0],
    "best_p": lambda table, t: _top(table, t, 1)[1],
    "second": lambda table, t: _top(table, t, 2)[0],
    "second_p": lambda table, t: _top(table, t, 2)[1],
    "vocabulary": lambda table, t: f"{table.model.vocabulary.size:,}",
    "context": lambda table, t: f"{table.model.context_length:,}",
    "length": lambda table, t: str(len(table.trace.path())),
    "written": lambda table, t: str(len(table.trace.path()) - table.trace.prompt_length),
    "last": lambda table, t: _pieces(table)[-1],
    "last_p": _last_p,
    "least": lambda table, t: _pieces(table)[_least(table)],
    "least_p": lambda table, t: t.percent(math.exp(min(_logs(table), default=0.0))),
    "log_p": lambda table, t: t.number(sum(_logs(table))),
    "perplexity": lambda table, t: t.number(totals(list(_logs(table)))["perplexity"]),
    "choices": _choices,
    "kept": _kept,
    "seed": lambda table, t: str(table.session.seed),
    "temperature": lambda table, t: f"{table.session.settings.temperature:g}",
    "beam_width": lambda table, t: str(table.beaming.settings.width),
    "beyond": _beyond,
    "forced_perplexity": _forced_perplexity,
    "cut_tokens": lambda table, t: str(len(table.model.encode(table.cutting.text))),
    "cut_characters": lambda table, t: str(len(table.cutting.text)),
}
