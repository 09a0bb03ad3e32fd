"""Browser tests of downloads: standalone pictures, tables, the trace, the replay page; hostile texts in all of them."""

from __future__ import annotations

import csv
import io
import json
import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Page
from tokenizers import AddedToken, Tokenizer, models

from engine import Settings, encode_trace, load
from engine.trace import json_file
from engine.trace.trace import Trace
from pages.components.theme import DARK, LIGHT
from tests import tiny
from tests.browser.app import chips, click_bar, follow, open_page, settle, words
from tests.browser.tabs import leave
from tests.payloads import PAYLOADS
from tests.serving import started

SVG = "{http://www.w3.org/2000/svg}"


def press(page: Page, name: str, times: int = 1) -> None:
    for _ in range(times):
        page.get_by_role("button", name=name).click()
        settle(page)


def open_panel(page: Page) -> Locator:
    """Open the share panel. Returns its rows, one for each picture."""
    picture_rows = page.locator(".list .row")
    if not picture_rows.count():
        page.get_by_role("button", name="分享").click()
        page.locator(".told").last.wait_for(state="attached")
        settle(page)
    return picture_rows


def save(page: Page, button: Locator, folder: Path) -> Path:
    with page.expect_download() as download:
        button.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def save_file(page: Page, name: str, folder: Path) -> Path:
    """Save the download whose button contains `name`."""
    open_panel(page)
    button = page.locator("[data-testid=stDownloadButton] button:visible", has_text=name)
    return save(page, button, folder)


def svg_text(svg: Path) -> str:
    """Text of a picture, after asserting that it has no scripts, HTML, CSS variables or external resources."""
    root = ElementTree.parse(svg).getroot()
    assert root.tag == f"{SVG}svg"
    for node in root.iter():
        assert node.tag.startswith(SVG), node.tag
        assert node.tag.removeprefix(SVG) not in ("script", "foreignObject", "a", "style"), node.tag
        for name, value in node.attrib.items():
            assert not name.startswith("on") and "var(" not in value and "color(" not in value, (name, value)
            if name.endswith("href"):
                assert value.startswith("data:image/png;base64,")
    background = root.find(f"{SVG}rect")
    assert background is not None and background.get("fill", "").startswith("#")
    return "\n".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))


def png_size(png: Path) -> tuple[int, int]:
    data = png.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return int(width), int(height)


def test_every_picture_of_the_step_page_stands_alone(page: Page, tmp_path: Path) -> None:
    press(page, "下一步", 2)
    press(page, "返回")
    click_bar(page, 2)
    text, bars = chips(page), words(page)
    picture_texts: dict[str, str] = {}
    for row in open_panel(page).all():
        png, svg = (save(page, row.get_by_role("button", name=kind), tmp_path) for kind in ("PNG", "SVG"))
        width, height = png_size(png)
        drawing = ElementTree.parse(svg).getroot()
        assert (width, height) == (2 * int(drawing.attrib["width"]), 2 * int(drawing.attrib["height"]))
        picture_texts[svg.stem] = svg_text(svg)
    assert set(picture_texts) == {"stage", "formula", "sums", "tree"}
    for token in text:
        assert all(token in picture_texts[name] for name in ("stage", "formula", "tree"))
    for word in bars:
        assert word in picture_texts["stage"]
    assert page.locator(".strip").first.evaluate("node => node.style.cssText") == "", "the page is unchanged"


