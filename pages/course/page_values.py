"""Placeholders on the state of the other pages than the step page; see `placeholders.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError
from engine.model.perplexity import perplexity
from pages.attention.state import cached_lens
from pages.i18n.translator import LANGUAGES
from pages.tokens.token_details import counts

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch
    from pages.course.learner import Learner
    from pages.i18n.translator import Translator

NO_VALUE = "–"


def _level(learner: Learner) -> tuple[str, str, str]:
    """Counts at the last level shown of the beam search: candidates compared, active beams, finished beams so far."""
    beam = learner.beam
    if beam.search is None or not beam.shown_levels:
        return NO_VALUE, NO_VALUE, NO_VALUE
    level = beam.search.levels[beam.shown_levels - 1]
    return f"{level.considered:,}", str(len(level.active)), str(len(level.finished))


def _ended_search(learner: Learner) -> BeamSearch | None:
    """The beam search, if it has ended with a text and all its levels are shown."""
    search = learner.beam.search
    return search if learner.beam.done and search is not None and search.sequences else None


def _beam_score(learner: Learner, t: Translator) -> str:
    """Score of the best beam, in nats, before any repetition penalty; needs no baselines, which take longer."""
    search = _ended_search(learner)
    if search is None:
        return NO_VALUE
    scored = learner.model.score(search.sequences[0].token_ids).log_probabilities[len(search.ids) :]
    values = [value for value in scored if value is not None]
    return t.number(sum(values) / len(values) ** search.settings.length_penalty, 2)


def _greedy_score(learner: Learner, t: Translator) -> str:
    """Score of greedy search, in nats."""
    return NO_VALUE if _ended_search(learner) is None else t.number(learner.beam.baselines().scores[1], 2)


def _beam_text(learner: Learner, t: Translator) -> str:
    """Text of the best beam after the prompt."""
    search = _ended_search(learner)
    if search is None:
        return NO_VALUE
    ids = search.sequences[0].token_ids
    return learner.model.continuation(search.ids, ids[len(search.ids) :]).strip() or NO_VALUE


def top_p_count(learner: Learner, prompt: str) -> int | None:
    """Number of tokens that top-p of the compare page keeps right after a prompt; None for an invalid prompt."""
    try:
        return learner.compare.filter_sizes(learner.model, prompt)[0].by_top_p
    except EngineError:
        return None


def _prompt_top_p_count(learner: Learner, t: Translator, which: str) -> str:
    """`top_p_count` of one of the two prompts of the filter comparison, `flat` or `peaked`.

    Each language has boxes of its own; of one in which the page was never opened, those of another count.
    """
    boxes = (learner.widget(f"compare {which} {language}") for language in (t.language, *LANGUAGES))
    count = top_p_count(learner, str(next(filter(None, boxes), "")))
    return NO_VALUE if count is None else f"{count:,}"


def _compare_value(learner: Learner, name: str) -> str:
    """Parameter of a decoding strategy on the compare page."""
    return f"{dict(learner.compare.settings.values)[name]:g}"


def _cut(learner: Learner, name: str) -> str:
    """One of the `counts` of the text on the tokens page."""
    try:
        return f"{counts(learner.tokens.tokenized(learner.model))[name]:,}"
    except EngineError:  # a text that the page refuses
        return NO_VALUE


def _needed(learner: Learner, t: Translator) -> str:
    """The token whose removal lowers the probability of the prediction most, once the page has measured it."""
    state = learner.attention
    arguments, result = state.cache.get("occlusion", (None, None))
    if arguments is None or arguments[:2] != (learner.model.name, state.ids[: state.selected_row + 1]):
        return NO_VALUE
    decrease = result.replaced if result.masked_log_probabilities is None else result.masked
    return learner.model.pieces(state.ids)[result.first + int(decrease.argmax())]


def _forced_perplexity(learner: Learner, t: Translator) -> str:
    """Perplexity of the text under teacher forcing."""
    training, model = learner.training, learner.model
    if not training.ids or training.model != model.name:
        return NO_VALUE
    score = training.score(model)
    return t.number(score.perplexity) if score.predicted else NO_VALUE


def _forced_least(learner: Learner, t: Translator) -> str:
    """The token of the text under teacher forcing with the lowest probability."""
    from engine.model.score import least_expected

    training, model = learner.training, learner.model
    if not training.ids or training.model != model.name:
        return NO_VALUE
    found = least_expected(training.score(model), 1)
    return model.pieces(training.ids)[found[0]] if found else NO_VALUE


def _heads(learner: Learner) -> tuple[str, str]:
    """Number of layers, and of attention heads in each."""
    weights = learner.model.attention(learner.trace.token_ids())
    return str(weights.shape[0]), str(weights.shape[1])


def _stream(learner: Learner) -> tuple[str, float, float]:
    """Numbers in the vector of a token; its length before the first layer and after the last, at the last token."""
    state = learner.transformer
    state.update_text(learner.session, learner.model)
    found = state.activations(learner.model)
    lengths = found.lengths()
    return f"{len(found.first):,}", lengths[0], lengths[-1]


def stream_change(learner: Learner) -> str | None:
    """Whether the vector is `longer` after the last layer than before the first, `shorter`, or the `same` within 2%."""
    try:
        _, first, last = _stream(learner)
    except EngineError:
        return None
    return "same" if abs(last - first) < 0.02 * first else "longer" if last > first else "shorter"


def _cell(learner: Learner, t: Translator) -> tuple[str, str]:
    """Layer of the open cell of the logit lens, and the token it predicts."""
    state = learner.attention
    if state.cell is None or not state.ids:
        return NO_VALUE, NO_VALUE
    layer, position = state.cell
    token = int(cached_lens(state, learner.model).top_token_ids[layer, position])
    pending = learner.model.vocabulary.pending(state.ids[: position + 1])
    return str(layer), learner.model.vocabulary.label(token, pending)


def _experiment(learner: Learner, name: str) -> Any:
    """Work of an experiment of the limits page that ended by itself; None where there is none."""
    run = learner.limits.runs[name]
    return None if run.running or run.stopped else run.work


def _slower(learner: Learner, t: Translator) -> str:
    """Measured time of one pass for each token, relative to one pass for all, at the longest length."""
    speed = _experiment(learner, "sequential")
    times = speed.times if speed else []
    measured = [row.cached / row.at_once for row in times if row.at_once and row.cached]
    return t.number(measured[-1]) if measured else NO_VALUE


def _drafted(learner: Learner) -> tuple[str, str]:
    """Passes of the whole model in a run of speculative decoding that ended by itself, and tokens written."""
    run = learner.speculative.runs["drafting"]
    if run.running or run.stopped or run.work is None:
        return NO_VALUE, NO_VALUE
    return str(run.work.passes), str(run.work.written)


def _slip(learner: Learner, t: Translator) -> tuple[str, str, str, str]:
    """The forced token, its probability, perplexity of what follows it, perplexity of the model's own text."""
    from engine.experiments.error_accumulation import summarize  # imports torch: only once there is a result

    fork = _experiment(learner, "errors")
    means = fork and summarize(fork.pairs)
    if not means:
        return NO_VALUE, NO_VALUE, NO_VALUE, NO_VALUE
    token = learner.model.pieces([*fork.ids, fork.forced])[-1]
    p = t.percent_of_log(fork.pairs[0].forced.log_probabilities[0])
    return token, p, t.number(perplexity(-means.forced)), t.number(perplexity(-means.own))


