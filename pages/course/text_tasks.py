"""Tasks on the text and settings of the step page; see `tasks.py`. Each function is the condition of its name."""

from __future__ import annotations

import math

from engine.decoding.text_metrics import repeated_ngrams
from engine.sampling.settings import Settings
from pages.course.learner import Condition, Count, Learner, TaskMemory


def _new_choices(learner: Learner, memory: TaskMemory) -> list[int]:
    """Indices of the choices added since the step began, or since the text was restarted or got another prompt."""
    trace = learner.trace
    prompt_ids = trace.token_ids(trace.prompt_length - 1)
    if memory.get("prompt") != prompt_ids or len(trace.choices) < memory.get("first", 0):
        memory["first"] = len(trace.choices) if "prompt" not in memory else trace.prompt_length
        memory["prompt"] = prompt_ids
    return list(range(memory["first"], len(trace.choices)))


def _written(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` tokens were added since the step began, chosen by the model or by hand."""
    return len(_new_choices(learner, memory)) >= count


def _hand(learner: Learner, below: float, memory: TaskMemory) -> bool:
    """A token was chosen by hand whose probability is less than `below`, since the step began."""
    trace = learner.trace
    added = [i for i in _new_choices(learner, memory) if trace.choices[i].how == "hand"]
    for i in added:
        output = learner.model.records(trace.token_ids(trace.choices[i].parent))[-1]
        if math.exp(output.log_probability(trace.choices[i].token_id)) < below:
            return True
    return False


def _back(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """The cursor is at least `count` tokens before its furthest position since the step began."""
    position = len(learner.trace.path())
    memory["furthest"] = max(position, memory.get("furthest", 0))
    return bool(memory["furthest"] - position >= count)


def _branches(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """Some token of the tree has at least `count` children."""
    return any(len(children) >= count for children in learner.trace.children().values())


def _toward_branch(learner: Learner, count: int, memory: TaskMemory) -> tuple[int, int]:
    """Of three: write, go back, choose another token."""
    trace = learner.trace
    if trace.children().get(trace.cursor):
        return 2, 3
    return int(len(trace.choices) > trace.prompt_length), 3


def _stopped(learner: Learner, reasons: list[str], memory: TaskMemory) -> bool:
    """Generation stopped for one of these reasons (StopReason)."""
    return learner.session.stopped in reasons


def _strategy(learner: Learner, name: str, memory: TaskMemory) -> bool:
    """This decoding strategy is selected."""
    return learner.session.strategy == name


def _loops(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The text after the prompt, up to the cursor, repeats an n-gram of `REPEATED` (four) tokens."""
    trace = learner.trace
    return bool(repeated_ngrams(trace.token_ids()[trace.prompt_length :])) is yes


def _length(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` tokens follow the prompt, up to the cursor."""
    return len(learner.trace.path()) - learner.trace.prompt_length >= count


def _at_most(learner: Learner, limits: dict[str, float], memory: TaskMemory) -> bool:
    """Each of these sampling settings has at most the given value."""
    return all(getattr(learner.session.settings, name) <= value for name, value in limits.items())


def _at_least(learner: Learner, limits: dict[str, float], memory: TaskMemory) -> bool:
    """Each of these sampling settings has at least the given value."""
    return all(getattr(learner.session.settings, name) >= value for name, value in limits.items())


def _seeds(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` seeds were used to sample a token each; the sampled texts may be the same."""
    trace, seeds = learner.trace, memory.setdefault("seeds", set())
    position = len(trace.path())
    if position > memory.get("position", position) and trace.choices[trace.cursor].how == "drawn":
        seeds.add(learner.session.seed)
    memory["position"] = position
    return len(seeds) >= count


def _own_prompt(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The prompt differs from the one at the beginning of the step."""
    return bool(learner.session.prompt != memory.setdefault("first prompt", learner.session.prompt)) is yes


def _unlikely(learner: Learner, below: float, memory: TaskMemory) -> bool:
    """The probability of the token at the cursor is less than `below`."""
    trace = learner.trace
    if len(trace.path()) < 2:
        return False
    *prefix, last = trace.token_ids()
    return math.exp(learner.model.records(prefix)[-1].log_probability(last)) < below


def _search(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The vocabulary search has a result."""
    query = str(learner.widget("search") or "")
    return bool(query and learner.model.vocabulary.search(query)) is yes


def _again(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` tokens were generated after the prompt, twice with a restart in between, both times the same,
    and the tree has no branch."""
    trace = learner.trace
    ids, generated = trace.token_ids(), len(trace.path()) - trace.prompt_length
    if generated <= 0 and "run" in memory:
        memory["before"] = memory.pop("run")
    if generated >= count:
        memory["run"] = ids
    unbranched = all(len(children) == 1 for children in trace.children().values())
    both = min(len(ids), len(memory.get("before", ())))
    same = "before" in memory and ids[:both] == memory["before"][:both]
    return bool(same and generated >= count and unbranched)


def _least(learner: Learner, yes: bool, memory: TaskMemory) -> bool:
    """The cursor was moved to the token with the lowest probability in the text."""
    trace = learner.trace
    line = trace.line()
    memory["moved"] = memory.get("moved", False) or trace.cursor != memory.setdefault("cursor", trace.cursor)
    log_probabilities = learner.model.score([trace.choices[i].token_id for i in line]).log_probabilities
    scored = [(value, i) for value, i in zip(log_probabilities, line, strict=True) if value is not None]
    return (memory["moved"] and bool(scored) and min(scored)[1] == trace.cursor) is yes


def _bars(learner: Learner, count: int, memory: TaskMemory) -> bool:
    """At least `count` candidates are shown as bars."""
    return learner.session.bars >= count


def _found_rank(learner: Learner, rank: int, memory: TaskMemory) -> bool:
    """The best match of the vocabulary search has at least this rank as the next token."""
    query = str(learner.widget("search") or "")
    hits = learner.model.vocabulary.search(query, 1) if query else []
    return bool(hits) and learner.model.distribution(learner.trace.token_ids()).candidate(hits[0]).rank >= rank


def _wrote(learner: Learner, text: str, memory: TaskMemory) -> bool:
    """The text after the prompt, up to the cursor, is this one, or begins with it."""
    ids, first = learner.trace.token_ids(), learner.trace.prompt_length
    return learner.model.continuation(ids[:first], ids[first:]).strip().startswith(text)


def _logit_gap(learner: Learner, gap: float, memory: TaskMemory) -> bool:
    """A token was chosen by hand whose logit was at least `gap` below the highest, since the step began."""
    trace = learner.trace
    for i in _new_choices(learner, memory):
        if trace.choices[i].how == "hand":
            distribution = learner.model.distribution(trace.token_ids(trace.choices[i].parent))
            chosen = distribution.candidate(trace.choices[i].token_id)
            if distribution.top(1)[0].logit - chosen.logit >= gap:
                return True
    return False


def _best_drawn(learner: Learner, limits: list[float], memory: TaskMemory) -> bool:
    """The probability of the first token after the filters is within these limits, and a setting was changed."""
    settings = learner.session.settings
    changed = settings != memory.setdefault("settings", settings)
    best = learner.model.distribution(learner.trace.token_ids(), settings).top(1)[0]
    return changed and limits[0] <= best.probability <= limits[1]


def _nucleus(learner: Learner, most: int, memory: TaskMemory) -> bool:
    """Tokens were added since the step began, and top-p alone keeps at most `most` for the next one."""
    alone = Settings(top_p=learner.session.settings.top_p)
    added = bool(_new_choices(learner, memory))
    return added and learner.model.distribution(learner.trace.token_ids(), alone).kept <= most


TEXT_TASKS: dict[str, Condition] = {
    "written": _written,
    "hand": _hand,
    "back": _back,
    "branches": _branches,
    "stopped": _stopped,
    "strategy": _strategy,
    "loops": _loops,
    "length": _length,
    "at_most": _at_most,
    "at_least": _at_least,
    "seeds": _seeds,
    "own_prompt": _own_prompt,
    "unlikely": _unlikely,
    "search": _search,
    "again": _again,
    "least": _least,
    "bars": _bars,
    "found_rank": _found_rank,
    "wrote": _wrote,
    "logit_gap": _logit_gap,
    "best_drawn": _best_drawn,
    "nucleus": _nucleus,
}

TEXT_COUNTS: dict[str, Count] = {
    "written": lambda learner, count, memory: (len(_new_choices(learner, memory)), count),
    "branches": _toward_branch,
    "seeds": lambda learner, count, memory: (len(memory.get("seeds", ())), count),
    "again": lambda learner, count, memory: (("before" in memory) + ("run" in memory), 2),
}
