"""Connection to an endpoint: probe the server, get its vocabulary, and make a `RemoteModel` of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine.errors import ModelError
from engine.model.fingerprint import vocabulary_fingerprint
from engine.model.tokenizer_files import load_tokenizer, separator_id
from engine.remote import answer
from engine.remote.answer import MalformedAnswer, NoLogProbabilities
from engine.remote.capabilities import Capabilities
from engine.remote.client import Client, Refusal
from engine.remote.endpoint import Endpoint
from engine.remote.errors import RemoteError
from engine.remote.model import RemoteModel
from engine.remote.probe import bytes_of_answer, probe, tokens_of
from engine.remote.vocabulary import ServerVocabulary
from engine.tokenization.chat_template import ChatTemplate
from engine.tokenization.chat_template_files import read_chat_template
from engine.tokenization.vocabulary import Vocabulary

_USUAL_CONTEXT = 2048  # tokens, for a server that does not say
_MOST_SPECIAL = 64  # special tokens that are asked for one by one
_ENDS = re.compile(r"end|eos|eot|eom|/s|stop|turn", re.IGNORECASE)  # in the names of those that may end a text
_SAMPLES = ("The cat, 12 of them.", "今天天氣真好，我們去公園。", "naïve 🙂 <b>")  # cut by both tokenizers


class _Text(NamedTuple):
    """What is known of texts: vocabulary, ids that end a text, chat template, and `Completions.letter`."""

    vocabulary: Vocabulary
    end_ids: frozenset[int]
    chat_template: ChatTemplate | None
    letter: int | None
    context_length: int


def connect(endpoint: Endpoint, max_bytes: int, stage: Callable[[str], None] = lambda _: None) -> RemoteModel:
    """Model of an endpoint. `stage` is called with `endpoint`, then `tokenizer`. Raises RemoteError, ModelError."""
    stage("endpoint")
    try:
        client = Client(endpoint, endpoint.secret())
    except ValueError:
        raise RemoteError("remote_key", f"{endpoint.name} has no key", name=endpoint.name) from None
    try:
        found = probe(client)
        if found.route == "chat":
            raise client.error("remote_chat_only")
        stage("tokenizer")
        text = _from_files(client, found) if endpoint.tokenizer else _from_server(client, found)
        found = replace(found, whole=found.whole and found.vocabulary == text.vocabulary.size)
        _ = text.vocabulary.marked_names  # takes a moment for a large vocabulary
        digest = hashlib.sha256(f"{endpoint.url} {found.model}".encode()).digest()
        return RemoteModel(
            endpoint, client, found, text.vocabulary, text.context_length, text.end_ids,
            vocabulary_fingerprint(text.vocabulary, digest), max_bytes, text.chat_template, text.letter,
        )  # fmt: skip
    except Refusal as refusal:
        raise client.error("remote_status", status=refusal.status) from None


def _from_files(client: Client, found: Capabilities) -> _Text:
    """Text by the tokenizer in the folder that the host names. Raises RemoteError(`remote_tokenizer`), ModelError."""
    folder = Path(client.endpoint.tokenizer)
    if not folder.is_dir():
        raise ModelError("missing", f"no folder {folder}", name=client.endpoint.tokenizer)
    backend, limit, end_id = load_tokenizer(folder, client.endpoint.name)
    own = backend.get_vocab_size()
    vocabulary = Vocabulary(backend, max(own, found.vocabulary))
    if found.tokenizes:
        for sample in _SAMPLES:
            if tokens_of(client, found.model, sample) != list(vocabulary.encode(sample)[len(vocabulary.start) :]):
                raise client.error("remote_tokenizer")
    ends = frozenset(i for i in (end_id, separator_id(backend)) if i is not None)
    context = found.context_length or (limit if limit < 10**6 else _USUAL_CONTEXT)
    letter = _letter(vocabulary) if found.shape == "content" else None
    return _Text(vocabulary, ends, read_chat_template(folder), letter, context)


def _letter(vocabulary: Vocabulary) -> int | None:
    """Id of a token that writes a whole character; None where no token is the letter a."""
    return next((i for i in range(vocabulary.size) if vocabulary.token_bytes(i) == b"a"), None)


def _from_server(client: Client, found: Capabilities) -> _Text:
    """Text by the server itself, which must give the bytes of its whole vocabulary."""
    if not (found.ids and found.token_bytes and found.forced == "ids" and found.vocabulary):
        raise client.error("remote_no_tokens")
    token_bytes = _all_bytes(client, found)
    empty = [i for i, data in enumerate(token_bytes) if not data]
    names = _special_names(client, empty)

    def cut(text: str, markup: bool) -> tuple[int, ...]:
        ids = tokens_of(client, found.model, text, markup)
        if ids is None or any(i >= len(token_bytes) for i in ids):
            raise client.error("remote_garbage")
        return tuple(ids)

    plain, started = (tokens_of(client, found.model, "a", start=start) or [] for start in (False, True))
    start = tuple(started[: len(started) - len(plain)]) if started[len(started) - len(plain) :] == plain else ()
    vocabulary = ServerVocabulary(token_bytes, names, cut, start)
    ends = frozenset(i for i in _candidates_for_end(names) if _ends_text(client, found, i))
    context = found.context_length or _USUAL_CONTEXT
    return _Text(vocabulary, ends, _template_of(client, names.values()), _letter(vocabulary), context)


def _all_bytes(client: Client, found: Capabilities) -> list[bytes]:
    """Bytes of every token, from one answer with the whole vocabulary."""
    body = {"model": found.model, "prompt": [0], "max_tokens": 1, "temperature": 0, "logprobs": found.vocabulary}
    body["logit_bias"] = [[_ascii_id(client, found), 1000.0]]
    try:
        listed = answer.only(client.post("/v1/completions", body, bytes_of_answer(found.vocabulary)))
    except (NoLogProbabilities, MalformedAnswer):
        raise client.error("remote_garbage") from None
    ids = listed.token_ids
    if ids is None or len(ids) != found.vocabulary or not np.array_equal(np.sort(ids), np.arange(len(ids))):
        raise client.error("remote_no_tokens")
    table = dict(zip(ids.tolist(), listed.token_bytes, strict=True))
    return [table[i] or b"" for i in range(len(ids))]


def _ascii_id(client: Client, found: Capabilities) -> int:
    """Id of a token at the end of a letter, which is a whole character."""
    ids = tokens_of(client, found.model, "a")
    if not ids:
        raise client.error("remote_garbage")
    return ids[-1]


def _special_names(client: Client, ids: Sequence[int]) -> dict[int, str]:
    """Names of the tokens that write nothing, each another; those that the server does not tell are numbered."""
    names: dict[int, str] = {}
    for token_id in ids:
        name = ""
        if len(names) < _MOST_SPECIAL:
            answered: Any = client.post("/detokenize", {"tokens": [token_id]})
            name = answered.get("content", "") if isinstance(answered, dict) else ""
        usable = isinstance(name, str) and 0 < len(name) < 100 and name.isprintable() and name not in names.values()
        names[token_id] = name if usable else f"<special {token_id}>"
    return names


def _candidates_for_end(names: Mapping[int, str]) -> list[int]:
    return list(names) if len(names) <= _MOST_SPECIAL // 2 else [i for i, name in names.items() if _ENDS.search(name)]


def _ends_text(client: Client, found: Capabilities, token_id: int) -> bool:
    """Whether the server stops after a token: it is made to write it, with room for a second one."""
    body = {"model": found.model, "prompt": [0], "max_tokens": 1, "logit_bias": [[token_id, 1000.0]]}
    try:
        return bool(answer.choice(client.post("/v1/completions", body)).get("finish_reason") == "stop")
    except MalformedAnswer:
        raise client.error("remote_garbage") from None


def _template_of(client: Client, special: Collection[str]) -> ChatTemplate | None:
    """Chat template that the server tells; None without one."""
    try:
        told = client.get("/props")
    except (RemoteError, Refusal):
        return None
    source = told.get("chat_template") if isinstance(told, dict) else None
    if not isinstance(source, str) or not source:
        return None
    if "<|im_start|>" in source and "<|im_start|>" not in special:
        return None  # what llama.cpp uses for a model without a template, which does not know these marks
    names = {name: told.get(name) for name in ("bos_token", "eos_token")}
    return ChatTemplate(source, tuple((name, value) for name, value in names.items() if isinstance(value, str)))
