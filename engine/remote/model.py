"""Model that a server computes: a `Model` as far as the server's capabilities reach."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import EngineError
from engine.model.model import Model
from engine.model.score import Score
from engine.model.token_output import TokenOutput
from engine.remote.cache import RemoteCache
from engine.remote.capabilities import Capabilities
from engine.remote.client import Client
from engine.remote.completions import Completions, prompt_scores
from engine.remote.endpoint import Endpoint
from engine.tokenization.chat_template import ChatTemplate
from engine.tokenization.vocabulary import Vocabulary


class RemoteModel(Model):
    """Causal language model on a server. Thread-safe.

    Everything that needs next-token distributions works as with a local model; attention, logit lens and whatever else
    looks inside raises EngineError(`attention`, `remote_inside`). Where the server lists only the most probable tokens,
    the distributions are `ListedDistribution`s, and the probability of another token is EngineError(`unlisted`).
    """

    is_remote = True

    def __init__(
        self,
        endpoint: Endpoint,
        client: Client,
        capabilities: Capabilities,
        vocabulary: Vocabulary,
        context_length: int,
        end_ids: frozenset[int],
        fingerprint: str,
        max_bytes: int,
        chat_template: ChatTemplate | None = None,
        letter: int | None = None,
    ) -> None:
        self.endpoint, self.client, self.capabilities = endpoint, client, capabilities
        self._completions = Completions(client, capabilities, vocabulary, context_length, letter)
        self._cache = RemoteCache(self._completions.output, max_bytes)
        super().__init__(
            endpoint.model_name, vocabulary, self._cache, context_length, end_ids, fingerprint,
            chat_template=chat_template,
        )  # fmt: skip

    @property
    def is_whole(self) -> bool:
        return self.capabilities.whole

    @property
    def dtype(self) -> str:
        """Unknown: that of the server."""
        return ""

    @property
    def device(self) -> str:
        """Unknown: that of the server."""
        return ""

    @property
    def weight_bytes(self) -> int:
        """The weights are on the server."""
        return 0

    def known_outputs(self, ids: Sequence[int]) -> Sequence[TokenOutput | None]:
        """Outputs that are stored; the server is not asked for the others."""
        self.check_text(ids)
        return self._cache.known(ids)

    def score(self, ids: Sequence[int]) -> Score:
        """As of `Model`: in one request where the server scores prompts, else one for each token.

        Raises EngineError(`remote_scores`) for a server that does neither for the whole vocabulary.
        """
        self.check_text(ids)
        if self.capabilities.prompt_scores:
            pairs = prompt_scores(self.client, self.capabilities, ids)
            values = [None if pair is None else pair[0] for pair in pairs]
            return Score(tuple(ids), tuple(values), tuple(None if pair is None else pair[1] for pair in pairs))
        if not self.is_whole:
            raise EngineError("remote_scores", "the server scores no texts")
        return super().score(ids)
