"""Probe of a server: a list of its models, then small requests, whose answers show what it can do.

Documentation of servers is often wrong about log-probabilities, so nothing is assumed from a vendor's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from engine.remote import answer
from engine.remote.answer import Alternatives, MalformedAnswer, NoLogProbabilities
from engine.remote.capabilities import Capabilities
from engine.remote.client import Client, Refusal
from engine.remote.errors import RemoteError

USUAL_TOP = (20, 5)  # most alternatives of most servers, and of the others
LENGTHS = ("max_tokens", "max_completion_tokens")  # what servers call the most tokens of a reply
BYTES_PER_ALTERNATIVE = 1000  # of an answer, at most: a token's text and bytes as JSON
_TEXT = "The capital of France is"


def probe(client: Client) -> Capabilities:
    """Capabilities of a server for the endpoint's model. Raises RemoteError."""
    model, said = _find_model(client)
    found = _route(client, model)
    meta = said.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    found = replace(
        found,
        vocabulary=_count(meta.get("n_vocab")),
        context_length=_count(meta.get("n_ctx")) or _count(said.get("max_model_len")),
    )
    if found.route == "chat":
        return found
    cut = tokens_of(client, found.model, _TEXT)
    found = replace(found, tokenizes=cut is not None)
    if cut is None:
        return found
    return _by_ids(client, found, cut)


def probe_route(client: Client) -> Capabilities:
    """Capabilities as far as the route by which a server gives log-probabilities, by few small requests.

    Raises as `probe`.
    """
    return _route(client, _find_model(client)[0])


def _route(client: Client, model: str) -> Capabilities:
    found = _by_completions(client, model) or _by_chat(client, model)
    if found is None:
        raise client.error("remote_no_logprobs")
    return found


def bytes_of_answer(alternatives: int) -> int:
    """Most bytes that an answer with so many alternatives may have."""
    return 2**18 + BYTES_PER_ALTERNATIVE * alternatives


def tokens_of(client: Client, model: str, text: str, markup: bool = False, start: bool = False) -> list[int] | None:
    """Token ids of a text, cut by the server; None for a server without that. Raises RemoteError.

    markup: names of special tokens count as these tokens; start: with what the server puts before any text. The request
    has the names of llama.cpp and of vLLM for the same things.
    """
    body = {"content": text, "parse_special": markup, "add_special": start, "with_pieces": False}
    body |= {"model": model, "prompt": text, "add_special_tokens": start}
    try:
        tokens = client.post("/tokenize", body, 2**18 + 100 * len(text))["tokens"]
    except (Refusal, KeyError, TypeError):
        return None
    except RemoteError as error:
        if error.code in ("remote_model", "remote_status", "remote_garbage"):
            return None
        raise
    if not isinstance(tokens, list) or not all(type(i) is int and 0 <= i < 10**9 for i in tokens):
        return None
    return tokens


def _find_model(client: Client) -> tuple[str, Mapping[str, Any]]:
    """Name of the endpoint's model, or of the first that the server lists, and what the list says about it."""
    wanted = client.endpoint.model
    try:
        models = client.get("/v1/models")["data"]
        named = [model for model in models if isinstance(model["id"], str)]
    except (KeyError, TypeError, Refusal):
        named = []
    except RemoteError as error:
        if error.code != "remote_model" or not wanted:
            raise
        named = []  # a server without a list
    for model in named:
        if wanted in ("", model["id"]):
            return model["id"], model
    if wanted:
        return wanted, {}  # the list may leave it out, and the next request shows whether it is there
    raise client.error("remote_model")


def _count(value: object) -> int:
    return value if type(value) is int and 0 < value < 10**9 else 0


def _by_completions(client: Client, model: str) -> Capabilities | None:
    """What a completion of a text shows; None where there are no completions with log-probabilities."""
    for top in USUAL_TOP:
        body = {"model": model, "prompt": _TEXT, "max_tokens": 1, "temperature": 0, "logprobs": top}
        found = _asked(client, "/v1/completions", body | {"return_tokens_as_token_ids": True})
        if found is not None:
            return Capabilities(
                model, "completions", found.shape, "text", found.token_ids is not None, _has_bytes(found), len(found)
            )
    return None


def _by_chat(client: Client, model: str) -> Capabilities | None:
    """What an answer in a chat shows; None without log-probabilities."""
    for length, top in product(LENGTHS, USUAL_TOP):
        messages = [{"role": "user", "content": _TEXT}]
        body = {"model": model, "messages": messages, length: 1, "logprobs": True, "top_logprobs": top}
        found = _asked(client, "/v1/chat/completions", body)
        if found is not None:
            has_ids = found.token_ids is not None
            return Capabilities(
                model, "chat", found.shape, "none", has_ids, _has_bytes(found), len(found), length=length
            )
    return None


def _asked(client: Client, path: str, body: dict[str, Any]) -> Alternatives | None:
    """Alternatives in the answer to a request; None where the server refuses it or gives none. Raises RemoteError."""
    try:
        return answer.only(client.post(path, body))
    except (Refusal, NoLogProbabilities):
        return None
    except MalformedAnswer:
        raise client.error("remote_garbage") from None
    except RemoteError as error:
        if error.code == "remote_model" and path != "/v1/chat/completions":
            return None  # no such address: the chat may have another
        raise


def _has_bytes(found: Alternatives) -> bool:
    return all(data is not None for data in found.token_bytes)


def _by_ids(client: Client, found: Capabilities, ids: list[int]) -> Capabilities:
    """What requests by token ids show besides: whether they are taken, the whole vocabulary, scores of the prompt."""
    if not found.ids or not ids:
        return found
    body = {"model": found.model, "prompt": ids, "max_tokens": 1, "temperature": 0}
    body |= {"return_tokens_as_token_ids": True}
    if _asked(client, "/v1/completions", body | {"logprobs": found.top}) is None:
        return found
    found = replace(found, forced="ids")
    if not client.endpoint.alternatives:
        found = _whole(client, found, body)
    elif found.shape == "content" or client.endpoint.alternatives < found.top:
        found = replace(found, top=client.endpoint.alternatives)
    if found.shape == "completions":
        found = replace(found, prompt_scores=_scores_prompts(client, body, len(ids)))
    return found


def _whole(client: Client, found: Capabilities, body: dict[str, Any]) -> Capabilities:
    """With the whole vocabulary as alternatives, where the server gives it."""
    most = bytes_of_answer(found.vocabulary or 300_000)
    try:
        answered = client.post("/v1/completions", body | {"logprobs": found.vocabulary or -1}, most)
        alternatives = answer.only(answered)
    except (Refusal, NoLogProbabilities, MalformedAnswer):
        return found
    ids = alternatives.token_ids
    if ids is None or len(ids) <= found.top or int(ids.max()) + 1 != len(ids):
        return found  # not one for each id
    return replace(found, whole=True, top=len(ids), vocabulary=len(ids))


def _scores_prompts(client: Client, body: dict[str, Any], count: int) -> bool:
    try:
        scores = answer.choice(client.post("/v1/completions", body | {"prompt_logprobs": 1})).get("prompt_logprobs")
    except (Refusal, MalformedAnswer):
        return False
    return isinstance(scores, list) and len(scores) == count and all(isinstance(s, dict) for s in scores[1:])
