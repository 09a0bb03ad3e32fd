"""`python -m pages`: serves the app and loads the model before the first visit.

Further arguments are passed to `streamlit run`. `streamlit run app.py` serves the same app, but loads the model only
when the first visitor opens a page.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.errors import EngineError
from engine.serving import json_logs, model_registry

APP = Path(__file__).parents[1] / "app.py"


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


if __name__ == "__main__":
    main()
