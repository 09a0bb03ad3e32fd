"""Models of the Hugging Face hub: what a repository holds, checked against this machine, then downloaded.

`HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` are those of huggingface_hub. Only the files that a model is
loaded from are fetched, the small ones first, so that a model which cannot be used is refused before its weights come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from glob import escape
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import HfApi, constants, get_cached_repo_tree, snapshot_download
from huggingface_hub.errors import (
    CachedRepoTreeNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import httpx

from engine.errors import ModelError
from engine.model import download, hub_conversion, hub_sizes, memory
from engine.model.hub_name import HubName, parse
from engine.model.monitor import Monitor
from engine.model.origin import Origin
from engine.model.own_cache import write_atomically
from engine.model.safetensors_header import weight_files

_TIMEOUT = 10.0  # seconds for the hub's answer about a repository
_WEIGHTS = (".safetensors", ".gguf")


class Remote(NamedTuple):
    """Files of a commit to download, with their sizes."""

    origin: Origin
    sizes: dict[str, int]


def fetch(
    name: str, hub: HubName, from_hub: bool, monitor: Monitor, inspect: Callable[[Path], None], bytes_per_number: int
) -> tuple[Path, Origin]:
    """Folder with the files of a model, or its GGUF file, downloaded as far as they are not there.

    `inspect` is called with the folder as soon as all but the weights are there. Raises what `inspect` raises, and
    ModelError: `missing`, `no_revision`, `gated`, `no_network`, `offline`, `no_safetensors`, `gguf_several`,
    `too_large_disk`, `too_large_memory`, `interrupted`, `changed`, `broken`, `stopped`.
    """
    if not from_hub or constants.is_offline_mode():
        return cached(name, hub, "offline" if from_hub else "missing")
    try:
        with told_as_model_errors(name, hub):
            remote = monitor.run(lambda: find(name, hub))
    except ModelError as error:
        if error.code != "no_network":
            raise
        return cached(name, hub, "no_network", error)
    with told_as_model_errors(name, hub, downloading=True):
        folder = monitor.run(lambda: _download(name, hub.id, remote, monitor, inspect, bytes_per_number))
    return folder / hub.file, remote.origin


def find(name: str, hub: HubName) -> Remote:
    """Files that make up a model at a revision, or at the pull request of the hub's converter."""
    api = HfApi()
    revision = hub.revision or constants.DEFAULT_REVISION
    info = api.model_info(hub.id, revision=revision, files_metadata=True, timeout=_TIMEOUT)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    converted = None
    if revision == constants.DEFAULT_REVISION and info.sha and not (hub.file or any(map(_is_safetensors, sizes))):
        converted = hub_conversion.find(api, hub.id, info.sha) if any(p.endswith(".bin") for p in sizes) else None
        if converted:
            info = api.model_info(hub.id, revision=converted.revision, files_metadata=True, timeout=_TIMEOUT)
            if info.sha != converted.commit:
                raise ModelError("changed", f"{converted.revision} of {hub.id} changed meanwhile", name=name)
            sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
            revision = converted.revision
    chosen = select(name, sizes, hub.file)
    if not any(path.endswith(".gguf") for path in chosen):
        if "config.json" not in sizes:
            raise ModelError("missing", f"no config.json in {name}", name=name)
        if not any(map(_is_safetensors, chosen)):
            raise ModelError("no_safetensors", f"{name} has no weights in safetensors format", name=name)
    origin = Origin(revision, str(info.sha), converted is not None)
    return Remote(origin, {path: sizes[path] for path in chosen})


def _is_safetensors(path: str) -> bool:
    return path.endswith(".safetensors") and "/" not in path


def select(name: str, paths: Iterable[str], file: str = "") -> list[str]:
    """Files to load a model from, of all files of a repository: none in folders, no weights twice; or a GGUF file.

    Raises ModelError(`gguf_several`) where several GGUF files have weights, and `file` is none of them.
    """
    top = sorted(path for path in paths if "/" not in path)
    gguf = [path for path in top if path.endswith(".gguf")]
    if file in gguf:
        return [file]
    if not file:
        small = [path for path in top if path.endswith((".json", ".txt", ".model", ".jinja"))]
        if weights := weight_files(top):
            return [*small, *weights]
        if len(gguf) < 2:
            return gguf or small
    if not gguf:
        raise ModelError("missing", f"there is no {file} in {name}", name=name)
    files = ", ".join(gguf)
    raise ModelError("gguf_several", f"{name} has several GGUF files: {files}", name=name, files=files)


def storage_of(repo_id: str) -> Path:
    """Folder of a repository in the cache."""
    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo_id, repo_type=constants.REPO_TYPE_MODEL)


