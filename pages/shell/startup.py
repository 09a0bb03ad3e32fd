"""Start of the server process: configuration check, JSON logs, Prometheus metrics; once, before any page is run."""

from __future__ import annotations

import logging
import sys
import threading
from dataclasses import asdict

import streamlit as st
import streamlit.logger
import uvicorn.config
from streamlit import runtime

from engine.classroom import shared
from engine.serving import catalog, config, json_logs, prometheus
from pages.i18n.translator import Translator
from pages.shell import local_network

_lock = threading.Lock()
_started = False


def begin(t: Translator) -> None:
    """Start the process, if `python -m pages` has not, from the first run of the app.

    With an invalid configuration, stops the run with a general message; the details go to stderr, for the host.
    """
    try:
        if runtime.exists():  # false in tests that run pages without a server
            start()
        config.current()
        listens_on = (st.get_option("server.address") or "").strip("[]")
        catalog.note_visitor(local_network.is_loopback(listens_on) and local_network.visitor_is_host())
    except config.ConfigError as error:
        print(f"error: {error}", file=sys.stderr)  # not to the logs, which need the configuration
        st.error(t("host.broken"))
        st.stop()


def start() -> None:
    """Configure logs, metrics and the file of classrooms; does nothing from the second call on.

    Raises ConfigError for an invalid setting.
    """
    global _started
    with _lock:
        if not _started:
            configuration = config.current()
            shared.open_file()
            _remove_plain_text_handlers()
            json_logs.configure()
            prometheus.start_server()
            json_logs.event("begin", **asdict(configuration))
            _started = True


def _remove_plain_text_handlers() -> None:
    """Route the logs of Streamlit and uvicorn to the root logger.

    Their own handlers write plain text, and errors with the values in their messages, which may be prompts.
    """

    def propagate_only(logger: logging.Logger) -> None:
        for handler in logger.handlers[:]:
            logger.removeHandler(handler)
        logger.propagate = True

    streamlit.logger.setup_formatter = propagate_only
    streamlit.logger.update_formatter()
    uvicorn.config.LOGGING_CONFIG.update(handlers={}, loggers={})
