"""Tabs of the browser tests, used again by the next test: a tab's process keeps the scripts that it has compiled.

A visit in a tab that has been used takes half the CPU time of a visit in a browser context of its own.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, BrowserContext, Page

from pages.shell.web import simple_view

_idle: WeakKeyDictionary[Browser, dict[str, list[Page]]] = WeakKeyDictionary()  # by locale


def new_page(
    chromium: Browser, locale: str = "zh-TW", width: int = 1280, height: int = 900, dark: bool = False
) -> Page:
    """Empty page of a visitor whose browser has loaded nothing yet, in a context of its own, to be closed."""
    context = chromium.new_context(
        locale=locale, viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    _show_everything(context)
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def borrow(
    chromium: Browser,
    locale: str = "zh-TW",
    width: int = 1280,
    height: int = 900,
    dark: bool = False,
    first: bool = False,
    motion: bool = False,
) -> Page:
    """Empty page of a new visitor, in a tab that may have been another visitor's; give it back with `leave`.

    `first`: a browser that has not been here, for the reduced step page. `motion`: the visitor wants to see motion;
    every frame of it costs CPU time.
    """
    idle = _idle.setdefault(chromium, {}).setdefault(locale, [])
    page = idle.pop() if idle else chromium.new_context(locale=locale).new_page()
    if not first:
        _show_everything(page.context)
    page.set_default_timeout(20_000)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(
        media="null",
        color_scheme="dark" if dark else "light",
        reduced_motion="no-preference" if motion else "reduce",
    )
    return page


def leave(page: Page) -> None:
    """Take everything from the page that its visitor has left there, and let another have it.

    Not for a page with an initialization script, which could not be removed.
    """
    context = page.context
    for other in context.pages:
        if other is not page:
            other.close()
    page.unroute_all()
    if page.url.startswith("http"):
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    context.clear_cookies()
    context.clear_permissions()
    page.mouse.move(0, 0)
    page.goto("about:blank")
    devtools = context.new_cdp_session(page)
    devtools.send("Page.resetNavigationHistory")  # it holds fifty entries, and then grows no longer
    devtools.detach()
    browser = context.browser
    assert browser is not None
    locale: str = page.evaluate("navigator.language")
    _idle[browser].setdefault(locale, []).append(page)


def _show_everything(context: BrowserContext) -> None:
    """Have the browser remember that its visitor wants all parts of the step page."""
    name, value = simple_view.cookie(simple=False).split("=")
    context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])
