"""What one visitor compares: one prompt through every strategy, and every move they can make. Knows no screen.

The work is done in small pieces, so that a page can draw what is there, and a person can stop it, at any moment. What
is done stays, whatever happens to the rest and whichever page is looked at meanwhile.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine.bundled import BUNDLED_NAME
from engine.decoding.strategies import STRATEGIES, DecodingStrategy, Parameter
from engine.decoding.text_metrics import Measures, measure
from engine.errors import EngineError, TraceError
from engine.sampling.settings import TokenOrigin
from engine.serving import admission, config
from engine.trace.link_codec import decode_text, encode_text
from pages.session.incremental_run import work_for
from pages.session.query_params import QueryParams, changed
from pages.session.text_state import FIRST_PROMPT, TextState

if TYPE_CHECKING:
    from engine.decoding.batch_generation import BatchGeneration, Continuation
    from engine.experiments.filter_sizes import FilterSizes
    from engine.model.model import Model

FIRST_VALUES = {way.name: way.parameter.first for way in STRATEGIES if way.parameter}
KEPT_STEPS = 12
TOKENS, FIRST_TOKENS = (4, 100), 20
MOST_SEEDS, FIRST_SEEDS = 8, 3
LAST_FIRST_SEED = 2**31 - 1 - MOST_SEEDS


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """What is asked of every strategy. `values` holds the one number of each that has one, by its name."""

    model: str = BUNDLED_NAME
    prompt: str = FIRST_PROMPT
    values: tuple[tuple[str, float], ...] = tuple(FIRST_VALUES.items())
    seeds: tuple[int, ...] = (7, 8, 9)
    max_new_tokens: int = FIRST_TOKENS

    def value(self, way: DecodingStrategy) -> float:
        return dict(self.values).get(way.name, 0.0)


@dataclass
class StrategyRun:
    """One strategy's part of the answer; `problem` says why it could not be carried out."""

    strategy: DecodingStrategy
    value: float
    together: BatchGeneration
    problem: EngineError | None = None

    @property
    def finished(self) -> bool:
        """Whether nobody and nothing cut it short."""
        return self.problem is None and self.together.done and not any(t.stop == "person" for t in self.together.texts)

    def measures(self, seeds: int) -> Measures:
        """Of all seeds together; what does not draw writes the same with each of them."""
        texts = [(text.token_ids, text.log_probabilities) for text in self.together.texts]
        return measure(*texts, times=1 if self.strategy.draws else seeds)


