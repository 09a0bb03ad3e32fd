"""Steps on a server: the alternatives for the token after a text, one request each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.errors import EngineError, context_error
from engine.model.token_output import TokenOutput
from engine.remote import answer
from engine.remote.answer import Alternatives, MalformedAnswer, NoLogProbabilities
from engine.remote.capabilities import Capabilities
from engine.remote.client import Client, Refusal
from engine.remote.probe import bytes_of_answer
from engine.sampling.listed_distribution import dense_logits
from engine.tokenization.vocabulary import Vocabulary

_FORCE = 1000.0  # added to a logit, so that its token is the one that is written


class Completions:
    """Requests for the token after a text. Thread-safe.

    letter  id of a token that writes a whole character. llama.cpp leaves the alternatives out of its answer where the
            token that it writes ends within a character, as in Chinese every few tokens. It is therefore made to write
            this one. The alternatives are those of the model: the server computes them before it changes any logit.
    """

    def __init__(
        self, client: Client, capabilities: Capabilities, vocabulary: Vocabulary, context_length: int,
        letter: int | None = None,
    ) -> None:  # fmt: skip
        self._client, self.capabilities, self._vocabulary = client, capabilities, vocabulary
        self._context_length, self._letter = context_length, letter
        self._by_bytes: dict[bytes, int] | None = None  # built for servers that name no ids

    def output(self, ids: tuple[int, ...]) -> TokenOutput:
        """Output of the last token of a text. Raises RemoteError, PromptError(`context`), EngineError."""
        alternatives = self._ask(ids)
        token_ids, log_probabilities = self._with_ids(alternatives)
        size = self._vocabulary.size
        if not len(token_ids) or int(token_ids.max()) >= size:
            raise self._client.error("remote_changed")
        logits = dense_logits(token_ids, log_probabilities, size)
        listed = None if len(token_ids) == size else token_ids
        return TokenOutput(None, None, None, is_nan=False, held_logits=logits, listed=listed)

    def _ask(self, ids: tuple[int, ...]) -> Alternatives:
        body = self._body(ids)
        try:
            most = bytes_of_answer(self.capabilities.top)
            return answer.only(self._client.post("/v1/completions", body, most, answer.read))
        except NoLogProbabilities:
            raise self._client.error("remote_no_logprobs") from None
        except MalformedAnswer:
            raise self._client.error("remote_garbage") from None
        except Refusal as refusal:
            raise self._refused(refusal, len(ids)) from None

    def _body(self, ids: tuple[int, ...]) -> dict[str, Any]:
        found = self.capabilities
        body: dict[str, Any] = {"model": found.model, "max_tokens": 1, "temperature": 0}
        body["prompt"] = list(ids) if found.forced == "ids" else self._text(ids)
        body["logprobs"] = -1 if found.whole and found.shape == "completions" else found.top
        if found.ids and found.shape == "completions":
            body["return_tokens_as_token_ids"] = True
        if self._letter is not None:
            body["logit_bias"] = [[self._letter, _FORCE]]
        return body

    def _text(self, ids: tuple[int, ...]) -> str:
        """The text of ids, for a server that takes no ids. Raises EngineError(`remote_partial`) within a character."""
        if self._vocabulary.pending(ids):
            raise EngineError("remote_partial", "the server takes whole characters only")
        return self._vocabulary.text(ids)

    def _refused(self, refusal: Refusal, count: int) -> Exception:
        if refusal.kind == "exceed_context_size_error" or count >= self._context_length:
            return context_error(count, self._context_length)
        return self._client.error("remote_status", status=refusal.status)

    def _with_ids(self, found: Alternatives) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) int64 of the alternatives and their log-probabilities (n,) float64."""
        if found.token_ids is not None:
            return found.token_ids, found.log_probabilities
        pairs: dict[int, float] = {}
        for text, data, value in zip(found.texts, found.token_bytes, found.log_probabilities.tolist(), strict=True):
            token_id = self._ids_by_bytes.get(text.encode() if data is None else data)
            if token_id is not None and token_id not in pairs:
                pairs[token_id] = value
        return np.array(list(pairs), dtype=np.int64), np.array(list(pairs.values()), dtype=np.float64)

    @property
    def _ids_by_bytes(self) -> dict[bytes, int]:
        """Id of the token that writes some bytes, where only one does."""
        if self._by_bytes is None:
            written = [self._vocabulary.token_bytes(i) for i in range(self._vocabulary.size)]
            count = Counter(written)
            self._by_bytes = {data: i for i, data in enumerate(written) if count[data] == 1}
        return self._by_bytes


def prompt_scores(client: Client, capabilities: Capabilities, ids: Sequence[int]) -> list[tuple[float, int] | None]:
    """Log-probability and rank of each token of a text given those before it, in one request; None for the first.

    For servers with `prompt_scores`. Raises RemoteError.
    """
    body = {"model": capabilities.model, "prompt": list(ids), "max_tokens": 1, "temperature": 0, "prompt_logprobs": 1}
    try:
        found = answer.choice(client.post("/v1/completions", body, bytes_of_answer(4 * len(ids))))["prompt_logprobs"]
        scores = [score[str(i)] for score, i in zip(found[1:], ids[1:], strict=True)]
        pairs = [(float(score["logprob"]), int(score["rank"])) for score in scores]
    except (KeyError, TypeError, ValueError, MalformedAnswer):
        raise client.error("remote_garbage") from None
    except Refusal as refusal:
        raise client.error("remote_status", status=refusal.status) from None
    if not all(value <= 1e-3 and value > -1e9 and rank > 0 for value, rank in pairs):
        raise client.error("remote_garbage")
    return [None, *pairs]
