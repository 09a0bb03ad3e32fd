"""Memory that a model of the hub will take, from the headers of its weight files, which are read without the rest."""

from __future__ import annotations

from collections.abc import Mapping

from huggingface_hub import HfApi
from huggingface_hub.errors import SafetensorsParsingError

from engine.errors import ModelError

_MOST_HEADERS = 16  # weight files of which the header is read


def memory_bytes(name: str, repo_id: str, commit: str, sizes: Mapping[str, int], bytes_per_number: int) -> int:
    """Bytes of the weights of a model in memory; the least they can be for GGUF files and for very many files.

    sizes: of the files that it is loaded from. Raises ModelError(`broken`) for files that are no safetensors.
    """
    weights = [path for path in sizes if path.endswith(".safetensors")]
    numbers, api = 0, HfApi()
    for path in weights if len(weights) <= _MOST_HEADERS else ():
        try:
            header = api.parse_safetensors_file_metadata(repo_id, path, revision=commit)
        except SafetensorsParsingError as error:
            raise ModelError("broken", f"{path} of {name} cannot be read: {error}", name=name) from error
        numbers += sum(header.parameter_count.values())
    # A GGUF file is unpacked twice, to four bytes a number or more than it has now.
    unpacked = sum(2 * size for path, size in sizes.items() if path.endswith(".gguf"))
    return max(numbers * bytes_per_number, sum(sizes[path] for path in weights) if not numbers else 0, unpacked)
