"""What one visitor asks of a model on the uses page: a task made by its prompt alone, and what comes of it. No screen.

A task's prompt is put together from parts of the locale file, one of which holds the visitor's own words at `{input}`.
The model is asked as every other page asks it; nothing but the prompt tells it what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from engine.decoding.stopping import StopReason
from engine.errors import PromptError, context_error
from engine.serving import admission, config
from pages.i18n.translator import Translator
from pages.session.incremental_run import IncrementalRun

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation
    from engine.model.model import Model
    from pages.session.text_state import TextState

TaskName = Literal["dialogue", "story", "code", "translation", "summary", "questions"]
TASKS: tuple[TaskName, ...] = ("dialogue", "story", "code", "translation", "summary", "questions")
ONE_LINE: frozenset[TaskName] = frozenset(
    {"dialogue", "translation", "summary", "questions"}
)  # answers end with their line
TOKENS = 60


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One part of a prompt: `instruction`, `example`, `input` or `cue` (the place where the model goes on)."""

    kind: str
    text: str


def parts(task: TaskName, asked: str, t: Translator) -> list[PromptPart]:
    """The prompt of a task in its parts, the visitor's words filled in."""
    kinds, texts = t.list(f"uses.{task}.kinds"), t.list(f"uses.{task}.parts")
    return [PromptPart(kind, text.replace("{input}", asked)) for kind, text in zip(kinds, texts, strict=True)]


class TaskRun:
    """The likeliest token each time, until the model ends the text, the line is full or `TOKENS` are written.

    Raises PromptError as `Model.read_prompt`; a demo looks at the visitor's own words alone, not at the parts around.
    """

    def __init__(self, model: Model, prompt: str, asked: str, one_line: bool) -> None:
        from engine.decoding.batch_generation import Continuation  # torch comes with it: not before a model is there

        admission.check_prompt(asked)
        if not asked.strip():
            raise PromptError("empty", "nothing is asked")
        self.model, self.prompt, self.ids = model, prompt, model.encode(prompt)
        admission.check_length(asked, len(model.encode(asked)))
        if len(self.ids) >= model.context_length:
            raise context_error(len(self.ids), model.context_length)
        self.most = min(TOKENS, config.current().run_tokens)
        self.written: Continuation = Continuation(None)
        self.line = False  # whether it ended with its line
        self._one_line = one_line
        self._tokens = self._write()

    @property
    def done(self) -> bool:
        return self.line or self.written.stop is not None

    @property
    def progress(self) -> float:
        return 1.0 if self.done else len(self.written.token_ids) / self.most

    def step(self) -> bool:
        """One token more. True while there is more to write. Raises EngineError."""
        if not self.done:
            next(self._tokens, None)
        return not self.done

    def stop(self) -> None:
        """The person stops it; what is written stays."""
        if not self.done:
            self._end("person")

    def _end(self, stop: StopReason) -> None:
        self.written = replace(self.written, stop=stop)

    def _write(self) -> Iterator[None]:
        from engine.decoding.generation import generate

        for step in generate(self.model, self.ids, "greedy", max_new_tokens=self.most):
            ids = (*self.written.token_ids, step.token_id)
            values = (*self.written.log_probabilities, step.log_probability)
            self.written = replace(self.written, token_ids=ids, log_probabilities=values, stop=step.stop)
            answer = self.model.text(ids)
            self.line = self._one_line and answer.endswith("\n") and bool(answer.strip())
            yield


@dataclass
class UsesState:
    trials: dict[str, IncrementalRun] = field(default_factory=dict)
    model: str = ""

    def ready(self, model: Model) -> None:
        """Forget what another model wrote."""
        if self.model != model.name:
            self.model, self.trials = model.name, {}

    def trial(self, task: TaskName) -> IncrementalRun:
        return self.trials.setdefault(task, IncrementalRun())

    def run(self, model: Model, task: TaskName, asked: str, t: Translator) -> None:
        """Let the model go on from the task's prompt."""
        prompt = "".join(part.text for part in parts(task, asked, t))
        self.trial(task).begin((asked, t.language), lambda: TaskRun(model, prompt, asked, task in ONE_LINE))

    def take(self, session: TextState, model: Model, task: TaskName) -> bool:
        """Put the prompt and what was written on the step page's table; False where there is nothing."""
        writing = self.trial(task).work
        if not isinstance(writing, TaskRun) or writing.model is not model:
            return False
        session.strategy = "greedy"
        session.load_text(model, writing.prompt, writing.ids, writing.written.token_ids, "greedy")
        return True
