"""Pictures of the app for messengers and browser tabs, drawn by a browser: `python -m tests.browser.preview`.

The probabilities in the preview are those of the included model. They are also written into the file, so that a test
notices when the model has others.
"""

from __future__ import annotations

import html
import io
import json
from pathlib import Path

from PIL import Image, PngImagePlugin
from playwright.sync_api import Browser

import engine
from pages.components import theme
from pages.i18n.translator import Translator
from pages.shell.web import start_page
from tests.browser.app import browser

PROMPT = "今天天氣真"
ROWS = 5
SIZE = (1200, 630)
ICON = 180
PREVIEW, ICON_PNG, ICON_SVG = (start_page.HERE / name for name in ("preview.png", "icon.png", "icon.svg"))
_STYLE = f"""
body {{ margin: 0; width: 1200px; height: 630px; box-sizing: border-box; padding: 52px 80px; overflow: hidden;
  background: {theme.LIGHT.paper}; color: {theme.LIGHT.ink}; font: 34px/1.3 {theme.SANS}; }}
h1 {{ margin: 0 0 34px; font-size: 40px; font-weight: 700; }}
h1 span {{ color: {theme.LIGHT.soft}; font-weight: 400; }}
.text {{ display: flex; align-items: center; gap: 5px; margin-bottom: 32px; font-size: 58px; line-height: 84px; }}
.text i {{ font-style: normal; padding: 0 14px; border-radius: 6px; background: #F3F1EB; }}
.text b {{ width: 5px; height: 84px; background: {theme.LIGHT.pick}; }}
.row {{ display: grid; grid-template-columns: 110px 1fr 130px; align-items: center; gap: 18px; height: 62px; }}
.row > :first-child, .row > :last-child {{ text-align: right; }}
.bar {{ height: 34px; border-radius: 6px; background: {theme.LIGHT.draw}; }}
.row:first-of-type {{ color: {theme.LIGHT.pick}; font-weight: 700; }}
.row:first-of-type .bar {{ background: {theme.LIGHT.pick}; }}
"""


def rows() -> list[tuple[str, float]]:
    """(text, probability) of the included model's most probable next tokens."""
    model = engine.load()
    candidates = model.distribution(model.encode(PROMPT)).top(ROWS)
    return [(candidate.text, candidate.raw) for candidate in candidates]


def written(drawn: list[tuple[str, float]]) -> str:
    """What the preview says, as it stands in the file: the tokens with their probabilities as drawn."""
    t = Translator("en")
    return json.dumps({PROMPT: [[text, t.percent(p)] for text, p in drawn]}, ensure_ascii=False)


def page(drawn: list[tuple[str, float]]) -> str:
    """HTML of the preview."""
    t, en = Translator("zh_Hant"), Translator("en")
    model = engine.load()
    tokens = "".join(f"<i>{html.escape(piece)}</i>" for piece in model.pieces(model.encode(PROMPT)))
    bars = "".join(
        f'<div class="row"><span>{html.escape(text)}</span><div><div class="bar" style="width: {p:.2%}"></div></div>'
        f"<span>{t.percent(p)}</span></div>"
        for text, p in drawn
    )
    name = f"<h1>{html.escape(t('app.title'))} <span>{html.escape(en('app.title'))}</span></h1>"
    return f'<style>{_STYLE}</style>{name}<div class="text">{tokens}<b></b></div><main>{bars}</main>'


def picture(chromium: Browser, content: str, size: tuple[int, int]) -> Image.Image:
    """HTML as an image with a transparent ground."""
    tab = chromium.new_page(viewport={"width": size[0], "height": size[1]})
    tab.set_content(content)
    return Image.open(io.BytesIO(tab.screenshot(omit_background=True)))


def save(image: Image.Image, path: Path, colors: int, text: str = "") -> None:
    """Write a PNG with a palette, which is a third as large, and a text in it."""
    info = PngImagePlugin.PngInfo()
    if text:
        info.add_itxt("Description", text)
    image.quantize(colors, method=Image.Quantize.FASTOCTREE).save(path, optimize=True, pnginfo=info)


def main() -> None:
    """Draw both pictures."""
    drawn = rows()
    with browser() as chromium:
        save(picture(chromium, page(drawn), SIZE), PREVIEW, 64, written(drawn))
        icon = f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{ICON_SVG.read_text('utf-8')}"
        save(picture(chromium, icon, (ICON, ICON)), ICON_PNG, 32)


if __name__ == "__main__":
    main()
