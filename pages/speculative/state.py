"""State of the speculative decoding page: one run of each of its two experiments. No Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from engine.errors import ModelError
from engine.serving import config, model_registry
from pages.session.incremental_run import IncrementalRun, without_results

if TYPE_CHECKING:
    from engine.decoding.drafting import Drafter
    from engine.decoding.speculative import SpeculativeDecoding
    from engine.model.model import Model
    from engine.sampling.settings import Settings

Experiment = Literal["drafting", "jacobi"]
EXPERIMENTS: tuple[Experiment, ...] = ("drafting", "jacobi")
LAYERS, LOOKUP, OTHER = "layers", "lookup", "other"  # drafters
DRAFTERS = (LAYERS, LOOKUP, OTHER)
MOST_GUESSES, DEFAULT_GUESSES = 8, 4
TOKENS, DEFAULT_TOKENS = (8, 48), 24


@dataclass(frozen=True)
class Plan:
    """What a run of speculative decoding was asked for.

    layers  of the drafter, where it is the model's own first layers
    other   name of the drafting model, where it is another one
    """

    prompt: str
    drafter: str
    layers: int
    guesses: int
    strategy: Literal["greedy", "sample"]
    tokens: int
    other: str = ""


@dataclass
class SpeculativeState:
    """Runs by experiment, of one model.

    model  name of the model that the runs belong to
    runs   one for each of EXPERIMENTS; the work is a `SpeculativeDecoding` or a `JacobiDecoding`
    """

    model: str = ""
    runs: dict[str, IncrementalRun] = field(default_factory=lambda: {name: IncrementalRun() for name in EXPERIMENTS})
    _others: tuple[tuple[str, ...], list[str]] | None = None

    def ready(self, model: Model) -> None:
        """Discard all results if the model has changed."""
        if self.model != model.name:
            self.model, self._others = model.name, None
            self.runs = without_results(self.runs)

    def others(self, model: Model) -> list[str]:
        """Names of other loaded models that have the same tokens."""
        from engine.decoding.drafting import same_vocabulary

        names = (use.name for use in model_registry.memory_use() if use.name != model.name)
        loaded = tuple(name for name in names if model_registry.allowed(name))
        if self._others is None or self._others[0] != loaded:
            models = [other for name in loaded if (other := _loaded(name)) is not None]
            self._others = loaded, [other.name for other in models if same_vocabulary(model, other)]
        return self._others[1]

    def draft(self, model: Model, plan: Plan, settings: Settings, seed: int) -> None:
        """Start speculative decoding. A text that cannot be read is the run's problem; the last result stays."""
        from engine.decoding.speculative import SpeculativeDecoding

        tokens = min(plan.tokens, config.current().run_tokens)

        def create() -> SpeculativeDecoding:
            ids = model.read_prompt(plan.prompt)
            drafter = _drafter(model, plan)
            return SpeculativeDecoding(model, ids, drafter, plan.guesses, plan.strategy, settings, seed, tokens)

        self.runs["drafting"].begin(plan, create)

    def iterate(self, model: Model, prompt: str, places: int) -> None:
        """Start Jacobi decoding."""
        from engine.decoding.jacobi import JacobiDecoding

        places = min(places, config.current().run_tokens)
        self.runs["jacobi"].begin(prompt, lambda: JacobiDecoding(model, model.read_prompt(prompt), places))


def _loaded(name: str) -> Model | None:
    """A local model by its name, if it is still loaded."""
    load = model_registry.request(name)
    if not load.done:
        return None
    try:
        model = load.result()
    except ModelError:
        return None
    return None if model.is_remote else model


def _drafter(model: Model, plan: Plan) -> Drafter:
    """The drafter of a plan. Raises EngineError(`lens`, `draft_vocabulary`)."""
    from engine.decoding.drafting import LookupDrafter, layer_drafter, model_drafter

    if plan.drafter == LOOKUP:
        return LookupDrafter()
    if plan.drafter == OTHER:
        return model_drafter(model, model_registry.request(plan.other).result())
    return layer_drafter(model, plan.layers)
