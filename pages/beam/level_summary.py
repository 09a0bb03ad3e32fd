"""Summary of one level of a beam search, in sentences with the numbers of this search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.beam.state import BeamState
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.beam_types import BeamLevel


def sentences(state: BeamState, t: Translator) -> list[str]:
    """Sentences about the last level shown, in the order of the algorithm's steps; none if no level is shown."""
    search = state.search
    if search is None or not state.shown_levels:
        return []
    level = search.levels[state.shown_levels - 1]
    nodes = [search.nodes[i] for i in level.candidates]
    extended = search.levels[state.shown_levels - 2].active if state.shown_levels > 1 else (0,)
    ended = sum(node.status == "finished" for node in nodes)
    lines = [
        t(
            "beam.words.extend",
            live=len(extended),
            size=f"{search.model.vocabulary.size:,}",
            all=f"{level.considered:,}",
        ),
        t("beam.words.best", count=len(nodes)),
        t("beam.words.kept", count=len(level.active), pruned=sum(node.status == "pruned" for node in nodes)),
    ]
    if ended:
        last = state.shown_levels == search.most
        lines.append(t("beam.words.last" if last else "beam.words.ended", count=ended))
    if level.finished:
        score = search.nodes[level.finished[0]].score
        lines.append(t("beam.words.held", count=len(level.finished), score=t.number(score, 2)))
    lines.append(_stopping_sentence(state, level, t))
    return lines


def _stopping_sentence(state: BeamState, level: BeamLevel, t: Translator) -> str:
    """Whether the search stops after a level, and why."""
    if level.stop in ("bound", None) and level.best_possible is not None and level.worst_finished is not None:
        settings = state.search.settings if state.search else state.settings
        # Otherwise a longer text may score higher: dividing a log-probability by more brings it nearer to 0.
        exact = settings.early_stopping == "never" or settings.length_penalty <= 0
        return t(
            f"beam.words.{'bound' if level.stop else 'hope'}{'_exact' if exact else ''}",
            hope=t.number(level.best_possible, 2),
            worst=t.number(level.worst_finished, 2),
        )
    if level.stop:
        assert state.search is not None
        return t(f"beam.stop.{level.stop}", most=state.search.most, width=state.search.settings.width)
    return t("beam.words.go_on", width=state.settings.width)