def _gap(learner: Learner, t: Translator) -> str:
    """Candidate for the gap that is most probable by the left part alone."""
    cloze = _experiment(learner, "left")
    return cloze.result.from_left.text if cloze and cloze.result else NO_VALUE


def _middle(learner: Learner, t: Translator) -> tuple[str, str, str, str]:
    """Length of the replaced middle, how it was written, loss after it, loss after the true one, in nats."""
    exposure = _experiment(learner, "exposure")
    if not exposure or not exposure.finished:
        return NO_VALUE, NO_VALUE, NO_VALUE, NO_VALUE
    _, greedy, between, _ = learner.limits.runs["exposure"].asked
    how = t("settings.greedy" if greedy else "settings.sample")
    own, true = (t.number(exposure.loss(kind).mean, 2) for kind in ("own", "true"))
    return str(between), how, own, true


PAGE_VALUES: dict[str, Callable[[Learner, Translator], str]] = {
    "beam_width": lambda learner, t: str(learner.beam.settings.width),
    "beam_candidates": lambda learner, t: _level(learner)[0],
    "beam_live": lambda learner, t: _level(learner)[1],
    "beam_held": lambda learner, t: _level(learner)[2],
    "beam_score": _beam_score,
    "greedy_score": _greedy_score,
    "beam_text": _beam_text,
    "flat_kept": lambda learner, t: _prompt_top_p_count(learner, t, "flat"),
    "peaked_kept": lambda learner, t: _prompt_top_p_count(learner, t, "peaked"),
    "compare_top_p": lambda learner, t: _compare_value(learner, "top_p"),
    "compare_top_k": lambda learner, t: _compare_value(learner, "top_k"),
    "cut_text": lambda learner, t: learner.tokens.text.strip() or NO_VALUE,
    "cut_tokens": lambda learner, t: _cut(learner, "tokens"),
    "cut_characters": lambda learner, t: f"{len(learner.tokens.text):,}",
    "needed": _needed,
    "forced_text": lambda learner, t: learner.training.text.strip() or NO_VALUE,
    "forced_perplexity": _forced_perplexity,
    "forced_least": _forced_least,
    "layers": lambda learner, t: _heads(learner)[0],
    "heads": lambda learner, t: _heads(learner)[1],
    "width": lambda learner, t: _stream(learner)[0],
    "stream_first": lambda learner, t: t.number(_stream(learner)[1], 2),
    "stream_last": lambda learner, t: t.number(_stream(learner)[2], 2),
    "cell_layer": lambda learner, t: _cell(learner, t)[0],
    "cell_token": lambda learner, t: _cell(learner, t)[1],
    "slower": _slower,
    "draft_passes": lambda learner, t: _drafted(learner)[0],
    "draft_tokens": lambda learner, t: _drafted(learner)[1],
    "slip": lambda learner, t: _slip(learner, t)[0],
    "slip_p": lambda learner, t: _slip(learner, t)[1],
    "slip_perplexity": lambda learner, t: _slip(learner, t)[2],
    "unslipped_perplexity": lambda learner, t: _slip(learner, t)[3],
    "gap": _gap,
    "middle_length": lambda learner, t: _middle(learner, t)[0],
    "middle_way": lambda learner, t: _middle(learner, t)[1],
    "middle_loss": lambda learner, t: _middle(learner, t)[2],
    "true_loss": lambda learner, t: _middle(learner, t)[3],
}
