"""State of the limits page: one run of each of its four experiments. No Streamlit here.

Experiments work in small steps, so that the page can show partial results and the visitor can stop at any time.
Results remain until the next run, also while another experiment or page is open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from engine.sampling.settings import TokenOrigin
from engine.serving import config
from pages.session.incremental_run import IncrementalRun, without_results

if TYPE_CHECKING:
    from engine.experiments.cloze import Cloze
    from engine.experiments.error_accumulation import ForcedTokenExperiment
    from engine.model.model import Model
    from pages.session.text_state import TextState


ExperimentName = Literal["sequential", "errors", "left", "exposure"]
NAMES: tuple[ExperimentName, ...] = ("sequential", "errors", "left", "exposure")
NEEDS: dict[ExperimentName, Literal["speed", "whole", "scores"]] = {
    "sequential": "speed", "errors": "whole", "left": "whole", "exposure": "scores",
}  # fmt: skip
"""What each needs of a model on a server, see `shell/remote_notice.py`."""
SEEDS = 8  # seeds of the forced token experiment
FORK_TOKENS = 30  # tokens of each of its texts
EXPOSURE_SEEDS = 4
EQUAL_WITHIN = 0.05  # nats a token: means that differ by less are reported as equal


@dataclass
class LimitsState:
    """Runs by experiment, of one model.

    model              name of the model that the runs belong to
    runs               one run for each of NAMES
    token_list_prompt  prompt for which the list of tokens to force was last set to its default
    """

    model: str = ""
    runs: dict[str, IncrementalRun] = field(default_factory=lambda: {name: IncrementalRun() for name in NAMES})
    token_list_prompt: str | None = None
    _token_candidates: tuple[tuple[str, str], tuple[tuple[int, ...], list[int], int]] | None = None

    def ready(self, model: Model) -> None:
        """Discard all results if the model has changed."""
        if self.model != model.name:
            self.model, self.runs = model.name, without_results(self.runs)

    def forced_token_candidates(self, model: Model, prompt: str) -> tuple[tuple[int, ...], list[int], int]:
        """(token ids of a prompt, tokens that can be forced after it by descending probability, default choice).

        Cached for the last prompt. Raises PromptError.
        """
        from engine.experiments.error_accumulation import forced_token_candidates, improbable_token

        if self._token_candidates is None or self._token_candidates[0] != (model.name, prompt):
            ids = model.read_prompt(prompt)
            self._token_candidates = (
                (model.name, prompt),
                (ids, forced_token_candidates(model, ids), improbable_token(model, ids)),
            )
        return self._token_candidates[1]

    def measure_speed(self, model: Model, prompt: str) -> None:
        """Start the decoding speed benchmark."""
        from engine.experiments.decoding_speed import DecodingSpeed

        self.runs["sequential"].begin(prompt, lambda: DecodingSpeed(model, model.read_prompt(prompt)))

    def force_token(self, session: TextState, model: Model, prompt: str, token_id: int) -> None:
        """Start the forced token experiment with the step page's strategy and settings, for SEEDS seeds from its own
        seed on."""
        from engine.experiments.error_accumulation import ForcedTokenExperiment

        seeds = range(session.seed, session.seed + SEEDS)
        strategy, settings = session.strategy, session.settings
        tokens = min(FORK_TOKENS, config.current().run_tokens)
        self.runs["errors"].begin(
            (prompt, token_id, strategy, settings, session.seed),
            lambda: ForcedTokenExperiment(
                model, model.read_prompt(prompt), token_id, strategy, settings, seeds, tokens
            ),
        )

    def fill_gap(self, model: Model, sentence: str, candidates: tuple[str, ...]) -> None:
        """Start scoring candidates for the gap of a sentence."""
        from engine.experiments.cloze import ClozeScoring

        self.runs["left"].begin((sentence, candidates), lambda: ClozeScoring(model, sentence, candidates))

    def measure_exposure_bias(
        self, model: Model, texts: tuple[str, ...], greedy: bool, between: int, seed: int
    ) -> None:
        """Start the exposure bias experiment; `between`: tokens of the generated middles."""
        from engine.experiments.exposure_bias import ExposureBias

        seeds = range(seed, seed + EXPOSURE_SEEDS)
        strategy: Literal["greedy", "sample"] = "greedy" if greedy else "sample"
        self.runs["exposure"].begin(
            (texts, greedy, between, seed), lambda: ExposureBias(model, texts, strategy, seeds, between)
        )

    def load_branch(self, session: TextState, model: Model, turn: int, which: int) -> bool:
        """Load both continuations of the first seed into the step page as branches.

        which: the one to place the cursor at the end of; 0 is the model's own, 1 the forced one. Returns False for a
        stale click.
        """
        run = self.runs["errors"]
        fork: ForcedTokenExperiment | None = run.work
        if turn != run.turn or fork is None or which not in (0, 1) or self.model != model.name:
            return False
        prompt, _, session.strategy, session.settings, session.seed = run.asked
        pair = fork.pairs[0]
        origin: TokenOrigin = "drawn" if session.strategy == "sample" else "greedy"
        branches: list[tuple[tuple[int, ...], TokenOrigin]] = [
            (pair.own.token_ids, origin), (pair.forced.token_ids, "hand")
        ]  # fmt: skip
        for token_ids, first_origin in (branches[1 - which], branches[which]):
            session.load_text(model, prompt, fork.ids, token_ids, origin, first_origin)
        return True

    def load_filled(self, session: TextState, model: Model, turn: int, which: int) -> bool:
        """Load the sentence completed with candidate `which` into the step page. Returns False for a stale click."""
        run = self.runs["left"]
        cloze: Cloze | None = run.work.result if run.work is not None else None
        if turn != run.turn or cloze is None or not 0 <= which < len(cloze.candidates):
            return False
        filled = cloze.candidates[which]
        session.load_text(model, cloze.left, cloze.left_ids, filled.token_ids[filled.first :], "hand")
        return True
