"""Safetensors made by the hub's own converter, for repositories whose main branch has none.

The hub's bot proposes them in a pull request. As in `transformers`, it is trusted only if its title is the bot's, it is
open, its author is the bot, and its one commit stands on the head of the main branch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import HfApi
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import tqdm

from engine.model.own_cache import own_folder, write_atomically

TITLE = "Adding `safetensors` variant of this model"
AUTHOR = "SFconvertbot"


class Conversion(NamedTuple):
    """Pull request with converted weights, `refs/pr/N`, and its commit."""

    revision: str
    commit: str


class NoBar(tqdm):
    """Progress bar of huggingface_hub that draws nothing."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "disable": True})


def find(api: HfApi, repo_id: str, head: str) -> Conversion | None:
    """The converter's pull request for the commit `head` of the main branch, if there is one."""
    discussions = api.get_repo_discussions(
        repo_id, author=AUTHOR, discussion_type="pull_request", discussion_status="open"
    )
    for discussion in discussions:
        reference = discussion.git_reference
        # The hub filters; a mirror may not.
        trusted = discussion.author == AUTHOR and discussion.title == TITLE and discussion.status == "open"
        if trusted and discussion.is_pull_request and reference:
            commits = api.list_repo_commits(repo_id, revision=reference)
            if len(commits) > 1 and commits[1].commit_id == head:
                return Conversion(reference, commits[0].commit_id)
    return None


def remember(repo_id: str, revision: str, commit: str) -> None:
    """Note a conversion that was found and downloaded, for when there is no network."""
    write_atomically(_note(repo_id), json.dumps({"revision": revision, "commit": commit}).encode())


def recall(repo_id: str) -> Conversion | None:
    """The conversion that was noted for a repository."""
    try:
        note = json.loads(_note(repo_id).read_text("utf-8"))
        return Conversion(str(note["revision"]), str(note["commit"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(repo_id: str) -> None:
    """Drop the note, for a repository that has safetensors of its own by now."""
    _note(repo_id).unlink(missing_ok=True)


def _note(repo_id: str) -> Path:
    return own_folder("conversions") / f"{repo_folder_name(repo_id=repo_id, repo_type='model')}.json"
