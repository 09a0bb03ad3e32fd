"""What one visitor has before them on the beam page, and every move they can make there. Knows no screen.

The search itself belongs to the model (`engine.searches`); here is only how much of it is shown and what is open.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from engine.decoding.beam_types import BeamSettings
from engine.errors import EngineError
from engine.serving import admission, config
from pages.beam.baselines import Baselines, compute_baselines
from pages.session.annotated_text import TextAnnotator
from pages.session.incremental_run import work_for
from pages.session.query_params import QueryParams, changed

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch
    from engine.model.model import Model
    from pages.session.text_state import TextState

# What the page's own settings reach to.
MOST_WIDTH, MOST_LEVELS, MOST_NGRAM = 16, 64, 6
PENALTIES, REPETITIONS = (-2.0, 3.0), (1.0, 2.0)
_SHORT = {
    "length_penalty": "penalty", "max_new_tokens": "levels", "early_stopping": "early",
    "repetition_penalty": "repetition", "no_repeat_ngram_size": "ngram",
}  # fmt: skip


@dataclass
class BeamState:
    settings: BeamSettings = field(default_factory=BeamSettings)
    shown: int = 1  # levels on show; going back shows fewer and forgets none
    opened: int | None = None  # the node whose text is read below the tree; None: the best one there is
    unfolded: set[int] = field(default_factory=set)  # nodes whose pruned children are on show
    turn: int = 0  # grows with every move; a click carries the turn it was made on
    running: bool = False
    problem: EngineError | None = None
    search: BeamSearch | None = None  # the one on show
    annotator: TextAnnotator = field(default_factory=TextAnnotator)
    _baselines: tuple[BeamSearch, Baselines] | None = None  # of the last search that they were computed for

    def ready(self, session: TextState, model: Model) -> BeamSearch:
        """The search of the prompt on the table with these settings, as far as it is shown.

        One that cannot be made is put on record as a problem, and the last one stays; where there is none yet, as many
        beams as can be had are used.
        """
        from engine.decoding.beam_search_cache import cached_beam_search

        trace = session.ready(model)
        ids = trace.token_ids(trace.prompt_length - 1)
        asked = (model, ids, self.settings)
        now = self.search
        if now is not None and (now.model, now.ids, now.settings) == asked:
            return now
        try:
            admission.check_run(self.settings.max_new_tokens)
            found = cached_beam_search(model, ids, self.settings)
            admission.charge(max(1, self.shown - len(found.levels)))
        except EngineError as error:
            self.problem, self.running = error, False
            if now is not None and (now.model, now.ids) == (model, ids):
                return now
            most = min(self.settings.max_new_tokens, config.current().run_tokens)
            found, self.shown = cached_beam_search(model, ids, BeamSettings(width=1, max_new_tokens=most)), 1
        else:
            self.problem = None
        if now is None or (now.model, now.ids) != (model, ids):
            self.shown, self.running = 1, False
        self.search, self.opened, self.unfolded = found, None, set()
        self.turn += 1
        self._show(self.shown)
        return found

    def _show(self, levels: int) -> None:
        """Put so many levels on show, computing those that are missing."""
        assert self.search is not None
        self.search.grow_to(levels)
        self.shown = max(0, min(levels, len(self.search.levels)))
        if self.opened is not None and self.search.nodes[self.opened].level > self.shown:
            self.opened = None
        self.turn += 1

    @property
    def over(self) -> bool:
        """Whether all of a search that has come to its end is on show."""
        search = self.search
        return search is not None and search.stop is not None and self.shown == len(search.levels)

    def grow(self) -> None:
        if self.search is not None and not self.over and self._charge():
            self.running, self.opened = False, None
            self._show(self.shown + 1)

    def back(self) -> None:
        if self.search is not None:
            self.running = False
            self._show(self.shown - 1)

    def run(self) -> None:
        """Begin to grow to the end; `run_on` does it."""
        self.running, self.opened = not self.over, None

    def run_on(self, seconds: float) -> bool:
        """Compute levels for about so many seconds, at least one. True while there are more."""

        def step() -> bool:
            if self.running and self._charge():
                self._show(self.shown + 1)
                self.running = not self.over
            return self.running

        work_for(seconds, step)
        return self.running

    def _charge(self) -> bool:
        """Charge one level. False, with the problem recorded, where the host's limits are reached."""
        try:
            admission.charge()
        except EngineError as error:
            self.problem, self.running = error, False
            return False
        self.problem = None
        return True

    def stop(self) -> None:
        """The person says stop; what has grown stays."""
        self.running = False

    def restart(self) -> None:
        if self.search is not None:
            self.running, self.opened, self.unfolded = False, None, set()
            self._show(0)

    def open(self, turn: int, node: int) -> None:
        """Read the text of a node below the tree."""
        if turn == self.turn and self._is_shown(node):
            self.opened = node
            self.turn += 1

    def take(self, session: TextState, model: Model, written: tuple[int, ...]) -> bool:
        """Put the prompt and these tokens after it on the step page's table; False where nothing was searched."""
        if self.search is not None:
            session.load_text(model, session.prompt, self.search.ids, written, "hand")
        return self.search is not None

    def fold(self, turn: int, node: int) -> None:
        """Open or close the pruned children of a node."""
        if turn == self.turn and self._is_shown(node):
            self.unfolded ^= {node}
            self.turn += 1

    def _is_shown(self, node: int) -> bool:
        search = self.search
        return search is not None and 0 <= node < len(search.nodes) and search.nodes[node].level <= self.shown

    def to_query(self) -> dict[str, str]:
        """The search and what is open of it, each node with its token, by which it is known again: `params.View`."""
        named = asdict(self.settings) | {"shown": self.shown, "node": "", "open": "", "run": self.running}
        if self.search is not None:
            nodes = self.search.nodes
            named["node"] = "" if self.opened is None else f"{self.opened}.{nodes[self.opened].token_id}"
            named["open"] = "-".join(f"{node}.{nodes[node].token_id}" for node in sorted(self.unfolded))
        first = asdict(BeamSettings()) | {"shown": 1, "node": "", "open": "", "run": False}
        return {_SHORT.get(name, name): value for name, value in changed(named, first).items()}

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        levels = min(MOST_LEVELS, config.current().run_tokens)
        self.settings = BeamSettings(
            width=params.whole("width", 1, MOST_WIDTH, 4),
            length_penalty=params.number("penalty", *PENALTIES, 1.0),
            max_new_tokens=params.whole("levels", 1, levels, min(levels, 12)),
            early_stopping="never" if params.text("early") == "never" else params.text("early") == "1",
            repetition_penalty=params.number("repetition", *REPETITIONS, 1.0),
            no_repeat_ngram_size=params.whole("ngram", 0, MOST_NGRAM, 0),
        )
        search = self.ready(session, model)
        shown = params.whole("shown", 0, self.settings.max_new_tokens, 1)
        admission.charge(max(1, shown - len(search.levels)))
        self.opened = None
        self._show(shown)
        self.unfolded = {node for node, token_id in params.pairs("open") if self._is(node, token_id)}
        opened = params.pair("node")
        self.opened = opened[0] if opened and self._is(*opened) else None
        self.running = params.text("run") == "1" and not self.over

    def _is(self, node: int, token_id: int) -> bool:
        """Whether a node on show has that token: where numbers differ in the last digit, others may have grown."""
        return self._is_shown(node) and self.search is not None and self.search.nodes[node].token_id == token_id

    @property
    def at(self) -> int:
        """The node whose text is read."""
        return self.best if self.opened is None else self.opened

    @property
    def held(self) -> tuple[int, ...]:
        """The finished beams on show, best first."""
        return self.search.levels[self.shown - 1].finished if self.search is not None and self.shown else ()

    @property
    def best(self) -> int:
        """The node of the best text on show: the winner of a search that is over, else the likeliest live beam."""
        search = self.search
        if search is None or not self.shown:
            return 0
        level = search.levels[self.shown - 1]
        if self.over and level.finished:
            return level.finished[0]
        return level.active[0] if level.active else level.finished[0]

    def baselines(self) -> Baselines:
        """Baselines of the current search, computed once. Only for a search that has ended with finished beams."""
        assert self.search is not None
        if self._baselines is None or self._baselines[0] is not self.search:
            self._baselines = self.search, compute_baselines(self.search)
        return self._baselines[1]
