"""Streamlit's own words (buttons and hints of its widgets, its messages) in the visitor's language.

Streamlit has them in English only, and parameters for few of them. `streamlit_words.js` replaces them in the browser.
"""

from __future__ import annotations

from pathlib import Path

from pages.components.register import register
from pages.i18n.translator import Translator

# Where Streamlit writes (CSS selector): its texts as regular expressions, and the keys of the app's own, where {1} is
# the first group. A text is replaced only as a whole, and by the first selector that fits: a token may be any word.
_WORDS = {
    ".stFileUploader": {
        "Upload": "upload",
        r"([\d.]+)MB per file.*": "file_kinds",
        "Drag and drop a file here": "drop",
        r"(?:Remove|Cancel upload of) (.+)": "remove",
        "Add files|file upload": "upload",
        r"Error: .*File must be ([\d.]+?)(?:\.0)?MB or smaller.*": "too_large",
        "Error: .* files are not allowed.*": "wrong_kind",
        "Error: .*": "no_upload",
    },
    ".stTooltipErrorContent": {
        r".*File must be ([\d.]+?)(?:\.0)?MB or smaller.*": "too_large",
        ".* files are not allowed.*": "wrong_kind",
        "Number is .* the allowed range.*": "out_of_range",
    },
    ":has(+ [class*=st-key-enter_key]) [data-testid=InputInstructions]": {"Press .+Enter to apply": "enter_or_line"},
    "[data-testid=InputInstructions]": {
        "Press Enter to apply": "enter",
        r"Press (.+)\+Enter to apply": "key_enter",
    },
    ".stNumberInput": {
        "Increment": "more",
        "Decrement": "less",
        "(?:Error: )?Number is .* the allowed range.*": "out_of_range",
    },
    ":is(.stSelectbox, .stMultiSelect) button": {
        "Open": "open",
        "Clear value|Clear all": "clear",
        "Remove (.+)": "remove",
    },
    ":is(.stSelectbox, .stMultiSelect) input": {
        "Choose an option|Choose or add an option|No options to select": "choose"
    },
    ".stMultiSelect [role=group]": {"Selected values": "chosen"},
    "[data-key=__creatable__]": {"Add: (.+)": "add"},
    "[data-key=__select_all__]": {r"Select all|Select \d+ matches": "all"},
    "[role=listbox]:not(:has([role=option]))": {"No results": "none", "You can only select .*": "enough"},
    ".stButton kbd": {"(?:Shortcut )?Space": "space", "Shortcut (.+)": "shortcut"},
    "[data-testid=stStatusWidget], [data-testid=stToolbar]": {
        "Connecting": "connecting",
        "Stop": "stop",
        "Stopping...": "stop",
        "Running...": "running",
        "Error": "no_answer",
    },
    "[role=dialog]": {
        "Connection error": "no_answer",
        "Page not found": "no_page",
        "(?:.* not responding.*|.*still running.*|Cannot connect .*|Connection .*)": "no_answer_why",
        ".*requested .*main page.": "no_page_why",
        "Close": "close",
    },
    "[data-testid=stSkipToContent]": {"Skip to main content": "skip"},
    "[data-testid=stTooltipHoverTarget] > button[type=button]": {"Help": "help", "Help for (.+)": "help_for"},
    ".stCode": {"Copy to clipboard": "copy", "Copied": "copied"},
}

_component = register("streamlit_words", Path(__file__))


def draw(t: Translator) -> None:
    """The replacement, from now on; draws nothing."""
    places = [
        [place, [[f"^(?:{pattern})$", t(f"own.{key}")] for pattern, key in words.items()]]
        for place, words in _WORDS.items()
    ]
    _component(key="streamlit_words", data={"places": places})
