"""`python -m pages`: serves the app, with the model on its way before the first visitor comes.

Further arguments go to `streamlit run`. `streamlit run app.py` serves the same app; its first visitor waits longer.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine import shared

APP = Path(__file__).parents[1] / "app.py"


def main() -> None:
    shared.request()
    from streamlit.web import cli

    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main()


if __name__ == "__main__":
    main()
