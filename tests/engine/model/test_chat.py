"""Conversations with a loaded model: its template, its end-of-turn token, the parts of its replies."""

from __future__ import annotations

import pytest

from engine.errors import EngineError, PromptError
from engine.model.chat import ReplyParts, read_chat, read_plain, reply_parts, reply_text
from engine.model.loading import load
from engine.model.model import MAX_CHARACTERS, Model
from engine.tokenization.chat_template import ChatMessage
from tests import tiny_chat


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(tiny_chat.build(tmp_path_factory.mktemp("chat") / "thinking", tiny_chat.THINKING))


def user(text: str) -> list[ChatMessage]:
    return [ChatMessage("user", text)]


def test_the_loader_reads_the_template_and_the_end_of_a_turn(chat_model: Model, model: Model) -> None:
    assert chat_model.chat_template is not None and model.chat_template is None
    names = {chat_model.vocabulary.token_bytes(i) for i in chat_model.end_ids}
    assert names == {b"<|endoftext|>", b"<|im_end|>"}


def test_a_conversation_is_read_and_checked(chat_model: Model, model: Model) -> None:
    chat = read_chat(chat_model, user("the cat"))
    assert chat.text == "<|im_start|>user\nthe cat<|im_end|>\n<|im_start|>assistant\n"
    assert chat_model.records(chat.ids)
    for text, code in ((" \n", "empty"), ("\ud800", "surrogate"), ("the " * 3000, "context"),
                       ("a" * (MAX_CHARACTERS + 1), "characters")):  # fmt: skip
        with pytest.raises(PromptError) as caught:
            read_chat(chat_model, user(text))
        assert caught.value.code == code
    with pytest.raises(EngineError) as missing:
        read_chat(model, user("the cat"))
    assert missing.value.code == "chat_template"


def test_a_conversation_as_plain_text(model: Model) -> None:
    messages = [ChatMessage("user", "the cat"), ChatMessage("assistant", "sat"), ChatMessage("user", "the dog")]
    chat = read_plain(model, "A: the cat\nB: sat\nA: the dog\nB:", messages)
    assert chat.ids == model.encode(chat.text)
    own = "".join(piece for piece, is_own in zip(model.pieces(chat.ids), chat.own, strict=True) if is_own)
    assert "the␣dog" in own and "A" not in own


def test_thinking_marks_are_text_of_a_reply_also_where_they_are_special(chat_model: Model) -> None:
    table = chat_model.vocabulary.markup_tokenizer.get_vocab()
    ids = [table[name] for name in ("<think>", "</think>", "<|im_end|>")]
    text = reply_text(chat_model, [ids[0], *chat_model.encode("the cat"), ids[1], *chat_model.encode("yes"), ids[2]])
    assert text == "<think>the cat</think>yes"


@pytest.mark.parametrize(
    ("text", "before", "parts"),
    [
        ("Yes.", "", ReplyParts(None, True, "Yes.")),
        ("<think>\nhm", "", ReplyParts("hm", False, "")),
        ("<think>\n\n</think>\n\nYes.", "", ReplyParts("", True, "Yes.")),
        ("hm\n</think>\nYes.", "assistant\n<think>\n", ReplyParts("hm", True, "Yes.")),
        ("Write <think> here", "", ReplyParts(None, True, "Write <think> here")),
    ],
)
def test_parts_of_a_reply(text: str, before: str, parts: ReplyParts) -> None:
    assert reply_parts(text, before) == parts
