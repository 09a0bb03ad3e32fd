"""Numbers that are no numbers: whatever needs one raises `not_finite`; everything else computes as before.

Which positions of a text have no usable logits is read from `transformers`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

import engine
from engine.decoding.batch_generation import BatchGeneration
from engine.decoding.strategies import STRATEGIES
from engine.errors import EngineError
from engine.experiments.cloze import fill
from engine.experiments.decoding_speed import DecodingSpeed
from engine.experiments.error_accumulation import ForcedTokenExperiment, forced_token_candidates
from engine.experiments.exposure_bias import ExposureBias
from engine.experiments.filter_sizes import filter_sizes_along
from engine.interpret import heads
from engine.interpret.attribution import neutral_token
from engine.interpret.induction import induction_experiment
from engine.interpret.logit_lens import logit_lens
from engine.interpret.probe_texts import repeated_random_tokens
from engine.quiz.questions import find_questions, options, score_round
from tests import unusable

TEXT = "the cat sat on the mat"
LONG = [f"{TEXT}, the dog sat on the log, {TEXT} there", f"Once upon a time there was a little cat. {TEXT}, little cat"]
PLACES = ("first", "middle", "last", "generated")
COLD = engine.Settings(temperature=0.1, top_k=5, top_p=0.9, min_p=0.1, typical_p=0.9)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unusable.build(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def tokens(sound: Path) -> dict[str, int]:
    """Token ids by their place: in the prompt, or only in its greedy continuation."""
    model = engine.load(sound)
    ids = model.encode(TEXT)
    generated = next(iter(engine.generate(model, ids))).token_id
    assert generated not in ids and ids.count(ids[0]) == ids.count(ids[3]) == ids.count(ids[-1]) == 1
    return {"first": ids[0], "middle": ids[3], "last": ids[-1], "generated": generated}


@pytest.fixture(scope="module", params=[(place, kind) for place in PLACES for kind in unusable.KINDS], ids="-".join)
def spoilt(request: pytest.FixtureRequest, sound: Path, tokens: dict[str, int], tmp_path_factory: Any) -> Spoilt:
    place, kind = request.param
    folder = unusable.spoil(sound, tmp_path_factory.mktemp(f"{place}-{kind}"), tokens[place], kind)
    return Spoilt(folder, place, kind, tokens[place])


class Spoilt:
    """A model with one unusable token, loaded by the engine and by `transformers`."""

    def __init__(self, folder: Path, place: str, kind: str, token_id: int) -> None:
        self.model, self.place, self.kind, self.token_id = engine.load(folder), place, kind, token_id
        self._reference = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
        self._known: dict[tuple[int, ...], bool] = {}

    @torch.inference_mode()
    def unusable(self, ids: tuple[int, ...]) -> list[bool]:
        """For each position, whether its logits define no distribution; each from a pass over its own text alone."""
        for length in range(1, len(ids) + 1):
            if ids[:length] not in self._known:
                logits = self._reference(input_ids=torch.tensor([ids[:length]])).logits[0, -1]
                self._known[ids[:length]] = bool(torch.softmax(logits.double(), dim=-1).isnan().any())
        return [self._known[ids[:length]] for length in range(1, len(ids) + 1)]


def raises(compute: Callable[[], Any]) -> bool:
    """Whether a computation raises `not_finite`; any other error fails the test."""
    try:
        compute()
    except EngineError as error:
        if error.code != "not_finite":
            raise
        return True
    return False


def finished(run: Any) -> Any:
    while run.step():
        pass
    return run


def test_one_text(spoilt: Spoilt) -> None:
    model = spoilt.model
    ids = model.encode(TEXT)
    bad = spoilt.unusable(ids)
    assert any(bad) == (spoilt.place != "generated")
    for settings in (engine.Settings(), COLD, engine.Settings(temperature=0.0), engine.Settings(repetition_penalty=2)):
        assert raises(lambda settings=settings: model.distribution(ids, settings)) == bad[-1]  # type: ignore[misc]
    assert raises(lambda: model.score(ids)) == any(bad[:-1])
    assert raises(lambda: model.attention(ids)) == (spoilt.kind == "nan" and any(bad))
    assert raises(lambda: logit_lens(model, ids)) == any(bad)
    assert raises(lambda: forced_token_candidates(model, ids)) == bad[-1]
    assert raises(lambda: fill(model, "the cat sat on the___", [" mat", " log"])) == any(bad[:-1])


@pytest.mark.parametrize("kind", unusable.KINDS)
@pytest.mark.parametrize("with_kv_cache", [True, False])
def test_texts_that_share_its_beginning(with_kv_cache: bool, kind: str, sound: Path, tmp_path: Path) -> None:
    """An unusable token leaves no trace in the cache, from which other texts take what is before it."""
    model, clean = engine.load(unusable.spoil(sound, tmp_path / "spoilt", 84, kind)), engine.load(sound)
    model.prefix_cache.forward.supports_kv_cache = with_kv_cache
    ids = clean.encode(TEXT)
    assert raises(lambda: model.distribution((*ids, 84)))
    for text in (ids[:-3], ids, (*ids, 70), (*ids, 71, 72, 73), (*ids[:-1], 74)):
        np.testing.assert_allclose(model.distribution(text).raw, clean.distribution(text).raw, atol=1e-5)
        assert not raises(lambda text=text: model.score(text))  # type: ignore[misc]


def test_generated_texts(spoilt: Spoilt) -> None:
    """Every text is generated up to the first position that the reference finds unusable, and no further."""
    model = spoilt.model
    prompt = model.encode(TEXT)
    for strategy, seed in (("greedy", 0), ("sample", 1), ("sample", 2)):
        steps = engine.generate(model, prompt, strategy, COLD, seed, 6)  # type: ignore[arg-type]
        texts = [prompt]
        failed = raises(lambda steps=steps, texts=texts: texts.extend((*s.token_ids, s.token_id) for s in steps))  # type: ignore[misc]
        assert not any(spoilt.unusable(text)[-1] for text in texts[:-1])
        assert failed == (steps.stop_reason is None) and (not failed or spoilt.unusable(texts[-1])[-1])


@pytest.mark.parametrize("width", [1, 4])
def test_beam_search(spoilt: Spoilt, width: int) -> None:
    """A search fails at the first level that extends an unusable text, and at every later attempt."""
    model = spoilt.model
    prompt = model.encode(TEXT)
    search = engine.BeamSearch(model, prompt, engine.BeamSettings(width=width, max_new_tokens=5))
    while search.stop is None:
        active = search.levels[-1].active if search.levels else (0,)
        bad = any(spoilt.unusable(search.token_ids(node))[-1] for node in active)
        levels, nodes = len(search.levels), len(search.nodes)
        assert raises(search.grow) == bad
        if bad:
            assert raises(search.grow) and (len(search.levels), len(search.nodes)) == (levels, nodes)
            return
    assert not spoilt.unusable(prompt)[-1]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_batches(spoilt: Spoilt, strategy: Any) -> None:
    """No token of a batch follows an unusable position, and a batch fails only where there is one."""
    model = spoilt.model
    prompt = model.encode(TEXT)
    value = strategy.parameter.first if strategy.parameter else 0
    batch = BatchGeneration(model, prompt, strategy, value, (1, 2, 3), 6)
    failed = raises(lambda: finished(batch))
    bad = [spoilt.unusable((*prompt, *text.token_ids)) for text in batch.texts]
    assert not any(any(row[len(prompt) - 1 : -1]) for row in bad)
    assert all(np.isfinite(text.log_probabilities).all() for text in batch.texts)
    if strategy.name != "beam":  # an unusable beam need not be the best
        assert failed == any(row[-1] for row, text in zip(bad, batch.texts, strict=True) if text.stop is None)


@pytest.mark.slow
def test_attribution_and_head_probes(spoilt: Spoilt) -> None:
    model = spoilt.model
    ids = model.encode(TEXT)
    bad = spoilt.unusable(ids)
    assert raises(lambda: engine.gradient_input(model, ids, 80)) == bad[-1]
    probe = repeated_random_tokens(model, 1948)  # the string of `neutral_token`
    assert raises(lambda: neutral_token(model)) == any(spoilt.unusable(probe))
    if bad[-1] and not any(spoilt.unusable(probe)):
        assert raises(lambda: engine.occlusion(model, ids, 80))
    string = repeated_random_tokens(model, 1)
    assert raises(lambda: induction_experiment(model, 1)) == any(spoilt.unusable(string)[:-1])
    seen = spoilt.token_id in (*repeated_random_tokens(model, 2022), *model.encode(heads._TEXT))
    assert raises(lambda: heads.describe(model)) == (seen and spoilt.kind == "nan")


def test_the_neutral_token_is_not_chosen_by_unusable_numbers(sound: Path, tmp_path: Path) -> None:
    clean = engine.load(sound)
    seen = repeated_random_tokens(clean, 1948)[5]
    model = engine.load(unusable.spoil(sound, tmp_path / "spoilt", seen, "infinite"))
    ids = tuple(i for i in clean.encode(TEXT) if i != seen)
    assert raises(lambda: neutral_token(model)) and raises(lambda: engine.occlusion(model, ids, 80))


def test_experiments(spoilt: Spoilt) -> None:
    model = spoilt.model
    ids = model.encode(TEXT)
    speed = DecodingSpeed(model, ids, (8, 16), 1)
    failed = raises(lambda: finished(speed))
    assert failed == any(spoilt.unusable(tuple(speed.ids[:16])))
    assert speed.difference is None or np.isfinite(speed.difference)
    strategies: tuple[Any, ...] = ("greedy", "sample")
    for strategy in strategies:
        if raises(lambda strategy=strategy: ForcedTokenExperiment(model, ids, 80, strategy, COLD, (1, 2), 5)):  # type: ignore[misc]
            assert spoilt.unusable(ids)[-1]
            continue
        fork = ForcedTokenExperiment(model, ids, 80, strategy, COLD, (1, 2), 5)
        failed = raises(lambda fork=fork: finished(fork))  # type: ignore[misc]
        texts = [(*ids, *text.token_ids) for pair in fork.pairs for text in (pair.own, pair.forced)]
        assert not any(any(spoilt.unusable(text)[len(ids) - 1 : -1]) for text in texts)
        assert failed or not any(spoilt.unusable(text)[-2] for text in texts)
    sizes = raises(lambda: filter_sizes_along(model, ids, 5, 0.9, 1, 1))
    assert sizes == spoilt.unusable(ids)[-1]


@pytest.mark.parametrize("strategy", ["greedy", "sample"])
def test_exposure_bias(spoilt: Spoilt, strategy: Any) -> None:
    """No token of a middle is generated after an unusable position."""
    model = spoilt.model
    bias = ExposureBias(model, LONG, strategy, (1, 2), 4)
    failed = raises(lambda: finished(bias))
    texts = [model.encode(text)[:24] for text in LONG]
    if any(any(spoilt.unusable(text)[11:-1]) for text in texts):
        assert failed
    for text, middles in zip(texts, bias.written, strict=True):
        for middle in middles:
            assert not any(spoilt.unusable((*text[:8], *middle))[7:-1])
    assert failed or all(np.isfinite(bias.loss(kind).by_position).all() for kind in ("true", "own", "other"))


def test_quiz(spoilt: Spoilt) -> None:
    model = spoilt.model
    questions = find_questions(model, f"{LONG[0]}.")
    assert questions
    for question in questions:
        bad = spoilt.unusable(question.before)[-1]
        assert raises(lambda question=question: options(model, question, 1)) == bad  # type: ignore[misc]
        assert raises(lambda question=question: score_round(model, question, (question.truth,))) == bad  # type: ignore[misc]


def test_logits_that_only_an_end_token_survives(sound: Path) -> None:
    """The exposure bias experiment forbids end tokens: where nothing else is left, there is no token to draw."""
    model = engine.load(sound)
    logits = np.full(model.vocabulary.size, -np.inf, dtype=np.float32)
    logits[next(iter(model.end_ids))] = 1.0
    bias = ExposureBias(model, LONG, "sample", (1,), 4)
    assert raises(lambda: bias._choose((5,), logits, 1)) and raises(lambda: bias._choose((5,), logits, None))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_distributions_that_are_none(value: float) -> None:
    from engine.sampling.distribution import Distribution

    logits = np.full(6, value, dtype=np.float32)
    for settings in (engine.Settings(), COLD, engine.Settings(temperature=0), engine.Settings(repetition_penalty=3)):
        assert raises(lambda settings=settings: Distribution((1, 2), logits, settings, str))  # type: ignore[misc]
    if value != -float("inf"):  # one forbidden token is ordinary
        logits = np.array([1.0, 2.0, value], dtype=np.float32)
        assert raises(lambda: Distribution((1, 2), logits, engine.Settings(), str))


def test_a_temperature_that_overflows() -> None:
    from engine.sampling.distribution import Distribution

    logits = np.array([3e9, 2e9, 0.0], dtype=np.float32)
    assert Distribution((1,), logits, engine.Settings(temperature=1e-20), str).argmax() == 0
    assert raises(lambda: Distribution((1,), logits, engine.Settings(temperature=1.1e-30), str))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype: torch.dtype, sound: Path, tokens: dict[str, int], tmp_path: Path) -> None:
    """Weights in half precision are computed with in float32; one that has overflowed is an unusable number."""
    folder = unusable.spoil(sound, tmp_path / "half", tokens["generated"], "none")
    weights = {name: weight.to(dtype) for name, weight in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    ids = engine.load(folder).encode(TEXT)
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.inference_mode():
        expected = torch.softmax(reference(input_ids=torch.tensor([ids])).logits[0, -1], dim=-1).numpy()
    np.testing.assert_allclose(engine.load(folder).distribution(ids).raw, expected, atol=1e-5)
    weights["model.embed_tokens.weight"][tokens["generated"]] *= 1e39  # overflows both
    assert weights["model.embed_tokens.weight"][tokens["generated"]].isinf().any()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    model = engine.load(folder)
    assert not raises(lambda: model.distribution(ids))
    for after in ((*ids, tokens["generated"]), (*ids, tokens["generated"], ids[0])):
        assert raises(lambda after=after: model.distribution(after))  # type: ignore[misc]
