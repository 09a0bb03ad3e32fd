"""Values of the placeholders in lesson texts, such as {best_p}: numbers and tokens computed from the running model.

Probabilities are those of the model before any filter, unless a docstring says otherwise. A placeholder without a value
is shown as `NO_VALUE`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.decoding.text_metrics import REPEATED, repeated_ngrams
from engine.errors import EngineError
from engine.sampling.settings import Settings
from pages.course.page_values import NO_VALUE as NO_VALUE
from pages.course.page_values import PAGE_VALUES
from pages.session.annotated_text import totals

if TYPE_CHECKING:
    from pages.course.learner import Learner
    from pages.i18n.translator import Translator


def _top(learner: Learner, t: Translator, rank: int) -> tuple[str, str]:
    """The token of that rank (from 1) as the next token, and its probability."""
    distribution = learner.model.distribution(learner.trace.token_ids(), learner.session.settings)
    candidate = distribution.top(rank)[rank - 1]
    return candidate.text, t.percent(candidate.raw)


def _log_probabilities(learner: Learner) -> list[float]:
    """Log-probability of every token of the text except the first, in nats."""
    return [value for value in learner.model.score(learner.trace.token_ids()).log_probabilities if value is not None]


def _least(learner: Learner, t: Translator) -> tuple[str, str]:
    """The token with the lowest probability after the prompt, and its probability."""
    first = learner.trace.prompt_length
    written = _log_probabilities(learner)[first - 1 :]
    if not written:
        return NO_VALUE, NO_VALUE
    return _pieces(learner)[first + written.index(min(written))], t.percent_of_log(min(written))


def _added(learner: Learner, t: Translator, by_hand: bool = False) -> tuple[str, str]:
    """The token that was added last, wherever the cursor is, and its probability there; the last chosen by hand."""
    trace = learner.trace
    added = [i for i in range(trace.prompt_length, len(trace.choices)) if trace.choices[i].how == "hand" or not by_hand]
    if not added:
        return NO_VALUE, NO_VALUE
    ids = trace.token_ids(added[-1])
    value = learner.model.records(ids[:-1])[-1].log_probability(ids[-1])
    return learner.model.pieces(ids)[-1], t.percent_of_log(value)


def _nucleus(learner: Learner) -> str:
    """Number of candidates for the next token that top-p alone keeps."""
    settings = Settings(top_p=learner.session.settings.top_p)
    return f"{learner.model.distribution(learner.trace.token_ids(), settings).kept:,}"


def _last_p(learner: Learner, t: Translator) -> str:
    """Probability of the last token."""
    log_probabilities = _log_probabilities(learner)
    return t.percent_of_log(log_probabilities[-1]) if log_probabilities else NO_VALUE


def _candidate_count(learner: Learner, t: Translator) -> str:
    """Number of candidates for the next token that remain after the filters."""
    distribution = learner.model.distribution(learner.trace.token_ids(), learner.session.settings)
    return f"{distribution.kept:,}"


def _choices(learner: Learner, t: Translator) -> str:
    """Perplexity of the next-token distribution: exp(entropy)."""
    entropy = learner.model.distribution(learner.trace.token_ids()).entropy
    return t.number(math.exp(entropy))


def _best_drawn(learner: Learner, t: Translator) -> str:
    """Probability of the most probable token after the filters, with which it is sampled."""
    distribution = learner.model.distribution(learner.trace.token_ids(), learner.session.settings)
    return t.percent(distribution.top(1)[0].probability)


def _search_result(learner: Learner, t: Translator) -> tuple[str, str, str]:
    """Best match of the vocabulary search: the token, its rank as the next token, its probability."""
    query = str(learner.widget("search") or "")
    hits = learner.model.vocabulary.search(query, 1) if query else []
    if not hits:
        return NO_VALUE, NO_VALUE, NO_VALUE
    candidate = learner.model.distribution(learner.trace.token_ids()).candidate(hits[0])
    return candidate.text, f"{candidate.rank:,}", t.percent(candidate.raw)


def _unlikely(learner: Learner, t: Translator) -> list[str]:
    """Two tokens that the search finds and the bars do not show: words of the lesson, where the vocabulary has them."""
    vocabulary, bars = learner.model.vocabulary, learner.session.bars
    distribution = learner.model.distribution(learner.trace.token_ids())
    shown = {candidate.text.strip("␣") for candidate in distribution.top(bars)}
    found = [word for word in t.list("course.unlikely") if word not in shown and vocabulary.search(word, 1)]
    if len(found) < 2:
        readable = set(vocabulary.readable_ids)
        names = [vocabulary.label(i).strip("␣") for i in distribution.order[bars:].tolist() if i in readable]
        found += [name for name in names if name not in shown and vocabulary.search(name, 1)][:2]
    return [*found, NO_VALUE, NO_VALUE][:2]


def _perplexity(log_probabilities: list[float], t: Translator) -> str:
    """Perplexity of a text from the log-probabilities of its predicted tokens."""
    return t.number(totals(list(log_probabilities))["perplexity"]) if log_probabilities else NO_VALUE


def _repeated(learner: Learner, t: Translator) -> tuple[str, str, str]:
    """First repeated n-gram (`REPEATED` tokens) after the prompt, and the geometric mean of the probabilities of its
    tokens at the first occurrence and at the second."""
    trace = learner.trace
    generated = trace.token_ids()[trace.prompt_length :]
    spans = repeated_ngrams(generated)
    if not spans:
        return NO_VALUE, NO_VALUE, NO_VALUE
    second = spans[0][0]
    ngram = generated[second : second + REPEATED]
    first = next(i for i in range(second) if generated[i : i + REPEATED] == ngram)
    log_probabilities = _log_probabilities(learner)[trace.prompt_length - 1 :]  # of the generated tokens

    def mean_probability(start: int) -> str:
        return t.percent_of_log(sum(log_probabilities[start : start + REPEATED]) / REPEATED)

    start = trace.prompt_length + second
    text = "".join(_pieces(learner)[start : start + REPEATED])
    return text.replace("␣", " ").strip() or text, mean_probability(first), mean_probability(second)


def _sampled(learner: Learner, t: Translator) -> tuple[str, str]:
    """The uniform number u in [0, 1) that samples the next token (none for greedy), and the token that is chosen."""
    distribution, token_id, u = learner.session.choice(learner.model)
    return (NO_VALUE if u is None else f"{u:.4f}"), distribution.candidate(token_id).text


def _pieces(learner: Learner) -> list[str]:
    """Display text of every token of the text."""
    return learner.model.pieces(learner.trace.token_ids())


def _beyond(learner: Learner, t: Translator) -> str:
    """Probability that the next token is none of the 20 most probable ones."""
    distribution = learner.model.distribution(learner.trace.token_ids())
    return t.percent(distribution.others([c.token_id for c in distribution.top(20)])[0])


def _continuation(learner: Learner, t: Translator) -> str:
    """The text after the prompt, up to the cursor."""
    ids, first = learner.trace.token_ids(), learner.trace.prompt_length
    return learner.model.continuation(ids[:first], ids[first:]).strip() or NO_VALUE


def _logits(learner: Learner, t: Translator) -> tuple[str, str, str]:
    """Logits of the two most probable tokens, and how many times as probable the first is."""
    first, second = learner.model.distribution(learner.trace.token_ids()).top(2)
    return t.number(first.logit, 2), t.number(second.logit, 2), t.number(math.exp(first.logit - second.logit))


def _taken_gap(learner: Learner, t: Translator) -> tuple[str, str]:
    """How far the logit of the token last chosen by hand was below the highest, and e to that difference."""
    trace = learner.trace
    taken = [i for i in range(trace.prompt_length, len(trace.choices)) if trace.choices[i].how == "hand"]
    if not taken:
        return NO_VALUE, NO_VALUE
    distribution = learner.model.distribution(trace.token_ids(trace.choices[taken[-1]].parent))
    gap = distribution.top(1)[0].logit - distribution.candidate(trace.choices[taken[-1]].token_id).logit
    return t.number(gap, 1), t.number(math.exp(gap), 0)


def _firsts(learner: Learner, t: Translator) -> str:
    """Number of tokens after the prompt, up to the cursor, that were the most probable at their place."""
    ids, first = learner.trace.token_ids(), learner.trace.prompt_length
    return str(sum(learner.model.distribution(ids[:i]).candidate(ids[i]).rank == 1 for i in range(first, len(ids))))


def _last_rank(learner: Learner, t: Translator) -> str:
    """Rank of the last token at its place."""
    *before, last = learner.trace.token_ids()
    return f"{learner.model.distribution(before).candidate(last).rank:,}" if before else NO_VALUE


def value(name: str, learner: Learner, t: Translator) -> str:
    """Value of the placeholder of a name; `NO_VALUE` where the model's numbers cannot be used."""
    try:
        return PLACEHOLDERS[name](learner, t)
    except EngineError:
        return NO_VALUE


