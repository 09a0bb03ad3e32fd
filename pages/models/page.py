"""Models page: the model at hand, the models that this host offers, and what each of them needs."""

from __future__ import annotations

import streamlit as st

import engine
from engine.bundled import BUNDLED_NAME
from engine.errors import ModelError
from engine.model import memory
from engine.model.memory import size_text
from engine.serving import allowed_models, catalog, chat_servers, endpoint_usage, model_registry
from engine.serving import endpoints as served
from engine.serving.catalog import CatalogModel
from pages.frame import frame
from pages.i18n.model_names import display_name
from pages.i18n.translator import Translator, plain
from pages.models import facts
from pages.models.state import ModelsState
from pages.session import session_state
from pages.session.text_state import TextState
from pages.shell import address, fragment, loading_progress, messages, model_access, navigation
from pages.shell.local_network import visitor_is_host

REFRESH_SECONDS = 0.3  # between two looks at a load

session = session_state.get(TextState)
state = session_state.get(ModelsState)
t = Translator(session_state.language())


def load_typed() -> None:
    """Callback: load the model whose name was typed."""
    name = str(session_state.widget("models_name") or "").strip()
    if name:
        state.load(session, name)


def draw_at_hand(model: engine.Model) -> None:
    """The model at hand, its facts, and the way back to the bundled one."""
    with st.container(border=True, key="models_now", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.markdown(f"**{plain(display_name(model.name, t))}**", width="content")
            st.caption(t("models.at_hand"), width="content")
        st.caption(" · ".join(facts.of_loaded(model, t)))
        if sentence := facts.remark(model, t):
            st.caption(sentence)
        if model.name != BUNDLED_NAME:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.button(
                    t("models.back"), key="models_back", on_click=state.load, args=(session, BUNDLED_NAME),
                    disabled=state.loading is not None,
                )  # fmt: skip
                for name in ("step", *(("chat",) if model.chat_template is not None else ())):
                    st.page_link(navigation.path(name), label=t(f"models.try.{name}"), width="content")


def draw_progress() -> None:
    """The load that is running, with its Stop button, or why it failed: beside the button that was pressed."""
    if state.loading is not None:
        loading_progress.draw_stoppable(state.loading, "models_stop", t("models.stop"), t("models.loading"), t)
    messages.show_problem(state.problem, t)


def draw_card(model: CatalogModel, loaded: set[str]) -> None:
    """One model of the catalog: facts, state, and the button that loads it."""
    short = None if model.name in loaded else catalog.lacks_memory(model)
    with st.container(border=True, height="stretch", gap="xxsmall"):
        st.markdown(f"**{plain(model.title)}**")
        st.caption(" · ".join(facts.of_catalog(model, t)))
        with st.container():
            if state.asked == model.name:
                draw_progress()
        if state.asked == model.name and state.loading is not None:
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                t("models.use" if model.name in loaded else "models.load"),
                key=f"load {model.name}", on_click=state.load, args=(session, model.name),
                disabled=state.loading is not None or short is not None or model.name == session.model_name,
            )  # fmt: skip
            st.caption(_where(model, short, loaded), width="content")


def _where(model: CatalogModel, short: ModelError | None, loaded: set[str]) -> str:
    """Where the model is now, or why it cannot be loaded."""
    if model.name == session.model_name:
        return t("models.at_hand")
    if model.name in loaded:
        return t("models.in_memory")
    if short is not None:
        return t("models.no_room", **messages.escaped_values(short))
    if catalog.is_downloaded(model.name):
        return t("models.on_disk")
    return t("models.to_download", size=size_text(model.download)) if model.download else t("models.on_hub")


def draw_catalog() -> None:
    """The offered models by family; what else is well known, and how a host opens it."""
    offered = catalog.offered()
    loaded = {use.name for use in model_registry.memory_use()}
    for family, members in catalog.families(offered).items():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.markdown(f"**{t(f'models.family.{family}')}**", width="content")
            st.caption(t(f"models.about.{family}"), width="content")
        columns = st.columns(2, gap="xsmall")
        for i, model in enumerate(members):
            with columns[i % 2]:
                draw_card(model, loaded)
    others = [model for model in catalog.models() if model not in offered]
    if others:
        with st.expander(t("models.others")):
            st.caption(t("models.others_why" if offered else "models.none_offered"))
            if visitor_is_host():
                st.caption(t("models.for_host"))
            for model in others:
                st.markdown(f"**{plain(model.title)}** · {' · '.join(facts.of_catalog(model, t))}")


