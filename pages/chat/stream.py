"""Data of a conversation as the model sees it: one stream of tokens, for the text strip. No Streamlit here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.sampling.settings import TokenOrigin
from engine.trace.trace import Choice, Trace
from pages.chat.reply import Reply
from pages.components.text import text_strip
from pages.i18n.translator import Translator
from pages.session.annotated_text import TextAnnotator

if TYPE_CHECKING:
    from engine.model.model import Model


def data(
    reply: Reply, running: bool, turn: int, model: Model, annotator: TextAnnotator, t: Translator
) -> dict[str, Any]:
    """Data for `text_strip.draw` with `show` "lines".

    While a reply is being written (`running`), only its own tokens have facts: those of the whole stream would be
    computed and sent again for every token.
    """
    how: TokenOrigin = "greedy" if reply.choosing.strategy == "greedy" else "drawn"
    strategy, settings, seed = reply.choosing
    count = len(reply.chat.ids)
    choices = tuple(Choice(i - 1, id_, "prompt" if i < count else how) for i, id_ in enumerate(reply.ids))
    last = len(choices) - 1
    latest = {i: i + 1 for i in range(last)}
    trace = Trace(model.name, choices, count, last, settings, strategy, seed, latest)
    strip = annotator.annotate(model, trace, probabilities=not running)
    for node, is_own in zip(strip["nodes"], reply.chat.own, strict=False):
        node[2] = "own" if is_own else "prompt"
    if running:
        known = len(reply.ids) - len(reply.facts)  # the tokens before were given by a link
        strip["facts"][known:] = [(round(log_p, 4), rank, []) for log_p, rank in reply.facts]
    return strip | {
        "turn": turn,
        "status": "",
        "choices": "",
        "labels": text_strip.labels(t),
        "show": "lines",
        "breaks": breaks(model, reply.ids),
    }


def breaks(model: Model, ids: tuple[int, ...]) -> list[int]:
    """Places of the tokens that end a line."""
    special, token_bytes = model.vocabulary.special, model.vocabulary.token_bytes
    return [place for place, i in enumerate(ids) if i not in special and token_bytes(i).endswith(b"\n")]
