"""Benchmark of a first visit with an empty cache: bytes, first paint, usable page and layout shift, on two networks.

Times are ratios to the minimal Streamlit app (`one_line.py`), which is opened alternately on the same network.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession

from tests.browser.app import browser, served

ROUNDS = 5
BARS, LINE = ".bars .row", "[data-testid=stText]"
_OBSERVE = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"


@dataclass(frozen=True)
class Network:
    """Conditions of a visit: bytes a second (0 for no limit), latency in milliseconds, slowdown of the processor."""

    name: str
    rate: int = 0
    latency: int = 0
    slowdown: int = 1

    def apply(self, devtools: CDPSession) -> None:
        """Set the conditions in a browser's tab."""
        if self.rate:
            devtools.send("Network.emulateNetworkConditions", {
                "offline": False, "latency": self.latency, "downloadThroughput": self.rate,
                "uploadThroughput": self.rate,
            })  # fmt: skip
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": self.slowdown})


NETWORKS = (Network("this machine"), Network("9 Mbit/s, 60 ms, processor ÷ 4", 9_000_000 // 8, 60, 4))


@dataclass(frozen=True)
class Visit:
    """Measurements of one visit: seconds to the first paint and to the usable page, bytes received, layout shift."""

    paint: float
    usable: float
    received: int
    shift: float


def visit(opened: Browser, address: str, usable: str, network: Network) -> Visit:
    """Open an address in a browser that has not been there, until the element `usable` is visible."""
    context = opened.new_context(locale="zh-TW", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    received: list[int] = []
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    devtools.on("Network.webSocketFrameReceived", lambda event: received.append(len(event["response"]["payloadData"])))
    network.apply(devtools)
    page.add_init_script(_OBSERVE)
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(usable, timeout=120_000)
    seconds = time.perf_counter() - started
    page.wait_for_timeout(2_000)  # what comes after: prefetched scripts, late shifts
    paint, shift = (float(page.evaluate(script)) for script in (_FIRST_PAINT, "shift"))
    context.close()
    return Visit(paint / 1000, seconds, sum(received), shift)


def _median(visits: list[Visit], name: str) -> Any:
    return statistics.median(getattr(visit, name) for visit in visits)


def run() -> None:
    """Print the ratios."""
    line = Path(__file__).with_name("one_line.py")
    with browser() as opened, served() as address, served(line) as line_address:
        for network in NETWORKS:
            ours, baseline = [], []
            for _ in range(ROUNDS):
                ours.append(visit(opened, address, BARS, network))
                baseline.append(visit(opened, line_address, LINE, network))
            for name in ("paint", "usable"):
                a, b = _median(ours, name), _median(baseline, name)
                what = {"paint": "first paint", "usable": "usable page"}[name]
                print(f"first visit, {network.name}, {what} ÷ an app that prints one line: {a / b:.2f}"
                      f"  ({a:.2f} s, {b:.2f} s)")  # fmt: skip
            print(f"first visit, {network.name}: {_median(ours, 'received') / 1e6:.2f} MB received,"
                  f" layout shift {_median(ours, 'shift'):.3f}")  # fmt: skip
