"""A server that gives ids but no bytes, by the recorded answers of vLLM, with the tokenizer that the host names.

What it is asked is what a vLLM server takes; what it answers was recorded from one, SmolLM2 with its 49,152 tokens.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel as ByteLevelPreTokenizer

from engine.errors import EngineError, ModelError
from engine.remote.client import Client
from engine.remote.completions import Completions
from engine.remote.connect import connect
from engine.remote.endpoint import Endpoint
from engine.remote.model import RemoteModel
from engine.sampling.settings import Settings
from engine.tokenization.unicode import byte_of_character
from tests.endpoint_server import Answer, Served, completion, find, serve

SIZE = 49_152
IDS: list[int] = find("vllm", "/tokenize")["tokens"]  # of 今天天氣真
STRINGS: list[str] = find("vllm", "/tokenize")["token_strs"]
OTHERS = {11567: "的", 12831: "，", 8083: "ï¼", 28: ",", 81: "zz"}  # tokens that the recorded answers name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer that cuts 今天天氣真 as SmolLM2's does and has the recorded tokens at their ids."""
    spelled = {byte: char for char, byte in byte_of_character().items()}

    def byte_level(text: str) -> str:
        return "".join(spelled[byte] for byte in text.encode())

    table = dict(zip(IDS, STRINGS, strict=True)) | {8083: "ï¼"}
    table |= {i: byte_level(text) for i, text in OTHERS.items() if i != 8083}
    used = set(table.values())
    free = iter(i for i in range(3, SIZE) if i not in table)
    for char in sorted(byte_of_character()):
        if char not in used:
            table[next(free)] = char
    table |= {i: f"unused{i}" for i in range(SIZE) if i not in table}
    pairs = [("ä", "»"), ("å", "¤")]
    tokenizer = Tokenizer(BPE({token: i for i, token in table.items()}, pairs))
    tokenizer.pre_tokenizer = ByteLevelPreTokenizer(add_prefix_space=False)
    tokenizer.decoder = ByteLevel()
    tokenizer.add_special_tokens([AddedToken("unused2", special=True)])
    target = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(str(target / "tokenizer.json"))
    (target / "tokenizer_config.json").write_text(json.dumps({"eos_token": "unused2", "model_max_length": 8192}))
    return target


@pytest.fixture
def vllm(folder: Path) -> Iterator[Served]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def answering(path: str, body: dict[str, Any]) -> Answer:
        if path == "/v1/models":
            return Answer(find("vllm", "/v1/models"))
        if path == "/tokenize":
            return Answer({"tokens": tokenizer.encode(body["prompt"], add_special_tokens=False).ids})
        if path != "/v1/completions":
            return Answer({"detail": "Not Found"}, 404)
        if body["model"] != "smollm2":
            return recorded_refusal("nobody")
        if body.get("prompt_logprobs"):
            return Answer(scored(body["prompt"]))
        if body["logprobs"] == -1:
            return recorded_refusal("logprobs")
        if not body.get("return_tokens_as_token_ids"):
            return Answer(find("vllm", "/v1/completions", prompt=IDS[:9]))
        return Answer(find("vllm", "/v1/completions", return_token_ids=True))

    with serve(answering) as served:
        yield served


def recorded_refusal(kind: str) -> Answer:
    request = {"model": "nobody"} if kind == "nobody" else {"logprobs": 30_000_000}
    told = find("vllm", "/v1/completions", **request)
    return Answer(told["body"].encode(), told["HTTP"])


def scored(prompt: list[int]) -> dict[str, Any]:
    """The form of the recorded `prompt_logprobs`, for any prompt."""
    entries = [{str(i): {"logprob": -1.0 - at, "rank": at + 2}} for at, i in enumerate(prompt[1:])]
    answer = find("vllm", "/v1/completions", prompt_logprobs=1)
    choice = answer["choices"][0] | {"prompt_logprobs": [None, *entries], "logprobs": None}
    return answer | {"choices": [choice]}


def model(served: Served, folder: Path, **more: Any) -> RemoteModel:
    return connect(Endpoint("v", served.url, tokenizer=str(folder), **more), 2**28)


def test_what_vllm_can_do(vllm: Served, folder: Path) -> None:
    remote = model(vllm, folder)
    found = remote.capabilities
    assert (found.shape, found.forced, found.ids, found.token_bytes) == ("completions", "ids", True, False)
    assert (found.top, found.whole, found.prompt_scores, found.context_length) == (5, False, True, 1024)
    assert remote.vocabulary.size == SIZE and remote.context_length == 1024 and remote.end_ids == {2}
    assert remote.encode("今天天氣真") == tuple(IDS)


