"""Browser tests of links: they restore the state they were made from, and hostile ones are harmless."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page

import engine
from engine.sampling.settings import Settings
from engine.trace.link_codec import encode_text
from engine.trace.trace import Trace
from tests.browser.app import chips, follow, served, settle
from tests.browser.tabs import borrow, leave
from tests.payloads import PAYLOADS
from tests.serving import ROOT, free_port, wait

STEP, BEAM, INSIDE = ".loop", ".pane .node", "canvas"


def open_link(chromium: Browser, link: str, drawn: str = STEP, dark: bool = False) -> Page:
    """Page of a new visitor who follows a link, once `drawn` is there."""
    page = borrow(chromium, dark=dark)
    page.goto(link)
    page.wait_for_selector(drawn, timeout=90_000)
    settle(page)
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    settle(page)


def navigate(page: Page, direction: str, drawn: str = STEP) -> None:
    page.go_back() if direction == "back" else page.go_forward()
    page.wait_for_selector(drawn)
    page.wait_for_timeout(300)
    settle(page)


def state(page: Page) -> tuple[list[str], list[str], list[str]]:
    """(tokens of the text strip, tokens before the cursor, tokens of the whole tree)."""
    before = page.locator(".formula i:not(.ask)").all_inner_texts()
    return chips(page), before, page.locator("ul.tree .t").all_inner_texts()


def step(page: Page) -> None:
    """Press Next and wait for the new token."""
    before = page.locator(".formula i:not(.ask)").count()
    page.get_by_role("button", name="下一步").click()
    page.locator(".formula i:not(.ask)").nth(before).wait_for(state="attached")
    settle(page)


def create_branches(page: Page) -> None:
    """A new prompt, two steps, a new seed, another token in place of the last one, and one step back."""
    box = page.get_by_role("textbox", name="提示")
    box.fill("從前有一隻")
    box.press("Enter")
    page.locator(".strip .t", has_text="隻").wait_for()
    settle(page)
    step(page)
    step(page)
    page.get_by_role("spinbutton", name="種子").fill("12")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    settle(page)
    page.locator(".strip .t").last.hover()
    page.locator(".card .other:not(.same)").first.click()
    page.locator(".branch").first.wait_for()
    settle(page)
    press(page, "返回")
    page.locator(".strip .beyond").first.wait_for()
    settle(page)


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


@pytest.fixture
def restartable() -> Iterator[tuple[str, Any]]:
    """A server's address, and a function that kills the server and starts a new one there."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    running: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        if running:
            running[-1].send_signal(signal.SIGKILL)
            running[-1].wait(20)
        command = [sys.executable, "-m", "pages", "--server.address", "127.0.0.1", "--server.port", str(port)]
        running.append(
            subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ}
            )
        )
        wait(address, running[-1])

    start()
    yield address, start
    running[-1].terminate()
    running[-1].wait(20)


def test_a_link_outlives_its_browser_and_its_server(chromium: Browser, restartable: tuple[str, Any]) -> None:
    address, restart = restartable
    page = open_link(chromium, address)
    create_branches(page)
    expected, link = state(page), page.url
    assert len(expected[2]) == len(expected[0]) + 1, "a branch"
    assert len(expected[1]) == len(expected[0]) - 1, "the cursor is not at the end"
    other = open_link(chromium, link)
    assert state(other) == expected
    assert other.url == link
    assert other.get_by_role("textbox", name="提示").input_value() == "從前有一隻"
    assert other.get_by_role("spinbutton", name="種子").input_value() == "12"

    restart()  # `page` is reloaded later, `other` reconnects
    cold = open_link(chromium, link)  # the first request of the new server
    assert state(cold) == expected
    page.reload()
    page.wait_for_selector(STEP, timeout=90_000)
    settle(page)
    assert state(page) == expected
    other.wait_for_selector("[data-test-connection-state=CONNECTED]", timeout=60_000)
    other.wait_for_timeout(1_000)
    settle(other)
    assert state(other) == expected
    step(other)
    assert len(state(other)[1]) == len(expected[1]) + 1
    for visitor_page in (page, other, cold):
        leave(visitor_page)


