"""Streamlit app with the Altair charts of the app, but the probability bars, each of one point or of small values."""

import streamlit as st

from pages.compare import filter_size_chart, scatter_chart
from pages.i18n.translator import Translator
from pages.limits import line_chart
from pages.limits.line_chart import Axes, Line, Point
from pages.quiz import bits_chart

t = Translator("en")
st.set_page_config(layout="wide")


def curve(name: str, axes: Axes, *values: tuple[int, float]) -> None:
    line = Line("curve", "draw", "solid", "circle", [Point(x, y, "") for x, y in values])
    line_chart.draw([line], axes, name, 160)


curve("first of many lengths", Axes("tokens", "ms", (8, 16, 32)), (8, 0.4))
curve("one log-probability", Axes("token", "nats"), (1, -0.37))
curve("one certain token", Axes("token", "nats"), (1, 0.0))
curve("perplexities below 3", Axes("token", "perplexity"), (2, 1.2), (3, 2.4))
size = {"step": 1, "word": "the", "top_k": 5, "top_p": 3, "choices": "2.1"}
filter_size_chart.draw([size], 5, 5, 0.9, t, "flat")
row = {"name": "greedy", "x": 0.5, "y": -0.3, "draws": False, "probable": "", "varied": "", "repeated": ""}
rows = [row]
scatter_chart.place_labels(rows)
scatter_chart.draw(rows, t)
bits_chart.draw([{"round": 1, "who": t("quiz.word.you"), "token": "the", "bits": 0.2, "chance": 0.4}], t)
