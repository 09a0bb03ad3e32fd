"""Downloads of the limits page: its pictures, by the widget keys of their elements."""

from __future__ import annotations

from pages.shell.share.downloads import Exports

PICTURES = (
    "limits_times picture", "limits_fork", "limits_values picture", "limits_perplexities picture", "limits_bars",
    "limits_cloze", "limits_exposure picture",
)  # fmt: skip
EXPORTS = Exports(PICTURES)