def test_back_and_forward_go_through_what_was_done(page: Page) -> None:
    states = [state(page)]
    for action in (step, step, lambda page: press(page, "返回")):
        action(page)
        states.append(state(page))
    for at in (2, 1, 0):
        navigate(page, "back")
        assert state(page) == states[at]
    for at in (1, 2, 3):
        navigate(page, "forward")
        assert state(page) == states[at]
    step(page)
    assert len(state(page)[1]) == len(states[3][1]) + 1


def test_back_from_another_page_is_the_page_before_at_once(page: Page) -> None:
    step(page)
    expected = state(page)
    follow(page, "集束搜尋")
    page.wait_for_selector(BEAM)
    settle(page)
    assert query(page)["t"]
    navigate(page, "back")
    assert state(page) == expected
    navigate(page, "forward", BEAM)
    assert urlsplit(page.url).path == "/beam"


def test_a_run_is_one_entry_of_the_history(page: Page) -> None:
    step(page)
    before, entries = state(page), page.evaluate("history.length")
    page.get_by_role("button", name="執行").click()
    page.wait_for_function("new URLSearchParams(location.search).has('run')")
    page.wait_for_function("!new URLSearchParams(location.search).has('run')", timeout=60_000)
    settle(page)
    assert page.evaluate("history.length") == entries + 1
    written = state(page)
    assert len(written[0]) > len(before[0]) + 1
    navigate(page, "back")
    assert state(page) == before
    navigate(page, "forward")
    assert state(page) == written


def test_nothing_is_sent_where_nothing_changed(page: Page) -> None:
    step(page)
    link, entries = page.url, page.evaluate("history.length")
    box = page.get_by_role("textbox", name="找任何一個詞元")
    box.fill("雨")
    settle(page)
    assert (page.url, page.evaluate("history.length")) == (link, entries)


def test_an_opened_node_of_the_beam_search_is_in_the_link(chromium: Browser, page: Page) -> None:
    follow(page, "集束搜尋")
    page.wait_for_selector(BEAM)
    for _ in range(2):
        press(page, "長一層")
    page.locator(BEAM).nth(5).click()
    settle(page)
    tokens = page.locator(".strip .t").all_inner_texts()
    assert "node" in query(page) and query(page)["shown"] == ["3"]
    other = open_link(chromium, page.url, BEAM)
    assert other.locator(".strip .t").all_inner_texts() == tokens
    assert other.locator(BEAM).count() == page.locator(BEAM).count()
    assert other.url == page.url
    leave(other)


def test_an_opened_head_is_in_the_link(chromium: Browser, page: Page) -> None:
    link = f"{page.url.split('?')[0]}attention?{urlencode({'t': query(page)['t'][0], 'head': '3.5', 'row': '2'})}"
    other = open_link(chromium, link, INSIDE)
    texts = other.locator(".asks, .head, .told").all_inner_texts()
    assert query(other)["head"] == ["3.5"]
    assert query(other)["row"] == ["2"]
    third = open_link(chromium, other.url, INSIDE)
    assert third.locator(".asks, .head, .told").all_inner_texts() == texts
    assert third.url == other.url
    for visitor_page in (other, third):
        leave(visitor_page)


def open_share_panel(page: Page) -> None:
    page.get_by_role("button", name="分享").click()
    page.locator(".line input").first.wait_for()
    page.wait_for_timeout(300)


def scanned(page: Page, tmp_path: Path) -> str:
    """Text of the share panel's code, read from the screen."""
    page.locator(".qr").click()
    page.wait_for_timeout(200)
    page.screenshot(path=tmp_path / "qr.png")
    codes = zxingcpp.read_barcodes(np.asarray(Image.open(tmp_path / "qr.png").convert("L")))
    assert len(codes) == 1, "the code has a light margin in the dark theme too"
    box = page.locator(".large img").bounding_box()
    assert box is not None and box["height"] > 800
    page.keyboard.press("Escape")
    return codes[0].text


