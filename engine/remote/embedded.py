"""llama.cpp in this process, serving a GGUF file on 127.0.0.1 (package `xllamacpp`, `requirements-endpoint.txt`).

It computes any architecture that llama.cpp knows, in the file's own quantization, and is used like any other endpoint.
"""

from __future__ import annotations

import re
import secrets
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.remote.endpoint import Endpoint

CONTEXT = 4096  # most tokens of a text, where the model allows so many; bounds the memory of keys and values

_lock = threading.Lock()


def endpoint_of(file: str) -> Endpoint:
    """The endpoint of a GGUF file, named like the file; its address is known once it serves."""
    stem = re.sub(r"[^\w.+-]+", "-", Path(file).stem).strip("-")[:60] or "gguf"
    return Endpoint(name=stem, url="", requests_per_visitor=0, requests_per_day=0, timeout=120)


class EmbeddedServer:
    """llama.cpp with one model, on a free port of 127.0.0.1, until `stop`.

    url, key  its address, and what a request must bring: other pages in a browser could reach it as well
    """

    def __init__(self, file: Path, threads: int = 1) -> None:
        """Load the model. Raises ModelError: `missing`, `endpoint_packages`, `gguf` for a file that cannot be read."""
        if not file.is_file():
            raise ModelError("missing", f"no file {file}", name=file.name)
        if find_spec("xllamacpp") is None:
            raise ModelError("endpoint_packages", "llama.cpp needs xllamacpp", name=file.name)
        import xllamacpp

        self.key = secrets.token_urlsafe(24)
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(file)
        parameters.model_alias = {file.stem}
        parameters.hostnames, parameters.port = ["127.0.0.1"], 0
        parameters.api_keys = [self.key]
        parameters.n_parallel, parameters.cpuparams.n_threads = 1, threads
        parameters.n_ctx = CONTEXT
        parameters.ui = parameters.endpoint_slots = False
        parameters.verbosity = 0  # its messages contain prompts
        with _lock:
            try:
                self._server: Any = xllamacpp.Server(parameters)
            except Exception as error:  # a truncated or foreign file may raise almost any exception
                raise ModelError("gguf", f"{file.name} cannot be served: {error}", name=file.name) from error
        self.url: str = self._server.listening_address

    def stop(self) -> None:
        """Stop serving and free the memory."""
        self._server = None
