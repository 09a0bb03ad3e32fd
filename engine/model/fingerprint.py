"""Model fingerprint: distinguishes models of the same name, for example after retraining or with another tokenizer.

Eight letters of URL-safe base64: the first four are a hash of the vocabulary, the last four of the weights. If the
first four agree, a trace of one model can be opened with the other; if all agree, its numbers are the same as well.
"""

from __future__ import annotations

import base64
import hashlib

from transformers import PreTrainedModel

from engine.tokenization.vocabulary import Vocabulary

_SAMPLED_VALUES = 64  # of each weight tensor; retraining changes nearly all of them
_DIGEST_BYTES = 3  # of each half; one pair of models in 17 million agrees by chance


def fingerprint(vocabulary: Vocabulary, hf: PreTrainedModel) -> str:
    """Fingerprint of a vocabulary and of the weights in float32, 8 letters."""
    return _base64(_vocabulary_digest(vocabulary)) + _base64(_weights_digest(hf))


def vocabulary_fingerprint(vocabulary: Vocabulary, weights: bytes) -> str:
    """Fingerprint of a vocabulary, and of weights that cannot be seen and are told apart by a digest of their name."""
    return _base64(_vocabulary_digest(vocabulary)) + _base64(weights)


def _base64(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest[:_DIGEST_BYTES]).decode()


def _vocabulary_digest(vocabulary: Vocabulary) -> bytes:
    """SHA-256 of the bytes of every token and of the special ids. How a text is split into tokens is not included."""
    token_bytes = [vocabulary.token_bytes(i) for i in range(vocabulary.size)]
    lengths = ",".join(str(len(data)) for data in token_bytes)
    special = ",".join(str(i) for i in sorted(vocabulary.special))
    return hashlib.sha256(f"{lengths};{special};".encode() + b"".join(token_bytes)).digest()


def _weights_digest(hf: PreTrainedModel) -> bytes:
    """SHA-256 of the name, the shape and evenly spaced values of every weight tensor."""
    digest = hashlib.sha256()
    for name, tensor in sorted(hf.state_dict().items()):
        values = tensor.detach().flatten()
        step = max(1, len(values) // _SAMPLED_VALUES)
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(values[::step][:_SAMPLED_VALUES].float().cpu().numpy().tobytes())
    return digest.digest()
