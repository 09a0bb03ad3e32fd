"""Bits a character on the validation split, source by source, beside rivals that learned from the same source.

All three read the held-out documents one after another and pay for every document's end as well; what they pay is
divided by the characters of the documents. The model sees up to 511 tokens before the one it pays for.
The project's own sources are joined into one row: their files are short, and most are drawn from grammars, so
their held-out documents resemble what was learned more than those of any other source.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from engine.training.baselines import ngram_bits, ppmd_bits
from engine.training.corpus import split_documents
from engine.training.errors import TrainingError

OWN = "own"
LEAST = 200  # characters of held-out text below which a source has no row
WINDOWS_AT_ONCE = 8


@dataclass(frozen=True)
class Row:
    """What one source costs, in bits a character; None where it was not measured."""

    source: str
    characters: int
    model: float
    ppmd: float | None
    ngram: float | None


def _group(name: str) -> str:
    return OWN if name.startswith(f"{OWN}-") else name


def held_out(work: Path, characters: int, seed: int = 0) -> dict[str, list[str]]:
    """Documents by source, in random order, up to so many characters a source (the last document is cut)."""
    folder = work / "held-out"
    if not folder.is_dir():
        raise TrainingError(f"{work} holds no validation split: run the prepare command first.")
    documents: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        documents.setdefault(_group(path.stem), []).extend(split_documents(path.read_text("utf-8")))
    chosen: dict[str, list[str]] = {}
    for name, found in documents.items():
        random.Random(seed).shuffle(found)
        left, kept = characters, []
        for document in found:
            if left <= 0:
                break
            kept.append(document[:left])
            left -= len(document)
        if sum(map(len, kept)) >= LEAST:
            chosen[name] = kept
    return chosen


def training_text(work: Path, tokenizer: Tokenizer, source: str, size: int) -> str:
    """The text that a source was trained on, an empty line after each document; about `size` bytes of it at most.

    A long source gives its beginning and its end, half each.
    """
    names = [n for n in json.loads((work / "sources.json").read_text("utf-8")) if _group(n) == source]
    end = tokenizer.token_to_id("<eos>")
    written: list[str] = []
    for name in names:
        tokens = np.fromfile(work / "tokens" / f"{name}.bin", dtype=np.uint16)
        most = size // (4 * len(names))  # a token is about four bytes in either language
        if len(tokens) > most:
            tokens = np.concatenate([tokens[: most // 2], tokens[len(tokens) - most // 2 :]])
        pieces = np.split(tokens, np.flatnonzero(tokens == end) + 1)
        written += tokenizer.decode_batch([piece.tolist() for piece in pieces if len(piece)])
    return "".join(f"{document}\n\n" for document in written)


@torch.inference_mode()
def model_bits(model: PreTrainedModel, tokenizer: Tokenizer, documents: list[str], context: int) -> float:
    """Bits paid for the documents and their ends: windows of `context` tokens, the second half of each is paid for."""
    end = tokenizer.token_to_id("<eos>")
    stream = [end]
    for encoding in tokenizer.encode_batch(documents, add_special_tokens=False):
        stream += [*encoding.ids, end]
    stride = max(1, context // 2)
    paid = 0.0
    starts = list(range(0, max(1, len(stream) - 1), stride))
    windows = [(max(0, at + stride - context), at, min(len(stream) - 1, at + stride)) for at in starts]
    for first in range(0, len(windows), WINDOWS_AT_ONCE):
        batch = windows[first : first + WINDOWS_AT_ONCE]
        longest = max(stop - begin for begin, _, stop in batch)
        ids = torch.zeros((len(batch), longest + 1), dtype=torch.long)
        for row, (begin, _, stop) in enumerate(batch):
            ids[row, : stop - begin + 1] = torch.tensor(stream[begin : stop + 1])
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits  # (W, T, V)
        for row, (begin, at, stop) in enumerate(batch):
            chances = torch.log_softmax(logits[row, at - begin : stop - begin].float(), dim=-1)
            wanted = ids[row, at - begin + 1 : stop - begin + 1]
            paid -= float(chances.gather(-1, wanted[:, None]).sum()) / float(np.log(2))
    return paid


def rows(
    model: PreTrainedModel, tokenizer: Tokenizer, work: Path, characters: int, context: int, rival_bytes: int
) -> list[Row]:
    """One row a source, printed as it is found; `rival_bytes` 0 leaves the rivals out."""
    print(f"{'bits a character':18} {'held out':>9} {'model':>7} {'PPMd':>7} {'5-gram':>7}  model against PPMd")
    found = []
    for name, documents in held_out(work, characters).items():
        size = sum(map(len, documents))
        ours = model_bits(model, tokenizer, documents, context) / size
        ppmd = ngram = None
        if rival_bytes:
            learned = training_text(work, tokenizer, name, rival_bytes)
            asked = "".join(f"{document}\n\n" for document in documents)
            ppmd, ngram = ppmd_bits(learned, asked) / size, ngram_bits(learned, asked) / size
        found.append(Row(name, size, ours, ppmd, ngram))
        rest = f"{ppmd:7.3f} {ngram:7.3f}  {100 * (ours / ppmd - 1):+.1f} %" if ppmd and ngram else ""
        print(f"{name:18} {size:9,} {ours:7.3f} {rest}", flush=True)
    if not found:
        raise TrainingError(f"{work} holds less than {LEAST} characters of validation text a source: hold out more.")
    return found
