"""Tokenizer of a model's folder, from whichever files it has."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertTokenizer

from engine.errors import ModelError
from engine.model import sentencepiece_files

DEFAULT_CONTEXT_LENGTH = 2048  # for models without a limit in their config, such as state-space models
_BERT_NAMES = {"[PAD]", "[UNK]", "[CLS]"}
_BERT_LINES = 200  # of vocab.txt, among which BERT's special tokens are


class LoadedTokenizer(NamedTuple):
    """A tokenizer, the maximum length of its texts in tokens, and the id of its end-of-text token."""

    backend: Tokenizer
    limit: int
    end_id: int | None


def load_tokenizer(folder: Path, name: str) -> LoadedTokenizer:
    """Tokenizer of a folder. Raises ModelError: `no_tokenizer`, `sentencepiece` if that package is not installed.

    An existing `tokenizer.json` is read directly: the tokenizer class chosen by the model's family may rebuild it
    differently (it reads a BERT vocabulary as GPT-2's bytes, for instance).
    """
    try:
        if (folder / "tokenizer.json").is_file():
            return _from_json(folder)
        if (pieces := _sentencepiece_model(folder)) is not None:
            if find_spec("sentencepiece") is None:
                message = f"the tokenizer of {name} needs the package sentencepiece"
                raise ModelError("sentencepiece", message, name=name)
            return _from_sentencepiece(folder, pieces)
        return _from_library(folder)
    except ModelError:
        raise
    except Exception as error:  # a malformed file may raise almost any exception
        raise ModelError("no_tokenizer", f"{name} has no tokenizer that can be read: {error}", name=name) from error


def separator_id(tokenizer: Tokenizer) -> int | None:
    """Id of [SEP], which ends a text of a WordPiece model that names no other end; None for other tokenizers."""
    return tokenizer.token_to_id("[SEP]") if type(tokenizer.model).__name__ == "WordPiece" else None


def _from_json(folder: Path) -> LoadedTokenizer:
    backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    config = _json(folder / "tokenizer_config.json")
    end = config.get("eos_token")
    end = end.get("content") if isinstance(end, dict) else end
    limit = config.get("model_max_length") or DEFAULT_CONTEXT_LENGTH
    return LoadedTokenizer(backend, int(limit), backend.token_to_id(end) if end else None)


def _from_library(folder: Path) -> LoadedTokenizer:
    """Tokenizer of the class that the files name, else of the model's family; BERT's for a `vocab.txt` alone."""
    bert = _has_bert_vocabulary(folder)
    if bert and _named_class(folder) is None:
        tokenizer: Any = BertTokenizer.from_pretrained(folder)
    else:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if not any((folder / file).is_file() for file in tokenizer.vocab_files_names.values()):
        if not bert:
            raise FileNotFoundError("no vocabulary file")  # transformers would create an empty vocabulary
        tokenizer = BertTokenizer.from_pretrained(folder)
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())  # a copy: `Vocabulary` changes settings
    return LoadedTokenizer(backend, int(tokenizer.model_max_length), tokenizer.eos_token_id)


def _sentencepiece_model(folder: Path) -> Path | None:
    """SentencePiece model of a folder without another vocabulary."""
    others = ("vocab.json", "vocab.txt", "merges.txt")
    found = sorted(folder.glob("*.model"))
    return found[0] if found and not any((folder / other).is_file() for other in others) else None


def _from_sentencepiece(folder: Path, path: Path) -> LoadedTokenizer:
    """Tokenizer of a SentencePiece model. Raises ValueError if it cannot be rebuilt exactly."""
    try:
        loaded = _from_library(folder)
    except Exception:  # the class that is taken for the model's family may not read this file
        loaded = None
    if loaded is not None and sentencepiece_files.agrees(loaded.backend, path):
        return loaded
    named = _named_class(folder)
    if named not in (None, "LlamaTokenizer", "LlamaTokenizerFast"):
        raise ValueError(f"{named} does not cut texts as {path.name} does")
    config = _json(folder / "tokenizer_config.json")
    begins = config.get("add_bos_token", _json(folder / "config.json").get("bos_token_id") is not None)
    backend = sentencepiece_files.rebuild(folder, path, bool(begins))
    if not sentencepiece_files.agrees(backend, path):
        raise ValueError(f"{path.name} cannot be rebuilt exactly")
    limit = config.get("model_max_length") or DEFAULT_CONTEXT_LENGTH
    return LoadedTokenizer(backend, int(limit), backend.token_to_id("</s>"))


def _named_class(folder: Path) -> str | None:
    """Tokenizer class that the files of a folder name."""
    configs = (_json(folder / file) for file in ("tokenizer_config.json", "config.json"))
    return next((str(c["tokenizer_class"]) for c in configs if c.get("tokenizer_class")), None)


def _has_bert_vocabulary(folder: Path) -> bool:
    """Whether `vocab.txt` is the only vocabulary, and lists BERT's special tokens near its beginning."""
    others = ("vocab.json", "merges.txt")
    path = folder / "vocab.txt"
    if not path.is_file() or any((folder / other).is_file() for other in others) or any(folder.glob("*.model")):
        return False
    with path.open(encoding="utf-8") as file:
        return {line.strip() for line, _ in zip(file, range(_BERT_LINES), strict=False)} >= _BERT_NAMES


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}
