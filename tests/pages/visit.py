"""A visitor without a browser: the whole app, or one of its pages, driven from a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from engine.serving import model_registry

APP = Path(__file__).parents[2] / "app.py"


def visit(page: str = "pages/lab/step.py", language: str = "zh_Hant", lesson: str = "", **kept: Any) -> AppTest:
    """A visitor who has opened a page, or followed a link to a step of a lesson, such as `05-beam.2`.

    `kept` is what their session holds before they come.
    """
    model_registry.request().result()
    driver = AppTest.from_file(str(APP), default_timeout=60)
    driver.session_state["lang"] = language
    for key, value in kept.items():
        driver.session_state[key] = value
    if lesson:
        driver.query_params["lesson"] = lesson
    driver.run()
    return driver if page == "pages/lab/step.py" else driver.switch_page(page).run()