def test_it_is_asked_by_id_and_parts_of_characters_are_apart(vllm: Served, folder: Path) -> None:
    remote = model(vllm, folder)
    got = remote.distribution(IDS)
    path, body = vllm.asked[-1]
    assert path == "/v1/completions" and body["prompt"] == IDS and body["return_tokens_as_token_ids"]
    assert (body["max_tokens"], body["model"], body["logprobs"]) == (1, "smollm2", 5) and "logit_bias" not in body
    assert [(c.token_id, c.text) for c in got.top(9)] == [
        (11567, "的"), (12831, "，"), (8083, "‹EF BC›"), (178, "‹E7›"), (28, ","),
    ]  # fmt: skip
    assert got.candidate(11567).raw == pytest.approx(math.exp(-1.6782622337341309), abs=1e-6)
    assert got.unseen == pytest.approx(1 - 0.1866981 - 0.1386375 - 0.0734528 - 0.0652952 - 0.0451143, abs=1e-6)
    assert remote.distribution(IDS, Settings(top_k=3)).is_exact
    asked = len(vllm.asked)
    assert remote.distribution(IDS, Settings(temperature=0.5)).kept == 5 and len(vllm.asked) == asked


def test_a_text_is_scored_in_one_request(vllm: Served, folder: Path) -> None:
    remote = model(vllm, folder)
    asked = len(vllm.asked)
    score = remote.score(IDS)
    assert len(vllm.asked) == asked + 1
    assert score.log_probabilities[:3] == (None, -1.0, -2.0) and score.ranks[:3] == (None, 2, 3)


def test_another_tokenizer_or_none_is_told(vllm: Served, folder: Path, tmp_path: Path) -> None:
    for named, code in [(str(tmp_path / "none"), "missing"), ("", "remote_no_tokens")]:
        with pytest.raises(ModelError) as error:
            connect(Endpoint("v", vllm.url, tokenizer=named), 2**28)
        assert error.value.code == code
    other = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    other["model"]["merges"] = []
    (tmp_path / "tokenizer.json").write_text(json.dumps(other))
    with pytest.raises(ModelError) as error:
        connect(Endpoint("v", vllm.url, tokenizer=str(tmp_path)), 2**28)
    assert error.value.code == "remote_tokenizer"


def test_a_model_that_the_server_does_not_have(vllm: Served, folder: Path) -> None:
    with pytest.raises(ModelError) as error:
        model(vllm, folder, model="nobody")
    assert error.value.code in ("remote_model", "remote_no_logprobs")


def by_text(found: Callable[[str], dict[str, float]]) -> Callable[[str, dict[str, Any]], Answer]:
    """A server that takes text only, names tokens by their texts and cuts nothing."""

    def answering(path: str, body: dict[str, Any]) -> Answer:
        if path == "/v1/models":
            return Answer({"data": [{"id": "m"}]})
        if path != "/v1/completions" or not isinstance(body["prompt"], str):
            return Answer({"error": {"type": "BadRequestError"}}, 404 if path != "/v1/completions" else 400)
        return Answer(completion(found(body["prompt"])))

    return answering


def test_a_server_that_takes_text_only(folder: Path) -> None:
    with serve(by_text(lambda prompt: {"的": -0.5, ",": -2.0, "": -3.0, "unknown token": -4.0})) as served:
        remote = model(served, folder)
        assert (remote.capabilities.forced, remote.capabilities.ids) == ("text", False)
        got = remote.distribution(IDS)
        assert served.asked[-1][1]["prompt"] == "今天天氣真"
        assert [c.text for c in got.top(9)] == ["的", ","], "what has no token of its own is among the rest"
        assert got.unseen == pytest.approx(1 - 0.60653 - 0.13534, abs=1e-4)
        with pytest.raises(EngineError) as error:
            remote.distribution(IDS[:7])
        assert error.value.code == "remote_partial"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (completion({"token_id:11567": float("nan")}), "remote_garbage"),
        (completion({"token_id:49152": -0.5}), "remote_changed"),
        (completion({}), "remote_no_logprobs"),
        ({"choices": [{"text": "x", "logprobs": None}]}, "remote_no_logprobs"),
        ({"choices": []}, "remote_garbage"),
        ([1, 2], "remote_garbage"),
        (completion({"token_id:11567": -0.5}), ""),  # fewer than asked for are all that are there
    ],
)
def test_a_bad_answer_to_a_step(content: Any, code: str, vllm: Served, folder: Path) -> None:
    remote = model(vllm, folder)
    with serve(lambda path, body: Answer(content)) as bad:
        client = Client(Endpoint("v", bad.url))
        output = Completions(client, remote.capabilities, remote.vocabulary, 1024).output
        if not code:
            assert output(tuple(IDS)).listed is not None
            return
        with pytest.raises(EngineError) as error:
            output(tuple(IDS))
    assert error.value.code == code


def test_a_server_that_only_chats() -> None:
    chat = find("vllm", "/v1/chat/completions", logprobs=True)

    def answering(path: str, body: dict[str, Any]) -> Answer:
        if path == "/v1/models":
            return Answer({"data": [{"id": "m"}]})
        return Answer(chat) if path.endswith("/chat/completions") else Answer({}, 404)

    with serve(answering) as served, pytest.raises(ModelError) as error:
        connect(Endpoint("v", served.url), 2**28)
    assert error.value.code == "remote_chat_only"