def test_maps_charts_and_trees_too_and_by_night(chromium: Browser, address: str, tmp_path: Path) -> None:
    page = open_page(chromium, address, dark=True)
    try:
        press(page, "下一步")
        text = chips(page)
        follow(page, "看看裡面")
        page.wait_for_selector(".pane canvas", timeout=30_000)
        settle(page)
        texts = save_pictures(page, tmp_path)
        assert {"head_maps", "one_head", "lens_table", "strip"} <= set(texts)
        for token in text:  # the heat map is an image, its labels are text
            assert texts["one_head"].count(token) >= 3 and token in texts["lens_table"]
        assert "\n6\n" in texts["head_maps"]
        follow(page, "集束搜尋")
        page.wait_for_selector(".pane .node", timeout=30_000)
        page.get_by_text("換成機率來看").click()
        page.locator(".js-plotly-plot .slicetext").first.wait_for()
        settle(page)
        nodes = page.locator(".pane .node .word").all_text_contents()
        texts = save_pictures(page, tmp_path)
        assert {"beam_tree", "beam_mass", "beam_bars"} <= set(texts)
        assert all(word in texts["beam_tree"] for word in nodes)
        assert "提示" in texts["beam_mass"]
        paper = ElementTree.parse(tmp_path / "beam_tree.svg").getroot().find(f"{SVG}rect")
        assert paper is not None and paper.get("fill") == DARK.paper
    finally:
        leave(page)


def test_one_picture_has_the_sentence_the_bars_and_the_settings(page: Page, tmp_path: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "下一步", 2)
    shown = [(row.locator(".word").inner_text(), row.locator(".value").inner_text()) for row in bars_of(page)]
    sentence = "".join(chips(page))
    open_panel(page)
    ways = page.locator(".ways button")
    svg = save(page, ways.nth(1), tmp_path)
    text = svg_text(svg).split("\n")
    assert text[0] == f"{sentence} ＿"
    for word, value in shown:
        assert word in text and any(" ".join(value.split()) == " ".join(line.split()) for line in text)
    png = save(page, ways.nth(0), tmp_path)
    assert png_size(png) == (3840, 2160)
    with Image.open(png) as image:
        assert len(image.convert("RGB").resize((480, 270)).getcolors(480 * 270) or []) > 50
        assert image.convert("RGB").getpixel((5, 5)) == tuple(bytes.fromhex(LIGHT.paper[1:]))
    ways.nth(2).click()
    page.get_by_text("複製好了").wait_for()
    kinds = page.evaluate("navigator.clipboard.read().then((items) => items.map((item) => item.types))")
    assert kinds == [["image/png"]]


def bars_of(page: Page) -> list[Locator]:
    return page.locator(".bars .row").all()


def save_pictures(page: Page, folder: Path) -> dict[str, str]:
    """Save every picture as SVG. Returns the text of each by name."""
    rows = open_panel(page).all()
    files = [save(page, row.get_by_role("button", name="SVG"), folder) for row in rows]
    page.keyboard.press("Escape")
    return {svg.stem: svg_text(svg) for svg in files}


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def test_tables_and_the_recording_say_what_the_page_says(page: Page, tmp_path: Path) -> None:
    press(page, "下一步", 2)
    text, bars = chips(page), words(page)
    table = rows(save_file(page, "這一步的候選", tmp_path))
    assert [row[2] for row in table[1 : len(bars)]] == bars[:-1], "all bars but that of the other tokens"
    assert len(table) == 1 + 9216
    table = rows(save_file(page, "整段文字", tmp_path))
    assert [row[2] for row in table[1:]] == text
    trace = json_file.from_json(save_file(page, "紀錄", tmp_path).read_bytes())
    assert [row[1] for row in table[1:]] == [str(token_id) for token_id in trace.token_ids()]
    assert len(trace.token_ids()) == trace.prompt_length + 2


