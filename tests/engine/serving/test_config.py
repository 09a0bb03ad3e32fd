"""Host configuration: precedence of the origins, validation, and error messages."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.serving import config

ROOT = Path(__file__).parents[3]
NAMES = [f.name for f in dataclasses.fields(config.Config)]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(config.PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_a_word_it_is_safe_and_open_to_a_class() -> None:
    default = config.current()
    assert default.models == () and not default.log_prompts and not default.metrics
    assert not default.status and not default.demo
    assert default.tree_bytes == 512 * 2**20 and default.sessions >= 60
    assert set(config.load_config().origins.values()) == {"default"}


def test_a_file_and_the_environment_over_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "class.toml"
    file.write_text('# ours\nmodels = ["uer/*", "/models/*"]\ntree_mb = 64\n"demo" = true\nsessions=7\n', "utf-8")
    monkeypatch.setenv("ENGINE_CONFIG", str(file))
    monkeypatch.setenv("ENGINE_TREE_MB", "32")
    loaded = config.load_config()
    assert loaded.config == config.Config(models=("uer/*", "/models/*"), tree_mb=32, demo=True, sessions=7)
    assert loaded.origins["tree_mb"] == "ENGINE_TREE_MB"
    assert loaded.origins["models"] == f"{file}, line 2" and loaded.origins["demo"] == f"{file}, line 4"
    assert loaded.origins["status"] == "default"


def test_a_file_in_the_working_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "engine.toml").write_text("steps_per_minute = 5", "utf-8")
    assert config.current().steps_per_minute == 5


def test_it_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.current().tree_mb = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("models", "", ()),
        ("models", " a/b ,, /m/* ", ("a/b", "/m/*")),
        ("prompt_tokens", "0", 0),
        ("tree_mb", "1", 1),
        ("demo", "Yes", True),
        ("log_prompts", "off", False),
        ("dtype", "BFloat16", "bfloat16"),
        ("dtype", "float32", "float32"),
        ("dtype", "auto", "auto"),
        ("device", "CPU", "cpu"),
        ("metrics", "off", ""),
        ("metrics", "9101", "127.0.0.1:9101"),
        ("metrics", "0.0.0.0:80", "0.0.0.0:80"),
        ("metrics", "[::1]:80", "[::1]:80"),
    ],
)
def test_what_the_environment_may_say(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object) -> None:
    monkeypatch.setenv(config.variable(name), text)
    assert getattr(config.current(), name) == value


# name, value in the environment, value in the file
WRONG = [("tree_mb", text, text) for text in ("0", "-1", "1.5", "1e9")]
WRONG += [("tree_mb", text, f'"{text}"') for text in ("", "much", "³")]
WRONG += [("sessions", "true", "true"), ("demo", "maybe", '"maybe"'), ("demo", "2", "2"), ("status", "", '""')]
WRONG += [("device", text, f'"{text}"') for text in ("", "cuda:0", "gpu")]
WRONG += [("dtype", text, f'"{text}"') for text in ("", "float16", "bf16", "16")]
WRONG += [("metrics", text, f'"{text}"') for text in ("70000", "here", "a b:9", "http://x:80", "0")]


@pytest.mark.parametrize(("name", "variable", "in_file"), WRONG)
def test_a_wrong_value_is_told_with_its_name_and_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, variable: str, in_file: str
) -> None:
    monkeypatch.setenv(config.variable(name), variable)
    with pytest.raises(config.ConfigError) as caught:
        config.current()
    assert config.variable(name) in str(caught.value) and "environment" in str(caught.value)
    assert "must be" in str(caught.value) and caught.value.code == "config"

    monkeypatch.delenv(config.variable(name))
    file = tmp_path / "engine.toml"
    file.write_text(f"\n{name} = {in_file}\n", "utf-8")
    monkeypatch.setenv("ENGINE_CONFIG", str(file))
    with pytest.raises(config.ConfigError) as caught:
        config.current()
    assert str(caught.value).startswith(f"{name} ({file}, line 2) must be")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tree_mbs = 3", "did you mean tree_mb?"),
        ("[tree_mb]\nx = 1", "tree_mb"),
        ("models = 3", "models"),
        ("models = [3]", "models"),
        ("tree_mb = ", "cannot be read"),
        ("tree_mb = 3\ntree_mb = 4\n", "line 2"),
    ],
)
def test_a_file_that_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text, "utf-8")
    monkeypatch.setenv("ENGINE_CONFIG", str(file))
    with pytest.raises(config.ConfigError) as caught:
        config.current()
    assert named in str(caught.value) and str(file) in str(caught.value)


def test_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_CONFIG", "/no/such/file.toml")
    with pytest.raises(config.ConfigError, match=r"ENGINE_CONFIG.*/no/such/file.toml"):
        config.current()


def test_a_misspelt_variable_is_told_and_a_strangers_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_ROOM_HOST", "x")
    config.current()
    monkeypatch.setenv("ENGINE_TREE_MBS", "3")
    with pytest.raises(config.ConfigError, match=r"ENGINE_TREE_MBS.*did you mean ENGINE_TREE_MB\?"):
        config.current()


def test_the_command_prints_every_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ENGINE_MODELS", "a/b, /m/*")
    assert main(["config"]) == 0
    text = capsys.readouterr().out
    for name in NAMES:
        assert f"\n{name} = " in "\n" + text and config.variable(name) in text
    assert "models = a/b, /m/*   [ENGINE_MODELS]" in text and "tree_mb = 512   [default]" in text
    assert main(["config", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == NAMES
    assert rows[0]["value"] == ["a/b", "/m/*"] and rows[0]["origin"] == "ENGINE_MODELS"
    assert all(row["says"] for row in rows)


def test_the_command_and_the_app_end_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENGINE_SESSIONS", "some")
    assert main(["config"]) == 2
    assert capsys.readouterr().err == (
        "error: ENGINE_SESSIONS (environment) must be a whole number from 0 up, not 'some'\n"
    )
    process = subprocess.run([sys.executable, "-m", "pages"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert process.returncode == 2
    assert "ENGINE_SESSIONS" in process.stderr and "Traceback" not in process.stderr
