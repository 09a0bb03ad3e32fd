"""Causal language model with its tokenizer: encoding, next-token distributions, scores and attention of one text.

`Model` combines a `Vocabulary` with a `PrefixCache`. It holds no state of any user and is thread-safe. `loading.py`
builds it from files.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine import usage
from engine.errors import EngineError, PromptError, context_error, not_finite_error, surrogate_error
from engine.model.origin import Origin
from engine.model.prefix_cache import PrefixCache
from engine.model.score import Score
from engine.model.token_output import TokenOutput
from engine.sampling.distribution import Distribution
from engine.sampling.settings import Settings
from engine.tokenization.chat_template import ChatTemplate
from engine.tokenization.vocabulary import Vocabulary

MAX_CHARACTERS = 20_000


class Model:
    """Causal language model with its tokenizer and prefix cache. Thread-safe.

    name            bundled model's name, folder or hub id, as given to `load`
    context_length  maximum number of tokens of a text
    end_ids         token ids that end generation
    fingerprint     see `fingerprint.py`
    origin          where its files come from
    is_remote       whether a server computes it, so that only its distributions can be seen, not its inside
    chat_template   the one that came with the model; None for a model without
    """

    is_remote = False

    def __init__(
        self,
        name: str,
        vocabulary: Vocabulary,
        prefix_cache: PrefixCache,
        context_length: int,
        end_ids: frozenset[int],
        fingerprint: str = "",
        origin: Origin | None = None,
        chat_template: ChatTemplate | None = None,
    ) -> None:
        self.name = name
        self.vocabulary = vocabulary
        self.prefix_cache = prefix_cache
        self.context_length = context_length
        self.end_ids = end_ids
        self.fingerprint = fingerprint
        self.origin = origin or Origin()
        self.chat_template = chat_template

    @property
    def is_whole(self) -> bool:
        """Whether the probability of every token is known, not only of the most probable ones."""
        return True

    @property
    def revision(self) -> str:
        """Revision on the hub that was read; "" for a folder and the bundled model."""
        return self.origin.revision

    @property
    def dtype(self) -> str:
        """Number format of the weights, `float32` or `bfloat16`."""
        return str(self.prefix_cache.forward.model.dtype).removeprefix("torch.")

    @property
    def device(self) -> str:
        """Kind of device that computes it: `cpu`, `cuda`, `mps`."""
        return self.prefix_cache.forward.device.type

    @property
    def weight_bytes(self) -> int:
        """Memory of the weights and constants, without the prefix cache."""
        return self.prefix_cache.forward.weight_bytes

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a text. Text that spells a special token is encoded as ordinary text.

        Raises PromptError(`surrogate`) for a lone surrogate, which UTF-8 cannot encode.
        """
        try:
            return self.vocabulary.encode(text)
        except UnicodeEncodeError as error:
            raise surrogate_error(error) from error

    def read_prompt(self, text: str) -> tuple[int, ...]:
        """Token ids of a prompt, checked against the limits of the model and of the host.

        Charges 1 + tokens // TOKENS_PER_STEP model steps, see `usage.charge`.
        Raises PromptError: `characters` (more than MAX_CHARACTERS), `surrogate`, `empty` (blank), `context` (no room
        for one more token), `token` (an id outside the vocabulary). The usage hooks of the host may raise `limit_demo`,
        `limit_prompt` and `limit_steps` too.
        """
        usage.check_prompt(text)
        if len(text) > MAX_CHARACTERS:
            raise PromptError("characters", f"{len(text)} characters", count=len(text), most=MAX_CHARACTERS)
        if not text.strip():
            raise PromptError("empty", "the prompt contains only white space")
        ids = self.encode(text)
        if len(ids) >= self.context_length:
            raise context_error(len(ids), self.context_length)
        if len(ids) == len(self.vocabulary.start):
            raise PromptError("empty", "the tokenizer produces no tokens for this prompt")
        self._check_ids(ids)
        usage.check_length(text, len(ids) - len(self.vocabulary.start))
        usage.charge(1 + len(ids) // usage.TOKENS_PER_STEP)
        return ids

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Readable string of each token; see `Vocabulary.pieces`."""
        return self.vocabulary.pieces(ids)

    def text(self, ids: Sequence[int]) -> str:
        """Decoded text of token ids; see `Vocabulary.text`."""
        return self.vocabulary.text(ids)

    def continuation(self, prompt_ids: Sequence[int], ids: Sequence[int]) -> str:
        """Decoded text of `ids` after a prompt; both texts together are the text of all ids."""
        prompt, whole = self.text(prompt_ids), self.text([*prompt_ids, *ids])
        return whole.removeprefix(prompt) if whole.startswith(prompt) else self.text(ids)

    def records(self, ids: Sequence[int]) -> Sequence[TokenOutput]:
        """TokenOutput of each token of a text, from the prefix cache or by one pass over the tokens missing there.

        Raises PromptError: `empty`, `context` (more tokens than the window), `token` (an id outside the vocabulary).
        """
        self.check_text(ids)
        return self.prefix_cache.records(ids)

    def known_outputs(self, ids: Sequence[int]) -> Sequence[TokenOutput | None]:
        """`records` as far as it is worth its cost for annotations: None where asking would cost more than that."""
        return self.records(ids)

    def check_text(self, ids: Sequence[int]) -> None:
        """Raises PromptError: `empty`, `context` (more tokens than the window), `token` (outside the vocabulary)."""
        if not ids:
            raise PromptError("empty", "no tokens")
        if len(ids) > self.context_length:
            raise context_error(len(ids), self.context_length)
        self._check_ids(ids)

    def _check_ids(self, ids: Sequence[int]) -> None:
        """Raises PromptError(`token`) for an id that the model does not have; a tokenizer may be larger."""
        if min(ids) < 0 or max(ids) >= self.vocabulary.size:
            raise PromptError("token", "a token id outside the vocabulary", size=self.vocabulary.size)

    def distribution(self, ids: Sequence[int], settings: Settings | None = None) -> Distribution:
        """Next-token distribution after `ids`, before and after the filters of `settings`.

        Raises EngineError: `not_finite` if the model's logits define no distribution, `nothing_left` if `settings`
        remove every token.
        """
        output = self.records(ids)[-1]
        pending = self.vocabulary.pending(ids)
        return output.distribution(
            ids, settings or Settings(), lambda token_id: self.vocabulary.label(token_id, pending)
        )

    def score(self, ids: Sequence[int]) -> Score:
        """Log-probability and rank of every token of a text given the tokens before it, from at most one pass."""
        outputs = self.records(ids)
        log_probabilities: list[float | None] = [None]
        ranks: list[int | None] = [None]
        for output, token_id in zip(outputs, ids[1:], strict=False):
            log_probabilities.append(output.log_probability(token_id))
            ranks.append(output.rank(token_id))
        return Score(tuple(ids), tuple(log_probabilities), tuple(ranks))

    def attention_row(self, ids: Sequence[int]) -> np.ndarray:
        """Attention weights of the last position, whose output predicts the next token: (layers, heads, T) float32.

        Equal to `attention(ids)[:, :, -1]`, without the rows before it. Raises as `attention`.
        """
        row = self._attention_row(self.records(ids)[-1])
        if not np.isfinite(row).all():
            raise not_finite_error("the attention weights")
        return row

    def _attention_row(self, output: TokenOutput) -> np.ndarray:
        if output.attentions is None:
            raise EngineError("attention", f"{self.name} computes no attention")
        return output.attentions.float().numpy()  # (L, H, t + 1)

    def attention(self, ids: Sequence[int]) -> np.ndarray:
        """Attention weights, (layers, heads, T, T) float32.

        Row t has the weights of query position t, whose output predicts token t + 1, over positions 0 to t; rows sum
        to 1 (to less in families with attention sinks, such as gpt-oss). Assembled from the outputs in the prefix
        cache. Raises EngineError: `attention` for a model without attention, `not_finite`.
        """
        outputs = self.records(ids)
        layers, heads = self._attention_row(outputs[-1]).shape[:2]
        full = np.zeros((layers, heads, len(ids), len(ids)), dtype=np.float32)
        for t, output in enumerate(outputs):
            full[:, :, t, : t + 1] = self._attention_row(output)
        if not np.isfinite(full).all():
            raise not_finite_error("the attention weights")
        return full
