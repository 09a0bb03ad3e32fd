"""Names of hub models with revisions: what git and the hub take, and nothing that leaves a folder or a URL."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ModelError
from engine.model import hub_name, memory
from engine.model.hub_name import HubName

GOOD = ["main", "step1000", "refs/pr/3", "v1.0", "a_b-c", "2026-11-30", "0" * 40, "feature/x+y"]
BAD = [
    "",
    "..",
    "a..b",
    "/a",
    "a/",
    "a//b",
    "-a",
    ".a",
    "a/.b",
    "a.lock",
    "a.lock/b",
    "a b",
    "a?b",
    "a#b",
    "a\\b",
    "a:b",
]
BAD += ["a@{1}", "a~1", "a^", "a*", "[a]", "\x00", "a\n", "%2e%2e", "支", "a" * 201, "refs/../main", "a."]


@pytest.mark.parametrize("revision", GOOD)
def test_revisions(revision: str) -> None:
    assert hub_name.parse(f"uer/gpt2@{revision}") == HubName("uer/gpt2", revision)
    if shutil.which("git"):
        assert subprocess.run(["git", "check-ref-format", "--allow-onelevel", revision], check=False).returncode == 0


@pytest.mark.parametrize("revision", BAD)
def test_no_revisions(revision: str) -> None:
    with pytest.raises(ModelError) as caught:
        hub_name.parse(f"uer/gpt2@{revision}")
    assert caught.value.code == "no_revision" and caught.value.values["revision"] == revision


@pytest.mark.parametrize(
    "name", ["", "@", "@main", "a/b/c", "a b", "http://x.y/z", "a\0", "/a", "a/", "語言/模型", "a" * 97]
)
def test_no_names(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        hub_name.parse(name)
    assert caught.value.code == "missing"


@given(st.text(st.sampled_from("ab0._-/@+ ~^:\\*?[{%\n\0é"), max_size=12))
def test_any_name_is_read_or_refused(name: str) -> None:
    refused: ModelError | None = None
    try:
        found = hub_name.parse(name)
    except ModelError as error:
        refused = error
    if refused:
        assert refused.code in ("missing", "no_revision") and refused.values["name"] == name
        return
    whole = f"{found.id}/{found.file}" if found.file else found.id
    assert name == (f"{whole}@{found.revision}" if found.revision else whole)
    assert quote(found.id, safe="/") == found.id and found.id.count("/") <= 1
    assert not found.revision or not {"..", ""} & set(found.revision.split("/"))


@given(st.text(max_size=40))
def test_whatever_git_takes_of_these_characters_is_taken(revision: str) -> None:
    if hub_name.is_revision(revision):
        assert quote(revision, safe="/+") == revision


def test_folders_and_files(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").touch()
    (tmp_path / "README.md").touch()
    assert hub_name.is_local(str(tmp_path)) and hub_name.is_local(str(tmp_path / "a.gguf"))
    assert not hub_name.is_local(str(tmp_path / "README.md")) and not hub_name.is_local(str(tmp_path / "b.gguf"))
    assert not hub_name.is_local("a" * 5000) and not hub_name.is_local("a\0b")


@given(st.integers(0, 10**16))
def test_sizes_are_readable(count: int) -> None:
    number, unit = memory.size_text(count).split()
    value = float(number.replace(",", "")) * {"MB": 10**6, "GB": 10**9, "TB": 10**12}[unit]
    assert abs(value - count) <= max(10**6, 0.051 * count)


def test_this_machine_has_memory() -> None:
    available = memory.available_bytes()
    assert available is not None and 2**20 < available < 2**50
    memory.check_memory("tiny", 1)
    with pytest.raises(ModelError) as caught:
        memory.check_memory("large", 2**60)
    assert caught.value.code == "too_large_memory" and caught.value.values["needs"] == "1,152,921.5 TB"
    memory.check_disk("tiny", 1, Path("/no/such/folder"))
    with pytest.raises(ModelError) as caught:
        memory.check_disk("large", 2**60, Path("/no/such/folder"))
    assert caught.value.code == "too_large_disk"
