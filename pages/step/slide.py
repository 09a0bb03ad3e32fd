"""One 16:9 picture of the step page as SVG: the sentence, the bars of the next token, the settings, the app's address.

Drawn from the same data as the stage, not from the screen. The texts of visitors and models become character data of
the XML tree, which escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from pages.components import theme
from pages.i18n.translator import Translator
from pages.session.text_state import TextState
from pages.step import stage
from pages.step.settings_in_effect import settings_in_effect
from pages.step.svg_text import Part, fitted, safe, shortened

if TYPE_CHECKING:
    from engine.model.model import Model

WIDTH, HEIGHT = 1920, 1080
LEFT, RIGHT = 80, 1840
TRACK = (390, 1080)  # left and right end of the axis of the bars
_VALUES, _FACTS = 1100, 1480  # left ends of the percentages and of the settings
_SENTENCE, _TOP, _BOTTOM = 190, 350, 950  # middle of the sentence, ends of the bars
_SIZES = ((100.0, 1), (64.0, 2), (46.0, 3), (34.0, 5))  # font sizes of the sentence, with the lines that have room
_LINE = 1.42  # font sizes from line to line of the sentence
_LARGEST_ROW = 60
_MARKED = 12  # last tokens, which are told apart


def svg(session: TextState, model: Model, t: Translator, dark: bool, site: str) -> str:
    """The picture. `site`: the app's address. Raises EngineError where the model gives no probabilities."""
    colors = theme.palette(dark)._asdict()
    root = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {HEIGHT}")
    root.attrib |= {"width": str(WIDTH), "height": str(HEIGHT), "font-family": theme.sans(t.language)}
    parts = sentence(session, model)
    SubElement(root, "title").text = "".join(part.text for part in parts)
    _hatching(root, colors["cut"])
    _rect(root, 0, 0, WIDTH, HEIGHT, colors["paper"])
    _draw_sentence(root, parts, colors)
    distribution, token_id, u = session.choice(model)
    chosen = None if session.end(model) else token_id
    rows = stage.bar_rows(session, distribution, chosen, t, session.bars)
    _draw_bars(root, rows, stage.cut(rows, t), colors)
    _draw_facts(root, settings_in_effect(session, None if chosen is None else u, t), colors)
    _rect(root, LEFT, 1000, RIGHT - LEFT, 1, colors["line"])
    _text(root, LEFT, 1042, 26, colors["soft"], shortened(site, 50))
    _text(root, RIGHT, 1042, 26, colors["soft"], t("app.title"), anchor="end")
    return ElementTree.tostring(root, encoding="unicode")


def sentence(session: TextState, model: Model) -> list[Part]:
    """The text up to the cursor: `prompt`, then `written`, with the last tokens `even` and `odd` in turn."""
    trace = session.ready(model)
    ids = trace.token_ids()
    prompt = min(trace.prompt_length, len(ids))
    begin = max(prompt, len(ids) - _MARKED)
    cuts = [(prompt, "prompt"), (begin, "written")]
    cuts += [(n, "odd" if n % 2 else "even") for n in range(begin + 1, len(ids) + 1)]
    parts, whole, done = [], model.text(ids), 0
    for stop, style in cuts:
        text = model.text(ids[:stop])
        # A token that ends within a character belongs to the part that completes it.
        if whole.startswith(text):
            parts.append(Part(safe(whole[done : len(text)]), style))
            done = len(text)
    return [part for part in parts if part.text]


def _draw_sentence(root: Element, parts: Sequence[Part], colors: dict[str, str]) -> None:
    """The lines, ending in the place of the next token."""
    fills = {"prompt": "ink", "written": "draw", "even": "draw", "odd": "draw", "cut": "soft", "next": "pick"}
    size, lines = fitted([*parts, Part(" ＿", "next")], RIGHT - LEFT, _SIZES)
    for at, line in enumerate(lines):
        base = _SENTENCE + size * (0.35 + _LINE * (at - (len(lines) - 1) / 2))
        node = _text(root, LEFT, base, size, colors["ink"], "", name="sentence")
        for part in line:
            span = SubElement(node, "tspan", fill=colors[fills[part.style]])
            span.text = part.text
            if part.style == "odd":
                span.set("text-decoration", "underline")