def draw_endpoints() -> None:
    """The models on the servers that the host has set up; of those that only chat, the way to the chat page."""
    endpoints = served.offered()
    if not endpoints:
        return
    kinds = {endpoint: chat_servers.known(endpoint.model_name) for endpoint in endpoints}
    st.markdown(f"##### {t('models.endpoints')}")
    st.caption(t("models.remote_about"))
    with st.container(horizontal=True):
        for endpoint, kind in kinds.items():
            if kind != "chat":
                st.button(
                    plain(endpoint.name), key=f"load {endpoint.model_name}",
                    on_click=state.load, args=(session, endpoint.model_name),
                    disabled=state.loading is not None or endpoint.model_name == session.model_name or kind == "asking",
                )  # fmt: skip
    if chatting := [plain(endpoint.name) for endpoint, kind in kinds.items() if kind == "chat"]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(t("models.chat_only", names=t("models.comma").join(chatting)), width="content")
            st.page_link(navigation.path("chat"), label=t("models.to_chat"), width="content")
    if visitor_is_host() and (usage := endpoint_usage.today()):
        with st.expander(t("models.usage")):
            for name, used in usage.items():
                counts = {"requests": f"{used.requests:,}", "read": f"{used.prompt_tokens:,}"}
                st.caption(t("models.spent", name=plain(name), written=f"{used.new_tokens:,}", **counts))


def draw_named() -> None:
    """The models that the configuration names, and a field for other names where it has patterns."""
    names, wildcards = allowed_models.named(), allowed_models.has_wildcards()
    if names or wildcards:
        st.markdown(f"##### {t('models.named')}")
        columns = st.columns(2, gap="xsmall")
        for i, name in enumerate(names):
            with columns[i % 2], st.container(border=True, height="stretch", gap="xxsmall"):
                st.button(
                    plain(name), key=f"load {name}", on_click=state.load, args=(session, name),
                    disabled=state.loading is not None or name == session.model_name,
                )  # fmt: skip
                if known := facts.of_named(name, t):
                    st.caption(" · ".join(known))
        if wildcards:
            st.text_input(
                t("models.name"), key="models_name", on_change=load_typed, help=t("models.name_help"),
                placeholder="EleutherAI/pythia-70m-deduped@step1000", disabled=state.loading is not None,
            )  # fmt: skip
    with st.container():
        if state.asked not in {model.name for model in catalog.offered()}:
            draw_progress()


def draw_memory() -> None:
    """Memory of every loaded model, for whoever sits at the server, with buttons that free it."""
    uses = model_registry.memory_use()
    with st.container():
        if visitor_is_host() and len(uses) > 1:
            draw_uses(uses)


def draw_uses(uses: list[model_registry.MemoryUse]) -> None:
    """Memory of each of several models, and how much this machine has left."""
    free = memory.available_bytes()
    title = t("models.memory") if free is None else t("models.memory_free", free=size_text(free))
    with st.expander(title):
        for use in uses:
            with st.container(horizontal=True, vertical_alignment="center"):
                name = plain(display_name(use.name, t))
                sizes = {"weights": size_text(use.weights), "cache": size_text(use.cache)}
                st.markdown(t("models.uses_memory", name=name, **sizes), width="content")
                if use.name != BUNDLED_NAME:
                    st.button(
                        t("models.unload"), key=f"unload {use.name}", on_click=state.unload, args=(session, use.name)
                    )


@fragment.workbench
def workbench() -> None:
    state.settle(session)
    model = model_access.wait_for_model(session, t)
    draw_at_hand(model)
    messages.show_model_problem(session.problem, t)
    draw_memory()
    draw_endpoints()
    draw_named()
    draw_catalog()
    address_bar.update()
    fragment.mark_answered()
    if state.loading is not None or chat_servers.look():
        fragment.rerun(after=REFRESH_SECONDS)


address_bar = address.AddressBar(session, t)
frame.begin(t("models.title"), t("models.lead"), session, t)
address_bar.restore()
workbench()
