"""Control of how the app is shown, in the top bar: light or dark, and presentation mode for a projector.

The browser keeps both; nothing here is rerun. The component is `display.js` with `presentation.js`, the style of the
pages in presentation mode is `presented_page.css`.
"""

from __future__ import annotations

from pathlib import Path

from pages.components.register import register
from pages.i18n.translator import Translator

_display = register("display", Path(__file__), "presentation")


def draw(t: Translator, menu: bool = False) -> None:
    """The two buttons, in presentation mode one that leaves it; `menu`: only light or dark, with its name."""
    labels = {
        "present": t("display.present"),
        "leave": t("display.leave"),
        "system": t("display.system"),
        "light": t("display.light"),
        "dark": t("display.dark"),
    }
    _display(key="display_in_menu" if menu else "display", data={"menu": menu, "labels": labels})