def own_address() -> str:
    """This machine's address in its network, "" without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation; a datagram socket sends nothing here
        except OSError:
            return ""
        address = str(probe.getsockname()[0])
    return "" if address.startswith("127.") else address


def test_a_link_that_only_this_machine_can_open_says_so(chromium: Browser, address: str) -> None:
    page = open_link(chromium, address)
    open_share_panel(page)
    how = page.get_by_text("make run ADDRESS=0.0.0.0")
    assert "這台電腦" in page.locator(".notice").inner_text() and not how.is_visible()
    page.get_by_text("讓同一個網路裡的人").click()
    assert how.is_visible()
    assert page.locator(".qr").count() == 0, "it would lead a phone to itself"
    leave(page)


def test_the_code_leads_a_phone_here(chromium: Browser, tmp_path: Path) -> None:
    """Opened as 127.0.0.1 on a server for all: link, code and snippet have the address in the local network."""
    with served(listen="0.0.0.0") as address:
        page = open_link(chromium, address, dark=True)
        step(page)
        open_share_panel(page)
        notice = page.locator(".notice").inner_text()
        if not own_address():
            assert "換成" in notice and page.locator(".qr").count() == 0
            return
        root = address.replace("127.0.0.1", own_address())
        assert "區域網路" in notice
        fields = page.locator(".line input")
        assert fields.first.input_value() == page.url.replace(address, root)
        assert f'src="{root}/' in fields.last.input_value()
        code = scanned(page, tmp_path)
        assert code.startswith(f"{root}/?")
        assert state_of_link(chromium, code) == state(page)
        leave(page)


def test_the_panel_gives_the_link_to_copy_and_to_embed(chromium: Browser, address: str) -> None:
    page = open_link(chromium, address, dark=True)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    step(page)
    open_share_panel(page)
    fields = page.locator(".line input")
    assert fields.first.input_value() == page.url
    snippet = fields.last.input_value()
    page.get_by_role("button", name="複製").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    leave(page)
    host = chromium.new_context(viewport={"width": 1000, "height": 800}).new_page()
    host.set_content(f"<!doctype html>{snippet}")
    frame = host.frame_locator("iframe")
    frame.locator(STEP).wait_for(timeout=60_000)
    host.wait_for_timeout(500)
    assert frame.get_by_role("button", name="下一步").count() == 1, "in the language of the visitor who shared it"
    assert frame.locator(".strip .t").count() == 4
    entries = host.evaluate("history.length")
    frame.get_by_role("button", name="下一步").click()
    frame.locator(".strip .t").nth(4).wait_for()
    host.wait_for_timeout(500)
    assert host.evaluate("history.length") == entries, "the history of the embedding page is unchanged"
    host.context.close()


def state_of_link(chromium: Browser, link: str) -> tuple[list[str], list[str], list[str]]:
    page = open_link(chromium, link)
    result = state(page)
    leave(page)
    return result


@pytest.mark.parametrize(
    ("path", "drawn"), [("", STEP), ("beam", BEAM), ("attention", INSIDE), ("compare", "textarea, input")]
)
def test_every_page_can_be_embedded(chromium: Browser, address: str, path: str, drawn: str) -> None:
    page = open_link(chromium, f"{address}/{path}?embed=true", drawn)
    page.wait_for_function("() => new URLSearchParams(location.search).has('t')")  # written after the answer
    assert "embed=true" in page.url and query(page)["t"]
    assert page.locator(".st-key-share").count() == 1 and page.locator(".st-key-menu").count() == 0
    leave(page)


def hostile(payload: str, other: str) -> dict[str, str]:
    """Parameters of a link with `payload` as the model's name, and `other` as text, language and all other values."""
    name = "".join(char for char in payload if char.isprintable())[:200] or "x"
    trace = Trace.start(name, (1, 2, 3), Settings(), fingerprint="AAAAAAAA")
    values = dict.fromkeys(("head", "row", "view", "node", "lang", "bars", "lesson", "prompt", "onerror"), other)
    return values | {"t": engine.encode_trace(trace), "text": encode_text(other, other)}


