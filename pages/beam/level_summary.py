"""What happened at one level of a beam search, told in sentences with this run's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.beam.state import BeamState
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.decoding.beam_types import BeamLevel


def told(beaming: BeamState, t: Translator) -> list[str]:
    """Sentences about the last level on show, in the order in which the search works. None before the first."""
    search = beaming.search
    if search is None or not beaming.shown:
        return []
    level = search.levels[beaming.shown - 1]
    nodes = [search.nodes[i] for i in level.candidates]
    before = search.levels[beaming.shown - 2].active if beaming.shown > 1 else (0,)
    ended = sum(node.status == "finished" for node in nodes)
    lines = [
        t(
            "beam.words.extend",
            live=len(before),
            size=f"{search.model.vocabulary.size:,}",
            all=f"{level.considered:,}",
        ),
        t("beam.words.best", count=len(nodes)),
        t("beam.words.kept", count=len(level.active), pruned=sum(node.status == "pruned" for node in nodes)),
    ]
    if ended:
        last = beaming.shown == search.most
        lines.append(t("beam.words.last" if last else "beam.words.ended", count=ended))
    if level.finished:
        score = search.nodes[level.finished[0]].score
        lines.append(t("beam.words.held", count=len(level.finished), score=t.number(score, 2)))
    lines.append(_whether_to_go_on(beaming, level, t))
    return lines


def _whether_to_go_on(beaming: BeamState, level: BeamLevel, t: Translator) -> str:
    if level.stop in ("bound", None) and level.best_possible is not None and level.worst_finished is not None:
        return t(
            "beam.words.bound" if level.stop else "beam.words.hope",
            hope=t.number(level.best_possible, 2),
            worst=t.number(level.worst_finished, 2),
        )
    if level.stop:
        assert beaming.search is not None
        return t(f"beam.stop.{level.stop}", most=beaming.search.most, width=beaming.search.settings.width)
    return t("beam.words.go_on", width=beaming.settings.width)
