"""The numbers and tokens that a lesson's sentences may name in braces, each worked out from the running model now."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.decoding.text_metrics import REPEATED, repeated_ngrams
from engine.errors import EngineError
from pages.ui.story import totals

if TYPE_CHECKING:
    from pages.learn.table import Table
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
    return t.percent(math.exp(logs[-1])) if logs else NOTHING


def _kept(table: Table, t: Translator) -> str:
    distribution = table.model.distribution(table.trace.token_ids(), table.session.settings)
    return f"{int((distribution.probabilities > 0).sum()):,}"


def _choices(table: Table, t: Translator) -> str:
    entropy = table.model.distribution(table.trace.token_ids()).entropy
    return t.number(math.exp(entropy))


def _best_drawn(table: Table, t: Translator) -> str:
    """Of the likeliest token, how probable it is to be drawn, after the filters."""
    distribution = table.model.distribution(table.trace.token_ids(), table.session.settings)
    return t.percent(distribution.top(1)[0].probability)


def _found(table: Table, t: Translator) -> tuple[str, str, str]:
    """The first token that the search finds: itself, its rank, its probability."""
    query = str(table.widget("search") or "")
    hits = table.model.vocabulary.search(query, 1) if query else []
    if not hits:
        return NOTHING, NOTHING, NOTHING
    candidate = table.model.distribution(table.trace.token_ids()).candidate(hits[0])
    return candidate.text, f"{candidate.rank:,}", t.percent(candidate.raw)


def _perplexity(logs: list[float], t: Translator) -> str:
    return t.number(totals(list(logs))["perplexity"])


def _repeated(table: Table, t: Translator) -> tuple[str, str, str]:
    """The first run of tokens that the text says again, and how probable a token of it was, on (geometric) average:
    the first time, and again."""
    trace = table.trace
    written = trace.token_ids()[trace.prompt_length :]
    spans = repeated_ngrams(written)
    if not spans:
        return NOTHING, NOTHING, NOTHING
    again = spans[0][0]
    run = written[again : again + REPEATED]
    once = next(at for at in range(again) if written[at : at + REPEATED] == run)
    logs = _logs(table)[trace.prompt_length - 1 :]  # log-probability of each token written

    def average(at: int) -> str:
        return t.percent(math.exp(sum(logs[at : at + REPEATED]) / REPEATED))

    first = trace.prompt_length + again
    return "".join(_pieces(table)[first : first + REPEATED]).replace("␣", " ").strip(), average(once), average(again)


def _drawing(table: Table, t: Translator) -> tuple[str, str]:
    """The number drawn for the next token, and the token that it lands on."""
    distribution, token_id, u = table.session.choice(table.model)
    return (NOTHING if u is None else f"{u:.4f}"), distribution.candidate(token_id).text


def _level(table: Table) -> tuple[str, str, str]:
    """Of the last level on show: how many candidates there were, how many live on, how many finished beams are held."""
    beaming = table.beaming
    if beaming.search is None or not beaming.shown:
        return NOTHING, NOTHING, NOTHING
    level = beaming.search.levels[beaming.shown - 1]
    return f"{level.considered:,}", str(len(level.active)), str(len(level.finished))


def _beam_scores(table: Table, t: Translator) -> tuple[str, str]:
    """The scores of the best beam and of greedy search; only of a search that is over."""
    from pages.ui import beam_truth  # it draws too, with components that know the visitor's state

    beaming = table.beaming
    if not beaming.over or beaming.search is None or not beaming.search.sequences:
        return NOTHING, NOTHING
    beam, greedy, _ = beam_truth.of(beaming).scores
    return t.number(beam, 2), t.number(greedy, 2)


def kept_first(table: Table, prompt: str) -> int | None:
    """How many tokens top-p leaves right after a prompt, as the comparison has it; None for one that cannot be read."""
    try:
        return table.comparison.kept(table.model, prompt)[0].by_top_p
    except EngineError:
        return None


def _beside(table: Table, t: Translator, which: str) -> str:
    left = kept_first(table, str(table.widget(f"compare {which} {t.language}") or ""))
    return NOTHING if left is None else f"{left:,}"


def _compare_value(table: Table, name: str) -> str:
    return f"{dict(table.comparison.question.values)[name]:g}"


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


NOTHING = "–"

FACTS: dict[str, Callable[[Table, Translator], str]] = {
    "best": lambda table, t: _top(table, t, 1)[0],
    "best_p": lambda table, t: _top(table, t, 1)[1],
    "second": lambda table, t: _top(table, t, 2)[0],
    "second_p": lambda table, t: _top(table, t, 2)[1],
    "best_drawn": _best_drawn,
    "found": lambda table, t: _found(table, t)[0],
    "found_rank": lambda table, t: _found(table, t)[1],
    "found_p": lambda table, t: _found(table, t)[2],
    "vocabulary": lambda table, t: f"{table.model.vocabulary.size:,}",
    "context": lambda table, t: f"{table.model.context_length:,}",
    "length": lambda table, t: str(len(table.trace.path())),
    "written": lambda table, t: str(len(table.trace.path()) - table.trace.prompt_length),
    "last": lambda table, t: _pieces(table)[-1],
    "last_p": _last_p,
    "least": lambda table, t: _pieces(table)[_least(table)],
    "least_p": lambda table, t: t.percent(math.exp(min(_logs(table), default=0.0))),
    "log_p": lambda table, t: t.number(sum(_logs(table))),
    "text_p": lambda table, t: t.percent(math.exp(sum(_logs(table)))),
    "factors": lambda table, t: str(len(_logs(table))),
    "perplexity": lambda table, t: _perplexity(_logs(table), t),
    "perplexity_before": lambda table, t: _perplexity(_logs(table)[:-1], t),
    "repeated": lambda table, t: _repeated(table, t)[0],
    "once_p": lambda table, t: _repeated(table, t)[1],
    "again_p": lambda table, t: _repeated(table, t)[2],
    "choices": _choices,
    "kept": _kept,
    "seed": lambda table, t: str(table.session.seed),
    "u": lambda table, t: _drawing(table, t)[0],
    "pick": lambda table, t: _drawing(table, t)[1],
    "temperature": lambda table, t: f"{table.session.settings.temperature:g}",
    "top_k": lambda table, t: str(table.session.settings.top_k),
    "top_p": lambda table, t: f"{table.session.settings.top_p:g}",
    "beam_width": lambda table, t: str(table.beaming.settings.width),
    "beyond": _beyond,
    "forced_perplexity": _forced_perplexity,
    "beam_candidates": lambda table, t: _level(table)[0],
    "beam_live": lambda table, t: _level(table)[1],
    "beam_held": lambda table, t: _level(table)[2],
    "beam_score": lambda table, t: _beam_scores(table, t)[0],
    "greedy_score": lambda table, t: _beam_scores(table, t)[1],
    "flat_kept": lambda table, t: _beside(table, t, "flat"),
    "peaked_kept": lambda table, t: _beside(table, t, "peaked"),
    "compare_top_p": lambda table, t: _compare_value(table, "top_p"),
    "compare_top_k": lambda table, t: _compare_value(table, "top_k"),
    "cut_tokens": lambda table, t: str(len(table.model.encode(table.cutting.text))),
    "cut_characters": lambda table, t: str(len(table.cutting.text)),
}
