"""Data of a task that everybody continues: the texts of the class as a wall and as a tree of prefixes.

`spread.js` draws both, on the projector while texts come, and on the phones once they are shown to all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.classroom.prefix_tree import Node, prefix_tree
from engine.classroom.records import Answer, Member, Round
from engine.classroom.spread import Spread, Unit, units
from engine.sampling.settings import Settings
from pages.classroom import wording
from pages.components.text.readable_text import readable_text
from pages.i18n.translator import Translator

if TYPE_CHECKING:
    from engine.model.model import Model

LABELS = ("wall", "tree", "views", "write", "withheld", "show", "withdraw", "go_on", "branch")

NOTHING: dict[str, Any] = {"tree": [], "texts": 0, "different": 0, "first": 0}  # the result of no answers


def result(model: Model, answers: Sequence[Answer]) -> dict[str, Any]:
    """JSON values that are stored with a round: its tree, and how many texts differ."""
    texts = {answer.member: units(model, answer.tokens) for answer in answers if answer.tokens}
    tree = prefix_tree(texts)
    return {
        "tree": [_node(node) for node in tree],
        "texts": len(answers),
        "different": len({answer.tokens for answer in answers}),
        "first": len(tree),
    }


def _node(node: Node[Unit]) -> dict[str, Any]:
    return {
        "text": "".join(text for _, text in node.units),
        "members": list(node.members),
        "ends": list(node.ends),
        "children": [_node(child) for child in node.children],
    }


def data(
    task: Spread,
    asked: Round,
    answers: Sequence[Answer],
    members: Sequence[Member],
    found: dict[str, Any],
    t: Translator,
) -> dict[str, Any]:
    """Data of the view. `found`: the `result` of the answers, of an open round as far as they have come."""
    names = {member.number: wording.name_of(member, t) for member in members}
    return {
        "stage": "spread",
        "spread": "revealed" if asked.result is not None else "open",
        "head": t("classroom.spread.head", n=task.ordinal),
        "before": readable_text(task.before),
        "how": how(task, t),
        "wall": [[names[each.member], readable_text(each.text)] for each in answers if each.member in names],
        "tree": [_named(node, names) for node in found["tree"]],
        "told": told(found, task, t),
        "spread_labels": {name: t(f"classroom.spread.{name}") for name in LABELS},
    }


def _named(node: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    """A node with names in place of numbers; without those of members who are gone."""
    return {
        "text": node["text"],
        "count": len(node["members"]),
        "names": [names[number] for number in node["ends"] if number in names],
        "children": [_named(child, names) for child in node["children"]],
    }


def how(task: Spread, t: Translator) -> str:
    """How the texts are written."""
    if task.strategy == "greedy":
        return t("classroom.spread.how_greedy", tokens=task.tokens)
    plain = task.settings == Settings(temperature=task.settings.temperature)
    key = "how" if plain else "how_filtered"
    return t(f"classroom.spread.{key}", tokens=task.tokens, temperature=t.number(task.settings.temperature))


def told(found: dict[str, Any], task: Spread, t: Translator) -> list[str]:
    """What the texts show, in a sentence; none for fewer than two."""
    if found["texts"] < 2:
        return []
    if found["different"] == 1:
        key = "same_greedy" if task.strategy == "greedy" else "same"
        return [t(f"classroom.spread.{key}", n=found["texts"])]
    return [t("classroom.spread.differ", n=found["texts"], different=found["different"], first=found["first"])]
