"""Readable links: every prompt and setting comes back from the URL as it was."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.sampling.settings import Settings
from pages.session import prompt_list, readable_link
from pages.session.offered_settings import SLIDERS
from pages.session.prompt_list import MAX_CHARACTERS, MAX_PROMPTS, PromptList
from pages.session.query_params import QueryParams
from pages.session.readable_link import Texts

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PROMPTS = ANY_TEXT.filter(lambda text: bool(text.strip()))
FIRST = Settings(temperature=0.8, top_p=0.95)


def opened(query: str) -> tuple[Texts, QueryParams]:
    """What the server makes of a query string."""
    texts, rest = readable_link.split(parse_qs(query, keep_blank_values=True))
    return texts, QueryParams(rest)


@pytest.mark.parametrize("encode", [quote, quote_plus, readable_link._quoted, lambda text: quote(text, safe="/?")])
@given(prompt=ANY_TEXT)
@example("a&t=b#c=%41+ ?;|｜")
@example("第一行\n第二行\r\n🙂👩‍👩‍👧 ＡＢＣ　％２０")
@example("&lesson=05-beam.2&lang=en")
@example("今天天氣真。")
def test_any_prompt_comes_back_from_the_url(encode: object, prompt: str) -> None:
    assert callable(encode)
    texts, params = opened(f"prompt={encode(prompt)}&T=0.7&seed=3")
    assert texts.prompt == prompt
    assert not any(name in params for name in ("lesson", "lang", "prompt"))
    settings, strategy, seed = readable_link.read(params, FIRST, 7)
    assert (settings.temperature, strategy, seed, params.unread) == (0.7, "sample", 3, set())


@given(
    st.lists(PROMPTS, min_size=1, max_size=5, unique=True),
    st.builds(
        Settings,
        temperature=st.integers(0, 2_000).map(lambda n: n / 1_000),
        top_k=st.integers(0, 200),
        top_p=st.integers(0, 1_000).map(lambda n: n / 1_000),
        min_p=st.sampled_from([0.0, 0.05, 0.5]),
        repetition_penalty=st.sampled_from([1.0, 1.15, 2.0]),
        no_repeat_ngram_size=st.integers(0, 6),
    ),
    st.integers(0, 2**31 - 1),
)
def test_a_written_link_is_read_as_it_was(prompts: list[str], settings: Settings, seed: int) -> None:
    texts, params = opened(readable_link.write(prompts, settings, FIRST, "sample", seed))
    assert texts.prompt == prompts[0]
    assert texts.prompts == (tuple(prompts) if len(prompts) > 1 else ())
    assert readable_link.read(params, FIRST, 7) == (settings, "sample", seed)
    assert not params.unread


def test_a_greedy_link_has_no_temperature() -> None:
    link = readable_link.write(["真"], FIRST, FIRST, "greedy", 3)
    assert link == "prompt=真&strategy=greedy&seed=3"
    assert readable_link.read(opened(link)[1], FIRST, 7)[1] == "greedy"


@pytest.mark.parametrize("mark", ["。", "，", ".", ")", "」", "！", "…", "\u200b", "\n", ").", " "])
def test_a_mark_behind_a_link_changes_nothing(mark: str) -> None:
    link = readable_link.write(["今天天氣真", "明天"], Settings(temperature=0.7), FIRST, "sample", 3)
    texts, params = opened(link + quote(mark))
    assert texts == Texts("今天天氣真", ("今天天氣真", "明天"))
    assert readable_link.read(params, FIRST, 7)[2] == 3 and not params.unread


@pytest.mark.parametrize("name", ["T", "t", "temperature", "Temperature", "TEMPERATURE", "amp;T", "Ｔ"])
def test_the_temperature_has_names_in_any_case(name: str) -> None:
    _, params = opened(f"PROMPT=a&{quote(name)}=0.25&Top_K=5&Seed=12&Strategy=Greedy")
    settings, strategy, seed = readable_link.read(params, FIRST, 7)
    assert (settings.temperature, settings.top_k, strategy, seed) == (0.25, 5, "greedy", 12)


def test_what_cannot_be_read_is_told_and_the_rest_is_used() -> None:
    texts, params = opened("prompt=a&T=hot&top_k=-3&top_p=0.5&seed=1e9&strategy=beam&min_p=7")
    settings, strategy, seed = readable_link.read(params, FIRST, 7)
    assert (texts.prompt, settings, strategy, seed) == ("a", Settings(temperature=0.8, top_p=0.5), "sample", 7)
    assert params.unread == {"temperature", "top_k", "seed", "strategy", "min_p"}


@pytest.mark.parametrize("name", SLIDERS)
def test_a_setting_is_read_up_to_the_ends_of_its_slider(name: str) -> None:
    low, high, step = SLIDERS[name]
    for value, offered in ((low, True), (high, True), (high + 1, False), (low - step, False)):
        _, params = opened(f"prompt=a&{name}={value:g}")
        settings, _, _ = readable_link.read(params, FIRST, 7)
        assert getattr(settings, name) == (value if offered else getattr(FIRST, name))
        assert params.unread == (set() if offered else {name})


def test_links_of_the_app_are_left_to_the_app() -> None:
    for query in ("t=AQABAAAAAAAAAAAA&T=0.3", "check=abcdef&prompt=a&temperature=0.5", "text=AQ&prompt=a"):
        texts, params = opened(query)
        assert texts == Texts(None, ()) and not readable_link.has_settings(params)


def test_a_list_of_prompts_by_hand() -> None:
    for query in ("prompts=今天|明天|昨天", "prompts=今天｜明天||昨天 ", "prompt=今天&prompt=明天&prompt=昨天"):
        texts, _ = opened(query)
        assert [text.strip() for text in texts.prompts] == ["今天", "明天", "昨天"] and texts.prompt == "今天"
    assert opened("prompt=昨天&prompts=今天|明天")[0] == Texts("昨天", ("今天", "明天"))


@given(st.lists(PROMPTS, max_size=MAX_PROMPTS + 3, unique=True))
def test_a_list_comes_back_from_the_address_bar(prompts: list[str]) -> None:
    offered = PromptList()
    assert offered.offer(prompts) == (offered.texts == tuple(prompts))
    assert len(offered.texts) <= MAX_PROMPTS and sum(map(len, offered.texts)) <= MAX_CHARACTERS
    written = offered.to_query()
    assert len(written.get("prompts", "")) < 6_000
    assert prompt_list.from_query(QueryParams(written)) == offered.texts
    assert readable_link.split({name: [value] for name, value in written.items()}) == (Texts(None, ()), written)


@given(ANY_TEXT)
def test_garbage_for_a_list_is_no_list(text: str) -> None:
    from engine.trace.link_codec import encode_text

    for value in (text, encode_text(text, "")):
        texts = prompt_list.from_query(QueryParams({"prompts": value}))
        assert all(isinstance(found, str) and found.strip() for found in texts)


def test_a_lone_surrogate_in_a_list_is_refused() -> None:
    from engine.trace.link_codec import encode_text

    params = QueryParams({"prompts": encode_text('["\\ud800"]', "")})
    assert prompt_list.from_query(params) == () and params.unread == {"prompts"}
