"""Language of the ready prompts: Chinese for models that know it, in the characters that they know, else English."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from engine.bundled import BUNDLED_NAME
from engine.serving import catalog, model_registry
from pages.i18n.translator import WRITTEN, Translator, sentences
from pages.quiz.state import QuizState
from pages.session.text_state import TextState
from pages.shell.example_language import knows_chinese, knows_simplified
from pages.shell.question_texts import texts
from pages.training.state import TrainingState
from tests import tiny
from tests.pages.visit import state_of, visit


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_tokenizer_that_takes_characters_apart_was_not_made_from_chinese(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tiny.build(family, tmp_path / family))
    monkeypatch.setenv("ENGINE_MODELS", folder)
    model = model_registry.request(folder).result()
    sample = "".join(Translator("zh_Hant").list("step.examples.list"))
    assert len(model.encode(sample)) > 1.5 * len(sample) and not knows_chinese(model)
    english = Translator("en")
    for page, prefix, key in (
        ("step", "example", "step.examples.list"),
        ("chat", "chat example", "chat.examples"),
        ("limits", "limits example sequential", "limits.sequential.examples"),
    ):
        app = visit(page, "zh_Hant", session=TextState(model_name=folder, fallback_model=BUNDLED_NAME))
        labels = [button.label for button in app.button if str(button.key).startswith(prefix)]
        assert labels[: len(english.list(key))] == english.list(key), page


def test_the_bundled_model_knows_chinese() -> None:
    assert knows_chinese(model_registry.request().result())
    labels = [button.label for button in visit("step", "zh_Hant").button]
    assert Translator("zh_Hant").list("step.examples.list")[0] in labels


def test_the_catalog_says_it_of_its_models() -> None:
    known = {model.title: any(code.startswith("zh") for code in model.languages) for model in catalog.models()}
    assert known["Qwen2.5-0.5B"] and not known["SmolLM2-135M"]


def made_from(language: str, folder: Path) -> str:
    """Folder of an untrained model whose tokenizer was made from the app's own texts of a language."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4000, special_tokens=[tiny.END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(map(str, sentences(language).values()), trainer)
    config = tiny.FAMILIES["qwen2"][1](tokenizer.get_vocab_size())
    return str(tiny.save(folder / language, tokenizer, config, tiny.END))


PLACES = (
    ("step", "example ", "step.examples.list"),
    ("chat", "chat example", "chat.examples"),
    ("limits", "limits example sequential", "limits.sequential.examples"),
    ("uses", "uses example dialogue", "uses.dialogue.inputs"),
    ("compare", "compare example", "step.examples.list"),
    ("training", "training example", ""),
    ("quiz", "", ""),
)


@pytest.mark.parametrize("known", ["zh_Hant", "zh_Hans"])
def test_a_simplified_page_offers_prompts_in_the_characters_that_the_model_knows(
    known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made_from(known, tmp_path)
    monkeypatch.setenv("ENGINE_MODELS", folder)
    model = model_registry.request(folder).result()
    assert knows_chinese(model) and knows_simplified(model) == (known == "zh_Hans")
    prompts, page_words = Translator(known), Translator("zh_Hans")
    for page, prefix, key in PLACES:
        app = visit(page, "zh_Hans", session=TextState(model_name=folder, fallback_model=BUNDLED_NAME))
        assert not app.exception
        told = [caption.value for caption in app.caption]
        assert (page_words("prompts.traditional") in told) == (known == "zh_Hant" and page != "training"), page
        if key:
            labels = [button.label for button in app.button if str(button.key).startswith(prefix)]
            assert labels[: len(prompts.list(key))] == prompts.list(key), page
        elif page == "quiz":
            assert state_of(app, QuizState).language == known
        else:
            assert state_of(app, TrainingState).text == prompts.list("training.examples.texts")[0]


def test_with_the_bundled_model_a_simplified_page_is_as_its_tokenizer_and_its_probabilities_say() -> None:
    """Both agree whether it knows Simplified text; so does the sentence that is shown."""
    model = model_registry.request().result()

    def nats_per_character(language: str) -> float:
        scores = [model.score(model.encode(text)).log_probabilities for text in texts(language)[:20]]
        return -sum(log for logs in scores for log in logs if log is not None) / sum(map(len, texts(language)[:20]))

    far_worse = nats_per_character("zh_Hans") > 1.5 * nats_per_character("zh_Hant")
    assert knows_simplified(model) == (not far_worse)
    app = visit("step", "zh_Hans")
    told = [caption.value for caption in app.caption]
    assert (Translator("zh_Hans")("prompts.traditional") in told) == far_worse
    labels = [button.label for button in visit("tokens", "zh_Hans").button]
    first, words = Translator("zh_Hant" if far_worse else "zh_Hans").list("cut.examples.texts")[0], "表情符号"
    assert first in labels and words in labels, "a name is in the language of the page, a text in that of the prompts"


def test_the_other_languages_say_nothing_of_it() -> None:
    for language in WRITTEN:
        told = [caption.value for caption in visit("step", language).caption]
        assert Translator(language)("prompts.traditional") not in told
