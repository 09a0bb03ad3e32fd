"""Downloads of the training page: its pictures."""

from __future__ import annotations

from pages.shell.share.downloads import Exports

PICTURES = ("forced", "training_bars", "worst", "shifted", "learning")
EXPORTS = Exports(PICTURES)
