"""Whether the step page is reduced to what a first visit needs, by what the browser remembers and by the URL."""

from __future__ import annotations

from collections.abc import Mapping

COOKIE = "view"
_SIMPLE, _ALL = "simple", "all"
_NO_STATE = {"lang", "embed", "embed_options"}  # parameters of a URL that restore nothing on the page


def is_simple(cookies: Mapping[str, str], query: Mapping[str, object]) -> bool:
    """Whether a browser with these cookies sees the reduced page at a URL.

    Where it has seen neither page yet, a link opens with everything: its settings may have no controls on the other.

    >>> is_simple({}, {"lang": "en"}), is_simple({}, {"t": "AQ"}), is_simple({"view": "simple"}, {"t": "AQ"})
    (True, False, True)
    """
    return {_SIMPLE: True, _ALL: False}.get(cookies.get(COOKIE, ""), is_fresh(query))


def is_fresh(query: Mapping[str, object]) -> bool:
    """Whether a URL restores nothing."""
    return not set(query) - _NO_STATE


def cookie(simple: bool) -> str:
    """What the browser is to remember, as `name=value`."""
    return f"{COOKIE}={_SIMPLE if simple else _ALL}"
