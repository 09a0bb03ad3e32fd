"""Browser test of the attention page with as many layers and heads as well-known models have: a laptop, a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from transformers import Qwen2Config

import engine
from engine.trace.trace import Trace
from tests import tiny
from tests.browser.app import overflowing_elements, settle
from tests.browser.tabs import borrow, leave
from tests.serving import started

SHAPES = {"SmolLM2": (30, 9, 3), "Qwen2.5": (24, 14, 2), "GPT-2": (12, 12, 12)}  # layers, heads, key-value heads
LAPTOP, PHONE = (1366, 657), (390, 844)
LEAST = 24  # pixels: target size of WCAG 2.5.8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a tiny model of each shape."""
    folder = tmp_path_factory.mktemp("deep")
    tokenizer = tiny.byte_level()
    for name, (layers, heads, kv_heads) in SHAPES.items():
        shape = tiny.SHAPE | {"num_hidden_layers": layers, "num_attention_heads": heads, "hidden_size": 4 * heads}
        config = Qwen2Config(vocab_size=tokenizer.get_vocab_size(), num_key_value_heads=kv_heads, **shape)
        tiny.save(folder / name, tokenizer, config)
    return folder


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[str]:
    with started(ENGINE_MODELS=f"{folder}/*") as server:
        yield server.address


def opened(chromium: Browser, app: str, model: Path, size: tuple[int, int]) -> Page:
    ids = engine.load(str(model)).encode("the cat sat on")
    page = borrow(chromium, "en-GB", *size)
    page.goto(f"{app}/attention?t={engine.encode_trace(Trace.start(str(model), ids, engine.Settings()))}")
    page.locator("canvas[role=application]").wait_for(timeout=90_000)
    settle(page)
    return page


def check_overview(page: Page, layers: int, heads: int) -> None:
    """Every head has a place that can be hit, in a pane that is in sight as a whole; the last one opens."""
    pane, canvas = page.locator(".pane:has(.grid)"), page.locator("canvas[role=application]")
    pane.evaluate("pane => pane.scrollIntoView({ block: 'center' })")
    box = pane.bounding_box()
    size = page.viewport_size
    assert box is not None and size is not None
    assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"], "the pane is in sight as a whole"
    assert pane.locator(".layers span").all_inner_texts() == [str(i + 1) for i in range(layers)]
    assert pane.locator(".heads span").all_inner_texts() == [str(i + 1) for i in range(heads)]
    grid = canvas.bounding_box()
    assert grid is not None
    step = grid["width"] / heads
    assert step == pytest.approx(grid["height"] / layers) and step >= LEAST
    pane.evaluate("pane => pane.scrollTo(pane.scrollWidth, pane.scrollHeight)")
    last_layer, last_head = (pane.locator(f"{name} span").last.bounding_box() for name in (".layers", ".heads"))
    assert last_layer is not None and last_layer["y"] + last_layer["height"] <= box["y"] + box["height"] + 1
    assert last_head is not None and last_head["x"] + last_head["width"] <= box["x"] + box["width"] + 1
    first = pane.locator(".heads").bounding_box()
    assert first is not None and first["y"] == pytest.approx(box["y"], abs=1), "numbers of the heads stay in sight"
    canvas.click(position={"x": grid["width"] - step / 2, "y": grid["height"] - step / 2})
    settle(page)
    told = page.locator(".told").first.inner_text()
    assert told.startswith(f"Layer {layers}, head {heads}:")
    canvas.press("ArrowUp")
    settle(page)
    assert page.locator(".told").first.inner_text().startswith(f"Layer {layers - 1}, head {heads}:")


@pytest.mark.parametrize("name", SHAPES)
def test_every_head_can_be_found_and_opened(chromium: Browser, app: str, folder: Path, name: str) -> None:
    layers, heads, _ = SHAPES[name]
    page = opened(chromium, app, folder / name, LAPTOP)
    try:
        for width, height in (LAPTOP, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            settle(page)
            check_overview(page, layers, heads)
            assert overflowing_elements(page) == []
        whole = page.locator(".pane:has(.grid)").evaluate("pane => pane.scrollHeight <= pane.clientHeight")
        assert whole == (name != "SmolLM2"), "on a phone all maps are seen at once, unless there are too many"
    finally:
        leave(page)


def test_a_link_shows_its_head_and_the_lens_keeps_its_place(chromium: Browser, app: str, folder: Path) -> None:
    layers = SHAPES["SmolLM2"][0]
    page = opened(chromium, app, folder / "SmolLM2", LAPTOP)
    try:
        lens = page.locator(".pane:has(tfoot)")
        lens.evaluate("pane => pane.scrollTo(0, pane.scrollHeight)")
        cell = page.locator("[data-cell='1:2']")
        cell.click()
        settle(page)
        assert lens.evaluate("pane => pane.scrollTop") > 300
        pane = lens.bounding_box()
        for name in ("thead", "tfoot"):
            row = lens.locator(f"{name} th").nth(1).bounding_box()
            assert pane is not None and row is not None
            assert row["y"] >= pane["y"] - 1 and row["y"] + row["height"] <= pane["y"] + pane["height"] + 1, name
        assert page.locator(".st-key-inside_ranks tbody tr").count() == layers + 1
        canvas = page.locator("canvas[role=application]")
        for _ in range(layers - 2):
            canvas.press("ArrowDown")
        settle(page)
        page.wait_for_timeout(300)
        page.reload()
        canvas.wait_for(timeout=60_000)
        settle(page)
        grid = page.locator(".pane:has(.grid)")
        assert page.locator(".told").first.inner_text().startswith(f"Layer {layers - 1}, head 1:")
        assert grid.evaluate("pane => pane.scrollTop") > 100, "the open head is scrolled into view"
    finally:
        leave(page)