def test_a_recording_is_opened_again_and_a_broken_one_changes_nothing(page: Page, tmp_path: Path) -> None:
    press(page, "下一步", 2)
    press(page, "返回")
    click_bar(page, 3)
    text, branch = chips(page), page.locator(".branch").all_inner_texts()
    path = save_file(page, "紀錄", tmp_path)
    broken = [
        ("not JSON", "{", "打不開"),
        ("cut off", path.read_text("utf-8")[:-40], "打不開"),
        ("later", path.read_text("utf-8").replace('"version": 1', '"version": 9'), "比較新的版本"),
        ("cursor", path.read_text("utf-8").replace('"cursor": ', '"cursor": 99'), "打不開"),
        ("model", path.read_text("utf-8").replace('"bundled"', json.dumps(PAYLOADS[0])), "沒有開放這個模型"),
    ]
    page.keyboard.press("Escape")
    press(page, "重新開始")
    start = chips(page)
    for name, content, sentence in broken:
        open_panel(page)
        upload = FilePayload(name=f"{name}.json", mimeType="application/json", buffer=content.encode())
        page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(upload)
        page.get_by_test_id("stPopoverBody").get_by_text(sentence).wait_for()
        page.keyboard.press("Escape")
        settle(page)
        assert chips(page) == start, name
        assert page.get_by_test_id("stException").count() == 0
    open_panel(page)
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(path)
    page.locator(".strip .t").nth(len(start) + 1).wait_for()
    settle(page)
    assert chips(page) == text
    assert page.locator(".branch").all_inner_texts() == branch


@contextmanager
def opened(chromium: Browser, path: Path, **context: Any) -> Iterator[tuple[Page, list[str]]]:
    """A recording opened from a file in an offline browser, and its requests, errors and console messages."""
    visitor = chromium.new_context(offline=True, **context)
    page = visitor.new_page()
    events: list[str] = []
    page.on("request", lambda request: events.append(request.url))
    page.on("pageerror", lambda error: events.append(f"error: {error}"))
    page.on("console", lambda message: events.append(f"console: {message.text}"))
    page.goto(path.as_uri())
    try:
        yield page, events
    finally:
        visitor.close()


def replayed_bars(page: Page) -> list[tuple[str, str]]:
    return [
        (row.locator(".word").text_content() or "", row.locator(".value").text_content() or "")
        for row in page.locator("svg.bars .row").all()
    ]


def app_bars(page: Page) -> list[str]:
    return page.locator(".bars .row :is(.word, .value)").all_text_contents()


def test_a_recording_replays_what_the_app_showed(chromium: Browser, page: Page, tmp_path: Path) -> None:
    expected = []
    for step in range(3):
        expected.append((chips(page), app_bars(page), page.locator(".stats b").all_inner_texts()))
        if step < 2:
            press(page, "下一步")
    press(page, "返回")
    other = click_bar(page, 3)
    press(page, "返回")
    page.locator(".branch").first.click()  # back to the first line; the other one remains a branch
    settle(page)
    path = save_file(page, "重播", tmp_path)
    with opened(chromium, path) as (replay, events):
        for step, (text, bars, stats) in enumerate(expected):
            assert replay.locator(".count").text_content() == f"第 {step} 步，共 2 步"
            tokens = replay.locator(".strip .t")
            assert [tokens.nth(i).text_content() for i in range(len(text))] == text
            assert replay.locator(".stats").first.locator("b").all_inner_texts() == stats
            assert all(any(bar.startswith(word) for bar in bars) for word, _ in replayed_bars(replay))
            for word, value in replayed_bars(replay):
                assert any(value.split(" ▶")[0].strip() in bar for bar in bars), (word, value)
            assert replay.locator(".line .chips button").all_inner_texts() == text
            assert replay.locator(".arc").count() > 0
            replay.keyboard.press("ArrowRight")
        assert replay.locator("button.play").text_content() == "播放"
        replay.keyboard.press("Home")
        replay.keyboard.press("Space")
        assert replay.locator("button.play").text_content() == "停"
        replay.get_by_text("第 2 步，共 2 步").wait_for(timeout=8_000)
        replay.keyboard.press("ArrowLeft")
        branch = replay.locator(".branch")
        assert other in (branch.first.text_content() or "")
        branch.first.click()
        assert other in replay.locator(".strip .t").all_text_contents()
        assert events == [path.as_uri()], "no other requests, errors or messages"


