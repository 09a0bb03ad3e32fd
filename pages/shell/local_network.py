"""Address under which others in the same local network reach an app that its host opened as `localhost`."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

import streamlit as st
from streamlit import net_util

EVERYWHERE = ("", "0.0.0.0", "::")  # server.address of a server that listens on all of a machine's addresses


class Reach(NamedTuple):
    """Who can open a link. `notice`: key of a sentence, "" where there is nothing to say.

    `opened_as`: the host that only this machine knows; `host`: what to put in its place, "" if unknown.
    """

    notice: str = ""
    opened_as: str = ""
    host: str = ""


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address means the machine on which it is used."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def visitor_is_host() -> bool:
    """Whether the visitor opened the app on the machine that it runs on, and so can start it in another way."""
    return is_loopback(urlsplit(st.context.url or "").hostname or "")


def reach(link: str) -> Reach:
    """Who can open a link to this server, by the server's settings and the connection of the current visitor."""
    listens_on = (st.get_option("server.address") or "").strip("[]")
    # A local visitor who comes from another address comes through a container's network or a proxy.
    direct = st.context.ip_address is None
    own = net_util.get_internal_ip() or ""  # asks the operating system and sends nothing
    return decide(urlsplit(link).hostname or "", listens_on, own if direct else "")


def decide(host: str, listens_on: str, own: str) -> Reach:
    """Who can open a link to `host`. `own`: the machine's address in its network, "" where it is not known."""
    if not is_loopback(host):
        return Reach()
    if is_loopback(listens_on):
        return Reach("closed", host)
    if listens_on not in EVERYWHERE:
        own = listens_on
    if not own or is_loopback(own):
        return Reach("unknown", host)
    return Reach("open", host, own)


def at(link: str, host: str) -> str:
    """A link with another host, at the same port."""
    parts = urlsplit(link)
    name = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=name if parts.port is None else f"{name}:{parts.port}").geturl()


def reachable(link: str) -> str:
    """A link to this server with the host under which others reach it, where that is known."""
    host = reach(link).host
    return at(link, host) if host else link
