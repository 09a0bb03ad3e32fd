"""State of the beam page (settings, search, levels shown, opened node) and the actions on it. No Streamlit here.

Searches are shared between sessions, see `engine.decoding.beam_search_cache`; the state only holds a reference to one.
An action with an outdated `turn` does nothing.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.decoding.beam_types import BeamSettings
from engine.errors import EngineError
from engine.serving import admission, config
from pages.beam.baselines import BaselineCache, Baselines
from pages.beam.settings_query import settings_from_query, settings_to_query
from pages.session.annotated_text import TextAnnotator
from pages.session.incremental_run import work_for
from pages.session.query_params import QueryParams, changed

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch
    from engine.model.model import Model
    from pages.session.text_state import TextState


@dataclass
class BeamState:
    """State of one visitor's beam page. `search` is None until `update_search` is called."""

    settings: BeamSettings = field(default_factory=BeamSettings)
    shown_levels: int = 1  # of the computed levels; going back shows fewer and discards none
    shown_at_least: int = 0  # levels that the next `update_search` shows if fewer are shown; then 0 again
    opened: int | None = None  # node whose text is shown below the tree; None: the best node
    expanded: set[int] = field(default_factory=set)  # nodes whose pruned children are drawn
    turn: int = 0  # incremented with every change; events of an earlier turn are outdated
    running: bool = False
    problem: EngineError | None = None
    search: BeamSearch | None = None  # the search that is shown
    baselines_awaited: bool = False  # the result of the search is drawn, its baselines are still to be computed
    annotator: TextAnnotator = field(default_factory=TextAnnotator)
    _baselines: BaselineCache = field(default_factory=BaselineCache)

    def update_search(self, session: TextState, model: Model) -> BeamSearch:
        """The search for the session's prompt and the current settings, computed as far as it is shown.

        If it cannot be created, `problem` is set and the previous search stays; if that belongs to another prompt or
        model, a search of width 1 takes its place.
        """
        search = self._search_for(session, model)
        levels, self.shown_at_least = 0 if self.done or self.problem else self.shown_at_least, 0
        if levels > self.shown_levels and self._charge(levels - len(search.levels)):
            self._show_levels(levels)
        return search

    def _search_for(self, session: TextState, model: Model) -> BeamSearch:
        """`update_search` before more levels are shown."""
        from engine.decoding.beam_search_cache import cached_beam_search

        trace = session.ready(model)
        ids = trace.token_ids(trace.prompt_length - 1)
        previous = self.search
        if previous is not None and (previous.model, previous.ids, previous.settings) == (model, ids, self.settings):
            return previous
        try:
            admission.check_run(self.settings.max_new_tokens)
            search = cached_beam_search(model, ids, self.settings)
            admission.charge(max(1, self.shown_levels - len(search.levels)))
        except EngineError as error:
            self.problem, self.running = error, False
            if previous is not None and (previous.model, previous.ids) == (model, ids):
                return previous
            max_new_tokens = min(self.settings.max_new_tokens, config.current().run_tokens)
            search = cached_beam_search(model, ids, BeamSettings(width=1, max_new_tokens=max_new_tokens))
            self.shown_levels = 1
        else:
            self.problem = None
        if previous is None or (previous.model, previous.ids) != (model, ids):
            self.shown_levels, self.running = 1, False
        self.search, self.opened, self.expanded = search, None, set()
        self.turn += 1
        self._show_levels(self.shown_levels)
        return search

    def _show_levels(self, levels: int) -> None:
        """Show the first `levels` levels, after computing those that are missing; fewer, and `problem`, on an error."""
        assert self.search is not None
        try:
            self.search.grow_to(levels)
        except EngineError as error:
            self.problem, self.running = error, False
        self.shown_levels = max(0, min(levels, len(self.search.levels)))
        if self.opened is not None and self.search.nodes[self.opened].level > self.shown_levels:
            self.opened = None
        self.turn += 1

    @property
    def done(self) -> bool:
        """Whether the search has stopped and all of its levels are shown."""
        search = self.search
        return search is not None and search.stop is not None and self.shown_levels == len(search.levels)

    def grow(self) -> None:
        """Show one more level."""
        if self.search is not None and not self.done:
            self.running = False
            if self._charge():
                self.opened = None
                self._show_levels(self.shown_levels + 1)
            else:
                self.turn += 1  # the browser may show the level already: it takes back what is older than this

    def after_grow(self) -> BeamState | None:
        """The state after `grow`, to be shown in advance: nothing is charged. None unless that level is computed."""
        if self.search is None or self.running or len(self.search.levels) <= self.shown_levels:
            return None
        after = copy(self)
        after.opened = None
        after._show_levels(self.shown_levels + 1)
        return after

    def back(self) -> None:
        """Show one level fewer."""
        if self.search is not None:
            self.running = False
            self._show_levels(self.shown_levels - 1)

    def run(self) -> None:
        """Start a run to the end of the search; `run_on` computes it."""
        self.running, self.opened = not self.done, None

    def run_on(self, seconds: float) -> bool:
        """Continue a run for about `seconds` seconds, at least one level. True while there are more levels."""

        def step() -> bool:
            if self.running and self._charge():
                self._show_levels(self.shown_levels + 1)
                self.running = self.running and not self.done
            return self.running

        work_for(seconds, step)
        return self.running

    def _charge(self, levels: int = 1) -> bool:
        """Charge levels, at least one. False, with `problem` set, if the host's limits are reached."""
        try:
            admission.charge(max(1, levels))
        except EngineError as error:
            self.problem, self.running = error, False
            return False
        self.problem = None
        return True

    def stop(self) -> None:
        """End a run at the visitor's request; the levels computed so far remain."""
        self.running = False

    def restart(self) -> None:
        """Show the prompt alone."""
        if self.search is not None:
            self.running, self.opened, self.expanded = False, None, set()
            self._show_levels(0)

    def open(self, turn: int, node: int) -> None:
        """Show the text of a node below the tree."""
        if turn == self.turn and self._is_shown(node):
            self.opened = node
            self.turn += 1

    def load_in_step(self, session: TextState, model: Model, new: tuple[int, ...]) -> bool:
        """Load the prompt and `new` tokens after it as the session's text. False if there is no search yet."""
        if self.search is not None:
            session.load_text(model, session.prompt, self.search.ids, new, "hand")
        return self.search is not None

    def toggle_pruned(self, turn: int, node: int) -> None:
        """Expand or collapse the pruned children of a node."""
        if turn == self.turn and self._is_shown(node):
            self.expanded ^= {node}
            self.turn += 1

    def _is_shown(self, node: int) -> bool:
        search = self.search
        return search is not None and 0 <= node < len(search.nodes) and search.nodes[node].level <= self.shown_levels

    def to_query(self) -> dict[str, str]:
        """URL parameters of the state; see `UrlState` in `shell/url_state.py`. Nodes are written as `node.token_id`."""
        values = {"shown": self.shown_levels, "node": "", "open": "", "run": self.running}
        if self.search is not None:
            nodes = self.search.nodes
            values["node"] = "" if self.opened is None else f"{self.opened}.{nodes[self.opened].token_id}"
            values["open"] = "-".join(f"{node}.{nodes[node].token_id}" for node in sorted(self.expanded))
        defaults = {"shown": 1, "node": "", "open": "", "run": False}
        return settings_to_query(self.settings) | changed(values, defaults)

    def from_query(self, params: QueryParams, session: TextState, model: Model) -> None:
        """Restore the state from URL parameters; values out of range become the defaults."""
        self.settings = settings_from_query(params)
        search = self.update_search(session, model)
        levels = params.whole("shown", 0, self.settings.max_new_tokens, 1)
        admission.charge(max(1, levels - len(search.levels)))
        self.opened = None
        self._show_levels(levels)
        self.expanded = {node for node, token_id in params.pairs("open") if self._has_token(node, token_id)}
        opened = params.pair("node")
        self.opened = opened[0] if opened and self._has_token(*opened) else None
        self.running = params.one_of("run", ("0", "1"), "0") == "1" and not self.done

    def _has_token(self, node: int, token_id: int) -> bool:
        """Whether a node is shown and has that token: with other rounding, the same search may grow other nodes."""
        return self._is_shown(node) and self.search is not None and self.search.nodes[node].token_id == token_id

    @property
    def current_node(self) -> int:
        """Node whose text is shown below the tree."""
        return self.best_node if self.opened is None else self.opened

    @property
    def finished(self) -> tuple[int, ...]:
        """Last nodes of the finished beams after the last level shown, best first."""
        if self.search is None or not self.shown_levels:
            return ()
        return self.search.levels[self.shown_levels - 1].finished

    @property
    def best_node(self) -> int:
        """Last node of the best beam shown: the winner of a search that is done, else the best active beam."""
        search = self.search
        if search is None or not self.shown_levels:
            return 0
        level = search.levels[self.shown_levels - 1]
        return ((level.finished or level.active) if self.done else (level.active or level.finished))[0]

    @property
    def baselines_known(self) -> bool:
        """Whether `baselines` of the current search have been computed."""
        return self._baselines.knows(self.search)

    @property
    def baselines_possible(self) -> bool:
        """Whether computing the baselines of the current search has not failed yet."""
        return not self._baselines.failed(self.search)

    def compute_awaited_baselines(self) -> None:
        """Compute the baselines that the result on the screen is waiting for; does nothing for any other search."""
        awaited, self.baselines_awaited = self.baselines_awaited, False
        if awaited and self.done and self.search is not None and self.search.sequences:
            try:
                self.baselines()
            except EngineError as error:
                self.problem = error

    def baselines(self) -> Baselines:
        """Baselines of the current search, computed once. Only for a search that has stopped with finished beams."""
        assert self.search is not None
        return self._baselines.of(self.search)
