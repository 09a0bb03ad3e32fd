"""`python -m pages`: serves the app and loads the model before the first visit.

Further arguments are passed to `streamlit run`. `streamlit run app.py` serves the same app, but loads the model only
when the first visitor opens a page.
"""

from __future__ import annotations

import sys
import threading
import time
from importlib import import_module
from pathlib import Path

from engine.errors import EngineError
from engine.serving import json_logs, model_registry

APP = Path(__file__).parents[1] / "app.py"
_SECONDS_AFTER_THE_MODEL = 3  # the first visitor's page is drawn by then


def main() -> None:
    """Start the server. Exits with status 2 and a message for an invalid setting."""
    try:
        json_logs.configure()
        model_registry.request()  # loads in a thread while Streamlit is imported
        from pages.shell import startup
        from pages.shell.web import middleware, server_socket

        startup.start()
        middleware.install()
        server_socket.install()
        threading.Thread(target=_import_chart_libraries, daemon=True).start()
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli

    # Streamlit takes the scripts in a folder named `pages` as the app's pages until `st.navigation` is called: a first
    # visitor who followed a link to a page would get "page not found".
    PagesManager.uses_pages_directory = False
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main()


def _import_chart_libraries() -> None:
    """Import what the start page does without, so that the first click on a page with charts need not wait for it."""
    model_registry.request().wait(60)
    time.sleep(_SECONDS_AFTER_THE_MODEL)
    for name in ("altair", "pandas", "plotly.graph_objects"):
        import_module(name)


if __name__ == "__main__":
    main()
