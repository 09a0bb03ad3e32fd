"""Origin of a model's files: what a page tells of them beside the name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """Where the weights come from, and what was done to them.

    revision       on the hub: branch, tag, pull request or commit that was read; "" for a folder
    commit         on the hub: the commit of that revision
    converted      the hub's own converter made the weights' safetensors file; `revision` is its pull request
    quantization   of a GGUF file: type of most of its weights, such as `Q4_1`; "" for safetensors
    pre_tokenizer  of a GGUF file: name of its rule for splitting text, if `transformers` does not know that rule and
                   uses GPT-2's; else ""
    """

    revision: str = ""
    commit: str = ""
    converted: bool = False
    quantization: str = ""
    pre_tokenizer: str = ""
