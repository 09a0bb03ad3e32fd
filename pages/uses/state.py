"""State of the uses page: tasks set by a prompt alone, and the text generated for each. No Streamlit here.

The prompt of a task is composed of parts of the locale file, one of which contains the visitor's input at `{input}`.
The model has no other information about the task; it is called as on every other page.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from engine.decoding.stopping import StopReason
from engine.errors import PromptError, context_error
from engine.serving import admission, config
from engine.tokenization.unicode import simplified_characters
from pages.i18n.translator import Translator
from pages.session.incremental_run import IncrementalRun
from pages.session.prefilled_text import PrefilledText

if TYPE_CHECKING:
    from engine.decoding.batch_generation import Continuation
    from engine.model.model import Model
    from pages.session.text_state import TextState

TaskName = Literal["dialogue", "story", "code", "translation", "summary", "questions"]
TASKS: tuple[TaskName, ...] = ("dialogue", "story", "code", "translation", "summary", "questions")
ONE_LINE: frozenset[TaskName] = frozenset(
    {"dialogue", "translation", "summary", "questions"}
)  # tasks whose answer ends at the first line break
MAX_NEW_TOKENS = 60


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One part of a prompt; kind: `instruction`, `example`, `input` or `cue` (the text right before the answer)."""

    kind: str
    text: str


def prompt_parts(task: TaskName, user_input: str, t: Translator) -> list[PromptPart]:
    """Parts of the prompt of a task, with the visitor's input inserted."""
    kinds, texts = t.list(f"uses.{task}.kinds"), t.list(f"uses.{task}.parts")
    return [PromptPart(kind, text.replace("{input}", user_input)) for kind, text in zip(kinds, texts, strict=True)]


class TaskRun(PrefilledText):
    """Greedy generation until an end token, the end of the line (`one_line`), a full context or MAX_NEW_TOKENS.

    ids           token ids of the prompt
    continuation  the tokens generated so far
    line_ended    whether the text ended with its line

    Raises PromptError: `empty`, `context`, and the errors of `admission.check_prompt` and `check_length`. Those two
    check the visitor's input alone, so that a demo accepts the parts of the prompt around it.
    """

    def __init__(self, model: Model, prompt: str, user_input: str, one_line: bool) -> None:
        from engine.decoding.batch_generation import Continuation  # imports torch: only once a model is loaded
        from engine.model.chunked_prefill import ChunkedPrefill

        admission.check_prompt(user_input)
        if not user_input.strip():
            raise PromptError("empty", "the input is empty")
        self.model, self.prompt, self.ids = model, prompt, model.encode(prompt)
        admission.check_length(user_input, len(model.encode(user_input)))
        if len(self.ids) >= model.context_length:
            raise context_error(len(self.ids), model.context_length)
        self.max_new_tokens = min(MAX_NEW_TOKENS, config.current().run_tokens)
        self.continuation: Continuation = Continuation(None)
        self.line_ended = False
        self._one_line = one_line
        self._prefill = ChunkedPrefill(model, self.ids)

    @property
    def done(self) -> bool:
        return self.line_ended or self.continuation.stop is not None

    @property
    def progress(self) -> float:
        """Fraction of the prompt and of `max_new_tokens`, from 0 to 1; jumps to 1 if the text ends early."""
        tokens = len(self.continuation.token_ids)
        return 1.0 if self.done else (self._prefill.progress + tokens) / (1 + self.max_new_tokens)

    @property
    def simplified(self) -> list[str]:
        """Simplified Chinese characters of the generated text that the prompt does not contain, each once."""
        answer = simplified_characters(self.model.continuation(self.ids, self.continuation.token_ids))
        return [char for char in answer if char not in self.prompt]

    def stop(self) -> None:
        """End the generation with stop reason `person`; the tokens generated so far remain."""
        if not self.done:
            self._end("person")

    def _end(self, stop: StopReason) -> None:
        self.continuation = replace(self.continuation, stop=stop)

    def _append_token(self) -> None:
        from engine.decoding.generation import generate

        before = self.continuation.token_ids
        step = next(
            generate(self.model, (*self.ids, *before), "greedy", max_new_tokens=self.max_new_tokens - len(before))
        )
        ids = (*before, step.token_id)
        values = (*self.continuation.log_probabilities, step.log_probability)
        self.continuation = replace(self.continuation, token_ids=ids, log_probabilities=values, stop=step.stop)
        answer = self.model.text(ids)
        self.line_ended = self._one_line and answer.endswith("\n") and bool(answer.strip())


@dataclass
class UsesState:
    """Runs by task, of one model; `model` is its name."""

    runs: dict[str, IncrementalRun] = field(default_factory=dict)
    model: str = ""

    def ready(self, model: Model) -> None:
        """Discard all results if the model has changed."""
        if self.model != model.name:
            self.model, self.runs = model.name, {}

    def run_for(self, task: TaskName) -> IncrementalRun:
        """Run of a task, created if there is none."""
        return self.runs.setdefault(task, IncrementalRun())

    def start(self, model: Model, task: TaskName, user_input: str, t: Translator) -> None:
        """Start generating from the prompt of a task."""
        prompt = "".join(part.text for part in prompt_parts(task, user_input, t))
        self.run_for(task).begin((user_input, t.language), lambda: TaskRun(model, prompt, user_input, task in ONE_LINE))

    def load_text(self, session: TextState, model: Model, task: TaskName) -> bool:
        """Load the prompt and the generated text into the step page. False if there is none from this model."""
        task_run = self.run_for(task).work
        if not isinstance(task_run, TaskRun) or task_run.model is not model:
            return False
        session.strategy = "greedy"
        session.load_text(model, task_run.prompt, task_run.ids, task_run.continuation.token_ids, "greedy")
        return True
