"""Speed and memory on a real checkpoint, as ratios to the bare library measured in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

import torch

from engine.model.loading import load
from engine.model.model import Model
from tests.bench import page as bench_page
from tests.bench.beam import empty
from tests.bench.engine import milliseconds, step_times
from tests.browser.app import browser, served, settle
from tests.browser.tabs import new_page
from tests.real import equality

ROUNDS = 3
CONTEXT = 64
HEADS_AT = 60  # tokens of the text whose overview of all heads is timed
_LOADED = """
import sys, time, torch
torch.set_num_threads(1)
started = time.perf_counter()
{load}
seconds = time.perf_counter() - started
import os
pages = int(open("/proc/self/statm").read().split()[1])
print(seconds, pages * os.sysconf("SC_PAGE_SIZE"))
"""
_OURS = "from engine.model.loading import load\nmodel = load(sys.argv[1])\nmodel.records(model.encode('The cat'))"
_LIBRARIES = "import engine.model.loading"
_THEIRS = (
    "from transformers import AutoModelForCausalLM as A, AutoTokenizer as T\n"
    "model = A.from_pretrained(sys.argv[1], dtype=torch.float32); tokenizer = T.from_pretrained(sys.argv[1])"
)


def _fresh(code: str, folder: Path) -> tuple[float, float]:
    """(seconds, resident bytes) of a new process that loads the model."""
    command = [sys.executable, "-c", _LOADED.format(load=code), str(folder)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(output[-2]), float(output[-1])


def loading(folder: Path, weights: int) -> list[str]:
    """Time to load against `from_pretrained`, and memory of the process against the weights."""
    _fresh(_THEIRS, folder)  # the files are in the system's cache from here on
    ours, theirs = _fresh(_OURS, folder), _fresh(_THEIRS, folder)
    libraries = _fresh(_LIBRARIES, folder)[1]  # the same for every model: much beside a small one
    return [
        f"load ÷ from_pretrained: {ours[0] / theirs[0]:.2f}  ({ours[0]:.1f} s, {theirs[0]:.1f} s)",
        f"memory of the process ÷ weights: {ours[1] / weights:.2f}  ({ours[1] / 1e9:.2f} GB, {weights / 1e9:.2f} GB);"
        f" without the imported libraries, {libraries / 1e9:.2f} GB: {(ours[1] - libraries) / weights:.2f}",
    ]


def stepping(model: Model, folder: Path) -> list[str]:
    """A recorded step against a bare cached one, and beam search against `generate`."""
    reference = equality.reference(folder, "sdpa")
    ours, theirs = step_times(model, reference, CONTEXT, ROUNDS)
    step = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    beams: list[tuple[float, float]] = []
    for text in equality.TEXTS[:ROUNDS]:
        ids = model.encode(text)
        beams.append((milliseconds(lambda ids=ids: _search(empty(model), ids)),  # type: ignore[misc]
                      milliseconds(lambda ids=ids: _generate(reference, ids))))  # type: ignore[misc]  # fmt: skip
    ratio = statistics.median(a / b for a, b in beams)
    return [
        f"recorded step ÷ bare cached step: {step:.2f}  ({statistics.median(theirs):.0f} ms bare)",
        f"beam search {equality.WIDTH} × {equality.NEW_TOKENS} ÷ generate: {ratio:.2f}"
        f"  ({statistics.median(b for _, b in beams) / 1000:.1f} s)",
    ]


def _search(model: Model, ids: tuple[int, ...]) -> None:
    import engine

    engine.beam_search(model, ids, width=equality.WIDTH, max_new_tokens=equality.NEW_TOKENS)


def _generate(reference: torch.nn.Module, ids: tuple[int, ...]) -> None:
    reference.generate(  # type: ignore[operator]
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
        num_beams=equality.WIDTH, max_new_tokens=equality.NEW_TOKENS, pad_token_id=0,
    )  # fmt: skip


def clicking(folder: Path, bare_step: float) -> list[str]:
    """Clicks in the app with this model, against the one-line app and the bare step; `bare_step` in milliseconds."""
    line_script = Path(bench_page.__file__).parent / "one_line.py"
    with browser() as opened, served(ENGINE_MODELS=str(folder)) as address, served(line_script) as line_address:
        line_page = opened.new_page()
        line_page.goto(line_address)
        line_page.wait_for_selector("[data-testid=stText]")
        line = (line_page, "Next", "[data-testid=stText]")
        page = new_page(opened)
        page.goto(f"{address}/models")
        page.locator(".st-key-models_now").wait_for(timeout=90_000)
        page.get_by_role("button", name=folder.name).last.click()
        page.locator(".st-key-models_back").wait_for(timeout=300_000)
        bench_page.follow(page, "一步一步生成")
        settle(page, 60)
        click, base = bench_page.alternate((page, "下一步", ".bars"), line)
        box = page.get_by_role("textbox", name="提示")
        box.fill("The cat sat on the mat. " * (HEADS_AT // 7))
        box.press("Enter")
        settle(page, 60)
        _, open_head = bench_page.attention_page(page)
        heads, heads_base = bench_page.alternate((page, open_head, ".root:has(> .asks)"), line)
    return [
        f"click on Next ÷ (one-line app + bare step): {click / (base + bare_step):.2f}  ({click:.0f} ms)",
        f"click on a head of the overview above the one-line app: {heads - heads_base:.0f} ms",
    ]


def bare_step(model: Model, folder: Path) -> float:
    """Milliseconds of a bare cached step."""
    return statistics.median(step_times(model, equality.reference(folder, "sdpa"), CONTEXT, 1)[1])


def opened(folder: Path) -> Model:
    """The model as the engine loads it, with one thread as in the app."""
    torch.set_num_threads(1)
    return load(folder)