def _draw_bars(root: Element, rows: list[dict[str, Any]], cut: dict[str, Any] | None, colors: dict[str, str]) -> None:
    """The rows on an axis from 0 to 100%, and the line above the first token that the filters cut."""
    row_height = min(_LARGEST_ROW, (_BOTTOM - _TOP) / len(rows))
    bottom = _TOP + row_height * len(rows)
    across = TRACK[1] - TRACK[0]
    for mark in (0, 25, 50, 75, 100):
        x = TRACK[0] + across * mark / 100
        _rect(root, x, _TOP, 1, bottom - _TOP, colors["line"])
        _text(root, x, bottom + 24, 20, colors["soft"], f"{mark}%" if mark == 100 else str(mark), anchor="middle")
    for at, row in enumerate(rows):
        _draw_row(root, row, _TOP + row_height * at, row_height, colors)
    if cut is not None:
        y = _TOP + row_height * cut["row"]
        dashes = {"stroke": colors["soft"], "stroke-dasharray": "7 6", "stroke-width": "2", "class": "cutline"}
        SubElement(root, "path", d=f"M{LEFT} {y:.2f}H{_FACTS - 40}", **dashes)  # type: ignore[arg-type]
        size = min(20, row_height * 0.62)
        _text(root, TRACK[1] - 8, y + size * 1.15, size, colors["soft"], cut["told"], anchor="end", name="told")


def _draw_row(root: Element, row: dict[str, Any], y: float, height: float, colors: dict[str, str]) -> None:
    """One row: token, bar after the filters, thin bar before them where they differ, percentages."""
    state, size = row["state"], min(30, height * 0.68)
    fill = {"pick": colors["pick"], "cut": "url(#cut)", "others": colors["cut"]}.get(state, colors["draw"])
    ink = colors["pick"] if state == "pick" else colors["soft"] if state in ("cut", "others") else colors["ink"]
    group = SubElement(root, "g")
    group.set("class", f"row {state}")
    across, base = TRACK[1] - TRACK[0], y + height / 2 + size * 0.36
    small = size * 0.82 if state == "others" else size
    word = shortened(safe(row["word"]), (TRACK[0] - 20 - LEFT) / small)
    _text(group, TRACK[0] - 20, base, small, ink, word, anchor="end", bold=state == "pick", name="word")
    shown = row["raw"] if state == "cut" else row["shown"]
    _rect(group, TRACK[0], y + height * 0.2, across * shown, height * 0.46, fill, name="bar")
    if row["differs"]:
        _rect(group, TRACK[0], y + height * 0.7, across * row["raw"], height * 0.13, colors["belief"], name="belief")
    value = shortened(row["value"], (_FACTS - 30 - _VALUES) / size)
    _text(group, _VALUES, base, size, ink, value, bold=state == "pick", name="value")


def _draw_facts(root: Element, rows: list[tuple[str, str]], colors: dict[str, str]) -> None:
    height = min(76.0, (_BOTTOM + 20 - _TOP) / len(rows))
    for at, (name, value) in enumerate(rows):
        y, size = _TOP + height * at, height * 0.37
        _text(
            root,
            _FACTS,
            y + height * 0.28,
            size * 0.72,
            colors["soft"],
            shortened(name, (RIGHT - _FACTS) / (size * 0.72)),
        )
        _text(
            root, _FACTS, y + height * 0.72, size, colors["ink"], shortened(value, (RIGHT - _FACTS) / size), name="fact"
        )


def _rect(parent: Element, x: float, y: float, width: float, height: float, fill: str, name: str = "") -> None:
    numbers = {"x": x, "y": y, "width": width, "height": height}
    node = SubElement(parent, "rect", {key: f"{value:.2f}" for key, value in numbers.items()}, fill=fill)
    if name:
        node.set("class", name)


def _text(
    parent: Element, x: float, y: float, size: float, fill: str, text: str,
    anchor: str = "start", bold: bool = False, name: str = "",
) -> Element:  # fmt: skip
    node = SubElement(parent, "text", {"x": f"{x:.2f}", "y": f"{y:.2f}", "font-size": f"{size:.1f}", "fill": fill})
    node.text = text
    node.set("style", "white-space: pre")
    if anchor != "start":
        node.set("text-anchor", anchor)
    if bold:
        node.set("font-weight", "600")
    if name:
        node.set("class", name)
    return node


def _hatching(root: Element, color: str) -> None:
    """The fill of the bars of tokens that the filters cut, which are thus marked by more than their colour."""
    size = {"width": "7", "height": "7", "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    pattern = SubElement(SubElement(root, "defs"), "pattern", id="cut", **size)  # type: ignore[arg-type]
    _rect(pattern, 0, 0, 3, 7, color)
