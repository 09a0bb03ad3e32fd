"""Tables for a spreadsheet: candidates, the whole text, beams, compared texts, one head's matrix.

UTF-8 with a byte-order mark, so that Excel reads Chinese; numbers as exact as they were computed. A text that a
spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises ("CSV Injection"); what a token
really is stands beside it, as its id and its bytes.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.decoding.text_metrics import Measures, measure
from pages.ui.i18n import Translator

if TYPE_CHECKING:
    from engine.decoding.beam_search import BeamSearch
    from engine.model.model import Model
    from engine.sampling.distribution import Distribution
    from engine.trace.trace import Trace
    from pages.ui.comparison import Comparison

Cell = str | float | bool | None
MOST_ROWS = 50_000  # candidates; a larger vocabulary's unlikely rest is one row
# At the beginning, and after what another setting of the spreadsheet could take for the end of a cell.
_FORMULA = re.compile(r"(^|[\t\r\n\0,;|\"'])(?=[=+\-@＝＋－＠\t\r\n\0])")


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet computes.

    >>> guarded("=1+1"), guarded("a;=1"), guarded("1 + 1 = 2")
    ("'=1+1", "a;'=1", '1 + 1 = 2')
    """
    return _FORMULA.sub(r"\1'", text)


def write(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file as RFC 4180 has it. Every text is guarded and quoted; None is an empty cell."""
    written = io.StringIO()
    out = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in (header, *rows):
        out.writerow([_cell(value) for value in row])
    return written.getvalue().encode("utf-8-sig", "replace")


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return str(value).lower()
    return guarded(repr(value)) if math.isinf(value) else repr(value)


def _columns(names: str, t: Translator) -> list[str]:
    """The engine's names of these columns, each with what it means."""
    return [t(f"export.column.{name}") for name in names.split()]


def _bytes(model: Model, token_id: int) -> str:
    """What a token really is. Never a number to a spreadsheet."""
    return "0x" + model.vocabulary.token_bytes(token_id).hex().upper()


def candidates(model: Model, distribution: Distribution, t: Translator) -> bytes:
    """Every token that could come next, likeliest first."""
    header = _columns("rank token_id text bytes logit scaled raw probability kept cut_by", t)
    top = distribution.top(MOST_ROWS)
    rows: list[list[Cell]] = [
        [c.rank, c.token_id, c.text, _bytes(model, c.token_id), c.logit, c.scaled, c.raw, c.probability, c.kept,
         c.cut_by]
        for c in top
    ]  # fmt: skip
    if len(top) < distribution.size:
        raw, drawn = distribution.others([c.token_id for c in top])
        rest = t("bars.others", count=f"{distribution.size - len(top):,}")
        rows.append([None, None, rest, None, None, None, raw, drawn, None, None])
    return write(header, rows)


def whole_text(model: Model, trace: Trace, t: Translator) -> bytes:
    """Every token of the way that is shown, with how probable it was where it stands.

    `probability` is after the filters of the settings now, entropy that of what the model believed, both in the
    distribution that the token was one of; what stands first was never predicted.
    """
    header = _columns("position token_id text bytes how log_probability rank raw probability entropy after_cursor", t)
    line = trace.line()
    ids = tuple(trace.choices[i].token_id for i in line)
    labels, score = model.pieces(ids), model.score(ids)
    settings = trace.settings.for_greedy() if trace.strategy == "greedy" else trace.settings
    at_cursor = line.index(trace.cursor)
    rows: list[list[Cell]] = []
    for at, token_id in enumerate(ids):
        numbers: list[Cell] = [None] * 5
        log_probability = score.log_probabilities[at]
        if log_probability is not None:
            before = model.distribution(ids[:at], settings)
            found = before.candidate(token_id)
            numbers = [log_probability, found.rank, found.raw, found.probability, before.entropy]
        how = trace.choices[line[at]].how
        rows.append([at + 1, token_id, labels[at], _bytes(model, token_id), how, *numbers, at > at_cursor])
    return write(header, rows)


def beam_nodes(search: BeamSearch, shown: int, t: Translator) -> bytes:
    """Every node of the levels on show, the prompt's first."""
    names = "node parent level token_id text bytes step_log_probability log_probability score rank fate ends so_far"
    model = search.model
    rows: list[list[Cell]] = []
    for node in search.nodes:
        if node.level <= shown:
            ids = search.token_ids(node.index)
            rows.append(
                [node.index, node.parent, node.level, node.token_id, model.pieces(ids)[-1],
                 _bytes(model, node.token_id), node.step_log_probability, node.log_probability, node.score, node.rank,
                 node.status, node.ends, model.text(ids[len(search.ids) :])]
            )  # fmt: skip
    return write(_columns(names, t), rows)


def finished_beams(search: BeamSearch, t: Translator) -> bytes:
    """The finished beams, best first."""
    names = "place score log_probability perplexity tokens text token_ids"
    rows: list[list[Cell]] = []
    for place, found in enumerate(search.sequences, 1):
        new = found.token_ids[len(search.ids) :]
        perplexity = math.exp(-found.log_probability / len(new))
        text = search.model.text(new)
        rows.append([place, found.score, found.log_probability, perplexity, len(new), text, _ids(new)])
    return write(_columns(names, t), rows)


_MEASURES = "log_probability per_token perplexity distinct_1 distinct_2 repetition"


def compared(comparison: Comparison, model: Model, t: Translator) -> bytes:
    """One row a text of each strategy, then one for all its seeds together, `seed` and `text` empty."""
    header = _columns(f"strategy parameter seed stop tokens {_MEASURES} tokens_per_second passes text token_ids", t)
    rows: list[list[Cell]] = []
    seeds = len(comparison.answered.seeds) if comparison.answered else 1
    for entry in comparison.entries:
        value = entry.value if entry.strategy.parameter else None
        for text in entry.together.texts:
            found = measure((text.token_ids, text.log_probabilities))
            rows.append(
                [entry.strategy.name, value, text.seed, text.stop, len(text.token_ids), *_numbers(found), None, None,
                 model.text(text.token_ids), _ids(text.token_ids)]
            )  # fmt: skip
        cost = entry.together.cost
        everything: list[Cell] = [cost.tokens, *_numbers(entry.measures(seeds)), cost.tokens_per_second, cost.passes]
        rows.append([entry.strategy.name, value, None, None, *everything, None, None])
    return write(header, rows)


def _numbers(found: Measures) -> list[Cell]:
    return [getattr(found, name) for name in _MEASURES.split()]


def _ids(ids: Sequence[int]) -> str:
    return " ".join(str(i) for i in ids)


def attention(matrix: np.ndarray, labels: Sequence[str], t: Translator) -> bytes:
    """(T, T): a row a token, a column for each that it looked at; what comes after it is empty, it cannot be seen."""
    header = [*_columns("position text", t), *(f"{at + 1} {label}" for at, label in enumerate(labels))]
    ahead = len(labels)
    rows: list[list[Any]] = [
        [at + 1, label, *(float(value) for value in matrix[at, : at + 1]), *[None] * (ahead - at - 1)]
        for at, label in enumerate(labels)
    ]
    return write(header, rows)
