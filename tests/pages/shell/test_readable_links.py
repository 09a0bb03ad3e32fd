"""Pages opened by a readable link: prompt, settings, seed and the list of prompts."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine import encode_trace
from engine.sampling.settings import Settings
from engine.serving import model_registry
from pages.i18n.translator import Translator, sentences
from pages.session.prompt_list import PromptList
from pages.session.text_state import FIRST_PROMPT, TextState
from pages.shell.address import AddressState
from tests.pages.visit import follow_link, move, state_of

CONTINUING = ("step", "beam", "transformer", "attention", "compare")


def arrive(page: str = "step", **query: Any) -> AppTest:
    return follow_link(query | {"lang": "zh_Hant"}, page)


def session(app: AppTest) -> TextState:
    return state_of(app, TextState)


def written(app: AppTest) -> dict[str, str]:
    found = state_of(app, AddressState).written
    assert found is not None
    return found


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button if button.key and "example " in button.key]


@pytest.mark.parametrize("page", CONTINUING)
def test_a_readable_link_opens_every_page_that_continues_the_prompt(page: str) -> None:
    app = arrive(page, prompt="我明天想去", T="0.5", top_k="9", seed="31", tokens="12")
    assert not app.exception and not app.warning and not app.error
    text = session(app)
    assert (text.prompt, text.settings.temperature, text.settings.top_k) == ("我明天想去", 0.5, 9)
    assert (text.seed, text.run_tokens, text.strategy) == (31, 12, "sample")
    assert "t" in written(app) and not {"prompt", "T", "seed"} & set(written(app))
    again = follow_link(written(app), page)
    assert session(again).trace == text.trace


def test_the_widgets_have_what_the_link_says_and_the_next_token_uses_it() -> None:
    app = arrive(prompt="我明天想去", strategy="GREEDY", bars="14")
    assert app.text_area(key="prompt").value == "我明天想去"
    assert (app.segmented_control(key="strategy").value, app.slider(key="bars_shown").value) == ("greedy", 14)
    move(app, "next")
    trace = session(app).trace
    assert trace is not None and trace.choices[-1].how == "greedy"


@pytest.mark.parametrize("bad", ["warm", "99", "2.05"])
def test_what_cannot_be_read_is_told_once(bad: str) -> None:
    app = arrive(prompt="我明天想去", T=bad, seed="5")
    assert [warning.value for warning in app.warning] == [Translator("zh_Hant")("address.unread")]
    assert (session(app).prompt, session(app).seed, session(app).settings.temperature) == ("我明天想去", 5, 1.0)
    slider = app.slider(key="temperature")
    assert (slider.value, slider.max) == (1.0, 2.0)


def test_a_trace_keeps_its_settings_also_where_the_slider_has_less() -> None:
    text = TextState(settings=Settings(temperature=3.0))
    text.ready(model_registry.request().result())
    assert text.trace is not None
    app = arrive(t=encode_trace(text.trace))
    assert not app.warning
    assert session(app).settings.temperature == app.slider(key="temperature").max == 3.0


@pytest.mark.parametrize(("prompt", "code"), [(" ", "empty"), ("字" * 20_001, "characters"), ("字" * 9_000, "context")])
def test_a_prompt_has_the_limits_of_the_box(prompt: str, code: str) -> None:
    app = arrive(prompt=prompt)
    assert not app.exception and len(app.warning) == 1
    assert app.warning[0].value.startswith(sentences("zh_Hant")[f"address.refused.{code}"].split("{")[0])
    assert "Enter" not in app.warning[0].value, "it is in no box, so there is nothing to shorten"
    assert session(app).prompt == FIRST_PROMPT


def test_a_list_is_offered_and_kept() -> None:
    app = arrive(prompts="我明天想去|從前有一隻|**b** :red[x] <b>")
    assert labels(app) == ["我明天想去", "從前有一隻", r"\*\*b\*\* \:red\[x\] \<b\>"]
    assert session(app).prompt == "我明天想去"
    app.button(key="example 從前有一隻").click().run()
    assert session(app).prompt == "從前有一隻"
    again = follow_link(written(app))
    assert labels(again) == labels(app) and session(again).prompt == "從前有一隻"
    other = follow_link(written(app), "compare")
    assert labels(other) == labels(app)


def test_a_prompt_given_several_times_is_a_list() -> None:
    app = arrive(prompt=["a|b", "c & d"], seed="2")
    assert state_of(app, PromptList).texts == ("a|b", "c & d")
    assert session(app).prompt == "a|b"


def test_a_list_that_is_too_long_is_cut_and_told() -> None:
    app = arrive(prompts="|".join(f"句{i}" for i in range(25)))
    assert len(labels(app)) == 20 and len(app.warning) == 1 and "20" in app.warning[0].value


def test_a_demo_takes_no_text_from_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_DEMO", "1")
    refused = sentences("zh_Hant")["error.limit_demo"]
    app = arrive(prompt="我自己的話", seed="5")
    assert [warning.value for warning in app.warning] == [refused]
    assert (session(app).prompt, session(app).seed) == (FIRST_PROMPT, 5)
    example = sentences("zh_Hant")["step.examples.list"][1]
    app = arrive(prompts=f"{example}|我自己的話")
    assert [warning.value for warning in app.warning] == [refused]
    assert labels(app) == [example] and session(app).prompt == example
    app = arrive(prompt=["我自己的話", "別的話"])
    assert labels(app) == sentences("zh_Hant")["step.examples.list"]
