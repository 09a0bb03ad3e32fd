"""State of the text being generated (prompt, trace, settings, run) and the actions on it. No Streamlit here.

An action with an outdated `turn` (a click on something that has changed since) does nothing. `set_prompt` and `run_on`
store an EngineError in `problem`, the other actions raise it; both keep the text.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import engine
from engine import usage
from engine.bundled import BUNDLED_NAME
from engine.decoding.stopping import StopReason
from engine.errors import EngineError
from engine.sampling.settings import Settings, Strategy, TokenOrigin
from engine.serving import admission, config
from engine.trace.trace import Trace
from pages.i18n.translator import sentences
from pages.session.annotated_text import TextAnnotator
from pages.session.prompt_notes import prompt_notes
from pages.session.query_params import QueryParams, changed
from pages.session.retokenize import continuation_ids, prompt_text

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.sampling.distribution import Distribution

    Choice = tuple[Distribution, int, float | None]

FIRST_PROMPT: str = sentences("zh_Hant")["step.examples.list"][0]
FIRST_SETTINGS = Settings()  # the model's own probabilities: temperature 1, no filter
_DEFAULT_BARS = _DEFAULT_RUN = 10


@dataclass
class TextState:
    """State of one visitor's text. `trace` is None until `ready` is called with a model."""

    prompt: str = FIRST_PROMPT
    model_name: str = BUNDLED_NAME
    fallback_model: str = BUNDLED_NAME  # the model selected before, for when the new one cannot be loaded
    settings: Settings = FIRST_SETTINGS
    strategy: Strategy = "sample"
    seed: int = 7
    trace: Trace | None = None
    turn: int = 0  # incremented with every new trace; events of an earlier turn are outdated
    running: int = 0  # tokens that the current run has still to generate
    restarted_from: int | None = None  # the cursor before a restart, until the text changes otherwise
    stopped: StopReason | None = None  # why the last step was impossible or the last run ended
    problem: EngineError | None = None
    notes: list[str] = field(default_factory=list)  # see `prompt_notes`
    opened_from: str = ""  # the page that loaded this text and to which the step page leads back; "" for none
    open_step_page: bool = False  # another page loaded a text: the next fragment run switches to the step page
    bars: int = _DEFAULT_BARS
    run_tokens: int = _DEFAULT_RUN
    annotator: TextAnnotator = field(default_factory=TextAnnotator)
    _choice: tuple[tuple[Any, ...], Choice] | None = None  # cache of `choice`: its arguments and its result

    def ready(self, model: Model) -> Trace:
        """The trace with the current settings; a new one of the prompt if there is none for this model yet.

        A prompt that the model cannot read is replaced by FIRST_PROMPT, with `problem` set. Raises EngineError if it
        can read neither.
        """
        if self.trace is None or self.trace.model != model.name:
            previous_problem, self.trace = self.problem, None
            self.set_prompt(model, self.prompt)
            problem = self.problem or previous_problem  # e.g. that the requested model could not be loaded
            if self.trace is None:
                self.set_prompt(model, FIRST_PROMPT)
            self.problem = problem
        if self.trace is None:
            raise self.problem or EngineError("empty", "no prompt")
        if (self.trace.settings, self.trace.strategy, self.trace.seed) != (self.settings, self.strategy, self.seed):
            self.trace = replace(self.trace, settings=self.settings, strategy=self.strategy, seed=self.seed)
            self.turn += 1
        return self.trace

    def set_prompt(self, model: Model, text: str) -> None:
        """Start a new trace with a prompt; if the model cannot read it, set `problem` and keep the current text."""
        self.running = 0
        try:
            ids = model.read_prompt(text)
        except EngineError as error:
            self.problem = error
            return
        self.prompt = text
        self.opened_from = ""
        self.notes = prompt_notes(model, text, ids)
        self._set_trace(Trace.start(model.name, ids, self.settings, self.strategy, self.seed, model.fingerprint))

    def _set_trace(self, trace: Trace) -> None:
        self.trace = trace
        self.turn += 1
        self.stopped = self.restarted_from = None
        self.problem = None

    def step(self, model: Model) -> bool:
        """Append the token that `choice` selects. False if no token may follow, with the reason in `stopped`."""
        self.stopped = self.end(model)
        if self.stopped:
            return False
        admission.charge()
        self._append_choice(model)
        return True

    def after_step(self, model: Model) -> TextState | None:
        """The state after `step`, to be shown in advance: nothing is charged. None if no token may follow."""
        if self.end(model):
            return None
        after = copy(self)
        after._append_choice(model)
        return after

    def _append_choice(self, model: Model) -> None:
        _, token_id, u = self.choice(model)
        self._set_trace(self.ready(model).choose(token_id, "greedy" if u is None else "drawn"))

    def choice(self, model: Model) -> Choice:
        """Selection of the token after the cursor: distribution, token id, uniform number drawn (None for greedy)."""
        trace = self.ready(model)
        arguments = (model.name, trace.token_ids(), self.strategy, self.settings, self.seed)
        if self._choice is None or self._choice[0] != arguments:
            self._choice = arguments, engine.choose(model, *arguments[1:])
        return self._choice[1]

    def next_ids(self, model: Model) -> tuple[int, ...] | None:
        """Token ids of the text with the token that `choice` selects appended; None if no token may follow."""
        if self.end(model):
            return None
        return (*self.ready(model).token_ids(), self.choice(model)[1])

    def end(self, model: Model) -> StopReason | None:
        """Reason why no token may follow the cursor: `end` or `context`; None if one may."""
        trace = self.ready(model)
        new_tokens = 0 if trace.choices[trace.cursor].how == "prompt" else 1
        return engine.stop_reason(model, trace.token_ids(), new_tokens, new_tokens + 1)

    def run(self, model: Model) -> None:
        """Start a run of `run_tokens` tokens, generated by `run_on`. Raises EngineError(`limit_run`)."""
        admission.check_run(self.run_tokens)
        self.running = self.run_tokens
        self.stopped = self.problem = None

    def run_on(self, model: Model) -> bool:
        """Generate one token of a run. True while more are to follow; an error ends the run and keeps the text."""
        if self.running <= 0:
            return False
        try:
            appended = self.step(model)
        except EngineError as error:
            self.running, self.problem = 0, error
            return False
        self.running = self.running - 1 if appended else 0
        if appended and not self.running:
            self.stopped = self.end(model) or "length"
        elif appended and (end := self.end(model)):
            self.running, self.stopped = 0, end
        return self.running > 0

    def stop(self, model: Model) -> None:
        """End a run at the visitor's request."""
        if self.running:
            self.running, self.stopped = 0, "person"

    def back(self, model: Model) -> None:
        """Move the cursor one token back."""
        if self.trace is not None:
            self.running = 0
            self._set_trace(self.trace.back())

    def restart(self, model: Model) -> None:
        """Move the cursor to the end of the prompt, with nothing after it; what was written stays as branches."""
        if self.trace is not None:
            self.running = 0
            written = self.trace.cursor >= self.trace.prompt_length
            before = self.trace.cursor if written else self.restarted_from  # of two restarts the first
            self._set_trace(self.trace.restart())
            self.restarted_from = before

    def undo_restart(self, model: Model) -> None:
        """Move the cursor back to where it was before a restart."""
        if self.trace is not None and self.restarted_from is not None:
            self._set_trace(self.trace.go_to(self.restarted_from))

    def pick(self, model: Model, turn: int, token_id: int, after: int | None = None) -> None:
        """Append a token selected by the visitor, at the cursor or after the node `after` of the trace."""
        if turn != self.turn or self.trace is None or not 0 <= token_id < model.vocabulary.size:
            return
        trace = self.trace
        if after is not None:
            if not 0 <= after < len(trace.choices):
                return
            trace = trace.go_to(after)
        if len(trace.path()) >= model.context_length:
            self.stopped = "context"
            return
        admission.charge()
        self.running = 0
        self._set_trace(trace.choose(token_id, "hand"))

    def go_to(self, model: Model, turn: int, node: int) -> None:
        """Move the cursor to a node of the trace."""
        if turn == self.turn and self.trace is not None and 0 <= node < len(self.trace.choices):
            self.running = 0
            self._set_trace(self.trace.go_to(node))

    def load_text(
        self, model: Model, prompt: str, ids: tuple[int, ...], written: tuple[int, ...], how: TokenOrigin,
        first: TokenOrigin | None = None,
    ) -> None:  # fmt: skip
        """Load a text generated elsewhere: a prompt with its `ids`, and the tokens `written` after it.

        It becomes a branch of the current trace if that has the same prompt, else a new trace. `how` is the origin of
        the written tokens, `first` that of the first one where it differs.
        """
        self.opened_from = ""
        trace = self.trace
        if trace is None or trace.model != model.name or trace.token_ids(trace.prompt_length - 1) != ids:
            trace = Trace.start(model.name, ids, self.settings, self.strategy, self.seed, model.fingerprint)
            self.prompt = prompt
            self.notes = prompt_notes(model, prompt, ids)
        trace = trace.go_to(trace.prompt_length - 1)
        for position, token_id in enumerate(written):
            trace = trace.choose(token_id, how if position or first is None else first)
        self.running = 0
        self._set_trace(trace)

    def load_trace(self, model: Model, trace: Trace, prompt: str = "") -> None:
        """Load a trace with all its branches, its cursor and its settings.

        `prompt` is its prompt as it was typed, "" if unknown. Raises TraceError if the trace does not fit the model,
        and the EngineErrors of the host's limits; the state is then unchanged.
        """
        trace.fits(model)
        ids = trace.token_ids(trace.prompt_length - 1)
        text = prompt_text(model, ids, prompt)
        admission.check_prompt(text)
        admission.check_length(text, len(ids) - len(model.vocabulary.start))
        admission.charge(1 + len(trace.line()) // usage.TOKENS_PER_STEP)
        self.running, self.opened_from = 0, ""
        self.prompt, self.notes = text, prompt_notes(model, text, ids)
        self.settings, self.strategy, self.seed = trace.settings, trace.strategy, trace.seed
        self._set_trace(replace(trace, model=model.name, fingerprint=model.fingerprint))

    def replay(self, model: Model, prompt: str, written: str) -> None:
        """Load a text generated by another model, encoded with this one's tokenizer. Raises PromptError."""
        ids = model.read_prompt(prompt)
        self.load_text(model, prompt, ids, continuation_ids(model, prompt, ids, written), "hand")

    def to_query(self) -> dict[str, str]:
        """URL parameters of the step page besides the text; see `UrlState` in `shell/url_state.py`."""
        values = {"bars": self.bars, "tokens": self.run_tokens, "run": self.running}
        return changed(values, {"bars": _DEFAULT_BARS, "tokens": _DEFAULT_RUN, "run": 0})

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the step page's parameters; `session` and `model` are unused."""
        max_tokens = min(100, config.current().run_tokens)
        self.bars = params.whole("bars", 3, 30, _DEFAULT_BARS)
        self.run_tokens = params.whole("tokens", 1, max_tokens, min(max_tokens, _DEFAULT_RUN))
        self.running = params.whole("run", 0, max_tokens, 0)

    def choose_model(self, name: str) -> None:
        """Select another model. The next run of the page loads it, or falls back to the current one."""
        if name != self.model_name:
            self.fallback_model, self.model_name = self.model_name, name
            self.running = 0
            self.problem = None
