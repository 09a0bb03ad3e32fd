"""What one visitor has on the table, and every move they can make. Knows no screen: pages draw it, callbacks call it.

A move that is out of date (a click on something that has changed since) does nothing. A move that cannot be made
leaves everything as it is and puts a problem on record, for the page to put into words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import engine
from engine import usage
from engine.bundled import BUNDLED_NAME
from engine.decoding.stopping import StopReason
from engine.errors import EngineError, PromptError
from engine.sampling.settings import Settings, Strategy, TokenOrigin
from engine.serving import admission, config
from engine.trace.trace import Trace
from pages.i18n.translator import sentences
from pages.session.annotated_text import TextAnnotator
from pages.session.query_params import QueryParams, changed

if TYPE_CHECKING:
    from engine.model.model import Model
    from engine.sampling.distribution import Distribution

    Choice = tuple[Distribution, int, float | None]

FIRST_PROMPT: str = sentences("zh_Hant")["step.examples.list"][0]
FIRST_SETTINGS = Settings(temperature=0.8, top_p=0.95)
FIRST_BARS = FIRST_RUN = 10


@dataclass
class TextState:
    prompt: str = FIRST_PROMPT
    model_name: str = BUNDLED_NAME
    fallback_model: str = BUNDLED_NAME  # the last one that could be loaded
    settings: Settings = FIRST_SETTINGS
    strategy: Strategy = "sample"
    seed: int = 7
    trace: Trace | None = None
    turn: int = 0  # grows with every move; a click carries the turn it was made on
    running: int = 0  # tokens still to be written by a run
    stopped: StopReason | None = None  # why the last move could not go on, or a run ended
    problem: EngineError | None = None
    notes: list[str] = field(default_factory=list)
    handed: bool = False  # a text was put here from another page: the step page is to be opened
    bars: int = FIRST_BARS
    run_tokens: int = FIRST_RUN
    annotator: TextAnnotator = field(default_factory=TextAnnotator)
    _choice: tuple[tuple[Any, ...], Choice] | None = None  # the last one, and what it answers

    def ready(self, model: Model) -> Trace:
        """The trace, begun with the prompt where there is none for this model yet."""
        if self.trace is None or self.trace.model != model.name:
            before, self.trace = self.problem, None
            self.set_prompt(model, self.prompt)
            problem = self.problem or before  # such as that the model asked for could not be had
            if self.trace is None:  # this model cannot read the prompt: begin with one that it can
                self.set_prompt(model, FIRST_PROMPT)
            self.problem = problem
        if self.trace is None:
            raise self.problem or EngineError("empty", "no prompt")
        if (self.trace.settings, self.trace.strategy, self.trace.seed) != (self.settings, self.strategy, self.seed):
            self.trace = replace(self.trace, settings=self.settings, strategy=self.strategy, seed=self.seed)
            self.turn += 1
        return self.trace

    def set_prompt(self, model: Model, text: str) -> None:
        """Begin anew with a prompt. One that cannot be read leaves the text on the table as it is."""
        self.running = 0
        try:
            ids = model.read_prompt(text)
        except EngineError as error:
            self.problem = error
            return
        self.prompt = text
        self.notes = prompt_notes(model, text, ids)
        self._move(Trace.start(model.name, ids, self.settings, self.strategy, self.seed, model.fingerprint))

    def _move(self, trace: Trace) -> None:
        self.trace = trace
        self.turn += 1
        self.stopped = None
        self.problem = None

    def step(self, model: Model) -> bool:
        """Let the model choose one token. False where nothing may follow, with the reason in `stopped`."""
        trace = self.ready(model)
        self.stopped = self.end(model)
        if self.stopped:
            return False
        admission.charge()
        _, token_id, u = self.choice(model)
        self._move(trace.choose(token_id, "greedy" if u is None else "drawn"))
        return True

    def choice(self, model: Model) -> Choice:
        """What the model chooses at the cursor: the distribution, the token, the number drawn (None for greedy)."""
        trace = self.ready(model)
        asked = (model.name, trace.token_ids(), self.strategy, self.settings, self.seed)
        if self._choice is None or self._choice[0] != asked:
            self._choice = asked, engine.choose(model, *asked[1:])
        return self._choice[1]

    def next_ids(self, model: Model) -> tuple[int, ...] | None:
        """The text after the token that the model chooses; None where nothing may follow."""
        if self.end(model):
            return None
        return (*self.ready(model).token_ids(), self.choice(model)[1])

    def end(self, model: Model) -> StopReason | None:
        """Why nothing may follow the cursor: `end` or `context`; None where something may."""
        trace = self.ready(model)
        made = 0 if trace.choices[trace.cursor].how == "prompt" else 1
        return engine.stop_reason(model, trace.token_ids(), made, made + 1)

    def run(self, model: Model) -> None:
        """Begin to write `run_tokens` tokens; `run_on` writes them. Raises EngineError(`limit_run`)."""
        admission.check_run(self.run_tokens)
        self.running = self.run_tokens
        self.stopped = self.problem = None

    def run_on(self, model: Model) -> bool:
        """One token of a run. True while there is more to write."""
        if self.running <= 0:
            return False
        try:
            going = self.step(model)
        except EngineError as error:  # what is written stays
            self.running, self.problem = 0, error
            return False
        self.running = self.running - 1 if going else 0
        if going and not self.running:
            self.stopped = self.end(model) or "length"
        elif going and (end := self.end(model)):
            self.running, self.stopped = 0, end
        return self.running > 0

    def stop(self, model: Model) -> None:
        """The person says stop."""
        if self.running:
            self.running, self.stopped = 0, "person"

    def back(self, model: Model) -> None:
        if self.trace is not None:
            self.running = 0
            self._move(self.trace.back())

    def restart(self, model: Model) -> None:
        if self.trace is not None:
            self.running = 0
            self._move(self.trace.restart())

    def pick(self, model: Model, turn: int, token_id: int, after: int | None = None) -> None:
        """Take a token by hand: at the cursor, or after another choice of the tree (which then goes on from there)."""
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
        self._move(trace.choose(token_id, "hand"))

    def go_to(self, model: Model, turn: int, node: int) -> None:
        """Move the cursor to a choice of the tree."""
        if turn == self.turn and self.trace is not None and 0 <= node < len(self.trace.choices):
            self.running = 0
            self._move(self.trace.go_to(node))

    def load_text(
        self, model: Model, prompt: str, ids: tuple[int, ...], written: tuple[int, ...], how: TokenOrigin,
        first: TokenOrigin | None = None,
    ) -> None:  # fmt: skip
        """Put a text on the table that was written elsewhere: a prompt, its ids, and the tokens after it.

        Where it begins with the prompt that is there, it is one more way to go and the others stay. `first`: how the
        first token came, where that is not as the others did.
        """
        trace = self.trace
        if trace is None or trace.model != model.name or trace.token_ids(trace.prompt_length - 1) != ids:
            trace = Trace.start(model.name, ids, self.settings, self.strategy, self.seed, model.fingerprint)
            self.prompt = prompt
            self.notes = prompt_notes(model, prompt, ids)
        trace = trace.go_to(trace.prompt_length - 1)
        for at, token_id in enumerate(written):
            trace = trace.choose(token_id, how if at or first is None else first)
        self.running = 0
        self._move(trace)

    def load_trace(self, model: Model, trace: Trace, prompt: str = "") -> None:
        """Put a whole trace on the table as somebody left it: every way, the cursor, how the next token is chosen.

        `prompt` is its prompt as it was typed, where that is known. Raises TraceError where the model cannot read it,
        and what `Model.read_prompt` raises of the host's limits; all is then as it was.
        """
        trace.fits(model)
        ids = trace.token_ids(trace.prompt_length - 1)
        try:
            text = prompt if prompt and model.encode(prompt) == ids else model.text(ids)
        except PromptError:  # half a character
            text = model.text(ids)
        admission.check_prompt(text)
        admission.check_length(text, len(ids) - len(model.vocabulary.start))
        admission.charge(1 + len(trace.line()) // usage.TOKENS_PER_STEP)
        self.running = 0
        self.prompt, self.notes = text, prompt_notes(model, text, ids)
        self.settings, self.strategy, self.seed = trace.settings, trace.strategy, trace.seed
        self._move(replace(trace, model=model.name, fingerprint=model.fingerprint))

    def replay(self, model: Model, prompt: str, written: str) -> None:
        """Put a text on the table that another model wrote, cut into this one's tokens. Raises PromptError."""
        ids = model.read_prompt(prompt)
        whole = model.encode(prompt + written)
        alike = whole[: len(ids)] == ids
        after = whole[len(ids) :] if alike else model.encode(written)[len(model.vocabulary.start) :]
        self.load_text(model, prompt, ids, after[: model.context_length - len(ids)], "hand")

    def to_query(self) -> dict[str, str]:
        """What the step page shows besides the text: see `params.View`."""
        now = {"bars": self.bars, "tokens": self.run_tokens, "run": self.running}
        return changed(now, {"bars": FIRST_BARS, "tokens": FIRST_RUN, "run": 0})

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        most = min(100, config.current().run_tokens)
        self.bars = params.whole("bars", 3, 30, FIRST_BARS)
        self.run_tokens = params.whole("tokens", 1, most, min(most, FIRST_RUN))
        self.running = params.whole("run", 0, most, 0)

    def choose_model(self, name: str) -> None:
        """Ask for another model; the next look at the page loads it, or says why not and keeps this one."""
        if name != self.model_name:
            self.fallback_model, self.model_name = self.model_name, name
            self.running = 0
            self.problem = None


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]")
_JOINED_EMOJI = re.compile(r"\S\u200d\S")


def prompt_notes(model: Model, text: str, ids: tuple[int, ...]) -> list[str]:
    """What is worth saying about a prompt that can be read: keys of sentences."""
    spelled = [model.vocabulary.token_bytes(i).decode("utf-8", "replace") for i in model.vocabulary.special]
    checks: dict[str, Callable[[], Any]] = {
        "note.control": lambda: _CONTROLS.search(text),
        "note.right_to_left": lambda: _RIGHT_TO_LEFT.search(text),
        "note.joined": lambda: _JOINED_EMOJI.search(text),
        "note.special": lambda: any(name in text for name in spelled),
        "note.changed": lambda: model.text(ids) != text,
    }
    return [key for key, found in checks.items() if found()]
