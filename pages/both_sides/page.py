"""Page on both sides: a gap that is seen from left and right, texts written in parallel, attention without a mask."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

import engine
from engine.bundled import BUNDLED_NAME
from engine.errors import EngineError, TraceError
from engine.trace.text_codec import decode_text, encode_text
from pages.both_sides import gap_view, two_maps, writing, written_texts
from pages.both_sides.state import MOST_MAPPED, PASSES, VIEWS, BothSidesState, View, Wanted
from pages.components import examples, prompt_area
from pages.components.examples import Example
from pages.components.tables import pass_grid
from pages.frame import frame
from pages.i18n.translator import Translator
from pages.session import session_state
from pages.session.query_params import QueryParams
from pages.session.text_state import TextState
from pages.shell import address, example_language, fragment, messages, model_access

if TYPE_CHECKING:
    from engine.masked.masked_model import MaskedModel
    from engine.sampling.settings import Strategy

LONGEST_CODE = 2_000  # characters of the text in the URL
STRATEGIES: tuple[Strategy, ...] = ("sample", "greedy")

session = session_state.get(TextState)
state = session_state.get(BothSidesState)
t = Translator(session_state.language())


def shown() -> View:
    view: View = session_state.widget("both_sides_shown") or VIEWS[0]
    return view


def box_key() -> str:
    """Key of the text box: each view has its own, and its examples depend on the language."""
    return f"both_sides {shown()} {example_language.for_bundled(t).language}"


def box() -> str:
    return str(session_state.widget(box_key()) or "")


def example_texts() -> list[str]:
    return example_language.for_bundled(t).list(f"both_sides.examples.{shown()}")


class BoxText:
    """The text in the box as a part of the URL, where it is not the first example."""

    def to_query(self) -> dict[str, str]:
        code = encode_text(box(), "")
        return {"sides": code} if box().strip() and box() != example_texts()[0] and len(code) < LONGEST_CODE else {}

    def from_query(self, params: QueryParams, session: TextState, model: engine.Model) -> None:
        if "shown" in params:
            session_state.set_widget("both_sides_shown", params.one_of("shown", VIEWS, VIEWS[0]))
        if "sides" in params:
            try:
                session_state.set_widget(box_key(), decode_text(params.text("sides"))[0])
            except TraceError:
                params.unread.add("sides")


def draw_box() -> None:
    texts, key = example_texts(), box_key()
    session_state.default_widget(key, texts[0])
    prompt_area.draw(t(f"both_sides.box.{shown()}"), key)
    buttons = [
        Example(text, f"both_sides example {text}", partial(session_state.set_widget, key, text)) for text in texts
    ]
    examples.draw(buttons, t, note=example_language.note(t))


def draw_gap(model: MaskedModel, causal: engine.Model) -> None:
    state.read(model, box())
    messages.show_problem(state.problem, t)
    found = state.filled_in(model, causal)
    if state.text is None or found is None:
        return
    actions: dict[str, Any] = {
        "show": lambda value: state.show(int(value["place"])) if value["turn"] == state.turn else None,
        "fill": lambda value: state.fill(int(value["token"])) if value["turn"] == state.turn else None,
        "open": lambda value: state.open(model) if value["turn"] == state.turn else None,
    }
    gap_view.draw(gap_view.data(model, state.text, state.place, *found, state.turn, t), actions)
    for sentence in gap_view.told(model, *found, t):
        st.markdown(sentence)
    st.caption(t("both_sides.gap.note"))


def wanted() -> Wanted:
    strategy: Strategy = session_state.widget("both_sides_how") or STRATEGIES[0]
    seed = session_state.widget("both_sides_seed")
    return Wanted(box(), strategy, 1 if seed is None else int(seed), bool(session_state.widget("both_sides_remask")))


def masked_model() -> MaskedModel:
    """The masked model; imported with the libraries of the models, which the first page does without."""
    from engine.masked.masked_model import bundled_masked

    return bundled_masked()


def write() -> None:
    """Callback: write the texts."""
    state.write(masked_model(), model_access.model_named(BUNDLED_NAME), wanted())


def draw_writing(model: MaskedModel, causal: engine.Model) -> None:
    with st.container(key="both_sides_controls", horizontal=True, gap="small", vertical_alignment="bottom"):
        st.segmented_control(
            t("both_sides.how"), STRATEGIES, default=STRATEGIES[0], required=True, key="both_sides_how",
            persist_state="session", format_func=lambda value: t(f"settings.{value}"), width="content",
        )  # fmt: skip
        session_state.default_widget("both_sides_seed", 1)
        st.number_input(t("settings.seed"), 0, 9_999, key="both_sides_seed", persist_state="session", width=130)
        st.checkbox(
            t("both_sides.remask"), key="both_sides_remask", persist_state="session", help=t("both_sides.remask_help")
        )
        st.button(t("both_sides.write"), key="both_sides_write", type="primary", on_click=write)
    messages.show_problem(state.writing_problem, t)
    if state.wanted is None or state.one_by_one is None:
        st.caption(t("both_sides.first"))
        return
    if state.wanted != wanted():
        st.caption(t("both_sides.stale"))
    texts = [text for _, text in state.written]
    st.markdown(writing.told(texts, state.one_by_one, t))
    written_texts.draw(written_texts.data(state.wanted.prompt, texts, state.one_by_one, t))
    session_state.default_widget("both_sides_passes", PASSES[1])
    passes = st.segmented_control(
        t("both_sides.passes"), PASSES, required=True, key="both_sides_passes", persist_state="session",
        format_func=lambda n: t("both_sides.in_passes", n=n), width="content",
    )  # fmt: skip
    pass_grid.draw(writing.grid(model, state.written[PASSES.index(passes or PASSES[1])][0], t), "both_sides_grid")
    with st.expander(t("both_sides.why.name")):
        st.markdown(t("both_sides.why.text"))


def draw_attention(model: MaskedModel, causal: engine.Model) -> None:
    try:
        ids = causal.read_prompt(box())[:MOST_MAPPED]
    except EngineError as error:
        messages.show_problem(error, t)
        return
    two_maps.draw(two_maps.data(model, ids, model.attention(ids), causal.attention(ids), t))
    st.caption(t("both_sides.maps.note"))
    with st.expander(t("both_sides.kinds.name")):
        st.markdown(t("both_sides.kinds.text"))


@fragment.workbench
def workbench() -> None:
    causal = model_access.model_named(BUNDLED_NAME)
    model = masked_model()
    draw_box()
    with st.container(key="both_sides_result"):
        {"gap": draw_gap, "writing": draw_writing, "attention": draw_attention}[shown()](model, causal)
    if session.model_name != BUNDLED_NAME:
        st.caption(t("both_sides.bundled"))
    address_bar.update()


address_bar = address.AddressBar(session, t, BoxText(), widgets={"shown": ("both_sides_shown", VIEWS)})
frame.begin(t("both_sides.title"), t("both_sides.lead"), session, t)
address_bar.restore()
session_state.default_widget("both_sides_shown", VIEWS[0])
st.segmented_control(
    t("both_sides.which"), VIEWS, required=True, format_func=lambda name: t(f"both_sides.name.{name}"),
    key="both_sides_shown", persist_state="session", label_visibility="collapsed",
)  # fmt: skip
st.caption(t(f"both_sides.about.{shown()}"))
workbench()