PLACEHOLDERS: dict[str, Callable[[Learner, Translator], str]] = {
    "best": lambda learner, t: _top(learner, t, 1)[0],
    "best_p": lambda learner, t: _top(learner, t, 1)[1],
    "second": lambda learner, t: _top(learner, t, 2)[0],
    "second_p": lambda learner, t: _top(learner, t, 2)[1],
    "best_drawn": _best_drawn,
    "found": lambda learner, t: _search_result(learner, t)[0],
    "found_rank": lambda learner, t: _search_result(learner, t)[1],
    "found_p": lambda learner, t: _search_result(learner, t)[2],
    "unlikely": lambda learner, t: _unlikely(learner, t)[0],
    "also_unlikely": lambda learner, t: _unlikely(learner, t)[1],
    "vocabulary": lambda learner, t: f"{learner.model.vocabulary.size:,}",
    "context": lambda learner, t: f"{learner.model.context_length:,}",
    "length": lambda learner, t: str(len(learner.trace.path())),
    "written": lambda learner, t: str(max(0, len(learner.trace.path()) - learner.trace.prompt_length)),
    "added": lambda learner, t: _added(learner, t)[0],
    "added_p": lambda learner, t: _added(learner, t)[1],
    "taken": lambda learner, t: _added(learner, t, by_hand=True)[0],
    "taken_p": lambda learner, t: _added(learner, t, by_hand=True)[1],
    "last": lambda learner, t: _pieces(learner)[-1],
    "last_p": _last_p,
    "least": lambda learner, t: _least(learner, t)[0],
    "least_p": lambda learner, t: _least(learner, t)[1],
    "log_p": lambda learner, t: t.number(sum(_log_probabilities(learner))),
    "text_p": lambda learner, t: t.percent_of_log(sum(_log_probabilities(learner))),
    "factors": lambda learner, t: str(len(_log_probabilities(learner))),
    "perplexity": lambda learner, t: _perplexity(_log_probabilities(learner), t),
    "perplexity_before": lambda learner, t: _perplexity(_log_probabilities(learner)[:-1], t),
    "repeated": lambda learner, t: _repeated(learner, t)[0],
    "once_p": lambda learner, t: _repeated(learner, t)[1],
    "again_p": lambda learner, t: _repeated(learner, t)[2],
    "choices": _choices,
    "kept": _candidate_count,
    "nucleus": lambda learner, t: _nucleus(learner),
    "seed": lambda learner, t: str(learner.session.seed),
    "u": lambda learner, t: _sampled(learner, t)[0],
    "pick": lambda learner, t: _sampled(learner, t)[1],
    "temperature": lambda learner, t: f"{learner.session.settings.temperature:g}",
    "top_k": lambda learner, t: str(learner.session.settings.top_k),
    "top_p": lambda learner, t: f"{learner.session.settings.top_p:g}",
    "beyond": _beyond,
    "continuation": _continuation,
    "best_logit": lambda learner, t: _logits(learner, t)[0],
    "second_logit": lambda learner, t: _logits(learner, t)[1],
    "times": lambda learner, t: _logits(learner, t)[2],
    "taken_gap": lambda learner, t: _taken_gap(learner, t)[0],
    "taken_times": lambda learner, t: _taken_gap(learner, t)[1],
    "firsts": _firsts,
    "last_rank": _last_rank,
    **PAGE_VALUES,
}
