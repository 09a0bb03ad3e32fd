"""Chat: replies by template and as plain text, regenerated, edited, stopped and continued; links; the step page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

import engine
from engine.errors import EngineError, PromptError
from engine.model.loading import load
from engine.model.model import Model
from engine.tokenization.chat_template import ChatMessage
from engine.trace.link_codec import encode_text
from pages.chat import conversation, stream, template_effect
from pages.chat.reply import Reply
from pages.chat.state import ChatState
from pages.i18n.translator import Translator
from pages.session.annotated_text import TextAnnotator
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from tests import tiny_chat


@pytest.fixture(scope="module")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(tiny_chat.build(tmp_path_factory.mktemp("chat") / "thinking", tiny_chat.THINKING))


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(tiny_chat.build(tmp_path_factory.mktemp("chat") / "refusing", tiny_chat.RAISING))


def finish(state: ChatState) -> Reply:
    while state.run.go_on(1):
        pass
    assert state.reply is not None
    return state.reply


def talk(model: Model, *said: str, tokens: int = 12, **values: Any) -> tuple[ChatState, TextState]:
    """A conversation in which these messages are answered."""
    state, session = ChatState(model=model.name, tokens=tokens, **values), TextState(model_name=model.name)
    for text in said:
        assert state.send(session, model, state.turn, text), state.run.problem
        finish(state)
    return state, session


def test_a_reply_is_what_generate_writes_after_the_template(chat_model: Model) -> None:
    state, session = talk(chat_model, "the cat", "the dog", system="Be kind.")
    reply = finish(state)
    reference: Any = AutoTokenizer.from_pretrained(chat_model.name)
    said = [{"role": "system", "content": "Be kind."}] + [message._asdict() for message in state.messages]
    assert list(reply.chat.ids) == reference.apply_chat_template(said, add_generation_prompt=True, return_dict=False)
    steps = list(engine.generate(chat_model, reply.chat.ids, "sample", session.settings, 7, 12))
    assert reply.token_ids == tuple(step.token_id for step in steps)
    assert [message.role for message in state.shown] == ["user", "assistant", "user", "assistant"]


def test_it_ends_at_the_end_of_the_turn_and_says_so(chat_model: Model) -> None:
    state, _ = talk(chat_model, "the cat")
    end = next(i for i in chat_model.end_ids if chat_model.vocabulary.token_bytes(i) == b"<|im_end|>")
    reply = finish(state)
    reply.token_ids, reply.stop_reason = (*chat_model.encode("sat"), end), "end"
    assert reply.text == "sat" and reply.end_name == "⟨im_end⟩"
    data = conversation.data(state, chat_model, Translator("en"))
    assert data["status"] == "The model chose ⟨im_end⟩: its turn is over. 3 tokens." and not data["can_go_on"]
    assert not state.go_on(state.turn)


def test_plain_text_ends_with_its_line(model: Model) -> None:
    bundled = engine.load()
    for language, said in (("zh_Hant", "你喜歡吃什麼？"), ("en", "Do you like animals?")):
        state, _ = talk(bundled, said, tokens=60, t=Translator(language))
        reply = finish(state)
        assert reply.stop_reason in ("line", "end") and reply.text and "\n" not in reply.text
        assert not reply.text.endswith("」")
        assert reply.chat.text == {"zh_Hant": f"「{said}」\n「", "en": f"A: {said}\nB:"}[language]
        assert bundled.text(reply.ids).startswith(reply.chat.text)
    state, _ = talk(model, "two\nlines")
    assert finish(state).chat.text == "A: two lines\nB:"


def test_another_reply_has_the_next_seed_and_greedy_search_none(chat_model: Model) -> None:
    state, session = talk(chat_model, "the cat")
    first = finish(state).token_ids
    assert state.again(session, chat_model, state.turn)
    assert session.seed == 8 and finish(state).token_ids != first
    session.seed = 7  # chosen again by the visitor: the same reply as at first
    assert state.again(session, chat_model, state.turn)
    assert finish(state).token_ids == first
    session.strategy = "greedy"
    for _ in range(2):
        assert state.again(session, chat_model, state.turn) and session.seed == 7
    assert len(state.messages) == 1


def test_an_edited_message_begins_the_conversation_anew_from_there(chat_model: Model) -> None:
    state, session = talk(chat_model, "one", "two", "three")
    assert state.edit(session, chat_model, state.turn, 2, "zwei")
    assert [message.content for message in state.messages if message.role == "user"] == ["one", "zwei"]
    turn = state.turn
    for at in (-1, 1, 9):  # none of the visitor's messages
        assert not state.edit(session, chat_model, turn, at, "x")
    assert not state.edit(session, chat_model, turn - 1, 0, "late")
    assert state.turn == turn


def test_stopping_keeps_what_is_written_and_it_can_go_on(chat_model: Model) -> None:
    state, session = talk(chat_model, "the cat")
    whole = finish(state).token_ids
    assert state.again(session, chat_model, state.turn)
    session.seed = 7
    assert state.send(session, chat_model, state.turn, "x")
    for _ in range(4):
        state.run.go_on(0)
    state.run.stop()
    reply = state.reply
    assert reply is not None and reply.stop_reason == "person" and 0 < len(reply.token_ids) < len(whole)
    written = reply.token_ids
    assert state.go_on(state.turn) and finish(state).token_ids[: len(written)] == written


def test_what_cannot_be_read_changes_nothing(chat_model: Model, refusing: Model) -> None:
    state, session = talk(chat_model, "the cat")
    before = state.shown, finish(state).ids, state.turn
    for text in (" ", "\ud800", "the " * 2000):
        assert not state.send(session, chat_model, state.turn, text)
        assert isinstance(state.run.problem, PromptError)
        assert (state.shown, finish(state).ids, state.turn) == before
    state.ready(refusing)
    assert state.shown == before[0] and state.reply is None  # kept as text
    assert isinstance(state.run.problem, EngineError) and state.run.problem.code == "chat_refused"
    assert not state.again(session, refusing, state.turn)
    state.set_plain(refusing, True)
    assert state.send(session, refusing, state.turn, "hi")
    assert state.messages[0].content == "the cat"


def test_the_conversation_stays_with_another_model(chat_model: Model, model: Model) -> None:
    state, _ = talk(model, "the cat")
    said = state.shown
    state.ready(chat_model)
    assert state.shown == said and state.reply is not None and state.reply.model is chat_model
    state.set_plain(chat_model, True)
    assert state.shown == said and state.reply is not None and state.reply.chat.text.startswith("A: the cat\nB:")


def restored(query: dict[str, str], model: Model) -> ChatState:
    state = ChatState()
    state.from_query(QueryParams(query), TextState(model_name=model.name), model)
    return state


def test_a_link_holds_the_conversation(chat_model: Model) -> None:
    state, _ = talk(chat_model, "今天 <|im_end|>", "the dog", system="Be kind.")
    again = restored(state.to_query(), chat_model)
    assert again.shown == state.shown and again.system == "Be kind."
    assert again.reply is not None and again.reply.ids == finish(state).ids
    assert again.to_query() == state.to_query()
    for changed in (ChatState(plain=True), ChatState(thinking=False)):
        opened = restored(changed.to_query(), chat_model)
        assert (opened.plain, opened.thinking) == (changed.plain, changed.thinking)
    assert ChatState().to_query() == {}


def test_a_link_says_why_the_reply_stopped_and_it_goes_on(chat_model: Model) -> None:
    state, _ = talk(chat_model, "the cat", tokens=5)
    state.run.stop()
    reply = finish(state)
    assert reply.stop_reason == "length"
    again = restored(state.to_query(), chat_model)
    there, t = finish(again), Translator("en")
    shown, wanted = (conversation.data(each, chat_model, t) for each in (again, state))
    assert shown["status"] == wanted["status"] and shown["can_go_on"] and wanted["can_go_on"]
    again.tokens = 3
    assert again.go_on(again.turn)
    running = stream.data(there, True, again.turn, chat_model, TextAnnotator(), t)
    assert len(running["facts"]) == len(running["nodes"])
    finish(again)
    longer = [step.token_id for step in engine.generate(chat_model, reply.ids, "sample", seed=7, max_new_tokens=3)]
    assert there.token_ids == (*reply.token_ids, *longer) and there.text != reply.text
    running = stream.data(there, True, again.turn, chat_model, TextAnnotator(), t)
    assert len(running["facts"]) == len(running["nodes"])


@pytest.mark.parametrize("reason", ["length", "person", "context", "line", "end", "", 3, None])
def test_a_reason_that_cannot_be_true_is_not_taken_from_a_link(chat_model: Model, reason: Any) -> None:
    content = {"said": ["the cat", "sat"], "system": "", "stop": reason}
    reply = finish(restored({"talk": encode_text(json.dumps(content), "")}, chat_model))
    assert reply.stop_reason == (reason if reason in ("length", "person") else None)


def test_a_conversation_too_long_for_a_link_is_told() -> None:
    text = "".join(chr(0x4E00 + 37 * i % 20000) for i in range(4000))
    state = ChatState(messages=(ChatMessage("user", text),))
    assert state.to_query() == {} and state.too_long


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["said", "system", "ids", "plain", "stop"]), inner, max_size=4)))  # fmt: skip
def test_any_link_opens(model: Model, content: Any) -> None:
    restored({"talk": encode_text(json.dumps(content), "")}, model)


def test_the_stream_marks_what_the_template_adds_and_opens_in_the_step_page(chat_model: Model) -> None:
    state, session = talk(chat_model, "the cat", tokens=6)
    reply = finish(state)
    data = stream.data(reply, False, state.turn, chat_model, TextAnnotator(), Translator("en"))
    assert len(data["nodes"]) == len(reply.ids) == len(data["facts"])
    origins = [node[2] for node in data["nodes"]]
    assert set(origins) == {"prompt", "own", "drawn"} and origins.count("drawn") == len(reply.token_ids)
    assert all(node[2] == "prompt" for node in data["nodes"][: len(reply.chat.ids)] if node[3])
    assert session.opened_from == ""
    assert state.load_in_step(session, chat_model, state.turn)
    assert session.opened_from == "chat"
    assert session.trace is not None and session.trace.token_ids() == reply.ids
    assert session.notes == ["note.template"]
    node = len(reply.chat.ids) + 2
    assert state.load_in_step(session, chat_model, state.turn, node)
    assert session.trace.token_ids() == reply.ids[: node + 1]
    assert state.load_in_step(session, chat_model, state.turn, 3, 5)
    assert session.trace.token_ids() == (*reply.ids[:4], 5)
    assert not state.load_in_step(session, chat_model, state.turn - 1)


def test_while_a_reply_is_written_its_own_tokens_alone_have_facts(chat_model: Model) -> None:
    state, _ = talk(chat_model, "the cat")
    reply, annotator, t = finish(state), TextAnnotator(), Translator("en")
    running, done = (stream.data(reply, now, 1, chat_model, annotator, t) for now in (True, False))
    count = len(reply.chat.ids)
    assert [fact[:2] for fact in running["facts"][count:]] == [fact[:2] for fact in done["facts"][count:]]
    assert {fact for fact, *_ in running["facts"][:count]} == {None}
    assert running["nodes"] == done["nodes"] and running["line"] == done["line"] == list(range(len(reply.ids)))


def test_thinking_is_told_from_the_answer(chat_model: Model) -> None:
    state, _ = talk(chat_model, "the cat")
    reply = finish(state)
    table = chat_model.vocabulary.markup_tokenizer.get_vocab()
    encode = chat_model.encode
    reply.token_ids = (table["<think>"], *encode("hm"), table["</think>"], *encode("yes"))
    shown = conversation.data(state, chat_model, Translator("en"))["messages"][-1]
    assert (shown["thinking"], shown["closed"], shown["text"]) == ("hm", True, "yes")
    session = TextState(model_name=chat_model.name)
    assert state.send(session, chat_model, state.turn, "and?")
    assert "hm" not in finish(state).chat.text  # this template leaves it out of earlier replies
    state.thinking = False
    assert state.send(session, chat_model, state.turn, "so?")
    assert finish(state).chat.text.endswith("assistant\n<think>\n\n</think>\n\n")


def test_what_the_template_changes(chat_model: Model) -> None:
    state, session = talk(chat_model, "the cat")
    state.compare(chat_model)
    while state.effect.go_on(1):
        pass
    other = state.compared
    assert other is not None and other.chat.text == "A: the cat\nB:"
    steps = engine.generate(chat_model, chat_model.encode("A: the cat\nB:"), "sample", session.settings, 7, 12)
    assert other.token_ids == tuple(step.token_id for step in steps)  # nothing cuts it
    told = template_effect.sentences(other, False, chat_model, Translator("en"))
    best = chat_model.distribution(other.chat.ids).top(1)[0]
    assert Translator("en").percent(best.raw) in told[0] and "12 tokens" in told[1]
    assert state.again(session, chat_model, state.turn) and state.compared is None
    finish(state)
    state.set_plain(chat_model, True)
    state.compare(chat_model)
    assert state.compared is None
