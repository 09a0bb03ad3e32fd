"""Links of an app that was opened as localhost: who can open them, and the address that others can."""

from __future__ import annotations

import pytest

from pages.i18n.translator import LANGUAGES, Translator
from pages.shell.local_network import Reach, at, decide, is_loopback

LAN = "192.168.1.7"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "::1", "app.localhost"])
def test_a_host_that_means_the_machine_itself(host: str) -> None:
    assert is_loopback(host)
    assert decide(host, "localhost", LAN) == Reach("closed", host)
    assert decide(host, "127.0.0.1", LAN) == decide(host, "::1", LAN) == Reach("closed", host)
    for everywhere in ("", "0.0.0.0", "::"):
        assert decide(host, everywhere, LAN) == Reach("open", host, LAN)
        assert decide(host, everywhere, "") == decide(host, everywhere, "127.0.0.1") == Reach("unknown", host)
    assert decide(host, "10.0.0.5", LAN) == Reach("open", host, "10.0.0.5"), "the one address that it listens on"


@pytest.mark.parametrize(
    "host", [LAN, "class.example", "localhost.example", "128.0.0.1", "fe80::1", "", "notlocalhost"]
)
def test_other_hosts_need_no_notice(host: str) -> None:
    assert not is_loopback(host)
    assert decide(host, "localhost", LAN) == decide(host, "", LAN) == Reach()


def test_the_rest_of_a_link_stays() -> None:
    link = "http://localhost:8501/beam?t=A-_b&text=%E4%BB%8A%3A%2F%2Flocalhost&lang=en"
    assert at(link, LAN) == link.replace("localhost:8501", f"{LAN}:8501", 1)
    assert at("http://[::1]:8600/?t=x", LAN) == f"http://{LAN}:8600/?t=x"
    assert at("http://localhost/", "fd00::7") == "http://[fd00::7]/"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_notice_has_a_sentence(language: str) -> None:
    t = Translator(language)
    for notice in ("open", "closed", "unknown"):
        sentence = t(f"share.local.{notice}", host="127.0.0.1")
        assert ("127.0.0.1" in sentence) == (notice != "closed") and "{" not in sentence
