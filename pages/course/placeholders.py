"""The numbers and tokens that a lesson's sentences may name in braces, each worked out from the running model now."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.decoding.text_metrics import REPEATED, repeated_ngrams
from engine.errors import EngineError
from pages.session.annotated_text import totals

if TYPE_CHECKING:
    from pages.course.learner import Learner
    from pages.i18n.translator import Translator


def _top(learner: Learner, t: Translator, rank: int) -> tuple[str, str]:
    distribution = learner.model.distribution(learner.trace.token_ids(), learner.session.settings)
    candidate = distribution.top(rank)[rank - 1]
    return candidate.text, t.percent(candidate.raw)


def _logs(learner: Learner) -> list[float]:
    """Log-probability of every token of the text but the first."""
    return [value for value in learner.model.score(learner.trace.token_ids()).log_probabilities if value is not None]


def _least(learner: Learner) -> int:
    """Where the least expected token of the text stands; 0 in a text of one token."""
    logs = _logs(learner)
    return logs.index(min(logs)) + 1 if logs else 0


def _last_p(learner: Learner, t: Translator) -> str:
    logs = _logs(learner)
    return t.percent(math.exp(logs[-1])) if logs else NOTHING


def _kept(learner: Learner, t: Translator) -> str:
    distribution = learner.model.distribution(learner.trace.token_ids(), learner.session.settings)
    return f"{int((distribution.probabilities > 0).sum()):,}"


def _choices(learner: Learner, t: Translator) -> str:
    entropy = learner.model.distribution(learner.trace.token_ids()).entropy
    return t.number(math.exp(entropy))


def _best_drawn(learner: Learner, t: Translator) -> str:
    """Of the likeliest token, how probable it is to be drawn, after the filters."""
    distribution = learner.model.distribution(learner.trace.token_ids(), learner.session.settings)
    return t.percent(distribution.top(1)[0].probability)


def _found(learner: Learner, t: Translator) -> tuple[str, str, str]:
    """The first token that the search finds: itself, its rank, its probability."""
    query = str(learner.widget("search") or "")
    hits = learner.model.vocabulary.search(query, 1) if query else []
    if not hits:
        return NOTHING, NOTHING, NOTHING
    candidate = learner.model.distribution(learner.trace.token_ids()).candidate(hits[0])
    return candidate.text, f"{candidate.rank:,}", t.percent(candidate.raw)


def _perplexity(logs: list[float], t: Translator) -> str:
    return t.number(totals(list(logs))["perplexity"])


def _repeated(learner: Learner, t: Translator) -> tuple[str, str, str]:
    """The first run of tokens that the text says again, and how probable a token of it was, on (geometric) average:
    the first time, and again."""
    trace = learner.trace
    written = trace.token_ids()[trace.prompt_length :]
    spans = repeated_ngrams(written)
    if not spans:
        return NOTHING, NOTHING, NOTHING
    again = spans[0][0]
    run = written[again : again + REPEATED]
    once = next(at for at in range(again) if written[at : at + REPEATED] == run)
    logs = _logs(learner)[trace.prompt_length - 1 :]  # log-probability of each token written

    def average(at: int) -> str:
        return t.percent(math.exp(sum(logs[at : at + REPEATED]) / REPEATED))

    first = trace.prompt_length + again
    return "".join(_pieces(learner)[first : first + REPEATED]).replace("␣", " ").strip(), average(once), average(again)


def _drawing(learner: Learner, t: Translator) -> tuple[str, str]:
    """The number drawn for the next token, and the token that it lands on."""
    distribution, token_id, u = learner.session.choice(learner.model)
    return (NOTHING if u is None else f"{u:.4f}"), distribution.candidate(token_id).text


def _level(learner: Learner) -> tuple[str, str, str]:
    """Of the last level on show: how many candidates there were, how many live on, how many finished beams are held."""
    beaming = learner.beaming
    if beaming.search is None or not beaming.shown:
        return NOTHING, NOTHING, NOTHING
    level = beaming.search.levels[beaming.shown - 1]
    return f"{level.considered:,}", str(len(level.active)), str(len(level.finished))


def _beam_scores(learner: Learner, t: Translator) -> tuple[str, str]:
    """The scores of the best beam and of greedy search; only of a search that is over."""

    beaming = learner.beaming
    if not beaming.over or beaming.search is None or not beaming.search.sequences:
        return NOTHING, NOTHING
    beam, greedy, _ = beaming.baselines().scores
    return t.number(beam, 2), t.number(greedy, 2)


def kept_first(learner: Learner, prompt: str) -> int | None:
    """How many tokens top-p leaves right after a prompt, as the comparison has it; None for one that cannot be read."""
    try:
        return learner.comparison.kept(learner.model, prompt)[0].by_top_p
    except EngineError:
        return None


def _beside(learner: Learner, t: Translator, which: str) -> str:
    left = kept_first(learner, str(learner.widget(f"compare {which} {t.language}") or ""))
    return NOTHING if left is None else f"{left:,}"


def _compare_value(learner: Learner, name: str) -> str:
    return f"{dict(learner.comparison.question.values)[name]:g}"


def _pieces(learner: Learner) -> list[str]:
    return learner.model.pieces(learner.trace.token_ids())


def _beyond(learner: Learner, t: Translator) -> str:
    """How probable it is that none of the first 20 tokens follows."""
    distribution = learner.model.distribution(learner.trace.token_ids())
    return t.percent(distribution.others([c.token_id for c in distribution.top(20)])[0])


def _forced_perplexity(learner: Learner, t: Translator) -> str:
    """Of the text under teacher forcing."""
    logs = list(learner.model.score(learner.forcing.ids).log_probabilities) if learner.forcing.ids else []
    return t.number(totals(logs)["perplexity"])


NOTHING = "–"

PLACEHOLDERS: dict[str, Callable[[Learner, Translator], str]] = {
    "best": lambda learner, t: _top(learner, t, 1)[0],
    "best_p": lambda learner, t: _top(learner, t, 1)[1],
    "second": lambda learner, t: _top(learner, t, 2)[0],
    "second_p": lambda learner, t: _top(learner, t, 2)[1],
    "best_drawn": _best_drawn,
    "found": lambda learner, t: _found(learner, t)[0],
    "found_rank": lambda learner, t: _found(learner, t)[1],
    "found_p": lambda learner, t: _found(learner, t)[2],
    "vocabulary": lambda learner, t: f"{learner.model.vocabulary.size:,}",
    "context": lambda learner, t: f"{learner.model.context_length:,}",
    "length": lambda learner, t: str(len(learner.trace.path())),
    "written": lambda learner, t: str(len(learner.trace.path()) - learner.trace.prompt_length),
    "last": lambda learner, t: _pieces(learner)[-1],
    "last_p": _last_p,
    "least": lambda learner, t: _pieces(learner)[_least(learner)],
    "least_p": lambda learner, t: t.percent(math.exp(min(_logs(learner), default=0.0))),
    "log_p": lambda learner, t: t.number(sum(_logs(learner))),
    "text_p": lambda learner, t: t.percent(math.exp(sum(_logs(learner)))),
    "factors": lambda learner, t: str(len(_logs(learner))),
    "perplexity": lambda learner, t: _perplexity(_logs(learner), t),
    "perplexity_before": lambda learner, t: _perplexity(_logs(learner)[:-1], t),
    "repeated": lambda learner, t: _repeated(learner, t)[0],
    "once_p": lambda learner, t: _repeated(learner, t)[1],
    "again_p": lambda learner, t: _repeated(learner, t)[2],
    "choices": _choices,
    "kept": _kept,
    "seed": lambda learner, t: str(learner.session.seed),
    "u": lambda learner, t: _drawing(learner, t)[0],
    "pick": lambda learner, t: _drawing(learner, t)[1],
    "temperature": lambda learner, t: f"{learner.session.settings.temperature:g}",
    "top_k": lambda learner, t: str(learner.session.settings.top_k),
    "top_p": lambda learner, t: f"{learner.session.settings.top_p:g}",
    "beam_width": lambda learner, t: str(learner.beaming.settings.width),
    "beyond": _beyond,
    "forced_perplexity": _forced_perplexity,
    "beam_candidates": lambda learner, t: _level(learner)[0],
    "beam_live": lambda learner, t: _level(learner)[1],
    "beam_held": lambda learner, t: _level(learner)[2],
    "beam_score": lambda learner, t: _beam_scores(learner, t)[0],
    "greedy_score": lambda learner, t: _beam_scores(learner, t)[1],
    "flat_kept": lambda learner, t: _beside(learner, t, "flat"),
    "peaked_kept": lambda learner, t: _beside(learner, t, "peaked"),
    "compare_top_p": lambda learner, t: _compare_value(learner, "top_p"),
    "compare_top_k": lambda learner, t: _compare_value(learner, "top_k"),
    "cut_tokens": lambda learner, t: str(len(learner.model.encode(learner.cutting.text))),
    "cut_characters": lambda learner, t: str(len(learner.cutting.text)),
}
