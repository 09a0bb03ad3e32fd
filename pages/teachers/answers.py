"""Numbers of the worksheet and its answer key, computed from the bundled model.

The tasks work on the prompts of the words files (`[teachers.try]`), and on the examples of the pages limits and uses.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from engine.sampling.settings import Settings
from engine.serving import model_registry
from pages.i18n.translator import Translator
from pages.shell import example_language
from pages.teachers import material
from pages.teachers.material import Sheet
from pages.uses.state import TaskRun, prompt_parts

if TYPE_CHECKING:
    from engine.model.model import Model

COLD, HOT, TOP_K, TOP_P = 0.5, 1.6, 5, 0.9  # the settings of the tasks
GREEDY_TOKENS = 25  # at most, in the text of greedy search


@cache
def bundled_values(language: str) -> dict[str, str]:
    """`values` of the bundled model; waits until it is loaded. Raises EngineError."""
    return values(model_registry.request().result(), language)


def values(model: Model, language: str) -> dict[str, str]:
    """Value of every placeholder of a language's material, as displayed. Raises EngineError."""
    t, sheet = Translator(language), material.read(language).sheet
    return {
        **setup_values(language),
        **_next_token(model, sheet, t),
        **_path(model, sheet, t),
        **_cuts(model, sheet),
        **_gap(model, t),
        **_questions(model, t),
    }


def setup_values(language: str) -> dict[str, str]:
    """Values of the placeholders that need no model: what students are told to type and to look up."""
    t, sheet = Translator(language), material.read(language).sheet
    prompts = example_language.for_bundled(t)
    return {
        "hundred": t.percent(1.0),
        "five": t.percent(0.05),
        "weather": sheet.weather,
        **_numbered("word", sheet.words),
        "path_prompt": sheet.path_prompt,
        **_numbered("nucleus", sheet.nucleus),
        **_numbered("cut", sheet.cut),
        "gap": prompts.list("limits.left.examples")[0],
        "known": prompts.list("uses.questions.inputs")[0],
        "unknown": prompts.list("uses.questions.inputs")[-1],
    }


def _next_token(model: Model, sheet: Sheet, t: Translator) -> dict[str, str]:
    """Distribution after the first prompt: best tokens, looked-up words, temperature, top-k; and what top-p keeps."""
    ids = model.encode(sheet.weather)
    plain = model.distribution(ids)
    named = zip(("best", "second", "third"), plain.top(3), strict=True)
    found = {name: (_name(c.text), t.percent(c.raw)) for name, c in named}
    for name, word in _numbered("word", sheet.words).items():
        token = model.encode(_joined(sheet.weather, word))[len(ids)]
        candidate = plain.candidate(token)
        found |= {name: (word, t.percent(candidate.raw)), f"{name}_rank": (f"{candidate.rank:,}", "")}
    numbers = {name: value for name, (value, _) in found.items()}
    numbers |= {f"{name}_p": p for name, (_, p) in found.items() if p}
    top5 = model.distribution(ids, Settings(top_k=TOP_K))
    kept = [model.distribution(model.encode(text), Settings(top_p=TOP_P)).kept for text in sheet.nucleus]
    return {
        **numbers,
        **{f"{name}_kept": f"{count:,}" for name, count in zip(_numbered("nucleus", sheet.nucleus), kept, strict=True)},
        "choices": t.number(math.exp(plain.entropy)),
        "cold": _best_drawn(model, ids, Settings(temperature=COLD), t),
        "hot": _best_drawn(model, ids, Settings(temperature=HOT), t),
        "top5": _best_drawn(model, ids, Settings(top_k=TOP_K), t),
        "top5_sum": t.percent(sum(c.raw for c in top5.top(TOP_K))),
    }


def _best_drawn(model: Model, ids: tuple[int, ...], settings: Settings, t: Translator) -> str:
    """Probability of the best token after the filters."""
    return t.percent(model.distribution(ids, settings).top(1)[0].probability)


