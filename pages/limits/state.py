"""What one visitor tries out on the limits page: four experiments, each of which keeps what came of it. Knows no
screen.

An experiment's work is done in small pieces, so that a page can draw what is there and a person can stop it at any
moment. What came of it stays, whichever experiment or page is looked at meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from engine.sampling.settings import TokenOrigin
from engine.serving import config
from pages.session.incremental_run import IncrementalRun

if TYPE_CHECKING:
    from engine.experiments.error_accumulation import ForcedTokenExperiment
    from engine.model.model import Model
    from pages.session.text_state import TextState


ExperimentName = Literal["sequential", "errors", "left", "exposure"]
NAMES: tuple[ExperimentName, ...] = ("sequential", "errors", "left", "exposure")
SEEDS = 8  # that the forced token is tried with
FORK_TOKENS = 30
EXPOSURE_SEEDS = 4


@dataclass
class LimitsState:
    model: str = ""
    trials: dict[str, IncrementalRun] = field(default_factory=lambda: {name: IncrementalRun() for name in NAMES})
    forced_for: str | None = None  # the prompt whose list of tokens to force is on show
    _ladder: tuple[tuple[str, str], tuple[tuple[int, ...], list[int], int]] | None = None

    def ready(self, model: Model) -> None:
        """Forget what came of it with another model."""
        if self.model != model.name:
            turns = {name: trial.turn for name, trial in self.trials.items()}
            self.model, self.trials = model.name, {name: IncrementalRun(turn=turns[name] + 1) for name in NAMES}

    def ladder(self, model: Model, prompt: str) -> tuple[tuple[int, ...], list[int], int]:
        """A prompt's ids, the tokens that can be forced after it, likeliest first, and the one to begin with.

        Raises PromptError. Worked out once a prompt.
        """
        from engine.experiments.error_accumulation import improbable, ladder

        if self._ladder is None or self._ladder[0] != (model.name, prompt):
            ids = model.read_prompt(prompt)
            self._ladder = (model.name, prompt), (ids, ladder(model, ids), improbable(model, ids))
        return self._ladder[1]

    def time(self, model: Model, prompt: str) -> None:
        """Measure at once against step by step."""
        from engine.experiments.decoding_speed import DecodingSpeed

        self.trials["sequential"].begin(prompt, lambda: DecodingSpeed(model, model.read_prompt(prompt)))

    def force(self, session: TextState, model: Model, prompt: str, token_id: int) -> None:
        """Force a token after a prompt, with the step page's strategy, settings and seed, and the seeds after it."""
        from engine.experiments.error_accumulation import ForcedTokenExperiment

        seeds = range(session.seed, session.seed + SEEDS)
        strategy, settings = session.strategy, session.settings
        tokens = min(FORK_TOKENS, config.current().run_tokens)
        self.trials["errors"].begin(
            (prompt, token_id, strategy, settings, session.seed),
            lambda: ForcedTokenExperiment(
                model, model.read_prompt(prompt), token_id, strategy, settings, seeds, tokens
            ),
        )

    def fill(self, model: Model, sentence: str, candidates: tuple[str, ...]) -> None:
        """Score candidates in a sentence's gap."""
        from engine.experiments.cloze import fill

        self.trials["left"].begin((sentence, candidates), lambda: fill(model, sentence, candidates))

    def expose(self, model: Model, texts: tuple[str, ...], greedy: bool, between: int, seed: int) -> None:
        """Score the ends of texts behind true middles and behind the model's own."""
        from engine.experiments.exposure_bias import ExposureBias

        seeds = range(seed, seed + EXPOSURE_SEEDS)
        strategy: Literal["greedy", "sample"] = "greedy" if greedy else "sample"
        self.trials["exposure"].begin(
            (texts, greedy, between, seed), lambda: ExposureBias(model, texts, strategy, seeds, between)
        )

    def take_branch(self, session: TextState, model: Model, turn: int, which: int) -> bool:
        """Put both ways of the fork on the step page's table as branches, the cursor at the end of one (0: the model's
        own, 1: the forced one). False for a click that is out of date."""
        trial = self.trials["errors"]
        fork: ForcedTokenExperiment | None = trial.work
        if turn != trial.turn or fork is None or which not in (0, 1) or self.model != model.name:
            return False
        prompt, _, session.strategy, session.settings, session.seed = trial.asked
        pair = fork.pairs[0]
        how: TokenOrigin = "drawn" if session.strategy == "sample" else "greedy"
        ways: list[tuple[tuple[int, ...], TokenOrigin]] = [(pair.own.token_ids, how), (pair.forced.token_ids, "hand")]
        for written, first in (ways[1 - which], ways[which]):
            session.load_text(model, prompt, fork.ids, written, how, first)
        return True

    def take_filled(self, session: TextState, model: Model, turn: int, which: int) -> bool:
        """Put a sentence with its gap filled on the step page's table. False for a click that is out of date."""
        trial = self.trials["left"]
        if turn != trial.turn or trial.work is None or not 0 <= which < len(trial.work.filled):
            return False
        filled = trial.work.filled[which]
        session.load_text(model, trial.work.left, trial.work.left_ids, filled.token_ids[filled.first :], "hand")
        return True


EQUAL_WITHIN = 0.05  # nats a token: means nearer than this are called equal
