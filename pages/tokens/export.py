"""Downloads of the tokens page: its pictures."""

from __future__ import annotations

from pages.shell.share.downloads import Exports

PICTURES = ("cut", "merging", "cuts")
EXPORTS = Exports(PICTURES)
