"""Leaks: prompts of the suites that occur word for word in the project's own text, and whether they fare better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.training.prompt_suite import Verdict, summary


def occurs(prompt: str, text: str) -> bool:
    """Whether a prompt stands in a text, whatever the white space in both.

    >>> occurs("Q: Why?\\nA:", "Q: Why? A: So."), occurs("today", "Today")
    (True, False)
    """
    return without_space(prompt) in without_space(text)


def without_space(text: str) -> str:
    return "".join(text.split())


def report(results: Mapping[str, Sequence[Verdict]], own_text: str) -> None:
    """Print, for each suite, the figures of the prompts that occur in `own_text` and of the others."""
    own_text = without_space(own_text)
    for name, verdicts in results.items():
        found = [v for v in verdicts if without_space(v.prompt.text) in own_text]
        print(f"{name}: {len(found)} of {len(verdicts)} prompts occur word for word in the project's own text")
        for label, part in (("occur there", found), ("do not", [v for v in verdicts if v not in found])):
            if part:
                print(f"  {label:24} {summary(part)}")
