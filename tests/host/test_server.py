"""The running server as seen by browsers and its host: admission, origins, logs, metrics, disconnected clients."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import websockets

from pages.i18n.translator import Translator
from tests.load.client import Visitor
from tests.serving import Server, free_port, scrape_metrics, started

SECRET = "祕密的提示 confidential"
t = Translator("zh_Hant")


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(port: int) -> Iterator[Server]:
    """A server for two sessions, with metrics endpoint and status page."""
    limits = {"ENGINE_SESSIONS": "2", "ENGINE_STEPS_PER_MINUTE": "100000", "ENGINE_PROMPT_TOKENS": "40"}
    with started(**limits, ENGINE_METRICS=str(port), ENGINE_STATUS="1", ENGINE_TREE_MB="8") as running:
        yield running


def log_lines(server: Server) -> list[dict[str, object]]:
    return [json.loads(line) for line in server.log.read_text("utf-8").splitlines() if line.startswith("{")]


async def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; False if it does not hold after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return condition()


def status(request: urllib.request.Request) -> int:
    """HTTP status of the response."""
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_strangers_pages_are_kept_out(server: Server) -> None:
    """Websockets and uploads from other origins are refused."""

    async def from_origin(origin: str) -> None:
        visitor = Visitor(server.address)
        await visitor.open(origin=origin)
        await visitor.close()

    asyncio.run(from_origin(server.address))
    for origin in ("http://evil.example", "https://127.0.0.1.evil.example", "null"):
        with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
            asyncio.run(from_origin(origin))
        assert caught.value.response.status_code == 403
    upload = f"{server.address}/_stcore/upload_file/0/0"
    body = b"--x\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nf\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert status(urllib.request.Request(upload, body, kind, method="PUT")) == 403
    health = urllib.request.Request(f"{server.address}/_stcore/health", headers={"Origin": "http://evil.example"})
    with urllib.request.urlopen(health, timeout=5) as answer:
        assert answer.status == 200 and answer.headers.get("Access-Control-Allow-Origin") != "*"
        assert answer.headers.get("Access-Control-Allow-Origin") != "http://evil.example"


def test_a_full_house_lets_in_who_waits_when_somebody_leaves(server: Server) -> None:
    async def three() -> None:
        first, second, third = (Visitor(server.address) for _ in range(3))
        for visitor in (first, second):
            await visitor.open()
            assert visitor.errors == [] and "stage" in visitor.widgets
        await third.open()
        assert third.errors == [t("error.limit_sessions", most=2)] and "stage" not in third.widgets
        first.vanish()
        deadline = time.monotonic() + 5
        while "stage" not in third.widgets and time.monotonic() < deadline:
            await third.click("again")
        assert "stage" in third.widgets
        await third.move("next")
        for visitor in (second, third):
            await visitor.close()

    asyncio.run(three())


LONG = [
    ("beam", "grow_all", ("beam_levels", 64)),
    ("compare", "compare_start", None),
]


@pytest.mark.parametrize(("page", "button", "slider"), LONG)
def test_who_vanishes_leaves_no_work_behind(
    server: Server, port: int, page: str, button: str, slider: tuple[str, float] | None
) -> None:
    async def vanish() -> None:
        visitor = Visitor(server.address, page=page)
        await visitor.open()
        if slider:
            await visitor.set_number(*slider)
        before = scrape_metrics(port)["next_token_steps_total"]
        await visitor.press(button)
        assert await until(lambda: scrape_metrics(port)["next_token_steps_total"] > before + 2, 10)
        visitor.vanish()
        assert await until(lambda: scrape_metrics(port)["next_token_sessions"] == 0, 2)
        await asyncio.sleep(0.5)
        stopped = scrape_metrics(port)
        await asyncio.sleep(0.7)
        assert scrape_metrics(port)["next_token_passes_total"] == stopped["next_token_passes_total"]
        assert scrape_metrics(port)["next_token_steps_total"] == stopped["next_token_steps_total"]

    asyncio.run(vanish())


def test_a_run_goes_no_further_than_its_visitor_asks(server: Server, port: int) -> None:
    async def vanish() -> None:
        visitor = Visitor(server.address)
        await visitor.open()
        before = scrape_metrics(port)["next_token_steps_total"]
        await visitor.move("run")
        for _ in range(3):
            await visitor.move("tick", turn=visitor.data["stage"]["turn"])
        assert visitor.data["stage"]["running"]
        visitor.vanish()
        assert await until(lambda: scrape_metrics(port)["next_token_sessions"] == 0, 2)
        await asyncio.sleep(0.5)
        assert scrape_metrics(port)["next_token_steps_total"] == before + 4

    asyncio.run(vanish())


def test_figures_are_counted_and_shown(server: Server, port: int) -> None:
    async def visit() -> list[str]:
        visitor = Visitor(server.address)
        await visitor.open()
        before = scrape_metrics(port)
        for _ in range(3):
            await visitor.move("next")
        after = scrape_metrics(port)
        assert after["next_token_steps_total"] == before["next_token_steps_total"] + 3
        assert after["next_token_answer_seconds_count"] == before["next_token_answer_seconds_count"] + 3
        assert after["next_token_sessions"] == 1 and after["next_token_errors_total"] == 0
        assert after["next_token_tree_bytes"] <= 8 * 2**20 and after["next_token_memory_bytes"] > 10**8
        await visitor.close()
        host = Visitor(server.address, page="status")
        await host.open()
        await host.close()
        return host.labels

    labels = asyncio.run(visit())
    assert {t("host.sessions"), t("host.memory")} <= set(labels)


def test_what_people_type_is_in_no_log(server: Server, port: int) -> None:
    async def type_all() -> None:
        visitor, limit = Visitor(server.address), t("error.limit_prompt", count=0, most=40).split("0")[0]
        await visitor.open()
        for text in (SECRET, SECRET * 20, SECRET + "\ud800", SECRET + "\0"):
            try:
                await visitor.type("prompt", text)
            except UnicodeEncodeError:  # protobuf refuses a lone surrogate
                continue
            await visitor.move("next")
            await visitor.type("search", SECRET)
        assert any(error.startswith(limit) for error in visitor.errors)
        await visitor.close()

    asyncio.run(type_all())
    # Who has left is removed, with a line in the log, when the visitors are counted.
    assert asyncio.run(until(lambda: scrape_metrics(port)["next_token_sessions"] == 0, 10))
    written = server.log.read_text("utf-8")
    for part in (SECRET, "祕密", "confidential", json.dumps("祕密")[1:-1]):
        assert part not in written
    events = {str(line["event"]) for line in log_lines(server)}
    assert {"begin", "model", "came", "left", "refused"} <= events
    assert [line for line in log_lines(server) if line["level"] == "error"] == []


FAILING = """
import streamlit as st
from pages.shell import startup
from pages.i18n.translator import Translator
startup.begin(Translator("en"))
text = st.text_input("x", key="prompt")
if text:
    import logging, threading, warnings
    logging.getLogger("streamlit").warning(f"about {text}")
    logging.getLogger("anybody").error("about %s", text)
    warnings.warn(text)
    def fail():
        raise KeyError(text)
    threading.Thread(target=fail).start()
    raise ValueError(text)
