"""State of the compare page: one prompt continued by every decoding strategy, and the actions on it. No Streamlit here.

`work` proceeds in time slices, so that the page can draw intermediate results and the visitor can stop the run. Results
remain when a strategy fails, when the run is stopped and while the visitor is on another page.
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
from engine.trace.link_codec import encode_text
from pages.session.incremental_run import work_for
from pages.session.query_params import QueryParams, changed
from pages.session.text_state import FIRST_PROMPT, TextState

if TYPE_CHECKING:
    from engine.decoding.batch_generation import BatchGeneration, Continuation
    from engine.experiments.filter_sizes import FilterSizes
    from engine.model.model import Model

DEFAULT_VALUES = {strategy.name: strategy.parameter.first for strategy in STRATEGIES if strategy.parameter}
FILTER_SIZE_STEPS = 12
TOKEN_RANGE, DEFAULT_TOKENS = (4, 100), 20
MAX_SEEDS, DEFAULT_SEEDS = 8, 3
MAX_FIRST_SEED = 2**31 - 1 - MAX_SEEDS


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """Settings of a comparison. values: (strategy name, parameter value) of each strategy that has a parameter."""

    model: str = BUNDLED_NAME
    prompt: str = FIRST_PROMPT
    values: tuple[tuple[str, float], ...] = tuple(DEFAULT_VALUES.items())
    seeds: tuple[int, ...] = (7, 8, 9)
    max_new_tokens: int = DEFAULT_TOKENS

    def value(self, strategy: DecodingStrategy) -> float:
        """Parameter value of a strategy; 0 for one without a parameter."""
        return dict(self.values).get(strategy.name, 0.0)


@dataclass
class StrategyRun:
    """Generation with one strategy; `problem` is the error that ended it early, if any."""

    strategy: DecodingStrategy
    value: float
    generation: BatchGeneration
    problem: EngineError | None = None

    @property
    def finished(self) -> bool:
        """Whether it ran to its end, without an error and without being stopped by the visitor."""
        texts = self.generation.texts
        return self.problem is None and self.generation.done and not any(text.stop == "person" for text in texts)

    def measures(self, seeds: int) -> Measures:
        """Measures of all seeds together; the text of a strategy without sampling counts once for each seed."""
        texts = [(text.token_ids, text.log_probabilities) for text in self.generation.texts]
        return measure(*texts, times=1 if self.strategy.draws else seeds)


@dataclass
class CompareState:
    """State of one visitor's compare page.

    settings      the current settings
    run_settings  the settings that `runs` were started with; None before the first run
    prompt_ids    token ids of the prompt in `run_settings`
    runs          one for each strategy started so far, in the order of STRATEGIES
    running       whether `work` has more to do
    turn          incremented with every start; events of an earlier turn are outdated
    step_prompt   the session's prompt when it was last compared with this page's; None before that
    """

    settings: CompareSettings = field(default_factory=CompareSettings)
    run_settings: CompareSettings | None = None
    prompt_ids: tuple[int, ...] = ()
    runs: list[StrategyRun] = field(default_factory=list)
    running: bool = False
    turn: int = 0
    problem: EngineError | None = None
    step_prompt: str | None = None
    _filter_sizes: dict[tuple[object, ...], list[FilterSizes]] = field(default_factory=dict)

    def set_model(self, model: Model) -> None:
        """Set the model; results of another model are discarded, because its token ids have another meaning."""
        self.settings = replace(self.settings, model=model.name)
        if self.run_settings is not None and self.run_settings.model != model.name:
            self.run_settings, self.runs, self.running = None, [], False
            self.turn += 1

    def start(self, model: Model) -> None:
        """Start a comparison. If the prompt cannot be read, set `problem` and keep the previous results."""
        try:
            admission.check_run(self.settings.max_new_tokens)
            ids = model.read_prompt(self.settings.prompt)
        except EngineError as error:
            self.problem = error
            return
        self.stop()
        self.run_settings, self.prompt_ids, self.runs = replace(self.settings, model=model.name), ids, []
        self.problem, self.running = None, True
        self.turn += 1

    def work(self, model: Model, seconds: float) -> bool:
        """Continue for about `seconds` seconds. True while there is more to do."""

        def step() -> bool:
            if self.running:
                self._step(model)
            return self.running

        work_for(seconds, step)
        return self.running

    def _step(self, model: Model) -> None:
        """Start the next strategy, or run one more forward pass of the current one."""
        from engine.decoding.batch_generation import BatchGeneration

        assert self.run_settings is not None
        current = self.runs[-1] if self.runs else None
        if current is None or current.generation.done:
            if len(self.runs) == len(STRATEGIES):
                self.running = False
                return
            strategy, settings = STRATEGIES[len(self.runs)], self.run_settings
            value = settings.value(strategy)
            max_new_tokens = settings.max_new_tokens
            generation = BatchGeneration(model, self.prompt_ids, strategy, value, settings.seeds, max_new_tokens)
            self.runs.append(StrategyRun(strategy, value, generation))
            return
        try:
            admission.charge()
        except EngineError as error:  # the host's limits: end the whole comparison
            self.problem = error
            self.stop()
            return
        try:
            current.generation.step()
        except EngineError as error:  # end this strategy only
            current.problem = error
            current.generation.stop()

    def stop(self) -> None:
        """End a run at the visitor's request; the texts generated so far remain."""
        if self.running:
            self.running = False
            for run in self.runs:
                run.generation.stop()

    @property
    def progress(self) -> float:
        """Fraction of the work done, from 0 to 1. It skips ahead when texts end early."""
        if self.run_settings is None or not self.runs:
            return 0.0
        return (len(self.runs) - 1 + self.runs[-1].generation.progress) / len(STRATEGIES)

    @property
    def finished(self) -> list[StrategyRun]:
        """The runs that ran to their end."""
        return [run for run in self.runs if run.finished]

    def load_in_step(self, session: TextState, model: Model, turn: int, run_index: int, text_index: int) -> bool:
        """Load a text, its strategy, settings and seed into the session. False for an outdated event or other model."""
        if turn != self.turn or self.run_settings is None or self.run_settings.model != model.name:
            return False
        if not (0 <= run_index < len(self.runs) and 0 <= text_index < len(self.runs[run_index].generation.texts)):
            return False
        run = self.runs[run_index]
        text: Continuation = run.generation.texts[text_index]
        strategy = run.strategy
        if strategy.name != "beam":  # no settings of the step page reproduce beam search, which ranks whole texts
            session.strategy = "sample" if strategy.draws else "greedy"
            unpenalized = replace(session.settings, repetition_penalty=1.0, no_repeat_ngram_size=0)
            session.settings = strategy.settings(run.value) if strategy.draws else unpenalized
            session.seed = session.seed if text.seed is None else text.seed
        origin: TokenOrigin = "hand" if strategy.name == "beam" else "drawn" if strategy.draws else "greedy"
        session.load_text(model, self.run_settings.prompt, self.prompt_ids, text.token_ids, origin)
        self.step_prompt = session.prompt
        return True

    def to_query(self) -> dict[str, str]:
        """URL parameters of the settings, and whether they have been run; see `UrlState` in `shell/url_state.py`."""
        settings = self.settings
        values: dict[str, object] = dict(settings.values)
        values |= {"most": settings.max_new_tokens, "seeds": len(settings.seeds), "first": settings.seeds[0]}
        params = changed(values, DEFAULT_VALUES | {"most": DEFAULT_TOKENS, "seeds": DEFAULT_SEEDS, "first": None})
        if self.step_prompt not in (None, settings.prompt):
            with suppress(TraceError):  # too long for a URL
                params["prompt"] = encode_text(settings.prompt, "")
        return params | ({"asked": "1"} if self.run_settings == settings else {})

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the settings from URL parameters, and start a comparison if they had been run."""
        prompt = params.decoded("prompt")
        first = params.whole("first", 0, MAX_FIRST_SEED, session.seed)
        seeds = params.whole("seeds", 1, MAX_SEEDS, DEFAULT_SEEDS)
        tokens = params.whole("most", *TOKEN_RANGE, DEFAULT_TOKENS)
        self.settings = CompareSettings(
            model.name,
            session.prompt if prompt is None else prompt,
            tuple((s.name, _parameter_value(params, s.name, s.parameter)) for s in STRATEGIES if s.parameter),
            tuple(range(first, first + seeds)),
            min(tokens, config.current().run_tokens),
        )
        self.step_prompt = session.prompt
        self.set_model(model)
        if params.one_of("asked", ("0", "1"), "0") == "1" and self.run_settings != self.settings:
            self.start(model)

    def filter_sizes(self, model: Model, prompt: str) -> list[FilterSizes]:
        """Candidate set sizes of top-k and top-p along a text sampled after `prompt`; the last 4 results are cached.

        Raises PromptError for a prompt that cannot be read.
        """
        from engine.experiments.filter_sizes import filter_sizes_along

        values, seed = dict(self.settings.values), self.settings.seeds[0]
        top_k, top_p = int(values["top_k"]), values["top_p"]
        key = (model.name, prompt, top_k, top_p, seed)
        if key not in self._filter_sizes:
            sizes = filter_sizes_along(model, model.read_prompt(prompt), top_k, top_p, seed, FILTER_SIZE_STEPS)
            self._filter_sizes = dict([*self._filter_sizes.items(), (key, sizes)][-4:])
        return self._filter_sizes[key]


def _parameter_value(params: QueryParams, name: str, parameter: Parameter) -> float:
    """Value of a strategy's parameter in the URL; its default if missing or out of range."""
    if isinstance(parameter.low, int):
        return params.whole(name, parameter.low, int(parameter.high), int(parameter.first))
    return params.number(name, parameter.low, parameter.high, parameter.first)