def _download(
    name: str, repo_id: str, remote: Remote, monitor: Monitor, inspect: Callable[[Path], None], bytes_per_number: int
) -> Path:
    """Snapshot folder of a commit with all files of `remote`."""
    origin, storage = remote.origin, storage_of(repo_id)
    folder = storage / "snapshots" / origin.commit
    lacking = lacking_files(repo_id, remote)
    total, done = sum(lacking.values()), 0
    memory.check_disk(name, total - download.part_bytes(storage), storage)
    if lacking:
        monitor.begin("download")
        monitor.progress(0, total)

    def tell(before: int, count: int) -> None:
        monitor.progress(before + count, total)

    def get(paths: Iterable[str]) -> None:
        nonlocal done
        for path in paths:
            download.fetch(repo_id, origin.commit, path, storage, monitor, partial(tell, done))
            done += lacking[path]

    small, weights = _partition(remote.sizes)
    get(path for path in small if path in lacking)
    if small:
        inspect(_link(repo_id, origin.commit, small))
    if any(path in lacking for path in weights):
        memory.check_memory(name, hub_sizes.memory_bytes(name, repo_id, origin.commit, remote.sizes, bytes_per_number))
    get(path for path in weights if path in lacking)
    _link(repo_id, origin.commit, remote.sizes)
    write_atomically(storage / "refs" / origin.revision, origin.commit.encode())
    if origin.converted:
        hub_conversion.remember(repo_id, origin.revision, origin.commit)
    elif origin.revision == constants.DEFAULT_REVISION and any(map(_is_safetensors, weights)):
        hub_conversion.forget(repo_id)
    return folder


def lacking_files(repo_id: str, remote: Remote) -> dict[str, int]:
    """Files that the cache does not have yet, with their sizes."""
    folder = storage_of(repo_id) / "snapshots" / remote.origin.commit
    return {path: size for path, size in remote.sizes.items() if not (folder / path).exists()}


def _partition(paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Files without weights, and files with weights."""
    chosen = list(paths)
    return [p for p in chosen if not p.endswith(_WEIGHTS)], [p for p in chosen if p.endswith(_WEIGHTS)]


def _link(repo_id: str, commit: str, paths: Iterable[str]) -> Path:
    """Snapshot folder with the files, whose content is in the cache; without a request for those it has already."""
    found = snapshot_download(
        repo_id, revision=commit, allow_patterns=[escape(path) for path in paths], tqdm_class=hub_conversion.NoBar
    )
    return Path(found)


def is_downloaded(name: str) -> bool:
    """Whether all files that a model is loaded from are in the cache."""
    try:
        cached(name, parse(name), "missing")
    except ModelError:
        return False
    return True


def cached(name: str, hub: HubName, code: str, cause: Exception | None = None) -> tuple[Path, Origin]:
    """Folder of a model that was downloaded earlier, without the network. Raises ModelError(`code`) without one."""
    revision = hub.revision or constants.DEFAULT_REVISION
    origin = Origin(revision)
    try:
        if revision == constants.DEFAULT_REVISION and not hub.file and (known := hub_conversion.recall(hub.id)):
            revision, origin = known.commit, Origin(known.revision, converted=True)
        folder = Path(
            snapshot_download(hub.id, revision=revision, allow_patterns=["config.json"], local_files_only=True)
        )
        files = [file.path for file in get_cached_repo_tree(hub.id, revision=folder.name)]
        lacking = [path for path in select(name, files, hub.file) if not (folder / path).is_file()]
    except CachedRepoTreeNotFoundError:  # by an older version of huggingface_hub, which kept no list
        lacking = []
    except (HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(code, f"{name} is not in the cache: {error}", name=name) from cause or error
    if lacking:
        raise ModelError(code, f"{name} is not complete in the cache: it lacks {lacking}", name=name) from cause
    return folder / hub.file, Origin(origin.revision, folder.name, origin.converted)


@contextmanager
def told_as_model_errors(name: str, hub: HubName, downloading: bool = False) -> Iterator[None]:
    """Context that turns the exceptions of huggingface_hub into ModelErrors; `downloading` a known commit."""
    try:
        yield
    except ModelError as error:
        error.values["name"] = name
        raise
    except GatedRepoError as error:
        raise ModelError("gated", f"{hub.id} asks for consent: {error}", name=name, id=hub.id) from error
    except (RevisionNotFoundError, RemoteEntryNotFoundError) as error:
        code = "changed" if downloading else "no_revision"
        message = f"{name} has no such revision or file: {error}"
        raise ModelError(code, message, name=name, id=hub.id, revision=hub.revision) from error
    except RepositoryNotFoundError as error:
        raise ModelError("missing", f"{hub.id} was not found: {error}", name=name) from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        silent = "interrupted" if downloading else "no_network"
        code = "gated" if status in (401, 403) else "missing" if status in (400, 404) else silent
        raise ModelError(code, f"the hub refused {name}: {error}", name=name, id=hub.id) from error
    except HFValidationError as error:
        raise ModelError("missing", f"{hub.id} is no hub id: {error}", name=name) from error
    except (httpx.HTTPError, OfflineModeIsEnabled, LocalEntryNotFoundError, ConnectionError) as error:
        code = "interrupted" if downloading else "no_network"
        raise ModelError(code, f"the hub did not answer about {name}: {error}", name=name) from error
    except OSError as error:
        if not downloading:
            raise ModelError("no_network", f"the hub cannot be reached for {name}: {error}", name=name) from error
        raise ModelError("interrupted", f"{name} could not be stored: {error}", name=name) from error
