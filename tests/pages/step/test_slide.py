"""The picture of the step page: its numbers are the distribution's, and it is XML for whatever text."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.errors import PromptError
from engine.model.model import Model
from engine.sampling.settings import Settings
from engine.serving import model_registry
from pages.i18n.translator import LANGUAGES, Translator
from pages.session.text_state import TextState
from pages.step import slide, stage
from pages.step.svg_text import ELLIPSIS, Part, fitted, safe, shortened, width
from tests.payloads import PAYLOADS

SITE = "https://class.example/"
FILTERED = Settings(temperature=0.7, top_k=4)


def drawn(session: TextState, model: Model, language: str = "en", dark: bool = False) -> Element:
    return ElementTree.fromstring(slide.svg(session, model, Translator(language), dark, SITE))


def named(root: Element, name: str) -> list[Element]:
    return [node for node in root.iter() if name in (node.get("class") or "").split()]


def texts(root: Element, name: str) -> list[str]:
    return ["".join(node.itertext()) for node in named(root, name)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("settings", "bars"), [(FILTERED, 10), (Settings(), 30), (Settings(top_p=0.5), 3)])
def test_the_bars_are_the_distribution(settings: Settings, bars: int, language: str) -> None:
    model, t = model_registry.request().result(), Translator(language)
    session = TextState(settings=settings, bars=bars)
    root = drawn(session, model, language)
    distribution, chosen, _ = session.choice(model)
    candidates = distribution.top(bars, chosen)
    rows = named(root, "row")
    assert len(rows) == len(candidates) + 1
    across = slide.TRACK[1] - slide.TRACK[0]
    for row, c in zip(rows, candidates, strict=False):
        [bar] = named(row, "bar")
        assert float(bar.attrib["width"]) == pytest.approx(across * (c.probability if c.kept else c.raw), abs=0.01)
        for belief in named(row, "belief"):
            assert float(belief.attrib["width"]) == pytest.approx(across * c.raw, abs=0.01)
        written = t("number.below") if 0 < c.raw < 0.0001 else t.percent(c.raw)
        assert texts(row, "word") == [c.text] and written in texts(row, "value")[0]
    assert texts(root, "value") == [
        row["value"] for row in stage.bar_rows(session, distribution, chosen, t, session.bars)
    ]


def test_the_line_stands_above_the_first_token_that_is_cut() -> None:
    model = model_registry.request().result()
    root = drawn(TextState(settings=FILTERED), model)
    [line] = named(root, "cutline")
    rows = named(root, "row")
    y = float(line.attrib["d"].split()[1].partition("H")[0])
    tops = [float(named(row, "bar")[0].attrib["y"]) for row in rows]
    assert tops[3] < y < tops[4] and "cut" in rows[4].attrib["class"]
    assert not named(drawn(TextState(settings=Settings()), model), "cutline")


def test_settings_seed_model_and_address_are_written() -> None:
    model, t = model_registry.request().result(), Translator("en")
    session = TextState(settings=Settings(temperature=0.7, top_k=4, repetition_penalty=1.2), seed=31)
    root = drawn(session, model)
    u = session.choice(model)[2]
    assert texts(root, "fact") == [t("settings.bundled"), t("settings.sample"), "0.7", "4", "1.2", "31", f"{u:.4f}"]
    assert SITE in "".join(root.itertext())
    session.strategy = "greedy"
    assert texts(drawn(session, model), "fact") == [t("settings.bundled"), t("settings.greedy"), "1.2"]


@pytest.mark.slow
@settings(max_examples=25)  # each is a new text for the model
@given(st.text(max_size=60), st.booleans())
@example("]]><script>alert(1)</script>&amp;\x00\ufffe\u202e", True)
@example("🙂👩‍👩‍👧\u0301\u0590 \n\r\t", False)
def test_it_is_xml_for_whatever_text(prompt: str, dark: bool) -> None:
    model = model_registry.request().result()
    session = TextState()
    session.ready(model)
    session.set_prompt(model, prompt)
    root = drawn(session, model, dark=dark)
    assert {node.tag.rpartition("}")[2] for node in root.iter()} <= {
        "svg", "title", "defs", "pattern", "rect", "path", "text", "tspan", "g",
    }  # fmt: skip
    assert not any(name.startswith("on") or name.endswith("href") for node in root.iter() for name in node.attrib)
    if session.prompt == prompt and width(safe(prompt)) < 100:
        shown = "".join(texts(root, "sentence"))
        assert shown.removesuffix(" ＿") == safe(model.text(session.ready(model).token_ids()))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_names_are_text(payload: str) -> None:
    try:
        session = TextState(prompt=payload)
        root = drawn(session, model_registry.request().result())
    except PromptError:
        return
    assert "script" not in {node.tag.rpartition("}")[2].lower() for node in root.iter()}


def test_of_a_long_text_the_end_is_there() -> None:
    model = model_registry.request().result()
    session = TextState(prompt="今天天氣真好，我們去公園。" * 40)
    session.ready(model)
    for _ in range(5):
        session.step(model)
    trace = session.ready(model)
    assert len(trace.token_ids()) > 200
    lines = texts(drawn(session, model), "sentence")
    assert lines[0].startswith(ELLIPSIS)
    shown = "".join(lines).removeprefix(ELLIPSIS).removesuffix(" ＿")
    assert len(shown) > 100 and safe(model.text(trace.token_ids())).endswith(shown)


def test_written_tokens_are_told_from_the_prompt() -> None:
    model = model_registry.request().result()
    session = TextState(prompt="從前有一隻")
    session.ready(model)
    for _ in range(20):
        session.step(model)
    parts = slide.sentence(session, model)
    assert parts[0] == Part("從前有一隻", "prompt")
    assert "".join(part.text for part in parts) == safe(model.text(session.ready(model).token_ids()))
    assert [part.style for part in parts[2:4]] in (["odd", "even"], ["even", "odd"])


@given(st.lists(st.builds(Part, st.text(max_size=80), st.sampled_from(["a", "b"])), max_size=8))
def test_lines_hold_the_text_and_are_not_too_long(parts: list[Part]) -> None:
    size, lines = fitted(parts, 400, ((40, 2), (20, 4)))
    whole, shown = "".join(part.text for part in parts), "".join(part.text for line in lines for part in line)
    assert len(lines) <= (2 if size == 40 else 4)
    assert shown == whole or (shown.startswith(ELLIPSIS) and whole.endswith(shown.removeprefix(ELLIPSIS)))
    for line in lines:
        assert sum(width(part.text) for part in line) <= 400 / size + 1e-6


@given(st.text(), st.floats(1, 50))
def test_a_shortened_text_has_room(text: str, most: float) -> None:
    assert width(shortened(text, most)) <= most + 1e-6
