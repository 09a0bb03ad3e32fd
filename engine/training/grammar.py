"""Context-free grammars for generating training sentences; the format is described in `text/README.md`.

    >>> g = Grammar.parse("who = 媽媽 | 爸爸\\n> {who:a}說：「早。」{who:a}笑了。", "example")
    >>> g.draw(random.Random(1)) in ("媽媽說：「早。」媽媽笑了。", "爸爸說：「早。」爸爸笑了。")
    True

Rules may refer to other rules, but recursion is not allowed. Grammars cannot execute code.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from engine.training.errors import TrainingError

Part = str | tuple[str, str | None]  # literal text, or (rule, label)
MAX_DEPTH = 20

_RULE = re.compile(r"([^\s=>#{}|:*]+)\s*=(.*)", re.DOTALL)
_WEIGHT = re.compile(r"\s\*\s*(\d+(?:\.\d+)?)\s*$|^\*\s*(\d+(?:\.\d+)?)\s*$")


@dataclass(frozen=True)
class Alternative:
    """One expansion of a rule, or one template, with its sampling weight."""

    parts: tuple[Part, ...]
    weight: float


@dataclass
class Grammar:
    """Rules by name, and the templates from which documents are generated."""

    rules: dict[str, list[Alternative]] = field(default_factory=dict)
    templates: list[Alternative] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str, where: str) -> Grammar:
        """Grammar from its text. Raises TrainingError with `where` (the file) and the line number."""
        grammar = cls()
        for number, line in enumerate(text.split("\n"), 1):
            location = f"{where}, line {number}"
            stripped = line.strip()
            if not stripped or stripped.startswith("#"):
                continue
            if stripped.startswith(">"):
                grammar.templates.append(_parse_alternative(stripped[1:].strip(), location))
                continue
            match = _RULE.fullmatch(stripped)
            if not match:
                raise TrainingError(f"{location}: expected `name = a | b`, `> template` or `# comment`.")
            name, body = match[1], match[2]
            if name in grammar.rules:
                raise TrainingError(f"{location}: the rule {name!r} is defined twice.")
            grammar.rules[name] = [_parse_alternative(piece.strip(), location) for piece in _split_alternatives(body)]
        grammar._validate(where)
        return grammar

    def _validate(self, where: str) -> None:
        if not self.templates:
            raise TrainingError(f"{where}: a grammar needs at least one template (a line that starts with `>`).")
        for alternative in [*self.templates, *(a for rule in self.rules.values() for a in rule)]:
            for part in alternative.parts:
                if not isinstance(part, str) and part[0] not in self.rules:
                    raise TrainingError(f"{where}: the rule {part[0]!r} is used but never defined.")
        for name in self.rules:
            self._reject_recursion(name, (), where)

    def _reject_recursion(self, name: str, ancestors: tuple[str, ...], where: str) -> None:
        if name in ancestors or len(ancestors) > MAX_DEPTH:
            raise TrainingError(f"{where}: the rule {name!r} uses itself.")
        children = {part[0] for a in self.rules[name] for part in a.parts if not isinstance(part, str)}
        for child in children:
            self._reject_recursion(child, (*ancestors, name), where)

    def draw(self, rng: random.Random) -> str:
        """One random document."""
        labelled: dict[tuple[str, str], str] = {}
        return self._expand(_choose(self.templates, rng), rng, labelled).replace("\\n", "\n").strip()

    def draw_many(self, count: int, seed: int) -> list[str]:
        """Up to `count` different documents from at most 3 · `count` draws; empty ones are dropped."""
        rng = random.Random(seed)
        unique: dict[str, None] = {}
        for _ in range(count * 3):
            document = self.draw(rng)
            if document:
                unique[document] = None
            if len(unique) == count:
                break
        return list(unique)

    def _expand(self, alternative: Alternative, rng: random.Random, labelled: dict[tuple[str, str], str]) -> str:
        """Random expansion; `labelled` stores the expansion of each (rule, label), which is reused in the document."""
        pieces: list[str] = []
        for part in alternative.parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            name, label = part
            if label is None:
                pieces.append(self._expand(_choose(self.rules[name], rng), rng, labelled))
                continue
            if (name, label) not in labelled:
                labelled[name, label] = self._expand(_choose(self.rules[name], rng), rng, labelled)
            pieces.append(labelled[name, label])
        return "".join(pieces)


def _choose(alternatives: list[Alternative], rng: random.Random) -> Alternative:
    return rng.choices(alternatives, weights=[a.weight for a in alternatives])[0]


def _split_alternatives(body: str) -> list[str]:
    """Split at `|`, but not at `\\|`."""
    return re.split(r"(?<!\\)\|", body)


def _parse_alternative(text: str, location: str) -> Alternative:
    weight = 1.0
    match = _WEIGHT.search(text)
    if match:
        weight = float(match[1] or match[2])
        text = text[: match.start()].rstrip()
    parts: list[Part] = []
    literal = ""
    position = 0
    while position < len(text):
        pair = text[position : position + 2]
        if pair in ("{{", "}}", "\\|"):
            literal += pair[1]
            position += 2
        elif text[position] == "{":
            end = text.find("}", position)
            name, _, label = text[position + 1 : max(end, 0)].partition(":")
            if end < 0 or not name.strip():
                raise TrainingError(f"{location}: a `{{` is not closed, or names no rule.")
            if literal:
                parts.append(literal)
                literal = ""
            parts.append((name.strip(), label.strip() or None))
            position = end + 1
        elif text[position] == "}":
            raise TrainingError(f"{location}: a `}}` without `{{` (write `}}}}` for a brace).")
        else:
            literal += text[position]
            position += 1
    if literal:
        parts.append(literal)
    return Alternative(tuple(parts), weight)
