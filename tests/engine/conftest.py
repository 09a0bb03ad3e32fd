"""Fixtures of the engine tests: tiny models, each built once, with their `transformers` reference; no network."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import hypothesis
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

from engine.bundled import BUNDLED
from engine.model.loading import load
from engine.model.model import Model
from engine.model.prefix_cache import PrefixCache
from engine.tokenization.vocabulary import Vocabulary
from tests import tiny

hypothesis.settings.register_profile("engine", deadline=None, derandomize=True, max_examples=60)
hypothesis.settings.load_profile("engine")
logging.set_verbosity_error()
logging.disable_progress_bar()


class Tiny(NamedTuple):
    """Tiny model of a family: its folder, the engine's `Model`, and the `transformers` reference."""

    family: str
    folder: Path
    model: Model
    reference: PreTrainedModel

    def __repr__(self) -> str:
        return f"<tiny {self.family}>"

    def fresh(self, max_bytes: int = 2**30) -> Model:
        """Model with the same weights and an empty prefix cache."""
        cache = PrefixCache(self.model.prefix_cache.forward, max_bytes)
        return Model(self.family, self.model.vocabulary, cache, self.model.context_length, self.model.end_ids)

    def prefixes(self, count: int, longest: int = 40, seed: int = 0) -> list[tuple[int, ...]]:
        """Random texts without special tokens."""
        return random_texts(self.model.vocabulary, count, longest, seed)

    @torch.inference_mode()
    def forward(self, ids: tuple[int, ...], **arguments: Any) -> Any:
        """Outputs of the reference for one text, computed without a KV cache."""
        return self.reference(input_ids=torch.tensor([ids]), use_cache=False, **arguments)


def random_texts(vocabulary: Vocabulary, count: int, longest: int, seed: int = 0) -> list[tuple[int, ...]]:
    """Random token ids; few distinct ones per text, so that n-grams repeat and can be forbidden."""
    random = np.random.default_rng(seed)
    ordinary = [i for i in range(vocabulary.size) if i not in vocabulary.special]
    texts = []
    for _ in range(count):
        choices = random.choice(ordinary, size=random.integers(1, 12), replace=False)
        texts.append(tuple(int(i) for i in random.choice(choices, size=random.integers(1, longest + 1))))
    return texts


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """One torch thread, as in the app: repeated passes are bit-identical."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package", autouse=True)
def no_network() -> Iterator[None]:
    def refuse(*_: object) -> NoReturn:
        raise OSError("network access in a test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Tiny]:
    """Function that returns the tiny model of a family, built on first use."""
    built: dict[str, Tiny] = {}

    def get(family: str) -> Tiny:
        if family not in built:
            folder = tiny.build(family, tmp_path_factory.mktemp(family))
            reference = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
            built[family] = Tiny(family, folder, load(folder, from_hub=False), reference)
        return built[family]

    return get


@pytest.fixture(scope="session", params=list(tiny.FAMILIES))
def each(request: pytest.FixtureRequest, build: Callable[[str], Tiny]) -> Tiny:
    """Tiny model of every family."""
    return build(request.param)


@pytest.fixture(scope="session", params=tiny.ATTENTIVE)
def attentive(request: pytest.FixtureRequest, build: Callable[[str], Tiny]) -> Tiny:
    """Tiny model of every family with attention."""
    return build(request.param)


@pytest.fixture(scope="session")
def gpt2(build: Callable[[str], Tiny]) -> Tiny:
    return build("gpt2")


@pytest.fixture(scope="session")
def mamba(build: Callable[[str], Tiny]) -> Tiny:
    return build("mamba")


_TOKENIZERS = {"byte_level": tiny.byte_level, "wordpiece": tiny.wordpiece, "sentencepiece": tiny.sentencepiece}


@pytest.fixture(scope="session", params=list(_TOKENIZERS))
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    """Each kind of tokenizer, for a model that predicts a few more ids than it has."""
    tokenizer = _TOKENIZERS[request.param]()
    return Vocabulary(tokenizer, tokenizer.get_vocab_size() + tiny.UNNAMED)


@pytest.fixture(scope="session")
def byte_level() -> Vocabulary:
    tokenizer = tiny.byte_level()
    return Vocabulary(tokenizer, tokenizer.get_vocab_size() + tiny.UNNAMED)


@pytest.fixture(scope="session")
def wordpiece() -> Vocabulary:
    return Vocabulary(tiny.wordpiece(), tiny.wordpiece().get_vocab_size())


@pytest.fixture(scope="session")
def sentencepiece() -> Vocabulary:
    return Vocabulary(tiny.sentencepiece(), tiny.sentencepiece().get_vocab_size())


@pytest.fixture(scope="session")
def model() -> Model:
    """The bundled model."""
    return load()


@pytest.fixture(scope="session")
def reference() -> PreTrainedModel:
    """The bundled model in `transformers`."""
    return AutoModelForCausalLM.from_pretrained(BUNDLED, dtype=torch.float32, attn_implementation="eager").eval()
