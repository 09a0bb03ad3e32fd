"""Uses page: prompts composed of parts, their greedy continuations, opening them on the step page; model families."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

import engine
from engine.bundled import BUNDLED_NAME
from engine.decoding.stopping import StopReason
from engine.errors import EngineError, ModelError
from engine.model.chunked_prefill import CHUNK
from engine.model.loading import load
from engine.model.model import Model
from engine.serving import admission, model_registry
from pages.i18n.translator import WRITTEN, Translator
from pages.session.text_state import TextState
from pages.uses import prompt_view
from pages.uses.state import ONE_LINE, TASKS, TaskName, TaskRun, UsesState, prompt_parts
from tests import tiny, tiny_chat
from tests.pages.sentences import assert_well_formed, which
from tests.pages.visit import state_of, visit
from tests.passes import counted_passes

KINDS = {"instruction", "example", "input", "cue"}


def opened(language: str) -> AppTest:
    return visit("uses", language)


def finish(state: UsesState, task: TaskName) -> TaskRun:
    """Run the started task to its end."""
    while state.run_for(task).go_on(1):
        pass
    task_run = state.run_for(task).work
    assert isinstance(task_run, TaskRun)
    return task_run


@pytest.mark.parametrize(("url", "shown"), [("http://localhost:8501/uses", True), ("https://example.org/uses", False)])
def test_a_command_is_shown_to_the_host_alone(monkeypatch: pytest.MonkeyPatch, url: str, shown: bool) -> None:
    monkeypatch.setattr(ContextProxy, "url", url)
    app = opened("en")
    assert not app.exception
    assert any("make run" in code.value for code in app.code) == shown
    assert not any("make run" in caption.value for caption in app.caption)


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
@pytest.mark.parametrize("task", TASKS)
def test_a_prompt_is_its_parts_with_the_words_filled_in(language: str, task: TaskName) -> None:
    t = Translator(language)
    parts = prompt_parts(task, "{x} 氣", t)
    assert {part.kind for part in parts} <= KINDS
    assert sum("{x} 氣" in part.text for part in parts) == 1
    assert next(part.kind for part in parts if "{x} 氣" in part.text) == "input"
    assert len(t.list(f"uses.{task}.kinds")) == len(t.list(f"uses.{task}.parts"))


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_each_task_writes_what_greedy_search_writes(language: str) -> None:
    model, state, t = model_registry.request().result(), UsesState(), Translator(language)
    state.ready(model)
    for task in TASKS:
        user_input = t.list(f"uses.{task}.inputs")[0]
        state.start(model, task, user_input, t)
        task_run = finish(state, task)
        prompt = "".join(part.text for part in prompt_parts(task, user_input, t))
        assert task_run.ids == model.encode(prompt)
        steps = list(engine.generate(model, task_run.ids, "greedy", max_new_tokens=60))
        token_ids = task_run.continuation.token_ids
        assert token_ids == tuple(step.token_id for step in steps)[: len(token_ids)]
        assert task_run.line_ended or len(steps) == len(token_ids)
        if task_run.line_ended:
            assert task in ONE_LINE
            assert model.text(token_ids).count("\n") == 1
        data = prompt_view.data(prompt_parts(task, user_input, t), task_run, model, False, t)
        assert data["status"] and len(data["chips"]) >= 1


@pytest.mark.parametrize(
    ("language", "task", "answer"),
    [("zh_Hant", "translation", "我喜歡狗。"), ("zh_Hant", "questions", "玉山。"), ("en", "questions", "Tokyo"),
     ("en", "translation", "I like dogs."), ("en", "code", "return a + b"), ("zh_Hant", "code", "return a + b")],
)  # fmt: skip
def test_the_first_given_words_show_what_the_bundled_model_can(language: str, task: TaskName, answer: str) -> None:
    model, state, t = model_registry.request().result(), UsesState(), Translator(language)
    state.start(model, task, t.list(f"uses.{task}.inputs")[0], t)
    assert answer in model.text(finish(state, task).continuation.token_ids)


@pytest.mark.parametrize("user_input", ["", "  ", "一", "😀", "字" * 300, "今天天氣真好。" * 400], ids=range(6))
def test_any_words_are_taken_or_refused_kindly(user_input: str) -> None:
    app = opened("zh_Hant")
    app.text_input(key="uses dialogue zh_Hant").set_value(user_input).run()
    app.button(key="uses_run").click().run()
    assert not app.exception
    assert bool(app.error) == (not user_input.strip() or len(user_input) > 1000)
    assert app.text_input(key="uses dialogue zh_Hant").value == user_input


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_the_page_runs_a_task_and_opens_it_step_by_step(language: str) -> None:
    app, t = opened(language), Translator(language)
    assert any(t("uses.dialogue.bundled") == markdown.value for markdown in app.markdown)
    app.segmented_control(key="uses_task").set_value("translation").run()
    assert app.button(key="uses_take").disabled
    app.button(key="uses_run").click().run()
    assert not app.exception and not app.error
    app.button(key="uses_take").click().run()
    session = state_of(app, TextState)
    assert session.trace is not None
    model = model_registry.request().result()
    text = model.text(session.trace.token_ids())
    parts = prompt_parts("translation", t.list("uses.translation.inputs")[0], t)
    assert text.startswith("".join(part.text for part in parts))
    assert session.strategy == "greedy"


def test_what_one_model_wrote_is_not_anothers(model: Model) -> None:
    state, t = UsesState(), Translator("en")
    state.ready(model)
    state.start(model, "story", "the cat", t)
    task_run = finish(state, "story")
    assert task_run.model is model
    other = model_registry.request().result()
    assert not state.load_text(TextState(), other, "story")
    state.ready(other)
    assert state.run_for("story").work is None


def test_a_stopped_text_stays(model: Model) -> None:
    state = UsesState()
    state.start(model, "story", "the cat", Translator("en"))
    task_run = state.run_for("story").work
    while not task_run.continuation.token_ids:
        task_run.step()
    state.run_for("story").stop()
    assert task_run.continuation.stop == "person" and len(task_run.continuation.token_ids) == 1
    assert not task_run.step()


@pytest.mark.parametrize("family", ["gpt2", "mamba"])
def test_a_step_is_one_pass_at_most_and_a_stop_takes_effect_before_the_next(family: str, tmp_path: Path) -> None:
    model = load(tiny.build(family, tmp_path))
    with counted_passes(model) as passes:
        task_run = TaskRun(model, "Zebras run away, quickly: 龘龘龘龘龘龘龘龘龘龘", "the sky", one_line=False)
        assert not passes and len(task_run.ids) > CHUNK
        before = task_run.progress
        for reports in range(1, 8):
            assert task_run.step()
            assert len(passes) <= reports and before < task_run.progress < 1
            before = task_run.progress
        assert (max(passes) <= CHUNK) == (family == "gpt2")
        text, count = task_run.continuation.token_ids, len(passes)
        task_run.stop()
        assert not task_run.step() and task_run.progress == 1
        assert task_run.continuation.token_ids == text != () and len(passes) == count


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
@pytest.mark.parametrize(
    ("answer", "remarked"), [("这是我们说的话", "这们话"), ("玉山", ""), ("the sky", ""), ("説明書です、学校", "")]
)
def test_simplified_chinese_is_remarked_unless_the_visitor_wrote_it(language: str, answer: str, remarked: str) -> None:
    app, t = opened(language), Translator(language)
    model, state = model_registry.request().result(), state_of(app, UsesState)
    user_input = "说"
    app.text_input(key=f"uses dialogue {language}").set_value(user_input).run()
    state.start(model, "dialogue", user_input, t)
    run = state.run_for("dialogue")
    run.stop()
    ids = model.encode(answer)
    run.work.continuation = replace(run.work.continuation, token_ids=ids, log_probabilities=(-1.0,) * len(ids))
    app.run()
    assert not app.exception
    captions = [caption.value for caption in app.caption]
    assert (t("uses.simplified", characters=remarked) in captions) == bool(remarked)
    assert sum(caption.startswith(t("uses.simplified", characters="")[:6]) for caption in captions) == bool(remarked)


@given(
    answer=st.lists(st.integers(3, 250), min_size=1, max_size=4),
    stop=st.sampled_from([None, *get_args(StopReason)]),
    task=st.sampled_from(TASKS),
    language=st.sampled_from(["zh_Hant", "en"]),
)
def test_the_end_is_called_what_it_was(
    model: Model, answer: list[int], stop: StopReason | None, task: TaskName, language: str
) -> None:
    t = Translator(language)
    task_run = TaskRun(model, "the cat", "the cat", task in ONE_LINE)
    text = model.text(answer)
    task_run.line_ended = task in ONE_LINE and text.endswith("\n") and bool(text.strip())
    task_run.continuation = replace(
        task_run.continuation, token_ids=tuple(answer), log_probabilities=(-1.0,) * len(answer), stop=stop
    )
    status = prompt_view.data(prompt_parts(task, "x", t), task_run, model, False, t)["status"]
    assert bool(status) == task_run.done
    if status:
        assert_well_formed(status)
    name = which(status, "uses.stop", ("line", *get_args(StopReason)), language)[0] if status else None
    assert name == ("line" if task_run.line_ended else stop)


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_a_run_that_an_error_ended_is_not_said_to_be_stopped_by_the_visitor(
    model: Model, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    t, state = Translator(language), UsesState()
    state.start(model, "story", "the cat", t)
    run = state.run_for("story")
    run.go_on(0)

    def refuse(steps: int = 1) -> None:
        raise EngineError("limit_steps", "no more steps", seconds=9)

    monkeypatch.setattr(admission, "charge", refuse)
    assert not run.go_on(0)
    assert run.problem is not None and run.problem.code == "limit_steps"
    status = prompt_view.data(prompt_parts("story", "the cat", t), run.work, model, False, t)["status"]
    assert not {"you", "你"} & {*status.split(), *status}


@pytest.mark.parametrize("family", ["Ernie4_5Config", "Qwen3Config"])
def test_families_named_there_open_with_all_their_numbers(family: str, tmp_path: Path) -> None:
    """The families' architectures with random weights; GPT-2's and Qwen 2's are covered by the tests of the engine."""
    tokenizer = tiny.byte_level()
    shape = tiny.FAMILIES["qwen2"][1](tokenizer.get_vocab_size()).to_dict()
    shape.pop("layer_types", None)
    config = getattr(transformers, family)(**(shape | {"head_dim": 8, "model_type": None}))
    model = load(tiny.save(tmp_path, tokenizer, config), from_hub=False)
    ids = model.encode("the cat")
    reference = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="eager").eval()
    with torch.inference_mode():
        out = reference(torch.tensor([ids]), output_attentions=True)
    np.testing.assert_allclose(model.distribution(ids).logits, out.logits[0, -1].numpy(), atol=1e-4)
    np.testing.assert_allclose(model.attention(ids)[-1], out.attentions[-1][0].numpy(), atol=1e-5)


def test_a_model_with_an_encoder_is_refused_as_the_page_says(tmp_path: Path) -> None:
    tokenizer = tiny.byte_level()
    config = transformers.BartConfig(
        vocab_size=tokenizer.get_vocab_size(), d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_attention_heads=2, decoder_ffn_dim=16, max_position_embeddings=32,
    )  # fmt: skip
    transformers.BartForConditionalGeneration(config).save_pretrained(tmp_path)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(tmp_path)
    with pytest.raises(ModelError):
        load(tmp_path, from_hub=False)


@pytest.mark.parametrize("language", WRITTEN)
def test_a_chat_model_is_not_told_that_it_cannot_chat(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tiny_chat.build(tmp_path / "chat"))
    monkeypatch.setenv("ENGINE_MODELS", folder)
    t = Translator(language)
    for name, told in ((folder, "has_template"), (BUNDLED_NAME, "size")):
        app = visit("uses", language, session=TextState(prompt="the cat", model_name=name))
        assert not app.exception
        written = [element.value for element in app.markdown]
        assert (t("uses.dialogue.has_template") in written) == (told == "has_template")
        assert (t("uses.dialogue.size") in written) == (told == "size")