@dataclass
class CompareState:
    """`answered` is what `entries` belong to; `question` is what would be asked now."""

    question: CompareSettings = field(default_factory=CompareSettings)
    answered: CompareSettings | None = None
    ids: tuple[int, ...] = ()  # of the prompt that is answered
    entries: list[StrategyRun] = field(default_factory=list)
    running: bool = False
    turn: int = 0  # grows with every start; a click carries the turn it was made on
    problem: EngineError | None = None
    from_step: str | None = None  # the step page's prompt when this page last looked
    _kept: dict[tuple[object, ...], list[FilterSizes]] = field(default_factory=dict)

    def ready(self, model: Model) -> None:
        """Forget the answers of another model: their tokens mean nothing to this one."""
        self.question = replace(self.question, model=model.name)
        if self.answered is not None and self.answered.model != model.name:
            self.answered, self.entries, self.running = None, [], False
            self.turn += 1

    def start(self, model: Model) -> None:
        """Ask the question. A prompt that cannot be read leaves the answers there are as they are."""
        try:
            admission.check_run(self.question.max_new_tokens)
            ids = model.read_prompt(self.question.prompt)
        except EngineError as error:
            self.problem = error
            return
        self.stop()
        self.answered, self.ids, self.entries = replace(self.question, model=model.name), ids, []
        self.problem, self.running = None, True
        self.turn += 1

    def work(self, model: Model, seconds: float) -> bool:
        """Continue for about so many seconds. True while there is more to do."""

        def step() -> bool:
            if self.running:
                self._step(model)
            return self.running

        work_for(seconds, step)
        return self.running

    def _step(self, model: Model) -> None:
        """Start the next strategy, or write one token more in each text of the current one."""
        from engine.decoding.batch_generation import BatchGeneration

        assert self.answered is not None
        at_work = self.entries[-1] if self.entries else None
        if at_work is None or at_work.together.done:
            if len(self.entries) == len(STRATEGIES):
                self.running = False
                return
            way, asked = STRATEGIES[len(self.entries)], self.answered
            value = asked.value(way)
            together = BatchGeneration(model, self.ids, way, value, asked.seeds, asked.max_new_tokens)
            self.entries.append(StrategyRun(way, value, together))
            return
        try:
            admission.charge()
        except EngineError as error:  # the host's limits have an end: what is written stays
            self.problem = error
            self.stop()
            return
        try:
            at_work.together.step()
        except EngineError as error:
            at_work.problem = error
            at_work.together.stop()

    def stop(self) -> None:
        """The person says stop; what is written stays."""
        if self.running:
            self.running = False
            for entry in self.entries:
                entry.together.stop()

    @property
    def progress(self) -> float:
        """Share of the work that is done, from 0 to 1; a text that ends early makes it jump."""
        if self.answered is None or not self.entries:
            return 0.0
        at_work = self.entries[-1].together
        longest = max(len(text.token_ids) for text in at_work.texts)
        part = 1.0 if at_work.done else longest / self.answered.max_new_tokens
        return (len(self.entries) - 1 + part) / len(STRATEGIES)

    @property
    def finished(self) -> list[StrategyRun]:
        return [entry for entry in self.entries if entry.finished]

    def take(self, session: TextState, model: Model, turn: int, entry: int, text: int) -> bool:
        """Put a text on the step page's table. False for a click that is out of date."""
        if turn != self.turn or self.answered is None or self.answered.model != model.name:
            return False
        if not (0 <= entry < len(self.entries) and 0 <= text < len(self.entries[entry].together.texts)):
            return False
        chosen = self.entries[entry]
        written: Continuation = chosen.together.texts[text]
        way = chosen.strategy
        if way.name != "beam":  # that chooses whole texts: there are no settings with which a step would do the same
            session.strategy = "sample" if way.draws else "greedy"
            plain = replace(session.settings, repetition_penalty=1.0, no_repeat_ngram_size=0)
            session.settings = way.settings(chosen.value) if way.draws else plain
            session.seed = session.seed if written.seed is None else written.seed
        how: TokenOrigin = "hand" if way.name == "beam" else "drawn" if way.draws else "greedy"
        session.load_text(model, self.answered.prompt, self.ids, written.token_ids, how)
        self.from_step = session.prompt
        return True

    def to_query(self) -> dict[str, str]:
        """What would be asked now, and whether it is answered: see `params.View`."""
        asked = self.question
        now: dict[str, object] = dict(asked.values)
        now |= {"most": asked.max_new_tokens, "seeds": len(asked.seeds), "first": asked.seeds[0]}
        params = changed(now, FIRST_VALUES | {"most": FIRST_TOKENS, "seeds": FIRST_SEEDS, "first": None})
        if self.from_step not in (None, asked.prompt):
            with suppress(TraceError):  # too long for an address
                params["prompt"] = encode_text(asked.prompt, "")
        return params | ({"asked": "1"} if self.answered == asked else {})

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        prompt = session.prompt
        if "prompt" in params:
            with suppress(TraceError):
                prompt = decode_text(params.text("prompt"))[0]
        first = params.whole("first", 0, LAST_FIRST_SEED, session.seed)
        seeds = params.whole("seeds", 1, MOST_SEEDS, FIRST_SEEDS)
        tokens = params.whole("most", *TOKENS, FIRST_TOKENS)
        self.question = CompareSettings(
            model.name,
            prompt,
            tuple((way.name, _value(params, way.name, way.parameter)) for way in STRATEGIES if way.parameter),
            tuple(range(first, first + seeds)),
            min(tokens, config.current().run_tokens),
        )
        self.from_step = session.prompt
        self.ready(model)
        if params.text("asked") == "1" and self.answered != self.question:
            self.start(model)

    def kept(self, model: Model, prompt: str) -> list[FilterSizes]:
        """How many tokens top-k and top-p leave along a text that begins with `prompt`; the latest few are remembered.

        Raises PromptError for a prompt that cannot be read.
        """
        from engine.experiments.filter_sizes import filter_sizes_along

        values, seed = dict(self.question.values), self.question.seeds[0]
        top_k, top_p = int(values["top_k"]), values["top_p"]
        asked = (model.name, prompt, top_k, top_p, seed)
        if asked not in self._kept:
            found = filter_sizes_along(model, model.read_prompt(prompt), top_k, top_p, seed, KEPT_STEPS)
            self._kept = dict([*self._kept.items(), (asked, found)][-4:])
        return self._kept[asked]


def _value(params: QueryParams, name: str, p: Parameter) -> float:
    if isinstance(p.low, int):
        return params.whole(name, p.low, int(p.high), int(p.first))
    return params.number(name, p.low, p.high, p.first)
