"""Who is in, how much each may ask, and that no pass of the model slips by."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import settings as tried
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


class GoneError(BaseException):
    """What ends the work for somebody who is not there."""


@dataclass
class Hall:
    """Visitors as a test wants them, and a clock that it turns."""

    now: float = 1000.0
    me: str | None = "me"
    gone: set[str] = field(default_factory=set)

    def end(self) -> None:
        raise GoneError


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Hall:
    made = Hall()
    monkeypatch.setattr(admission, "_visitors", {})
    monkeypatch.setattr(admission, "_session_hooks", admission._session_hooks)
    monkeypatch.setattr(metrics, "now", lambda: made.now)
    admission.serve(lambda: made.me, lambda name: name not in made.gone, made.end, lambda: {"an example"})
    return made


def refusal(*, code: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        admission.charge()
    assert caught.value.code == code
    return caught.value


def test_for_nobody_nothing_is_limited(hall: Hall, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    hall.me = None
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "1")
    monkeypatch.setenv("ENGINE_PROMPT_TOKENS", "1")
    monkeypatch.setenv("ENGINE_DEMO", "1")
    for _ in range(5):
        admission.charge(100)
    admission.check_run(10**6)
    assert len(gpt2.model.read_prompt("the cat saw the dog")) > 1
    assert admission.session_count() == 0


def test_a_minutes_steps_at_once_and_then_evenly(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "30")
    for _ in range(30):
        admission.charge()
    told = refusal(code="limit_steps")
    assert told.values == {"most": 30, "seconds": 2}
    hall.now += 1.9
    refusal(code="limit_steps")
    hall.now += 0.2
    admission.charge()
    refusal(code="limit_steps")
    hall.me = "another"  # has as much as everybody
    for _ in range(30):
        admission.charge()


@tried(max_examples=60, deadline=None)
@given(data=st.data(), a_minute=st.integers(1, 100))
def test_nobody_gets_more_than_a_minutes_steps_ahead(data: st.DataObject, a_minute: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        hall = Hall()
        patch.setattr(admission, "_visitors", {})
        patch.setattr(admission, "_session_hooks", admission._session_hooks)
        patch.setattr(metrics, "now", lambda: hall.now)
        patch.setenv("ENGINE_STEPS_PER_MINUTE", str(a_minute))
        admission.serve(lambda: hall.me, lambda _: True, hall.end, tuple)
        granted, waited, begun = 0, False, hall.now
        for wait in data.draw(st.lists(st.floats(0, 20), max_size=60)):
            hall.now += wait
            try:
                admission.charge()
                granted += 1
            except EngineError as error:
                waited = True
                hall.now += int(str(error.values["seconds"]))  # who waits as long as they are told gets their step
                admission.charge()
                granted += 1
        assert granted <= a_minute + (hall.now - begun) * a_minute / 60 + 1e-6
        assert waited or granted <= a_minute + (hall.now - begun) * a_minute / 60


def test_a_move_larger_than_a_minute_is_possible_and_paid_off(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "10")
    admission.charge(40)
    assert refusal(code="limit_steps").values["seconds"] == 31 * 6


def test_zero_is_no_limit(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "0")
    monkeypatch.setenv("ENGINE_SESSIONS", "0")
    for number in range(300):
        hall.me = str(number)
        admission.charge(1000)
    assert admission.session_count() == 300


def test_places_are_taken_and_given_back(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_SESSIONS", "2")
    for hall.me in ("a", "b"):
        admission.admit()
    hall.me = "c"
    with pytest.raises(EngineError) as caught:
        admission.admit()
    assert caught.value.code == "limit_sessions" and caught.value.values == {"most": 2}
    refusal(code="limit_sessions")  # nor does a step go by
    hall.me = "a"
    admission.charge()  # who is in stays in
    hall.me, hall.gone = "c", {"b"}
    admission.admit()
    assert admission.session_count() == 2
    hall.me, hall.gone = "b", set()
    with pytest.raises(EngineError):
        admission.admit()
    hall.now += admission.IDLE_SECONDS + 1
    admission.admit()  # the one that did nothing for longest makes room
    assert admission.session_count() == 2


def test_prompts_and_runs_are_bounded(hall: Hall, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    ids = gpt2.model.encode("the cat saw")
    monkeypatch.setenv("ENGINE_PROMPT_TOKENS", str(len(ids)))
    monkeypatch.setenv("ENGINE_RUN_TOKENS", "5")
    assert gpt2.model.read_prompt("the cat saw") == ids
    with pytest.raises(PromptError) as caught:
        gpt2.model.read_prompt("the cat saw the dog")
    assert caught.value.code == "limit_prompt" and caught.value.values["most"] == len(ids)
    admission.check_run(5)
    with pytest.raises(EngineError) as told:
        admission.check_run(6)
    assert told.value.code == "limit_run" and told.value.values == {"count": 6, "most": 5}


def test_a_demo_takes_its_own_examples_alone(hall: Hall, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "yes")
    monkeypatch.setenv("ENGINE_PROMPT_TOKENS", "1")
    assert gpt2.model.read_prompt("an example")  # the app's own are never too long
    with pytest.raises(PromptError) as caught:
        gpt2.model.read_prompt("an example ")
    assert caught.value.code == "limit_demo"
    monkeypatch.setenv("ENGINE_MODELS", "*")
    assert not model_registry.allowed("org/name") and model_registry.allowed("bundled")


def owed() -> float:
    return -admission._visitors["me"].level


def test_every_pass_is_counted_whoever_asks_for_it(hall: Hall, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    """Nothing is paid for here: what runs the model is found on the bill."""
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
        before = owed()
        call(model)
        assert owed() >= before + 1, name
        hall.gone = {"me"}
        model = gpt2.fresh()
        heads._described.clear()
        with pytest.raises(GoneError):  # and nobody who left gets one more
            call(model)
        hall.gone = set()


def test_what_was_paid_for_is_not_owed_again(hall: Hall, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "100")
    model = gpt2.fresh()
    admission.charge()
    model.records((5, 6, 7))
    assert owed() == -99
    model.records((5, 6, 7, 8))
    assert owed() == -98
    model.records((5, 6, 7, 8))  # nothing runs
    assert owed() == -98


def test_even_looking_has_an_end(hall: Hall, monkeypatch: pytest.MonkeyPatch, gpt2: Tiny) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "3")
    model = gpt2.fresh()
    for token in range(6):
        model.records((token,))
    with pytest.raises(EngineError) as caught:
        model.records((7,))
    assert caught.value.code == "limit_steps" and model.prefix_cache.counters.passes == 6
    hall.now += 60.0 * 3
    assert model.records((50,))


def test_many_threads_are_granted_no_more_than_there_is(monkeypatch: pytest.MonkeyPatch, hall: Hall) -> None:
    monkeypatch.setenv("ENGINE_STEPS_PER_MINUTE", "200")
    granted: list[int] = []

    def ask() -> None:
        for _ in range(100):
            try:
                admission.charge()
                granted.append(1)
            except EngineError:
                pass

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 200


def test_moves_are_timed_from_their_coming_to_what_is_drawn(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Metrics()
    monkeypatch.setattr(metrics, "METRICS", mine)
    admission.admit()
    for seconds in (0.02, 0.2, 7.0, 20.0):
        admission.start_response_timer()
        with admission.response_timer():
            with admission.response_timer():  # a part within a part
                hall.now += seconds / 2
            hall.now += seconds / 2
            admission.mark_answered()
            hall.now += 100  # work ahead is not waited for
    hall.now -= 400
    with admission.response_timer():  # no move came
        hall.now += 5
    assert mine.percentiles((0.0, 0.5, 0.75, 1.0)) == [pytest.approx(value) for value in (0.02, 0.2, 7.0, 20.0)]
    buckets, count, total = mine.histogram()
    assert count == 4 and total == pytest.approx(27.22)
    assert dict(buckets)[0.025] == 1 and dict(buckets)[0.25] == 2 and dict(buckets)[10.0] == 3


def test_figures_of_the_last_minute(hall: Hall) -> None:
    mine = Metrics()
    assert mine.percentiles((0.5,)) == [None] and mine.steps_per_second() == 0
    mine.stepped(30)
    mine.answered(1.0)
    hall.now += 59
    mine.stepped(30)
    assert mine.steps_per_second() == 1.0
    hall.now += 2
    assert mine.steps_per_second() == 0.5 and mine.percentiles((0.5,)) == [None]
    assert mine.steps == 60
