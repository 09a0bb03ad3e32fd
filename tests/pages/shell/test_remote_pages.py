"""Every page with a model on a server: what it shows of a local one, or a sentence and a way to a local model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from engine.bundled import BUNDLED_NAME
from engine.remote.embedded import EmbeddedServer
from engine.serving import model_registry
from pages.beam.state import BeamState
from pages.course import catalog
from pages.i18n.translator import WRITTEN, Translator, sentences
from pages.limits.state import NAMES, NEEDS
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.shell.remote_notice import Need
from tests.gguf_files import write_bundled
from tests.pages.visit import state_of, visit

T = Translator("en")
WHOLE, LISTED = "endpoint:whole", "endpoint:eight"  # the whole vocabulary, and the 8 most probable tokens
MISSING: dict[str, dict[str, Need]] = {
    WHOLE: {"transformer": "inside", "attention": "inside", "limits": "speed", "speculative": "speed"},
    LISTED: {
        "transformer": "inside", "attention": "inside", "limits": "speed", "speculative": "speed",
        "quiz": "whole", "training": "whole",
    },
}  # fmt: skip
OF_THE_BUNDLED = {"learning"}  # its recorded training


@pytest.fixture(scope="module", autouse=True)
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """llama.cpp with the bundled model, as two endpoints of the host."""
    served = EmbeddedServer(write_bundled(tmp_path_factory.mktemp("served") / "tiny.gguf"))
    common = {"url": served.url, "key": "PAGES_KEY", "requests_per_visitor": 0}
    entries = [{"name": "whole"} | common, {"name": "eight", "alternatives": 8} | common]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "PAGES_KEY", served.key)
        patch.setitem(os.environ, "ENGINE_ENDPOINTS", json.dumps(entries))
        for name in (WHOLE, LISTED):
            model_registry.request(name).result()
        yield
    served.stop()


def opened(page: str, model: str, lesson: str = "") -> AppTest:
    return visit(page, "en", lesson, TextState(model_name=model))


def told(app: AppTest) -> list[str]:
    assert not app.exception and not app.error
    return [box.value for box in (*app.caption, *app.warning, *app.info)]


def notice(need: Need, model: str) -> str:
    return T(f"remote.{need}", name=model.removeprefix("endpoint:"), n=8 if model == LISTED else 9216)


def drawn(app: AppTest) -> set[str]:
    """Names of the components on the page."""
    return {element.proto.component_name.rpartition(".")[2] for element in app.get("bidi_component")}


@pytest.mark.parametrize("model", [WHOLE, LISTED])
@pytest.mark.parametrize("page", [page.name for page in navigation.PAGES])
def test_a_page_shows_what_it_can_or_says_what_it_cannot(page: str, model: str) -> None:
    app = opened(page, model)
    texts = told(app)
    assert state_of(app, TextState).model_name == model
    need = MISSING[model].get(page)
    if need is None:
        local_only = OF_THE_BUNDLED | ({"merging"} if page == "tokens" else set())
        assert drawn(opened(page, BUNDLED_NAME)) <= drawn(app) | local_only
        assert (T("error.merges_remote") in texts) == (page == "tokens")
    else:
        assert notice(need, model) in texts
    if need is not None or page == "tokens":
        app.button(key="remote_local").click().run()
        assert state_of(app, TextState).model_name == BUNDLED_NAME and not app.exception
        assert need is None or notice(need, model) not in told(app)


@pytest.mark.parametrize("model", [WHOLE, LISTED])
def test_the_experiments_on_limits(model: str) -> None:
    app = opened("limits", model)
    for name in NAMES:
        app.segmented_control(key="limits_shown").set_value(name).run()
        need = NEEDS[name]
        if need == "speed" or model == LISTED:
            assert notice(need, model) in told(app)
            assert "limits_start" not in [button.key for button in app.button]
        else:
            assert "limits_start" in [button.key for button in app.button] and not app.info
    if model == WHOLE:
        app.segmented_control(key="limits_shown").set_value("left").run()
        app.button(key="limits_start").click().run()
        assert not app.exception and not app.error


def test_texts_of_listed_tokens_say_so() -> None:
    among = T("remote.among", name="eight", n=8)
    for page in ("beam", "compare", "uses", "chat"):
        assert among in told(opened(page, LISTED)) and among not in told(opened(page, WHOLE))


def test_a_beam_search_among_listed_tokens_has_its_baselines() -> None:
    """Of its own tokens alone: nothing scores those of the prompt."""
    app = opened("beam", LISTED)
    app.button(key="grow_all").click().run()
    assert told(app)
    state = state_of(app, BeamState)
    assert state.baselines_known and state.search is not None
    baselines = state.baselines()
    local = model_registry.request().result()
    ids = state.search.ids
    want = local.score((*ids, *baselines.beam.token_ids)).log_probabilities[len(ids) :]
    assert baselines.beam.log_probabilities == pytest.approx([value for value in want if value is not None], abs=0.05)


@pytest.mark.parametrize("model", [WHOLE, LISTED])
def test_lessons_on_pages_that_need_more(model: str) -> None:
    steps = [
        (lesson.name, at, step.page) for lesson in catalog.lessons("en") for at, step in enumerate(lesson.steps, 1)
    ]
    pages = set(MISSING[model])
    checked = 0
    for lesson, at, page in steps:
        if page in pages:
            app = opened(page, model, f"{lesson}.{at}")
            needs = [MISSING[model][page], *(NEEDS.values() if page == "limits" else ())]
            texts = told(app)
            assert any(notice(need, model) in texts for need in needs) or (page == "limits" and model == WHOLE)
            assert "coach" in drawn(app)
            checked += 1
    assert checked > 5


def test_words_that_are_put_together_exist() -> None:
    for language in WRITTEN:
        assert {f"remote.{need}" for need in ("inside", "speed", "whole", "scores")} <= set(sentences(language))
