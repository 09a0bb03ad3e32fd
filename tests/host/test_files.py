"""Deployment files: copied files exist, ports agree, no root user, and the image's command starts the app."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from engine.serving import config
from pages.shell import navigation
from tests.load.client import Visitor
from tests.serving import ROOT, free_port

PORT = 8501


def instructions(name: str) -> list[str]:
    """Arguments of each instruction of that name in the Dockerfile."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    matches = [re.match(r"([A-Z]+)\s+(.*)", line) for line in text.splitlines()]
    return [match[2].strip() for match in matches if match and match[1] == name]


def copied() -> list[tuple[str, str]]:
    """(source, destination) of every COPY instruction."""
    pairs = []
    for line in instructions("COPY"):
        *sources, destination = [word for word in line.split() if not word.startswith("--")]
        pairs += [(source, destination) for source in sources]
    return pairs


def compose() -> dict[str, dict]:
    services: dict[str, dict] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    return services


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    included = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert "*" in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert {source for source, _ in copied()} == included
    assert all((ROOT / source).exists() for source in included)


def test_every_module_that_the_app_imports_is_copied() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= {source for source, _ in copied()}


def test_nobody_is_root() -> None:
    (user,) = instructions("USER")
    assert user.isdecimal() and int(user) == 1000  # the user of Hugging Face Spaces
    useradd = [line for line in instructions("RUN") if "useradd" in line]
    assert len(useradd) == 1 and f"--uid {user}" in useradd[0]
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert text.index("\nUSER ") < text.index("\nCMD ")
    app = compose()["app"]
    assert app["cap_drop"] == ["ALL"] and app["read_only"] is True and "privileged" not in app


def test_torch_is_the_pinned_one_for_the_processor() -> None:
    (line,) = [line for line in instructions("RUN") if "pip install" in line]
    first, second = line.split("&&")
    assert "--index-url https://download.pytorch.org/whl/cpu" in first and "requirements.txt" in second
    command = re.search(r"\$\((.*?)\)", first)
    assert command is not None
    pinned = subprocess.run(shlex.split(command[1]), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"torch==\d+\.\d+\.\d+\n", pinned)
    base = re.fullmatch(r"python:3\.(\d+)-slim", instructions("FROM")[0])
    assert base is not None and sys.version_info.minor == int(base[1])  # the Python version of the tests


def test_ports_agree() -> None:
    (command,) = instructions("CMD")
    assert f"--server.port={PORT}" in json.loads(command) and "--server.address=0.0.0.0" in json.loads(command)
    assert instructions("EXPOSE") == [str(PORT)]
    assert f"http://127.0.0.1:{PORT}/_stcore/health" in instructions("HEALTHCHECK")[0]
    assert str(PORT) in compose()["app"]["expose"] and "ports" not in compose()["app"]
    assert re.search(rf"^\s*port {PORT}$", (ROOT / "hosting/Caddyfile").read_text("utf-8"), re.M)
    assert front_matter()["app_port"] == PORT


def front_matter() -> dict[str, object]:
    parts = (ROOT / "hosting" / "space.md").read_text("utf-8").split("---\n")
    assert parts[0] == "" and len(parts) == 3 and parts[2].strip()
    fields: dict[str, object] = yaml.safe_load(parts[1])
    return fields


def test_the_space_says_what_spaces_ask_for() -> None:
    fields = front_matter()
    assert fields["sdk"] == "docker" and fields["title"] and len(str(fields["short_description"])) <= 60
    assert str(fields["license"]) == "apache-2.0"


def test_the_space_is_put_together_by_one_command(tmp_path: Path) -> None:
    folder = tmp_path / "space"
    subprocess.run(["make", "space", f"SPACE={folder}"], cwd=ROOT, check=True, capture_output=True)
    assert (folder / "README.md").read_text("utf-8") == (ROOT / "hosting/space.md").read_text("utf-8")
    for source in ["Dockerfile", *(source for source, _ in copied())]:
        assert (folder / source).exists()
    assert list(folder.rglob("__pycache__")) == []


def test_several_copies_stand_behind_a_proxy_that_keeps_visitors_in_place() -> None:
    services = compose()
    assert services["app"]["deploy"]["replicas"] >= 2 and "container_name" not in services["app"]
    proxy = services["proxy"]
    assert proxy["depends_on"]["app"]["condition"] == "service_healthy"
    (mounted,) = [volume for volume in proxy["volumes"] if "Caddyfile" in volume]
    source, target, mode = mounted.split(":")
    assert (ROOT / source).is_file() and target == "/etc/caddy/Caddyfile" and mode == "ro"
    rules = (ROOT / source).read_text("utf-8")
    assert "lb_policy cookie" in rules and "dynamic a" in rules and "name {$APP:app}" in rules
    assert "respond @host 404" in rules and "/_stcore/metrics*" in rules and "\n\tlog" not in rules
    if caddy := shutil.which("caddy"):
        subprocess.run(
            [caddy, "validate", "--config", ROOT / source, "--adapter", "caddyfile"], check=True, capture_output=True,
            env={**os.environ, "SITE": "127.0.0.1:80"},
        )  # fmt: skip


def test_the_settings_in_the_files_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = compose()["app"]["environment"]
    for name, value in environment.items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:-(.*)\}", r"\1", value))
    assert {name for name in environment if name.startswith(config.PREFIX)} == set(environment)
    current = config.current()
    assert current.sessions == 60 and current.metrics == "0.0.0.0:9101" and current.demo is False
    for name in environment:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ENGINE_CONFIG", str(ROOT / "hosting" / "engine.toml"))
    loaded = config.load_config()
    assert loaded.config == config.Config() and "default" not in loaded.origins.values()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server started as in the image: only the copied files, the image's command, an empty home."""
    folder = tmp_path_factory.mktemp("image") / "app"
    folder.mkdir()
    for source, destination in copied():
        target = folder / source if destination in (".", "./") else folder / destination
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    port = free_port()
    command = instructions("CMD")[0].replace(str(PORT), str(port)).replace("0.0.0.0", "127.0.0.1")
    program, *arguments = json.loads(command)
    assert program == "python"
    home = folder.parent / "home"
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen([sys.executable, *arguments], cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    try:
        (health_check,) = re.findall(r"CMD (\[.*\])", instructions("HEALTHCHECK")[0])
        _, *check_arguments = json.loads(health_check.replace(str(PORT), str(port)))
        deadline = time.monotonic() + 60
        while subprocess.run([sys.executable, *check_arguments], capture_output=True).returncode:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_the_command_starts_the_app_and_every_page_is_drawn(copy: str) -> None:
    async def visit() -> None:
        paths = ["", *(page.name for page in navigation.PAGES)]
        assert len(paths) > 10
        for path in paths:
            visitor = Visitor(copy, page=path)
            await visitor.open()
            assert visitor.errors == [], path
            assert visitor.widgets, path
            await visitor.close()

    asyncio.run(visit())
    with urllib.request.urlopen(f"{copy}/_stcore/health", timeout=5) as answer:
        assert answer.status == 200
