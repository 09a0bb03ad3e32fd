"""Admission control: session limit, token bucket, limits of prompts and runs, and accounting of every forward pass."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import engine
from engine.decoding.batch_generation import BatchGeneration
from engine.decoding.beam_search import BeamSearch
from engine.decoding.beam_types import BeamSettings
from engine.decoding.strategies import BY_NAME
from engine.errors import EngineError, PromptError
from engine.interpret import heads, induction
from engine.serving import admission, metrics, model_registry
from engine.serving.metrics import Metrics
from tests.engine.conftest import Tiny


class DisconnectedError(BaseException):
    """Raised to stop the work of a disconnected visitor."""


@dataclass
class FakeServer:
    """Simulated clock (seconds), current visitor and disconnected visitors."""

    now: float = 1000.0
    visitor: str | None = "me"
    disconnected: set[str] = field(default_factory=set)

    def stop(self) -> None:
        raise DisconnectedError


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer()
    monkeypatch.setattr(admission, "_visitors", {})
    monkeypatch.setattr(admission, "_session_hooks", admission._session_hooks)
    monkeypatch.setattr(metrics, "now", lambda: fake.now)
    admission.serve(lambda: fake.visitor, lambda name: name not in fake.disconnected, fake.stop, lambda: {"an example"})
    return fake


def refusal(*, code: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        admission.charge()
    assert caught.value.code == code
    return caught.value


def test_for_nobody_nothing_is_limited(server: FakeServer, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    server.visitor = None
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "1")
    monkeypatch.setenv("ENGINE_PROMPT_TOKENS", "1")
    monkeypatch.setenv("ENGINE_DEMO", "1")
    for _ in range(5):
        admission.charge(100)
    admission.check_run(10**6)
    assert len(gpt2.model.read_prompt("the cat saw the dog")) > 1
    assert admission.session_count() == 0


def test_a_minutes_steps_at_once_and_then_evenly(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "30")
    for _ in range(30):
        admission.charge()
    error = refusal(code="limit_steps")
    assert error.values == {"most": 30, "seconds": 2}
    server.now += 1.9
    refusal(code="limit_steps")
    server.now += 0.2
    admission.charge()
    refusal(code="limit_steps")
    server.visitor = "another"  # has a bucket of its own
    for _ in range(30):
        admission.charge()


@hypothesis_settings(max_examples=60, deadline=None)
@given(data=st.data(), per_minute=st.integers(1, 100))
def test_nobody_gets_more_than_a_minutes_steps_ahead(data: st.DataObject, per_minute: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        server = FakeServer()
        patch.setattr(admission, "_visitors", {})
        patch.setattr(admission, "_session_hooks", admission._session_hooks)
        patch.setattr(metrics, "now", lambda: server.now)
        patch.setenv("ENGINE_STEPS_PER_MINUTE", str(per_minute))
        admission.serve(lambda: server.visitor, lambda _: True, server.stop, tuple)
        granted, waited, begun = 0, False, server.now
        for wait in data.draw(st.lists(st.floats(0, 20), max_size=60)):
            server.now += wait
            try:
                admission.charge()
                granted += 1
            except EngineError as error:
                waited = True
                server.now += int(str(error.values["seconds"]))  # after the stated wait, the step is granted
                admission.charge()
                granted += 1
        assert granted <= per_minute + (server.now - begun) * per_minute / 60 + 1e-6
        assert waited or granted <= per_minute + (server.now - begun) * per_minute / 60


def test_a_move_larger_than_a_minute_is_possible_and_paid_off(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "10")
    admission.charge(40)
    assert refusal(code="limit_steps").values["seconds"] == 31 * 6


def test_zero_is_no_limit(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "0")
    monkeypatch.setenv("ENGINE_SESSIONS", "0")
    for number in range(300):
        server.visitor = str(number)
        admission.charge(1000)
    assert admission.session_count() == 300


def test_places_are_taken_and_given_back(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_SESSIONS", "2")
    for server.visitor in ("a", "b"):
        admission.admit()
    server.visitor = "c"
    with pytest.raises(EngineError) as caught:
        admission.admit()
    assert caught.value.code == "limit_sessions" and caught.value.values == {"most": 2}
    refusal(code="limit_sessions")  # also without a prior call of `admit`
    server.visitor = "a"
    admission.charge()  # an admitted visitor stays admitted
    server.visitor, server.disconnected = "c", {"b"}
    admission.admit()
    assert admission.session_count() == 2
    server.visitor, server.disconnected = "b", set()
    with pytest.raises(EngineError):
        admission.admit()
    server.now += admission.IDLE_SECONDS + 1
    admission.admit()  # replaces the longest idle session
    assert admission.session_count() == 2


def test_prompts_and_runs_are_bounded(server: FakeServer, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    ids = gpt2.model.encode("the cat saw")
    monkeypatch.setenv("ENGINE_PROMPT_TOKENS", str(len(ids)))
    monkeypatch.setenv("ENGINE_RUN_TOKENS", "5")
    assert gpt2.model.read_prompt("the cat saw") == ids
    with pytest.raises(PromptError) as caught:
        gpt2.model.read_prompt("the cat saw the dog")
    assert caught.value.code == "limit_prompt" and caught.value.values["most"] == len(ids)
    admission.check_run(5)
    with pytest.raises(EngineError) as caught_run:
        admission.check_run(6)
    assert caught_run.value.code == "limit_run" and caught_run.value.values == {"count": 6, "most": 5}


def test_a_demo_takes_its_own_examples_alone(server: FakeServer, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "yes")
    monkeypatch.setenv("ENGINE_PROMPT_TOKENS", "1")
    assert gpt2.model.read_prompt("an example")  # the app's own prompts are exempt
    with pytest.raises(PromptError) as caught:
        gpt2.model.read_prompt("an example ")
    assert caught.value.code == "limit_demo"
    monkeypatch.setenv("ENGINE_MODELS", "*")
    assert not model_registry.allowed("org/name") and model_registry.allowed("bundled")


def debt() -> float:
    return -admission._visitors["me"].level


def test_every_pass_is_counted_whoever_asks_for_it(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny
) -> None:
    """Nothing is prepaid here, so every use of the model appears as debt."""
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "100000")
    ids = tuple(range(10, 30))
    calls = {
        "records": lambda model: model.records(ids),
        "beam": lambda model: BeamSearch(model, ids, BeamSettings(width=3)).grow_to(2),
        "together": lambda model: BatchGeneration(model, ids, BY_NAME["sample"], 0, (1, 2), 3).step(),
        "occlusion": lambda model: engine.occlusion(model, ids, 5),
        "gradient": lambda model: engine.gradient_input(model, ids, 5),
        "induction": lambda model: induction.induction_experiment(model, 3),
        "heads": lambda model: heads.describe(model),
        "score": lambda model: model.score(ids),
        "attention": lambda model: model.attention(ids),
        "generate": lambda model: list(engine.generate(model, ids, max_new_tokens=2)),
    }
    for name, call in calls.items():
        model = gpt2.fresh()
        admission.admit()
        before = debt()
        call(model)
        assert debt() >= before + 1, name
        server.disconnected = {"me"}
        model = gpt2.fresh()
        heads._described.clear()
        with pytest.raises(DisconnectedError):  # no pass for a disconnected visitor
            call(model)
        server.disconnected = set()


def test_what_was_paid_for_is_not_owed_again(server: FakeServer, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "100")
    model = gpt2.fresh()
    admission.charge()
    model.records((5, 6, 7))
    assert debt() == -99
    model.records((5, 6, 7, 8))
    assert debt() == -98
    model.records((5, 6, 7, 8))  # cached: no pass
    assert debt() == -98


def test_even_looking_has_an_end(server: FakeServer, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "3")
    model = gpt2.fresh()
    for token in range(6):
        model.records((token,))
    with pytest.raises(EngineError) as caught:
        model.records((7,))
    assert caught.value.code == "limit_steps" and model.prefix_cache.counters.passes == 6
    server.now += 60.0 * 3
    assert model.records((50,))


def test_many_threads_are_granted_no_more_than_there_is(monkeypatch: pytest.MonkeyPatch, server: FakeServer) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "200")
    granted: list[int] = []

    def charge_often() -> None:
        for _ in range(100):
            try:
                admission.charge()
                granted.append(1)
            except EngineError:
                pass

    threads = [threading.Thread(target=charge_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 200


def test_moves_are_timed_from_their_coming_to_what_is_drawn(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_metrics = Metrics()
    monkeypatch.setattr(metrics, "METRICS", local_metrics)
    admission.admit()
    for seconds in (0.02, 0.2, 7.0, 20.0):
        admission.start_response_timer()
        with admission.response_timer():
            with admission.response_timer():  # a nested fragment
                server.now += seconds / 2
            server.now += seconds / 2
            admission.mark_answered()
            server.now += 100  # work after the response is not counted
    server.now -= 400
    with admission.response_timer():  # without an action
        server.now += 5
    assert local_metrics.percentiles((0.0, 0.5, 0.75, 1.0)) == [
        pytest.approx(value) for value in (0.02, 0.2, 7.0, 20.0)
    ]
    value, name = local_metrics.registry.get_sample_value, "next_token_answer_seconds"
    assert value(f"{name}_count") == 4 and value(f"{name}_sum") == pytest.approx(27.22)
    assert [value(f"{name}_bucket", {"le": bound}) for bound in ("0.025", "0.25", "10.0", "+Inf")] == [1, 2, 3, 4]


def test_figures_of_the_last_minute(server: FakeServer) -> None:
    local_metrics = Metrics()
    assert local_metrics.percentiles((0.5,)) == [None] and local_metrics.steps_per_second() == 0
    local_metrics.record_steps(30)
    local_metrics.record_response(1.0)
    server.now += 59
    local_metrics.record_steps(30)
    assert local_metrics.steps_per_second() == 1.0
    server.now += 2
    assert local_metrics.steps_per_second() == 0.5 and local_metrics.percentiles((0.5,)) == [None]
    assert local_metrics.steps == 60