"""


@pytest.mark.parametrize("log_prompts", [False, True])
def test_nor_in_a_traceback_unless_the_host_asks(tmp_path: Path, log_prompts: bool) -> None:
    script = tmp_path / "failing.py"
    script.write_text(FAILING, "utf-8")

    async def fail(address: str) -> None:
        visitor = Visitor(address)
        await visitor.open()
        await visitor.type("prompt", SECRET)
        assert not any(SECRET in error for error in visitor.errors)  # nor in the page
        await visitor.close()

    environment = {"ENGINE_LOG_PROMPTS": "1"} if log_prompts else {}
    with started("streamlit", "run", str(script), PYTHONPATH=".", **environment) as server:
        asyncio.run(fail(server.address))
        written, lines = server.log.read_text("utf-8"), log_lines(server)
    assert ("confidential" in written) is log_prompts
    errors = [line["error"] for line in lines if "error" in line]
    kinds = {error["kind"] for error in errors if isinstance(error, dict)}
    assert kinds == {"ValueError", "KeyError"}
    assert "failing.py:" in written and "anybody" in written


def test_a_wrong_setting_keeps_visitors_out_and_tells_the_host(tmp_path: Path) -> None:
    async def visit(address: str) -> list[str]:
        visitor = Visitor(address)
        await visitor.open()
        await visitor.close()
        return visitor.errors

    with started("streamlit", "run", "app.py", ENGINE_TREE_MB="much") as server:
        assert asyncio.run(visit(server.address)) == [t("host.broken")]
        written = server.log.read_text("utf-8")
    assert "ENGINE_TREE_MB (environment) must be a whole number" in written
