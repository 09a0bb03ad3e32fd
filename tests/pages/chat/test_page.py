"""Chat page as a whole: examples, settings, the step page, a demo, links, templates that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine.serving import model_registry
from pages.chat import conversation
from pages.chat.state import ChatState
from pages.i18n.translator import WRITTEN, Translator, sentences
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.shell.address import AddressState
from tests import tiny_chat
from tests.pages.visit import follow_link, state_of, visit


def say(app: AppTest, at: int = 0) -> ChatState:
    """Click an example, after which the page runs to the end of the reply."""
    app.button(key=f"chat example {Translator(language_of(app)).list('chat.examples')[at]}").click().run()
    assert not app.exception
    return state_of(app, ChatState)


def links(app: AppTest) -> list[str]:
    """Labels of the links to pages."""
    return [str(link.proto.label) for link in app.get("page_link")]


def language_of(app: AppTest) -> str:
    return str(app.session_state["lang"])


@pytest.mark.parametrize("language", WRITTEN)
def test_the_bundled_model_answers_every_example(language: str) -> None:
    app, t = visit("chat", language), Translator(language)
    assert t("chat.base") in [caption.value for caption in app.caption]
    for at in range(len(t.list("chat.examples"))):
        state = say(app, at)
        assert not app.error and not state.run.running
        assert state.reply is not None and state.reply.text
    assert len(state.shown) == 2 * len(t.list("chat.examples"))
    app.button(key="chat_take").click().run()
    session = state_of(app, TextState)
    assert session.trace is not None and state.reply is not None and session.trace.token_ids() == state.reply.ids
    assert session.notes == []
    app.switch_page(navigation.path(navigation.STEP)).run()
    assert t("step.back_to_chat") in links(app)
    app.button(key=f"example {t.list('step.examples.list')[0]}").click().run()
    assert t("step.back_to_chat") not in links(app)


def test_a_reload_shows_the_same_conversation() -> None:
    app = visit("chat", "en")
    state = say(app)
    query = dict(state_of(app, AddressState).written or {})
    again = follow_link(query, "chat")
    assert not again.exception and not again.error and not again.warning
    restored = state_of(again, ChatState)
    assert restored.shown == state.shown
    assert restored.reply is not None and state.reply is not None and restored.reply.ids == state.reply.ids


def test_a_demo_says_its_examples_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    app = visit("chat", "en")
    state = say(app)
    assert not app.error and state.reply is not None
    data = conversation.data(state, model_registry.request().result(), Translator("en"))
    assert data["disabled"] and app.text_input(key="chat_system").disabled
    query = dict(state_of(app, AddressState).written or {})
    monkeypatch.delenv("ENGINE_DEMO")
    own = visit("chat", "en")
    typed = state_of(own, ChatState)
    assert typed.send(TextState(), model_registry.request().result(), typed.turn, "a message of my own")
    monkeypatch.setenv("ENGINE_DEMO", "1")
    opened = follow_link(query | {"talk": typed.to_query()["talk"]}, "chat")
    assert not opened.exception and state_of(opened, ChatState).messages == ()


def test_a_chat_model_uses_its_template_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tiny_chat.build(tmp_path / "chatml"))
    monkeypatch.setenv("ENGINE_MODELS", folder)
    app = visit("chat", "en", session=TextState(model_name=folder))
    state = say(app)
    assert state.reply is not None and state.reply.chat.text.startswith("<|im_start|>system\nBe helpful.")
    app.button(key="chat_compare").click().run()
    assert not app.exception and state.compared is not None and state.compared.done
    assert [toggle.key for toggle in app.toggle] == ["chat_plain"]  # this template leaves no choice about thinking
    app.text_input(key="chat_system").set_value("Be kind.").run()
    said = state.shown
    app.toggle(key="chat_plain").set_value(True).run()
    assert not app.exception and state.reply.chat.text.startswith("Be kind.\n\nA: ") and state.shown == said


def test_thinking_is_a_choice_where_the_template_leaves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tiny_chat.build(tmp_path / "thinking", tiny_chat.THINKING))
    monkeypatch.setenv("ENGINE_MODELS", folder)
    app = visit("chat", "en", session=TextState(model_name=folder))
    app.toggle(key="chat_thinking").set_value(False).run()
    state = say(app)
    assert state.reply is not None and state.reply.chat.text.endswith("</think>\n\n")


@pytest.mark.parametrize("template", [tiny_chat.RAISING, tiny_chat.UNFINISHED, tiny_chat.HUGE], ids=range(3))
def test_a_template_that_cannot_be_used_is_told(template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tiny_chat.build(tmp_path / "model", template))
    monkeypatch.setenv("ENGINE_MODELS", folder)
    app = visit("chat", "en", session=TextState(model_name=folder))
    state = say(app)
    assert len(app.error) == 1 and state.reply is None
    assert "<b>" not in app.error[0].value
    app.toggle(key="chat_plain").set_value(True).run()
    assert say(app).reply is not None and not app.error


def test_words_that_are_put_together_exist() -> None:
    for language in WRITTEN:
        known = set(sentences(language))
        used = {f"chat.label.{name}" for name in conversation._LABELS}
        used |= {f"chat.stopped.{name}" for name in ("end", "line", "length", "context", "person")}
        used |= {f"chat.plain.{role}" for role in ("system", "user", "assistant")}
        used |= {"error.chat_template", "error.chat_refused", "menu.chat"}
        assert used <= known
        assert {key for key in known if key.startswith(("chat.label.", "chat.stopped.", "chat.plain."))} <= used
