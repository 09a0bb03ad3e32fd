"""Chat with a server that only chats: who replies, the tokens, errors that lose nothing, links, and the other pages."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from streamlit.testing.v1 import AppTest

from engine.bundled import BUNDLED_NAME
from engine.serving import chat_servers, config, endpoint_usage, model_registry
from engine.tokenization.chat_template import ChatMessage
from engine.trace.link_codec import encode_text
from pages.chat import conversation, server_tokens
from pages.chat.server_reply import ServerReply
from pages.chat.state import ChatState
from pages.i18n.translator import WRITTEN, Translator, sentences
from pages.models.state import ModelsState
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.shell.address import AddressState
from pages.side_by_side.state import candidates
from tests.endpoint_server import Answer, Answering, Served, chat_only, entry, serve, streamed
from tests.pages.visit import component_data, follow_link, state_of, visit

SECRET = "sk-very-secret"
T = Translator("en")
HALVES = ["氣".encode()[:1], "氣".encode()[1:]]
TOP = {"好": -0.5, "熱": -1.5, "冷": -3.0, "大": -4.0, "小": -5.0}
REPLY = [
    entry("\ufffd", -0.2, {}, HALVES[0]) | {"top_logprobs": [{"token": "\ufffd", "logprob": -0.2, "bytes": [0xE6]}]},
    entry("氣", -0.1, {}, HALVES[1]) | {"top_logprobs": [{"token": "", "logprob": -0.1, "bytes": list(HALVES[1])}]},
    entry("好", -0.5, TOP),
]
GOOD = Answer(streamed(REPLY, said=["", "氣", "好"]))


@contextmanager
def host(monkeypatch: pytest.MonkeyPatch, name: str, answering: Answering, **more: object) -> Iterator[Served]:
    """A host with one server, which is known to chat alone once this begins."""
    monkeypatch.setenv("CHAT_KEY", SECRET)
    with serve(answering) as served:
        entry = {"name": name, "url": served.url, "key": "CHAT_KEY", "timeout": 1} | more
        monkeypatch.setenv("ENGINE_ENDPOINTS", json.dumps([entry]))
        deadline = time.monotonic() + 10
        while chat_servers.known(f"endpoint:{name}") == "asking" and time.monotonic() < deadline:
            time.sleep(0.01)
        yield served


def opened(name: str, language: str = "en") -> AppTest:
    """The chat page with this server chosen."""
    app = visit("chat", language)
    app.segmented_control(key="chat_server").set_value(f"endpoint:{name}").run()
    assert not app.exception and state_of(app, ChatState).server == f"endpoint:{name}"
    return app


def say(app: AppTest, at: int = 0) -> ChatState:
    app.button(key=f"chat example {Translator(app.session_state['lang']).list('chat.examples')[at]}").click().run()
    assert not app.exception
    return state_of(app, ChatState)


def told(app: AppTest) -> list[str]:
    assert not app.exception
    return [box.value for box in (*app.caption, *app.error, *app.warning, *app.info)]


def components(app: AppTest, name: str) -> list[object]:
    found = [each.proto for each in app.get("bidi_component") if each.proto.id.endswith(f"-{name}")]
    return [component_data(proto) for proto in found]


@pytest.mark.parametrize("language", WRITTEN)
def test_two_turns_with_a_server(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    t, name = Translator(language), f"two{language[:2]}"
    with host(monkeypatch, name, chat_only(lambda body: GOOD)) as served:
        app = opened(name, language)
        assert t("chat.server.cannot", name=name) in told(app)
        state = say(app)
        reply = state.answer
        assert isinstance(reply, ServerReply) and state.reply is None and reply.text == "氣好"
        sent = [body for path, body in served.asked if body.get("stream")][-1]
        settings = state_of(app, TextState).settings
        assert sent["temperature"] == settings.temperature and sent["seed"] == state_of(app, TextState).seed
        values = {"temperature": f"{settings.temperature:g}", "top_p": f"{settings.top_p:g}", "most": state.tokens}
        assert t("chat.server.sent", seed=sent["seed"], **values) in told(app)
        [data] = components(app, "server_tokens")
        first, second, last = data["tokens"]  # type: ignore[index]
        assert [first["label"], second["label"], last["label"]] == ["氣 1/3", "氣 2–3/3", "好"]
        assert last["at"] == 0 and [text for text, _ in last["others"]] == list(TOP)
        assert last["rest"] == pytest.approx(1 - sum(math.exp(value) for value in TOP.values()))
        shares = [*(math.exp(value) for value in TOP.values()), last["rest"]]
        bound = -sum(p * math.log(p) for p in shares)
        assert last["nats"] == t.number(bound, 2) and last["choices"] == t.number(math.exp(bound))
        assert t("chat.server.fewer", asked=5, got=1) in told(app), "two of the tokens have one alternative each"
        state = say(app, 1)
        assert [message.role for message in state.shown] == ["user", "assistant"] * 2
        sent = [body for path, body in served.asked if body.get("stream")][-1]
        assert [m["content"] for m in sent["messages"]] == [m.content for m in state.shown[:-1]]
        used = endpoint_usage.today()[name]
        assert used.new_tokens == 6 and used.requests == len(served.asked)
        data = conversation.data(state, model_registry.request().result(), t)
        assert not data["can_go_on"] and t("chat.stopped_server.end") in data["status"]
        app.button(key="chat_server_local").click().run()
        assert not app.exception and state.server == "" and state.reply is not None and state.reply.text == "氣好"
        assert [message.content for message in state.shown][:2] == [m["content"] for m in sent["messages"][:2]]
        app.segmented_control(key="chat_server").set_value(f"endpoint:{name}").run()
        assert len(components(app, "server_tokens")) == 1, "what the server reported is still there"
        assert isinstance(state.answer, ServerReply) and not state.answer.is_given and state.answer.done


def test_again_and_edit_work_as_with_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    with host(monkeypatch, "actions", chat_only(lambda body: GOOD)) as served:
        app = opened("actions")
        state, session = say(app), state_of(app, TextState)
        model = model_registry.request().result()
        seed = session.seed
        assert state.again(session, model, state.turn) and session.seed == seed + 1
        while state.run.go_on(0.1):
            pass
        assert state.edit(session, model, state.turn, 0, "something else")
        while state.run.go_on(0.1):
            pass
        assert state.shown == [ChatMessage("user", "something else"), ChatMessage("assistant", "氣好")]
        assert not state.go_on(state.turn), "a server continues no given text"
        assert not state.load_in_step(session, model, state.turn)
        seeds = [body["seed"] for path, body in served.asked if body.get("stream")]
        assert seeds == [seed, seed + 1, seed + 1]


def test_stop_keeps_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Answer(streamed([REPLY[2]] * 400), drip=True, pause=0.0003)
    with host(monkeypatch, "stopping", chat_only(lambda body: slow), timeout=30):
        state, session = ChatState(server="endpoint:stopping"), TextState()
        model = model_registry.request().result()
        assert state.send(session, model, 0, "hello")
        while not (state.answer and state.answer.text):
            assert state.run.go_on(0.05)
        state.run.stop()
        reply = state.answer
        assert isinstance(reply, ServerReply) and reply.stop_reason == "person" and not state.run.running
        assert set(reply.text) == {"好"} and len(reply.text) < 400
        assert state.send(session, model, state.turn, "more") and len(state.shown) == 4
        state.run.stop()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(b"<html>no"), "remote_garbage"),
        (Answer(streamed([entry("Hi", float("nan"), {"Hi": float("nan")})])), "remote_garbage"),
        (Answer(GOOD.content, pause=3.0), "remote_slow"),
        (Answer(b"data: " + b"x" * 4_000_000), "remote_large"),
        (Answer(status=307, headers={"Location": "http://127.0.0.2/"}), "remote_redirect"),
        (Answer({"error": {"message": f"bad key {SECRET}"}}, 401), "remote_key"),
        (Answer({"error": {"message": "x", "code": "content_filter"}}, 400), "remote_filter"),
        (Answer({"error": {"message": "x", "code": "context_length_exceeded"}}, 400), "remote_long"),
        (Answer(GOOD.content, cut=True), "remote_broken"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_is_one_sentence_and_loses_nothing(answer: Answer, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [GOOD, answer]
    name = "bad" + code.replace("_", "")
    with host(monkeypatch, name, chat_only(lambda body: answers.pop(0))):
        app = opened(name)
        before = say(app).shown
        state = say(app, 1)
        [error] = [box.value for box in (*app.error, *app.warning)]
        assert error == T(f"error.{code}", name=name, seconds=1) and SECRET not in error
        assert state.shown[:3] == [*before, ChatMessage("user", T.list("chat.examples")[1])]
        assert isinstance(state.answer, ServerReply) and state.answer.stop_reason == "broken"
        assert code != "remote_broken" or "氣" in state.answer.text or state.answer.text == ""
        answers.append(GOOD)
        assert state.again(state_of(app, TextState), model_registry.request().result(), state.turn)
        while state.run.go_on(0.1):
            pass
        assert state.run.problem is None and state.shown[-1].content == "氣好"


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (streamed([]), "chat.stopped_server.empty"),
        (streamed([REPLY[2]], "content_filter"), "chat.stopped_server.filter"),
        (streamed([], "content_filter"), "chat.stopped_server.filter"),
        (streamed([REPLY[2]], "length"), "chat.stopped_server.length"),
        (streamed([REPLY[2]], "tool_calls"), "chat.stopped_server.other"),
    ],
)
def test_how_a_reply_ends(content: bytes, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"ends{abs(hash(content))}"
    with host(monkeypatch, name, chat_only(lambda body: Answer(content))):
        app = opened(name)
        state = say(app)
        assert not app.error and state.run.problem is None
        status = conversation.data(state, model_registry.request().result(), T)["status"]
        assert status.startswith(T(key))


def test_a_reply_without_log_probabilities_keeps_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = b'data: {"choices": [{"delta": {"content": "Hi."}, "logprobs": null, "finish_reason": "stop"}]}\n\n'
    with host(monkeypatch, "bare", chat_only(lambda body: Answer(bare))):
        app = opened("bare")
        assert say(app).shown[-1].content == "Hi."
        assert T("chat.server.no_logprobs") in told(app) and not app.error


def test_tokens_that_are_not_reported_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = streamed(REPLY).replace(b'"completion_tokens": 3', b'"completion_tokens": 9')
    with host(monkeypatch, "hiding", chat_only(lambda body: Answer(counted))):
        app = opened("hiding")
        say(app)
        assert T("chat.server.unreported", written=9, reported=3) in told(app)


def test_the_bounds_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    with host(monkeypatch, "chatbound", chat_only(lambda body: GOOD), requests_per_visitor=1) as served:
        app = opened("chatbound")
        before = say(app).shown
        state = say(app, 1)
        assert T("error.limit_requests", name="chatbound", most=1) in told(app) and state.shown == before
        assert len([body for _, body in served.asked if body.get("stream")]) == 1
        assert set(served.keys) == {f"Bearer {SECRET}"}
        shown = config.as_text(config.load_config()) + repr(state_of(app, AddressState).written) + repr(state)
        assert SECRET not in shown


def test_a_link_has_the_texts_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with host(monkeypatch, "linked", chat_only(lambda body: GOOD)) as served:
        app = opened("linked")
        said = say(app).shown
        assert T("chat.server.link") in told(app)
        query = dict(state_of(app, AddressState).written or {})
        assert served.url not in json.dumps(query) and SECRET not in json.dumps(query)
        count = len(served.asked)
        again = follow_link(query, "chat")
        state = state_of(again, ChatState)
        assert state.shown == said and state.server == "endpoint:linked" and len(served.asked) == count
        assert T("chat.server.given") in told(again) and not again.error
        assert dict(state_of(again, AddressState).written or {})["talk"] == query["talk"]
    monkeypatch.setenv("ENGINE_ENDPOINTS", "")
    elsewhere = follow_link(query, "chat")
    state = state_of(elsewhere, ChatState)
    assert state.shown == said and state.server == "" and state.reply is not None
    assert T("chat.server.lost", name="linked") in told(elsewhere)


@pytest.mark.parametrize("by", [5, None, ["x"], {}])
def test_a_link_with_a_server_that_is_no_name(by: object) -> None:
    app = follow_link({"talk": encode_text(json.dumps({"said": ["a", "b"], "by": by}), ""), "lang": "en"}, "chat")
    assert not app.exception and state_of(app, ChatState).shown == []


def test_it_is_in_no_picker_of_the_other_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    with host(monkeypatch, "nowhere", chat_only(lambda body: GOOD)):
        assert "endpoint:nowhere" not in candidates(BUNDLED_NAME)
        app = visit("models", "en")
        assert T("models.chat_only", names="nowhere") in told(app)
        assert "load endpoint:nowhere" not in [button.key for button in app.button]
        assert T("models.to_chat") in [str(link.proto.label) for link in app.get("page_link")]
        forced = visit("step", "en", session=TextState(model_name="endpoint:nowhere"))
        assert state_of(forced, TextState).model_name == BUNDLED_NAME
        assert T("error.remote_chat_only", name="nowhere") in told(forced)


def test_a_server_that_cannot_be_reached_can_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    down = [True]

    def answering(path: str, body: dict[str, object]) -> Answer:
        return Answer(b"", 500) if down[0] else chat_only(lambda body: GOOD)(path, body)

    with host(monkeypatch, "down", answering):
        assert chat_servers.known("endpoint:down") == "failed"
        app = opened("down")
        assert T("error.remote_status", name="down", status=500) in told(app)
        [data] = components(app, "conversation")
        assert data["disabled"] and T("chat.server.cannot", name="down") not in told(app)  # type: ignore[index]
        down[0] = False
        app.button(key="chat_server_again").click().run()
        assert not app.error and chat_servers.is_chat_only("endpoint:down")
        assert say(app).shown[-1].content == "氣好"
        app = visit("models", "en")
        assert state_of(app, ModelsState).problem is None


def test_without_servers_there_is_no_choice() -> None:
    app = visit("chat", "en")
    assert "chat_server" not in [group.key for group in app.segmented_control]
    app.switch_page(navigation.path("models")).run()
    assert not app.exception


def test_words_that_are_put_together_exist() -> None:
    for language in WRITTEN:
        known = set(sentences(language))
        used = {f"chat.server_label.{name}" for name in server_tokens._LABELS}
        stops = ("end", "length", "person", "filter", "empty", "broken", "other")
        used |= {f"chat.stopped_server.{name}" for name in stops}
        used |= {f"error.remote_{name}" for name in ("broken", "filter", "long", "chat_only")}
        assert used <= known
        assert {key for key in known if key.startswith(("chat.server_label.", "chat.stopped_server."))} <= used
