"""Chromium for the browser tests: one on the PATH, else Debian's packages, else Playwright's own.

`python -m tests.browser.chromium` installs one if there is none and prints its path. A missing browser is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
# A page of a test does not live long enough for the optimizing compilers to pay: a visit takes a tenth less CPU time.
FEW_COMPILERS = "--js-flags=--no-maglev --no-turbofan --always-sparkplug"


def find() -> str | None:
    """Path of an installed browser, or None."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        bundled = playwright.chromium.executable_path
    return bundled if Path(bundled).exists() else None


def require() -> str:
    """Path of a browser, installed now if there is none. Raises RuntimeError if that fails."""
    path = find()
    if path is None and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        # Debian's shell without windows takes a fifth less CPU time for a page; older releases have only the browser.
        for package in ("chromium-headless-shell", "chromium"):
            if find() is None:
                subprocess.run(["apt-get", "install", "-y", "-qq", package, "fonts-noto-cjk"], check=False)
        path = find()
    if path is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"], check=False)
        path = find()
    if path is None:
        raise RuntimeError("no Chromium: install one (Debian: apt-get install chromium) and run this again")
    return path


if __name__ == "__main__":
    print(require())
