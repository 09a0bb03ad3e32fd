"""Tasks on the state of the other pages; see `tasks.py`. Each function is the condition of its name."""

from __future__ import annotations

from engine.errors import EngineError
from pages.attention.state import cached_lens
from pages.course import page_values
from pages.course.learner import Condition, Count, Learner, TaskMemory
from pages.i18n.translator import LANGUAGES
from pages.session.incremental_run import IncrementalRun
from pages.uses.state import TASKS as USES


def _beam_width(learner: Learner, width: int, memory: TaskMemory) -> bool:
    """The beam width has this value."""
    return learner.beam.settings.width == width


def _beam_widths(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """Searches with at least `count` different beam widths were run to the end."""
    widths = memory.setdefault("widths", set())
    if learner.beam.done:
        widths.add(learner.beam.settings.width)
    return len(widths) >= count


def _beam_levels(learner: Learner, levels: int, memory: TaskMemory) -> bool:
    """At least so many levels of the search tree are shown."""
    return learner.beam.shown_levels >= levels


def _beam_over(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The search has ended and all its levels are shown."""
    return learner.beam.done is yes


def _beam_opened(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """A node of the search tree is open."""
    return (learner.beam.opened is not None) is yes


def _compared(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` decoding strategies have finished."""
    return len(learner.compare.finished) >= count


def _flat_changed(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """One of the two prompts of the filter comparison was changed to another valid prompt."""
    changed = False
    for key in (f"compare {which} {language}" for language in LANGUAGES for which in ("flat", "peaked")):
        prompt = learner.widget(key)
        if prompt is not None and prompt != memory.setdefault(key, prompt):
            changed = changed or page_values.top_p_count(learner, str(prompt)) is not None
    return changed is yes


def _head(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` attention heads were opened since the step began, besides the one open at its beginning."""
    heads = memory.setdefault("heads", set())
    if learner.attention.view == "head":
        heads.add((learner.attention.layer, learner.attention.head))
    return len(heads) > count


def _row(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """An earlier token than the last is shown: its row of the attention matrix, or the cursor was moved back to it."""
    trace = learner.trace
    moved = trace.cursor != memory.setdefault("cursor", trace.cursor)
    moved_back = moved and len(trace.path()) < len(trace.line())
    return (learner.attention.row is not None or moved_back) is yes


def _lens(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """A cell of the logit lens is open."""
    return (learner.attention.cell is not None) is yes


def _mattered(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """Token attribution is switched on."""
    return bool(learner.widget("inside_mattered")) is yes


def _cut_text(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The text on the tokens page differs from the one at the beginning of the step."""
    return bool(learner.tokens.text != memory.setdefault("cut", learner.tokens.text)) is yes


def _cut_opened(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The details of a token are open on the tokens page."""
    return (learner.tokens.opened is not None) is yes


def _merged(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` BPE merges have been replayed."""
    return learner.tokens.merge_count >= count


def _merged_all(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """All BPE merges of the text have been replayed; always holds for a tokenizer without merges."""
    try:
        total = len(learner.tokens.derivation(learner.model).merges)
    except EngineError:  # not a BPE tokenizer
        return yes
    return (learner.tokens.merge_count >= total) is yes


def _forced_opened(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """A position of the text under teacher forcing is open."""
    return (learner.training.opened is not None) is yes


def _forced_text(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The text under teacher forcing differs from the one at the beginning of the step."""
    return bool(learner.training.ids != memory.setdefault("ids", learner.training.ids)) is yes


def _moment(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """A training checkpoint other than the last is shown."""
    return (learner.training.checkpoint is not None) is yes


def _has_ended(run: IncrementalRun, memory: TaskMemory) -> bool:
    """Whether a run was started since the step began, and has ended."""
    return run.turn > memory.setdefault("turn", run.turn) and run.work is not None and not run.running


def _tried(learner: Learner, name: str, memory: TaskMemory) -> bool:
    """This experiment of the limits page was run since the step began."""
    return _has_ended(learner.limits.runs[name], memory)


def _drafted(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """A run of speculative decoding was started since the step began, and has ended."""
    return _has_ended(learner.speculative.runs["drafting"], memory) is yes


def _tried_other(learner: Learner, name: str, memory: TaskMemory) -> bool:
    """This experiment of the limits page was run since the step began, with other arguments than at its beginning."""
    run = learner.limits.runs[name]
    previous = memory.setdefault("asked", run.asked)
    return _has_ended(run, memory) and run.asked != previous


def _used(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` tasks of the uses page were run since the step began."""
    return _uses_run(learner, memory) >= count


def _uses_run(learner: Learner, memory: TaskMemory) -> int:
    """Number of tasks of the uses page that were run since the step began."""
    memories = [memory.setdefault(name, {}) for name in USES]
    return sum(_has_ended(learner.uses.run_for(name), own) for name, own in zip(USES, memories, strict=True))


def _cut_count(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """The text on the tokens page was changed since the step began, and is cut into exactly `count` tokens."""
    changed = _cut_text(learner, True, memory)
    return changed and len(learner.tokens.tokenized(learner.model).token_ids) == count


def _cut_more(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The text on the tokens page was changed since the step began, and has more tokens than characters."""
    changed = _cut_text(learner, True, memory)
    tokens = len(learner.tokens.tokenized(learner.model).token_ids)
    return (changed and tokens > len(learner.tokens.text)) is yes


def _head_first(learner: Learner, share: float, memory: TaskMemory) -> bool:
    """The head that is open gives the first token at least this share of the attention, for the last token."""
    state = learner.attention
    opened = (state.view, state.layer, state.head)
    memory["moved"] = memory.get("moved", False) or opened != memory.setdefault("opened", opened)
    if not memory["moved"] or state.view != "head" or not state.ids:
        return False
    weights = learner.model.attention(state.ids)
    layer, head = min(state.layer, weights.shape[0] - 1), min(state.head, weights.shape[1] - 1)
    return bool(weights[layer, head, -1, 0] >= share)


def _lens_first(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The cell of the logit lens that is open is the lowest of its column with the model's own prediction."""
    state = learner.attention
    if state.cell is None or not state.ids:
        return False
    layer, position = state.cell
    column = cached_lens(state, learner.model).top_token_ids[:, position]
    return (bool(column[layer] == column[-1]) and not bool((column[:layer] == column[-1]).any())) is yes


def _forced_first(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The position that is open in the text under teacher forcing has the token that was predicted first."""
    training, model = learner.training, learner.model
    if training.opened is None or training.model != model.name or training.opened >= len(training.ids):
        return False
    distribution = model.distribution(training.ids[: training.opened])
    return (distribution.candidate(training.ids[training.opened]).rank == 1) is yes


def _forced_perplexity(learner: Learner) -> float | None:
    """Perplexity of the text under teacher forcing; None where nothing is predicted."""
    training, model = learner.training, learner.model
    if not training.ids or training.model != model.name:
        return None
    score = training.score(model)
    return score.perplexity if score.predicted else None


def _forced_harder(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The perplexity of the text under teacher forcing is above that of the text at the beginning of the step."""
    now = _forced_perplexity(learner)
    if now is None:
        return False
    return (now > memory.setdefault("perplexity", now)) is yes


def _forced_below(learner: Learner, perplexity: float, memory: TaskMemory) -> bool:
    """The text under teacher forcing was changed since the step began; its perplexity is below this one."""
    now = _forced_perplexity(learner)
    return _forced_text(learner, True, memory) and now is not None and now < perplexity


def _chatted(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """A reply was started on the chat page since the step began, and has ended."""
    return _has_ended(learner.chat.run, memory)


def _guessed(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` rounds of the quiz were answered since the step began, over all games."""
    answered = len(learner.quiz.outcomes)
    memory["played"] = memory.get("played", 0) + max(0, answered - memory.get("answered", answered))
    memory["answered"] = answered
    return bool(memory["played"] >= count)


def _box(learner: Learner, name: str, memory: TaskMemory) -> bool:
    """The box of this name is open in the diagram of the model."""
    return learner.transformer.box == name


def _last_layer(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The diagram of the model shows its last layer."""
    shown = learner.transformer
    return (bool(shown.ids) and shown.layer == len(shown.activations(learner.model).layers) - 1) is yes


PAGE_TASKS: dict[str, Condition] = {
    "beam_width": _beam_width,
    "beam_widths": _beam_widths,
    "beam_levels": _beam_levels,
    "beam_over": _beam_over,
    "beam_opened": _beam_opened,
    "compared": _compared,
    "flat_changed": _flat_changed,
    "head": _head,
    "row": _row,
    "lens": _lens,
    "mattered": _mattered,
    "cut_text": _cut_text,
    "cut_opened": _cut_opened,
    "merged": _merged,
    "merged_all": _merged_all,
    "forced_opened": _forced_opened,
    "forced_text": _forced_text,
    "moment": _moment,
    "tried": _tried,
    "tried_other": _tried_other,
    "drafted": _drafted,
    "used": _used,
    "guessed": _guessed,
    "cut_count": _cut_count,
    "cut_more": _cut_more,
    "head_first": _head_first,
    "lens_first": _lens_first,
    "forced_first": _forced_first,
    "forced_harder": _forced_harder,
    "forced_below": _forced_below,
    "chatted": _chatted,
    "box": _box,
    "last_layer": _last_layer,
}

PAGE_COUNTS: dict[str, Count] = {
    "beam_widths": lambda learner, count, memory: (len(memory.get("widths", ())), count),
    "beam_levels": lambda learner, levels, memory: (learner.beam.shown_levels, levels),
    "compared": lambda learner, count, memory: (len(learner.compare.finished), count),
    "used": lambda learner, count, memory: (_uses_run(learner, memory), count),
    "guessed": lambda learner, count, memory: (memory.get("played", 0), count),
}
