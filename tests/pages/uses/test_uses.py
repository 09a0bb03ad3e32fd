"""The uses page: prompts put together from their parts, run with the model and taken along; what it says of models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from streamlit.testing.v1 import AppTest

import engine
from engine.errors import ModelError
from engine.model.loading import load
from engine.model.model import Model
from engine.serving import model_registry
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.uses import prompt_view
from pages.uses.state import ONE_LINE, TASKS, TaskName, TaskRun, UsesState, parts
from tests import tiny
from tests.pages.visit import state_of, visit

KINDS = {"instruction", "example", "input", "cue"}


def opened(language: str) -> AppTest:
    return visit("uses", language)


def run(using: UsesState, task: TaskName) -> TaskRun:
    while using.trial(task).go_on(1):
        pass
    writing = using.trial(task).work
    assert isinstance(writing, TaskRun)
    return writing


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
@pytest.mark.parametrize("task", TASKS)
def test_a_prompt_is_its_parts_with_the_words_filled_in(language: str, task: TaskName) -> None:
    t = Translator(language)
    made = parts(task, "{x} 氣", t)
    assert {part.kind for part in made} <= KINDS
    assert sum("{x} 氣" in part.text for part in made) == 1
    assert next(part.kind for part in made if "{x} 氣" in part.text) == "input"
    assert len(t.list(f"uses.{task}.kinds")) == len(t.list(f"uses.{task}.parts"))


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_each_task_writes_what_greedy_search_writes(language: str) -> None:
    model, using, t = model_registry.request().result(), UsesState(), Translator(language)
    using.ready(model)
    for task in TASKS:
        asked = t.list(f"uses.{task}.inputs")[0]
        using.run(model, task, asked, t)
        writing = run(using, task)
        prompt = "".join(part.text for part in parts(task, asked, t))
        assert writing.ids == model.encode(prompt)
        steps = list(engine.generate(model, writing.ids, "greedy", max_new_tokens=60))
        assert writing.written.token_ids == tuple(step.token_id for step in steps)[: len(writing.written.token_ids)]
        assert writing.line or len(steps) == len(writing.written.token_ids)
        if writing.line:
            assert task in ONE_LINE
            assert model.text(writing.written.token_ids).count("\n") == 1
        shown = prompt_view.data(parts(task, asked, t), writing, model, False, t)
        assert shown["status"] and len(shown["chips"]) >= 1


@pytest.mark.parametrize(
    ("language", "task", "answer"),
    [("zh_Hant", "translation", "我喜歡狗。"), ("zh_Hant", "questions", "玉山。"), ("en", "questions", "Tokyo"),
     ("en", "translation", "I like dogs."), ("en", "code", "return a + b"), ("zh_Hant", "code", "return a + b")],
)  # fmt: skip
def test_the_first_given_words_show_what_the_bundled_model_can(language: str, task: TaskName, answer: str) -> None:
    model, using, t = model_registry.request().result(), UsesState(), Translator(language)
    using.run(model, task, t.list(f"uses.{task}.inputs")[0], t)
    assert answer in model.text(run(using, task).written.token_ids)


@pytest.mark.parametrize("asked", ["", "  ", "一", "😀", "字" * 300, "今天天氣真好。" * 400], ids=range(6))
def test_any_words_are_taken_or_refused_kindly(asked: str) -> None:
    app = opened("zh_Hant")
    app.text_input(key="uses dialogue zh_Hant").set_value(asked).run()
    app.button(key="uses_run").click().run()
    assert not app.exception
    assert bool(app.error) == (not asked.strip() or len(asked) > 1000)
    assert app.text_input(key="uses dialogue zh_Hant").value == asked


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
    assert isinstance(session, TextState) and session.trace is not None
    model = model_registry.request().result()
    text = model.text(session.trace.token_ids())
    assert text.startswith("".join(p.text for p in parts("translation", t.list("uses.translation.inputs")[0], t)))
    assert session.strategy == "greedy"


def test_what_one_model_wrote_is_not_anothers(model: Model) -> None:
    using, t = UsesState(), Translator("en")
    using.ready(model)
    using.run(model, "story", "the cat", t)
    writing = run(using, "story")
    assert writing.model is model
    other = model_registry.request().result()
    assert not using.take(TextState(), other, "story")
    using.ready(other)
    assert using.trial("story").work is None


def test_a_stopped_text_stays(model: Model) -> None:
    using = UsesState()
    using.run(model, "story", "the cat", Translator("en"))
    writing = using.trial("story").work
    writing.step()
    using.trial("story").stop()
    assert writing.written.stop == "person" and len(writing.written.token_ids) == 1
    assert not writing.step()


@pytest.mark.parametrize("family", ["Ernie4_5Config", "Qwen3Config"])
def test_families_named_there_open_with_all_their_numbers(family: str, tmp_path: Path) -> None:
    """Their architectures, with random weights; GPT-2's and Qwen 2's stand in every test of the engine."""
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
