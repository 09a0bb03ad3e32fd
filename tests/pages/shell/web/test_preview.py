"""The picture of a link: the probabilities in it are those that the included model gives now."""

from __future__ import annotations

import json

from PIL import Image

import engine
from engine.serving import model_registry
from pages.i18n.translator import Translator
from pages.shell.web import start_page


def test_the_probabilities_are_the_models() -> None:
    """If this fails: `python -m tests.browser.preview`."""
    with Image.open(start_page.HERE / "preview.png") as picture:
        size = picture.size
        said = json.loads(picture.info["Description"])
    assert size == (1200, 630)
    assert (start_page.HERE / "preview.png").stat().st_size < 60_000
    ((prompt, rows),) = said.items()
    assert prompt in Translator("zh_Hant").list("step.examples.list")
    model = model_registry.request().result()
    distribution = model.distribution(model.encode(prompt), engine.Settings())
    probabilities = sorted(zip(distribution.raw.tolist(), range(len(distribution.raw)), strict=True), reverse=True)
    t = Translator("en")
    assert rows == [[model.pieces([token])[0], t.percent(p)] for p, token in probabilities[: len(rows)]]
    assert len(rows) == 5