def test_a_recording_fits_its_window_and_its_light(chromium: Browser, page: Page, tmp_path: Path) -> None:
    press(page, "下一步")
    path = save_file(page, "重播", tmp_path)
    for width, scheme, paper in ((390, "light", "rgb(251, 250, 247)"), (1280, "dark", "rgb(20, 23, 28)")):
        window = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
        with opened(chromium, path, **window) as (replay, events):
            assert replay.evaluate("document.documentElement.scrollWidth") == width
            assert replay.evaluate("getComputedStyle(document.documentElement).backgroundColor") == paper
            assert events == [path.as_uri()]


HOSTILE = "<img src=x onerror=document.title='owned'>"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with markup as its name and a payload as each token."""
    tokenizer = Tokenizer(
        models.WordLevel({text: i for i, text in enumerate(PAYLOADS)} | {"[end]": len(PAYLOADS)}, "[end]")
    )
    tokenizer.add_special_tokens([AddedToken("[end]", special=True)])
    _, config = tiny.FAMILIES["llama"]
    return tiny.save(tmp_path_factory.mktemp("models") / HOSTILE, tokenizer, config(len(PAYLOADS) + 1), "[end]")


@contextmanager
def no_room_on_any_disk(process: int) -> Iterator[None]:
    """Make the process unable to write to any file (a file size limit of 0)."""
    before = resource.prlimit(process, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)


ALIVE = (
    "script:not([type]), img, iframe, object, embed, a[href], form, video, audio, base, link, meta, math, style, "
    "svg svg, strong, em, .katex"
)


def assert_harmless(page: Page) -> None:
    """Assert that no payload was executed or became an element."""
    assert page.title() != "owned"
    roots = page.locator(".stMain .root, #page, #page .root").all()
    assert roots
    assert sum(root.locator(ALIVE).count() for root in roots) == 0


def test_every_payload_is_a_prompt_like_any_other(page: Page) -> None:
    """Each prompt contains as many payloads as fit the context window."""
    model = load()
    prompts, longest = [""], model.context_length - 20
    for payload in (" ".join(payload.split()) for payload in PAYLOADS):
        if len(model.encode(f"{prompts[-1]} {payload}")) > longest:
            prompts.append("")
        prompts[-1] = f"{prompts[-1]} {payload}".strip()
    box = page.get_by_role("textbox", name="提示")
    for prompt in prompts:
        box.fill(prompt)
        box.press("Enter")
        page.locator(".strip .t").nth(len(model.encode(prompt)) - 1).wait_for()
        settle(page)
        assert page.locator(".strip .t").count() == len(model.encode(prompt))
        assert page.get_by_test_id("stException").count() == 0
        assert_harmless(page)


def test_payloads_stay_text_in_the_app_in_its_files_and_in_a_recording(
    chromium: Browser, hostile: Path, tmp_path: Path
) -> None:
    with started(ENGINE_MODELS=str(hostile)) as server, no_room_on_any_disk(server.process.pid):
        code = encode_trace(Trace.start(str(hostile), [0], Settings()))
        page = open_page(chromium, f"{server.address}/?t={code}")
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.locator(".strip .t", has_text=PAYLOADS[0]).wait_for()
        settle(page)
        press(page, "下一步", 3)
        assert chips(page)[0] == PAYLOADS[0]
        assert_harmless(page)
        path, table = save_file(page, "重播", tmp_path), rows(save_file(page, "這一步的候選", tmp_path))
        assert len(table) == len(PAYLOADS) + 2
        assert PAYLOADS[0] in save_pictures(page, tmp_path)["stage"]
        assert not [url for url in requests if "invalid" in url]
        assert_harmless(page)
        leave(page)
        with opened(chromium, path) as (replay, events):
            for _ in range(4):
                assert replay.locator(".strip .t").first.text_content() == PAYLOADS[0]
                assert_harmless(replay)
                replay.keyboard.press("ArrowRight")
            assert HOSTILE in (replay.locator(".facts").text_content() or "")
            assert events == [path.as_uri()]
