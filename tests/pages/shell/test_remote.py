"""Models on servers in the app: the pages with llama.cpp serving the bundled model, as the host sets it up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine.bundled import BUNDLED_NAME
from engine.remote.embedded import EmbeddedServer
from engine.remote.model import RemoteModel
from engine.serving import config, endpoint_usage, endpoints, model_registry
from engine.trace.link_codec import encode_trace
from pages.i18n.translator import Translator
from pages.models.state import ModelsState
from pages.session.text_state import TextState
from pages.shell import navigation
from pages.side_by_side.state import candidates
from pages.step import state
from tests.gguf_files import write_bundled
from tests.pages.visit import component_data, follow_link, move, stage, state_of, visit

NAME = "endpoint:tiny"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundled(tmp_path_factory.mktemp("served") / "tiny.gguf")


@pytest.fixture
def embedded(file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The host serves a GGUF file in this process."""
    monkeypatch.setenv("ENGINE_ENDPOINT_GGUF", str(file))
    return NAME


@pytest.fixture(scope="module")
def server(file: Path) -> Iterator[EmbeddedServer]:
    served = EmbeddedServer(file)
    yield served
    served.stop()


def set_up(monkeypatch: pytest.MonkeyPatch, server: EmbeddedServer, name: str, **more: object) -> str:
    """The host names a server in its settings; the name of its model."""
    monkeypatch.setenv("TEST_KEY", server.key)
    entry = {"name": name, "url": server.url, "key": "TEST_KEY"} | more
    monkeypatch.setenv("ENGINE_ENDPOINTS", json.dumps([entry]))
    return f"endpoint:{name}"


def told(app: AppTest) -> list[str]:
    assert not app.exception
    return [box.value for box in (*app.caption, *app.error, *app.warning, *app.info)]


def test_from_the_models_page_to_the_step_page(embedded: str) -> None:
    t = Translator("en")
    app = visit("models", "en")
    app.button(key=f"load {NAME}").click().run()
    while state_of(app, ModelsState).loading is not None:
        app.run()
    session = state_of(app, TextState)
    assert session.model_name == NAME and any(t("models.whole") in text for text in told(app))
    model = model_registry.request(NAME).result()
    assert isinstance(model, RemoteModel)
    local = model_registry.request().result()
    app.switch_page("pages/step/page.py").run()
    assert t("remote.all_known", name="tiny") in told(app)
    [component] = stage(app)
    rows = component_data(component)["rows"]
    want = local.distribution(model.encode(session.prompt))
    for row in rows[:-1]:
        assert row["raw"] == pytest.approx(float(want.raw[row["id"]]), abs=1e-3)
    for _ in range(3):
        move(app, "next")
    passes = model.prefix_cache.counters.passes
    for _ in range(3):
        move(app, "back")
    for _ in range(3):
        move(app, "next")
    assert model.prefix_cache.counters.passes == passes, "what was seen is not asked for again"
    move(app, "pick", turn=session.turn, token=rows[3]["id"])
    assert session.trace is not None and session.trace.choices[-1].how == "hand" and told(app)
    link = encode_trace(session.trace)
    opened = follow_link({"t": link, "lang": "en"})
    again = state_of(opened, TextState)
    assert again.model_name == NAME and again.trace is not None
    assert again.trace.token_ids() == session.trace.token_ids()
    inside = follow_link({"t": link, "lang": "en"}, "attention")
    assert t("remote.inside", name="tiny") in told(inside) and not inside.error
    assert NAME in candidates(BUNDLED_NAME)
    used = endpoint_usage.today()["tiny"]
    assert used.requests >= passes and used.prompt_tokens > used.new_tokens > 0