def _path(model: Model, sheet: Sheet, t: Translator) -> dict[str, str]:
    """The text that is chosen token by token: ranks, product, and where greedy search leaves it."""
    from engine.decoding.generation import generate

    prompt = model.encode(sheet.path_prompt)
    ids = model.encode(sheet.path_prompt + sheet.path)
    steps = [model.distribution(ids[:at]).candidate(ids[at]) for at in range(len(prompt), len(ids))]
    leaves = next(at for at, step in enumerate(steps, len(prompt)) if step.rank > 1)
    logs = [value for value in model.score(ids).log_probabilities if value is not None]
    written = [step.token_id for step in generate(model, prompt, "greedy", max_new_tokens=GREEDY_TOKENS)]
    return {
        "path_tokens": t("teachers.sheet.comma").join(
            t("teachers.sheet.quoted", token=_name(step.text)) for step in steps
        ),
        "path_steps": " / ".join(
            t("teachers.key.step", token=_name(step.text), rank=step.rank, p=t.percent(step.raw)) for step in steps
        ),
        "path_p": t.percent(math.exp(math.fsum(logs))),
        "path_ln": t.number(math.fsum(logs), 2),
        "path_perplexity": t.number(math.exp(-math.fsum(logs) / len(logs)), 2),
        "path_leaves": _name(model.distribution(ids[:leaves]).candidate(ids[leaves]).text),
        "path_greedy": _name(model.distribution(ids[:leaves]).top(1)[0].text),
        "greedy_text": _sentence(sheet.path_prompt + model.continuation(prompt, written)),
    }


def _cuts(model: Model, sheet: Sheet) -> dict[str, str]:
    """Tokens of the texts to cut."""
    return {
        f"{name}_tokens": " / ".join(_name(piece) for piece in model.pieces(model.encode(text)))
        for name, text in _numbered("cut", sheet.cut).items()
    }


def _gap(model: Model, t: Translator) -> dict[str, str]:
    """Best candidate for the gap of the first example of the limits page, from the left and by the whole sentence."""
    from engine.experiments.cloze import fill

    prompts = example_language.for_bundled(t)
    cloze = fill(model, prompts.list("limits.left.examples")[0], prompts.list("limits.left.candidates")[0].split("/"))
    left, both = cloze.from_left, cloze.from_both
    return {
        "gap_left": left.text,
        "gap_left_p": t.percent(left.left_alone),
        "gap_both": both.text,
        "gap_both_before": t.percent(both.left_alone),
        "gap_both_p": t.percent(both.whole),
    }


def _questions(model: Model, t: Translator) -> dict[str, str]:
    """The model's answers to the first and the last example question of the uses page."""
    found: dict[str, str] = {}
    prompts = example_language.for_bundled(t)
    for name, question in (("known", 0), ("unknown", -1)):
        asked = prompts.list("uses.questions.inputs")[question]
        prompt = "".join(part.text for part in prompt_parts("questions", asked, prompts))
        run = TaskRun(model, prompt, asked, one_line=True)
        while run.step():
            pass
        ids, logs = run.continuation.token_ids, run.continuation.log_probabilities
        pieces = model.pieces((*run.ids, *ids))[len(run.ids) :]
        words = [(_name(piece), math.exp(log)) for piece, log in zip(pieces, logs, strict=True)]
        if run.continuation.stop == "end":
            words.pop()
        found |= {
            f"{name}_text": _sentence(model.continuation(run.ids, ids)),
            f"{name}_steps": " / ".join(f"{word} {t.percent(p)}" for word, p in words),
            f"{name}_least": t.percent(min(p for _, p in words)),
        }
    return found


def _numbered(name: str, texts: tuple[str, ...]) -> dict[str, str]:
    """The texts by name and number: `word1`, `word2`."""
    return {f"{name}{at}": text for at, text in enumerate(texts, 1)}


def _joined(prompt: str, word: str) -> str:
    """A prompt and the next word: with a space between Latin letters."""
    return f"{prompt} {word}" if prompt[-1:].isascii() and word[:1].isascii() else prompt + word


def _name(token: str) -> str:
    """A token without the sign of the space before it."""
    return token.removeprefix("␣") or token


def _sentence(text: str) -> str:
    """A text in one line, without the full stop at its end."""
    return " ".join(text.split()).rstrip("。.")
