"""Server process of the app on this machine, for tests and measurements."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """A free TCP port on 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running server. `address`: http://127.0.0.1:PORT; `log`: file with its stdout and stderr."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    def cpu(self) -> float:
        """CPU time of the process in seconds."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Resident memory of the process in bytes."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def scrape_metrics(port: int) -> dict[str, float]:
    """Samples of the Prometheus endpoint by name: those without labels, and those of the bundled model."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode("utf-8")
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {s.name: s.value for s in samples if not s.labels or s.labels.get("model") == "bundled"}


@contextmanager
def started(*command: str, listen: str = "127.0.0.1", **environment: str) -> Iterator[Server]:
    """Context of a server for the app, or for another `python -m` command; yielded once its health check succeeds.

    It listens on 127.0.0.1, or on another address that includes it.

    Raises RuntimeError if that takes more than 60 s or the process exits.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", *(command or ("pages",)),
                    "--server.address", listen, "--server.port", str(port),
                ],
                cwd=ROOT, env={**os.environ, **environment}, stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            wait(address, process)
            yield Server(address, process, log)
        finally:
            process.terminate()
            process.wait(20)


def wait(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for the health check, see `started`."""
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
            return
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError("the app did not start") from None
            time.sleep(0.05)
