"""By which a model is told apart from another of the same name: one that was trained again, say, or has other tokens.

Eight letters: the first four are of what the token ids stand for, the last four of the weights. Where the first four
agree, a trace of the one can be read by the other; where all agree, it shows the same numbers as well.
"""

from __future__ import annotations

import base64
import hashlib

from transformers import PreTrainedModel

from engine.tokenization.vocabulary import Vocabulary

_SAMPLE = 64  # values of each tensor of weights: training again changes nearly all of them
_BYTES = 3  # of each half: by chance, one pair of models in 17 million agrees


def fingerprint(vocabulary: Vocabulary, hf: PreTrainedModel) -> str:
    """Of what the ids stand for, and of the weights in float32."""
    return _letters(_tokens(vocabulary)) + _letters(_weights(hf))


def _letters(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest[:_BYTES]).decode()


def _tokens(vocabulary: Vocabulary) -> bytes:
    """A digest of the bytes that every id stands for, and of which ids are special. How a text is cut is no part."""
    every = [vocabulary.token_bytes(i) for i in range(vocabulary.size)]
    lengths = ",".join(str(len(data)) for data in every)
    special = ",".join(str(i) for i in sorted(vocabulary.special))
    return hashlib.sha256(f"{lengths};{special};".encode() + b"".join(every)).digest()


def _weights(hf: PreTrainedModel) -> bytes:
    digest = hashlib.sha256()
    for name, tensor in sorted(hf.state_dict().items()):
        values = tensor.detach().flatten()
        step = max(1, len(values) // _SAMPLE)
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(values[::step][:_SAMPLE].float().numpy().tobytes())
    return digest.digest()