@pytest.mark.parametrize(("page", "language"), [("attention", "zh_Hant"), ("transformer", "en")])
def test_a_page_that_looks_inside_offers_a_local_model(embedded: str, page: str, language: str) -> None:
    t = Translator(language)
    model_registry.request(NAME).result()
    app = visit(page, language, session=TextState(model_name=NAME))
    assert t("remote.inside", name="tiny") in told(app) and not app.error
    app.button(key="remote_local").click().run()
    assert state_of(app, TextState).model_name == BUNDLED_NAME
    assert t("remote.inside", name="tiny") not in told(app)


@pytest.mark.parametrize("language", ["zh_Hant", "en"])
def test_a_list_is_told_with_its_numbers(
    language: str, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    t = Translator(language)
    name = set_up(monkeypatch, server, f"eight{language[:2]}", alternatives=8)
    model = model_registry.request(name).result()
    session = TextState(model_name=name)
    app = visit(language=language, session=session)
    session = state_of(app, TextState)
    ids = model.encode(session.prompt)
    raw = model_registry.request().result().distribution(ids).raw
    listed = float(sum(sorted(raw.tolist())[-8:]))
    got = model.distribution(ids)
    assert 1 - got.unseen == pytest.approx(listed, abs=1e-3)
    values = {
        "name": f"eight{language[:2]}",
        "n": 8,
        "listed": t.percent(1 - got.unseen),
        "rest": t.percent(got.unseen),
    }
    sentence = t("remote.listed", **values)
    assert f"{sentence} {t('remote.bound')}" in told(app)
    [component] = stage(app)
    rows = component_data(component)["rows"]
    assert len(rows) == 9 and rows[-1]["raw"] == pytest.approx(got.unseen) and rows[-1]["shown"] == 0
    app.slider(key="top_k").set_value(5).run()
    assert f"{sentence} {t('remote.exact')}" in told(app)
    app.text_input(key="search").set_value("a").run()
    assert not app.exception
    state.run_to_the_end(session, model)
    assert session.problem is None and session.trace is not None and session.trace.cursor > len(ids) - 1


def test_a_server_that_ends_in_mid_run_loses_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = EmbeddedServer(file)
    name = set_up(monkeypatch, served, "ending")
    model = model_registry.request(name).result()
    app = visit(language="en", session=TextState(model_name=name))
    session = state_of(app, TextState)
    move(app, "run")
    written = session.trace
    assert written is not None and session.running
    served.stop()
    move(app, "tick", turn=session.turn)
    assert Translator("en")("error.remote_unreachable", name="ending") in told(app)
    assert session.running == 0 and session.trace is not None
    assert session.trace.token_ids()[: len(written.token_ids())] == written.token_ids()
    move(app, "back")
    assert not app.exception and model.prefix_cache.counters.passes > 0


def test_the_bounds_of_the_host_and_its_key(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    name = set_up(monkeypatch, server, "bounded", requests_per_visitor=4)
    model_registry.request(name).result()
    app = visit(language="en", session=TextState(model_name=name))
    for _ in range(6):
        move(app, "next")
    session = state_of(app, TextState)
    assert Translator("en")("error.limit_requests", name="bounded", most=4) in told(app)
    assert session.trace is not None and session.trace.cursor >= session.trace.prompt_length
    settings = config.load_config()
    shown = config.as_text(settings) + json.dumps(config.as_rows(settings)) + repr(settings)
    assert server.key not in shown and "bounded" in shown
    assert server.key not in encode_trace(session.trace)


def test_a_demo_has_no_endpoints(embedded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [endpoint.name for endpoint in endpoints.offered()] == ["tiny"]
    monkeypatch.setenv("ENGINE_DEMO", "true")
    assert endpoints.offered() == () and not model_registry.allowed(NAME)


def test_other_pages_work_with_a_whole_vocabulary(embedded: str) -> None:
    model_registry.request(NAME).result()
    app = visit("tokens", "en", session=TextState(model_name=NAME))
    for page in ("beam", "chat", "side-by-side", "models"):
        app.switch_page(navigation.path(page)).run()
        assert not app.exception, page
        assert state_of(app, TextState).model_name == NAME and not app.error, page
