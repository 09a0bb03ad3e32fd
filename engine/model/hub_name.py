"""Names of models on the Hugging Face hub, `ORGANISATION/NAME@REVISION`, told apart from folders and files.

`ORGANISATION/NAME/FILE.gguf@REVISION` is one GGUF file of a repository with several.
A revision is what git calls one: a branch or a tag (`step1000`), a pull request of the hub (`refs/pr/3`), or a commit.
Nothing is looked up here: a well-formed name need not exist.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from engine.errors import ModelError

_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)
_FILE = re.compile(r"([\w.-]{1,96}/[\w.-]{1,96})/([\w.+-]{1,150}\.gguf)", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9_][\w.+/-]{0,199}", re.ASCII)
_NOT_IN_A_REF = re.compile(r"\.\.|//|/\.|\.lock(/|$)|[./]$")  # as `git check-ref-format`


class HubName(NamedTuple):
    """Id of a repository on the hub; a revision, "" for its main branch; a GGUF file, "" for the whole model."""

    id: str
    revision: str = ""
    file: str = ""


def is_local(name: str) -> bool:
    """Whether a model's name is an existing folder or GGUF file, which has precedence over the hub."""
    try:
        path = Path(name)
        return path.is_dir() or (path.suffix.lower() == ".gguf" and path.is_file())
    except (OSError, ValueError):  # a name too long for a path, or with a null character
        return False


def split(name: str) -> HubName | None:
    """Repository and revision of a name, None if its part before the first `@` cannot be a repository.

    >>> split("EleutherAI/pythia-70m@step1000")
    HubName(id='EleutherAI/pythia-70m', revision='step1000', file='')
    """
    repository, _, revision = name.partition("@")
    if found := _FILE.fullmatch(repository):
        return HubName(found[1], revision, found[2])
    return HubName(repository, revision) if _ID.fullmatch(repository) else None


def parse(name: str) -> HubName:
    """Repository and revision of a name.

    Raises ModelError: `missing` if it cannot be a repository, `no_revision` if the part after `@` cannot be a revision.
    """
    found = split(name)
    if found is None:
        raise ModelError("missing", f"{name!r} is neither a folder nor a hub id", name=name)
    if "@" in name and not is_revision(found.revision):
        message = f"{found.revision!r} cannot be a revision"
        raise ModelError("no_revision", message, name=name, id=found.id, revision=found.revision)
    return found


def is_revision(text: str) -> bool:
    """Whether a text can be the name of a branch, a tag or a commit."""
    return bool(_REVISION.fullmatch(text)) and not _NOT_IN_A_REF.search(text)
