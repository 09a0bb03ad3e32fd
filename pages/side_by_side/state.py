"""State of the side-by-side page: a shared text, the second model, a lockstep run. No Streamlit here.

The text is kept as characters and encoded for each model. An action with an outdated `turn` does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.bundled import BUNDLED_NAME
from engine.errors import EngineError, ModelError
from engine.serving import admission, allowed_models, catalog, chat_servers, endpoints, model_registry
from engine.serving.model_registry import ModelLoad
from pages.session.incremental_run import IncrementalRun
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from pages.side_by_side import link
from pages.side_by_side.link import LinkedText
from pages.side_by_side.result import Result, compute

if TYPE_CHECKING:
    from engine.experiments.model_comparison import Lockstep
    from engine.model.model import Model

STEP_RANGE, DEFAULT_STEPS = (2, 12), 5
_NAME = "side"  # of the URL parameter


@dataclass
class SideState:
    """State of one visitor's page.

    typed         the text in the box, None before the first
    prompt        the last text in the box that could be read
    written       the pieces appended to it
    second        name of the second model; "" for none
    loading       its load, while that is running
    load_problem  why it could not be loaded
    problem       why the last text was refused
    refused_by    which model could not read it: 0 or 1
    run           the lockstep run; `work` is a `Lockstep`
    turn          incremented by every change of the text or of the models
    step_prompt   the session's prompt when it was last taken over; None before that
    """

    typed: str | None = None
    prompt: str = ""
    written: tuple[str, ...] = ()
    second: str = ""
    loading: ModelLoad | None = None
    load_problem: ModelError | None = None
    problem: EngineError | None = None
    refused_by: int = 0
    run: IncrementalRun = field(default_factory=IncrementalRun)
    turn: int = 0
    step_prompt: str | None = None
    _models: tuple[str, str] = ("", "")
    _result: tuple[tuple[str, str, str], Result] | None = None

    @property
    def text(self) -> str:
        """The shared text."""
        return self.prompt + "".join(self.written)

    def choose(self, name: str) -> None:
        """Choose the second model, or try again to load it; the next run of the page requests it."""
        self.second, self.loading, self.load_problem = name, None, None

    def other(self, model: Model) -> Model | None:
        """The second model if it is loaded; else its load goes on, or `load_problem` says why not.

        Without a choice it is the bundled model, unless that is the one at hand.
        """
        if self.second == model.name:
            self.choose("")
        if not self.second and model.name != BUNDLED_NAME:
            self.choose(BUNDLED_NAME)
        other = self._loaded() if self.second and self.load_problem is None else None
        models = model.name, other.name if other is not None else ""
        if models != self._models:
            self._models = models
            self._changed()
        return other

    def _loaded(self) -> Model | None:
        try:
            self.loading = self.loading or model_registry.request(self.second)
            if not self.loading.done:
                return None
            loading, self.loading = self.loading, None
            return loading.result()
        except ModelError as error:
            self.load_problem, self.loading = error, None
            return None

    def read(self, model: Model, other: Model | None, typed: str) -> None:
        """Begin anew with the text in the box if it has changed; one that cannot be read changes nothing else."""
        if typed != self.typed:
            self.typed = typed
            result = self._computed(model, other, typed)
            self.problem, self.refused_by = result.readings[0].problem, 0
            if self.problem is None:
                self.prompt, self.written = typed, ()
                self._changed()

    def result(self, model: Model, other: Model | None) -> Result:
        """The result for the text, computed once."""
        return self._computed(model, other, self.text)

    def _computed(self, model: Model, other: Model | None, text: str) -> Result:
        key = model.name, other.name if other is not None else "", text
        if self._result is None or self._result[0] != key:
            result = compute(model, other, text)
            if result.problem is not None and result.problem.code.startswith("limit_"):
                return result  # of the host, which may allow it in a moment
            self._result = key, result
        return self._result[1]

    def append(self, model: Model, other: Model, turn: int, text: str) -> None:
        """Append a piece of text that both models can read; else `problem` says why not, and the text stays."""
        if turn != self.turn or not text:
            return
        before = self._result
        result = self._computed(model, other, self.text + text)
        self.problem = result.problem
        self.refused_by = next((i for i, reading in enumerate(result.readings) if reading.problem), 0)
        if self.problem is None:
            self.written += (text,)
            self._changed()
        else:
            self._result = before

    def take_choice(self, model: Model, other: Model, turn: int, which: int) -> None:
        """Append what one of the models would write next."""
        choice = self.result(model, other).readings[which].choice
        if choice is not None:
            self.append(model, other, turn, choice)

    def pick(self, model: Model, other: Model, turn: int, row: int) -> None:
        """Append the text of a row that both vocabularies have."""
        comparison = self.result(model, other).comparison
        if turn == self.turn and comparison is not None and 0 <= row < len(comparison.rows):
            found = comparison.rows[row]
            if found.shared and found.text is not None:
                self.append(model, other, turn, found.text)

    def back(self) -> None:
        """Take the last piece away."""
        if self.written:
            self.written, self.problem = self.written[:-1], None
            self._changed()

    def start(self, model: Model, other: Model, leader: int, count: int) -> None:
        """Start a lockstep run from the text."""

        def create() -> Lockstep:
            from engine.experiments.model_comparison import Lockstep

            admission.check_run(count)
            return Lockstep(model, other, self.text, leader, count)

        self.run.begin(leader, create)

    def keep(self) -> None:
        """Append what a lockstep run wrote."""
        if self.run.work is not None and not self.run.running:
            self.written += tuple(step.text for step in self.run.work.steps)
            self._changed()

    def _changed(self) -> None:
        self.turn += 1
        self.run.stop()
        self.run = IncrementalRun(turn=self.run.turn)

    def to_query(self) -> dict[str, str]:
        """The text and the second model, where they differ from those of every page; see `UrlState`."""
        if not self.second and self.text == self.step_prompt:
            return {}
        code = link.encoded(LinkedText(self.prompt, self.written, self.second))
        return {} if code is None else {_NAME: code}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the text, and request the second model."""
        self.step_prompt = session.prompt
        linked = LinkedText(session.prompt, (), "")
        text = params.decoded(_NAME)
        if text is not None:
            found = link.decoded(text, session.prompt)
            if found is None:
                params.unread.add(_NAME)
            linked = found or linked
        self.typed, self.prompt, self.written, self.problem = linked.prompt, linked.prompt, linked.written, None
        self.choose(linked.second)
        self._changed()


def candidates(name: str) -> list[str]:
    """Names of the models that can stand beside one: bundled, loaded, named by the host, offered from the catalog.

    Servers that only chat are left out, and those of which it is not known yet.
    """
    names = [BUNDLED_NAME, *(use.name for use in model_registry.memory_use())]
    served = [endpoint.model_name for endpoint in endpoints.offered()]
    names += [name for name in served if chat_servers.known(name) not in ("asking", "chat")]
    names += allowed_models.named()
    names += [model.name for model in catalog.offered()]
    return [other for other in dict.fromkeys(names) if other != name and model_registry.allowed(other)]