def test_payloads_in_links_stay_text(chromium: Browser, address: str) -> None:
    page = chromium.new_context(locale="zh-TW").new_page()
    page.set_default_timeout(20_000)
    events: list[str] = []
    page.on("request", lambda request: events.append(request.url))
    page.on("dialog", lambda dialog: events.append(f"dialog {dialog.message}"))
    selected = PAYLOADS[:: len(PAYLOADS) // 20]
    for payload, other in zip(selected[::2], selected[1::2], strict=False):
        page.goto(f"{address}/?{urlencode(hostile(payload, other))}")
        alert = page.get_by_test_id("stAlert").first
        alert.wait_for()
        assert alert.locator("img, script, a, strong, em, code, svg[onload], iframe").count() == 0, payload
        assert page.title() != "owned"
        assert page.evaluate("window.owned") is None
    settle(page)
    assert {urlsplit(url).netloc for url in events if not url.startswith(("data:", "blob:"))} == {
        urlsplit(address).netloc
    }
    page.context.close()


def test_a_missing_model_is_reported_and_its_text_is_shown(chromium: Browser, address: str) -> None:
    model = engine.load()
    trace = Trace.start("org/gone", model.encode("今天天氣真"), Settings(), seed=3)
    link = urlencode({"t": engine.encode_trace(trace), "text": encode_text("今天天氣真", "好")})
    page = open_link(chromium, f"{address}/?{link}")
    alert = page.get_by_test_id("stAlert")
    assert "org/gone" in alert.inner_text()
    page.get_by_role("button", name="用這裡的模型看這段文字").click()
    settle(page)
    assert "".join(chips(page)) == "今天天氣真好"
    assert alert.count() == 0
    leave(page)


def test_a_damaged_link_is_reported(chromium: Browser, address: str) -> None:
    trace = replace(Trace.start("bundled", (1, 2), Settings()))
    page = open_link(chromium, f"{address}/?t={engine.encode_trace(trace)[:-1]}x")
    assert "壞了" in page.get_by_test_id("stAlert").inner_text()
    assert len(chips(page)) == 3
    leave(page)


def test_a_link_by_hand_opens_and_becomes_the_usual_one(chromium: Browser, page: Page) -> None:
    written = "prompts=我明天想去|從前有一隻|%2A%2Ab%2A%2A%20%3Cb%3E+:x:&T=0.5&seed=3%E3%80%82"
    other = open_link(chromium, f"{page.url.partition('?')[0]}?{written}")
    assert other.get_by_role("textbox", name="提示").input_value() == "我明天想去"
    assert other.get_by_role("spinbutton", name="種子").input_value() == "3"
    assert other.locator(".st-key-examples button").all_inner_texts() == ["我明天想去", "從前有一隻", "**b** <b> :x:"]
    assert set(query(other)) == {"t", "text", "prompts"}
    other.locator(".st-key-examples button").nth(1).click()
    other.locator(".strip .t", has_text="隻").wait_for()
    settle(other)
    other.reload()
    other.wait_for_selector(STEP, timeout=90_000)
    settle(other)
    assert other.get_by_role("textbox", name="提示").input_value() == "從前有一隻"
    assert other.locator(".st-key-examples button").count() == 3
    leave(other)


def test_the_readable_link_gives_the_prompt_and_the_settings(chromium: Browser, page: Page) -> None:
    prompt = "1 + 1 = 2 & 3 % # | 「你好。」🙂"
    box = page.get_by_role("textbox", name="提示")
    box.fill(prompt)
    box.press("Enter")
    page.locator(".strip .t", has_text="你好").wait_for()
    settle(page)
    open_share_panel(page)
    link = page.locator(".line input").nth(1).input_value()
    assert "你好" in link
    for path in ("", "beam"):
        other = open_link(chromium, link.replace("/?", f"/{path}?"), BEAM if path else STEP)
        assert other.get_by_role("textbox", name="提示").input_value() == prompt
        assert not other.locator("[data-testid=stAlert]").count()
        leave(other)


def test_many_prompts_of_a_link_leave_the_stage_in_sight(chromium: Browser, page: Page) -> None:
    prompts = "|".join(f"第{i}句今天天氣真的很好我們去" for i in range(20))
    other = open_link(chromium, f"{page.url.partition('?')[0]}?prompts={prompts}")
    box = other.locator(STEP).bounding_box()
    assert box is not None and box["y"] < 420
    other.get_by_role("button", name="第19句今天天氣真的很好我們去").click()
    other.locator(".strip .t", has_text="9").wait_for()
    leave(other)


def test_the_whole_text_is_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    step(page)
    step(page)
    text = "".join(chips(page))
    open_share_panel(page)
    page.get_by_role("button", name="複製文字").click()
    page.get_by_role("button", name="複製好了").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == text
