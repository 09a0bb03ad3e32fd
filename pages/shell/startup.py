"""What the host of the app gets: a check of the configuration, logs, figures. Done once a process, before any page."""

from __future__ import annotations

import logging
import sys
import threading
from dataclasses import asdict

import streamlit as st
import streamlit.logger
import uvicorn.config
from streamlit import runtime

from engine.serving import config, json_logs, prometheus
from pages.i18n.translator import Translator

_lock = threading.Lock()
_started = False


def begin(t: Translator) -> None:
    """For the app. Where a setting is wrong, visitors are told no more than that, and the host reads what it is.

    Whoever serves with `streamlit run app.py` starts here, with the first visitor.
    """
    try:
        if runtime.exists():  # not where a test drives the pages
            start()
        config.current()
    except config.ConfigError as error:
        print(f"error: {error}", file=sys.stderr)  # there are no logs yet: how to write them is a setting
        st.error(t("host.broken"))
        st.stop()


def start() -> None:
    """Logs and figures, once a process. Raises ConfigError where a setting is wrong."""
    global _started
    with _lock:
        if not _started:
            configuration = config.current()
            _take_loggers()
            json_logs.configure()
            prometheus.start_server()
            json_logs.event("begin", **asdict(configuration))
            _started = True


def _take_loggers() -> None:
    """Streamlit and its server give their loggers handlers that write plain text, errors with all they quote."""

    def set_up(logger: logging.Logger) -> None:
        for handler in logger.handlers[:]:
            logger.removeHandler(handler)
        logger.propagate = True

    streamlit.logger.setup_formatter = set_up
    streamlit.logger.update_formatter()
    uvicorn.config.LOGGING_CONFIG.update(handlers={}, loggers={})
