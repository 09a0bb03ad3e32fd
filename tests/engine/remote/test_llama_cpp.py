"""A model on a real server: llama.cpp with the bundled model, whose numbers are known from the model itself."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.errors import EngineError, PromptError
from engine.experiments.model_comparison import Lockstep, compare
from engine.interpret.logit_lens import logit_lens
from engine.model.chat import read_chat
from engine.model.chunked_prefill import REQUESTS, TextScoring
from engine.model.model import Model
from engine.model.score import bits_per_character
from engine.remote.completions import Completions
from engine.remote.connect import connect
from engine.remote.embedded import EmbeddedServer
from engine.remote.endpoint import Endpoint
from engine.remote.model import RemoteModel
from engine.sampling.listed_distribution import ListedDistribution
from engine.sampling.settings import Settings
from engine.tokenization.chat_encoding import encode_chat
from engine.tokenization.chat_template import ChatMessage
from tests.engine.remote.conftest import KEY, fresh
from tests.gguf_files import write_bundled

TEXT = "今天天氣真"
CLOSE = 1e-3  # of a probability: llama.cpp sums in another order, and keeps keys and values in 16 bits


def test_what_the_server_can_do(remote: RemoteModel, local: Model) -> None:
    found = remote.capabilities
    assert (found.route, found.shape, found.forced) == ("completions", "content", "ids")
    assert found.ids and found.token_bytes and found.tokenizes and found.whole and not found.prompt_scores
    assert found.top == found.vocabulary == remote.vocabulary.size == local.vocabulary.size
    assert remote.context_length == local.context_length
    assert remote.end_ids == local.end_ids
    assert remote.is_remote and remote.is_whole and remote.chat_template is None
    assert remote.weight_bytes == 0 and remote.dtype == ""


def test_the_vocabulary_is_that_of_the_model(remote: RemoteModel, local: Model) -> None:
    ours, theirs = local.vocabulary, remote.vocabulary
    assert [theirs.token_bytes(i) for i in range(theirs.size)] == [ours.token_bytes(i) for i in range(ours.size)]
    assert theirs.special == ours.special and theirs.start == ours.start
    everything = range(ours.size)
    assert [theirs.label(i) for i in everything] == [ours.label(i) for i in everything]
    assert remote.fingerprint[:4] == local.fingerprint[:4], "links of one open with the other"
    assert remote.fingerprint != local.fingerprint


@pytest.mark.parametrize("text", [TEXT, "The cat sat.", "氣🙂 <eos> x", "a\n b", "😀"])
def test_texts_are_cut_by_the_server(remote: RemoteModel, text: str) -> None:
    ids = remote.encode(text)
    assert b"".join(remote.vocabulary.token_bytes(i) for i in ids).decode() == text
    assert remote.text(ids) == text
    assert not set(ids) & remote.vocabulary.special, "a text that spells a special token is a text"
    spans = remote.vocabulary.spans(text)
    assert len(spans) == len(ids)
    assert (spans[0][0], spans[-1][1]) == (0, len(text))
    assert all(a[1] >= b[0] or a == b for a, b in itertools.pairwise(spans))
    for token_id, (start, stop) in zip(ids, spans, strict=True):
        assert remote.vocabulary.token_bytes(token_id) in text[start:stop].encode()


@pytest.mark.parametrize("text", [TEXT, "從前從前，有一個", "The cat"])
def test_distributions_are_close_to_those_of_the_model(remote: RemoteModel, local: Model, text: str) -> None:
    ids = local.encode(text)
    got, want = remote.distribution(ids), local.distribution(ids)
    np.testing.assert_allclose(got.raw, want.raw, atol=CLOSE)
    assert float(got.raw.sum()) == pytest.approx(1, abs=1e-5)
    assert (got.unseen, got.is_exact) == (0, True)
    assert got.entropy == pytest.approx(want.entropy, abs=0.01)
    settings = Settings(temperature=0.7, top_k=50, top_p=0.8)
    assert remote.distribution(ids, settings).kept == pytest.approx(local.distribution(ids, settings).kept, abs=1)


def test_after_half_a_character_the_distribution_is_whole(remote: RemoteModel, local: Model) -> None:
    """llama.cpp gives no alternatives where the token that it writes ends within a character."""
    data = "氣".encode()
    byte_ids = [next(i for i in range(local.vocabulary.size) if local.vocabulary.token_bytes(i) == data[:1])]
    ids = (*local.encode("今天天"), *byte_ids)
    got, want = remote.distribution(ids), local.distribution(ids)
    np.testing.assert_allclose(got.raw, want.raw, atol=CLOSE)
    assert remote.vocabulary.pending(ids)
    for token_id in want.order[:40].tolist():
        assert got.candidate(token_id).text == want.candidate(token_id).text


def test_64_tokens_are_the_same_draws(server: EmbeddedServer, local: Model) -> None:
    """Our own draw with our own seed; every draw is decided by the same number in nearly the same distribution."""
    remote = fresh(server)
    ids = local.encode(TEXT)
    steps = 0
    for seed in range(7, 30):
        for step in engine.generate(remote, ids, "sample", Settings(), seed, 64):
            low, high = local.distribution(step.token_ids).interval(step.token_id)
            assert step.u is not None and low - CLOSE <= step.u <= high + CLOSE
            steps += 1
        if steps >= 64:
            break
    assert steps >= 64


def test_a_text_is_asked_for_once(server: EmbeddedServer, local: Model) -> None:
    remote = fresh(server)
    ids = remote.encode(TEXT)
    counters = remote.prefix_cache.counters
    remote.records(ids)
    assert counters.passes == 0, "nothing is asked before it is looked at"
    threads = [threading.Thread(target=remote.distribution, args=(ids,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.passes == 1, "a class with one prompt"
    written = [step.token_id for step in engine.generate(remote, ids, "greedy", max_new_tokens=6)]
    assert counters.passes == 6
    again = [step.token_id for step in engine.generate(remote, ids, "greedy", max_new_tokens=6)]
    assert again == written and counters.passes == 6, "going back costs nothing"
    assert remote.known_outputs(ids)[-1] is remote.records(ids)[-1]
    assert remote.known_outputs(ids)[0] is None


def test_the_cache_is_bounded(server: EmbeddedServer) -> None:
    remote = fresh(server, max_bytes=3 * 9216 * 4 + 1000)
    ids = remote.encode(TEXT + "好，我們")
    for stop in range(1, len(ids) + 1):
        remote.distribution(ids[:stop])
    assert remote.prefix_cache.nbytes <= 3 * 9216 * 4 + 1000
    assert len(remote.prefix_cache) == 3 and remote.prefix_cache.counters.evicted == len(ids) - 3


def test_any_token_can_be_chosen_by_hand(remote: RemoteModel, local: Model) -> None:
    unlikely = int(local.distribution(local.encode(TEXT)).order[-5])
    ids = (*local.encode(TEXT), unlikely)
    np.testing.assert_allclose(remote.distribution(ids).raw, local.distribution(ids).raw, atol=CLOSE)
    log_probability = remote.records(ids)[-2].log_probability(unlikely)
    assert log_probability == pytest.approx(local.records(ids)[-2].log_probability(unlikely), abs=0.02)


def test_scores_beams_and_comparison(remote: RemoteModel, local: Model) -> None:
    ids = local.encode("今天天氣真好，我們")
    got, want = remote.score(ids), local.score(ids)
    assert got.loss == pytest.approx(want.loss, abs=0.005)
    assert bits_per_character(remote.vocabulary, got) == pytest.approx(
        bits_per_character(local.vocabulary, want) or 0, abs=0.01
    )
    ours = engine.beam_search(local, ids, 3, max_new_tokens=4)
    theirs = engine.beam_search(remote, ids, 3, max_new_tokens=4)
    assert [found.token_ids for found in theirs.sequences] == [found.token_ids for found in ours.sequences]
    compared = compare(remote, ids, local, ids)
    assert compared.equal and compared.divergence is not None and compared.divergence < 1e-4
    lockstep = Lockstep(remote, local, TEXT, leader=0, count=3)
    while lockstep.step():
        pass
    assert len(lockstep.steps) == 3


def test_scoring_a_text_can_be_stopped(server: EmbeddedServer, local: Model) -> None:
    remote = fresh(server)
    ids = local.encode("今天天氣真好，我們一起去公園玩。")
    scoring, counters = TextScoring(remote, ids), remote.prefix_cache.counters
    assert scoring.step() and counters.passes <= REQUESTS
    while scoring.step():
        pass
    assert counters.passes <= len(ids)
    assert scoring.score.loss == pytest.approx(local.score(ids).loss, abs=0.005)


def test_nothing_inside_can_be_seen(remote: RemoteModel) -> None:
    ids = remote.encode(TEXT)
    for look, code in [
        (lambda: remote.attention_row(ids), "attention"),
        (lambda: remote.attention(ids), "attention"),
        (lambda: logit_lens(remote, ids), "remote_inside"),
        (lambda: engine.occlusion(remote, ids, 5), "remote_inside"),
        (lambda: engine.gradient_input(remote, ids, 5), "remote_inside"),
        (lambda: remote.vocabulary.merges, "merges_remote"),
    ]:
        with pytest.raises(EngineError) as error:
            look()
        assert error.value.code == code


def test_a_short_list_is_told_as_one(server: EmbeddedServer, local: Model) -> None:
    remote = fresh(server, alternatives=10)
    assert (remote.capabilities.top, remote.is_whole) == (10, False)
    ids = remote.encode(TEXT)
    got, want = remote.distribution(ids), local.distribution(ids)
    assert isinstance(got, ListedDistribution)
    listed = want.order[:10]
    assert got.unseen == pytest.approx(1 - float(want.raw[listed].sum()), abs=CLOSE)
    assert set(got.listed.tolist()) == set(listed.tolist())
    with pytest.raises(EngineError) as error:
        remote.score(ids)
    assert error.value.code == "remote_scores"
    with pytest.raises(EngineError) as error:
        remote.records(ids)[-1].log_probability(int(want.order[100]))
    assert error.value.code == "unlisted"


def test_a_text_that_is_too_long(remote: RemoteModel) -> None:
    with pytest.raises(PromptError) as error:
        remote.distribution((5,) * (remote.context_length + 1))
    assert error.value.code == "context"
    output = Completions(remote.client, remote.capabilities, remote.vocabulary, 10**6, None).output
    with pytest.raises(PromptError) as error:  # by the server
        output((5,) * 600)
    assert error.value.code == "context"


def test_a_server_that_ends_and_starts_again(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = EmbeddedServer(gguf)
    monkeypatch.setenv(KEY, served.key)
    remote = connect(Endpoint("here", served.url, key=KEY), 2**28)
    ids = remote.encode(TEXT)
    generation = engine.generate(remote, ids, "greedy", max_new_tokens=8)
    first = [next(generation), next(generation)]
    served.stop()
    with pytest.raises(EngineError) as error:
        next(generation)
    assert error.value.code == "remote_unreachable"
    assert "127.0.0.1" not in str(error.value) and served.key not in repr(error.value.__dict__)
    again = engine.generate(remote, ids, "greedy", max_new_tokens=2)
    assert [step.token_id for step in again] == [step.token_id for step in first], "what was asked is still there"
    second = EmbeddedServer(gguf)
    monkeypatch.setenv(KEY, second.key)
    remote = connect(Endpoint("here", second.url, key=KEY), 2**28)
    assert [step.token_id for step in engine.generate(remote, ids, "greedy", max_new_tokens=2)] == [
        step.token_id for step in first
    ]
    second.stop()


def test_a_wrong_key_and_a_file_that_is_none(
    server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG", "sk-wrong")
    with pytest.raises(EngineError) as error:
        connect(Endpoint("here", server.url, key="WRONG"), 2**28)
    assert error.value.code == "remote_key" and "sk-wrong" not in str(error.value)
    (tmp_path / "x.gguf").write_bytes(b"no model")
    for name, code in [("x.gguf", "gguf"), ("none.gguf", "missing")]:
        with pytest.raises(EngineError) as error:
            EmbeddedServer(tmp_path / name)
        assert error.value.code == code


def test_a_chat_by_the_template_of_the_server(tmp_path: Path, local: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of special tokens count in the template and are text in a message, as with a local model."""
    source = "{% for message in messages %}{{ message.content }}<eos>{% endfor %}"
    served = EmbeddedServer(write_bundled(tmp_path / "chat.gguf", source))
    monkeypatch.setenv(KEY, served.key)
    remote = connect(Endpoint("here", served.url, key=KEY), 2**28)
    assert remote.chat_template is not None and remote.chat_template.source == source
    for said in ("今天天氣真好", "今天<eos>天氣"):
        messages = [ChatMessage("user", said)]
        got = read_chat(remote, messages)
        want = encode_chat(local.vocabulary, remote.chat_template, messages)
        assert got.text == want.text and got.ids.count(0) == want.ids.count(0) == 1
        assert remote.text(got.ids) == local.text(want.ids) == said
        assert got.own[-1] is False and all(got.own[:-1])
    served.stop()
