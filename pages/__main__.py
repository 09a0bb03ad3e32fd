"""`python -m pages`: serves the app, with the model on its way before the first visitor comes.

Further arguments go to `streamlit run`. `streamlit run app.py` serves the same app; its first visitor waits longer.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import EngineError
from engine.serving import json_logs, model_registry

APP = Path(__file__).parents[1] / "app.py"


def main() -> None:
    try:
        json_logs.configure()
        model_registry.request()  # reads weights while the rest starts
        from pages.shell import startup

        startup.start()
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli

    # A folder named `pages` makes Streamlit look for pages there until the app first says which ones it has: a first
    # visitor who followed a link to one of them would be told that there is no such page.
    PagesManager.uses_pages_directory = False
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main()


if __name__ == "__main__":
    main()
