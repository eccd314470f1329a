"""The system's parts as real processes, for the tests and the benchmarks."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Any, Final, Self
from urllib.error import URLError

from pipeline.service.values import Address
from tests.networks import HERE, Network

ROOT: Final = Path(__file__).parent.parent
LABELS: Final = ROOT / "tfserving/labels/imagenetLabels.json"


_GIVEN = set[int]()


def free_port() -> int:
    """Return a port that nothing listens on, each only once.

    The system takes those of clients, and those for servers without one, from others (32768 and above).
    """
    while True:
        port = SystemRandom().randrange(20_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _GIVEN:
                _GIVEN.add(port)
                return port


def wait_for(condition: Callable[[], Any], timeout: float, what: str) -> Any:
    """Return the condition's first true value; fail after `timeout` s, naming `what`."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {timeout:g} s for {what}"
        time.sleep(0.05)
    return value


def get(url: str, timeout: float = 5) -> bytes:
    """Return the body of a 200."""
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return bytes(answer.read())


def reads(url: str) -> bytes:
    """Return the body of a 200, or an empty one for any other answer."""
    try:
        return get(url, 2)
    except (URLError, OSError):
        return b""


class Process:
    """A child process that writes its output to a file, and is stopped when the block ends."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        self._file = log.open("ab")
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=self._file,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, trace: TracebackType | None) -> None:
        self.stop()
        if kind is not None:
            print(f"--- {self.log.name}\n{self.text[-4000:]}")

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def text(self) -> str:
        """Its output so far."""
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def stop(self, timeout: float = 10) -> int:
        """Stop it as Kubernetes would, and return its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                self._file.close()
                raise AssertionError(f"{self.log.name} did not end in {timeout:g} s") from None
        self._file.close()
        return self._process.returncode

    def kill(self) -> None:
        """Kill it, like a crash."""
        self._process.kill()
        self._process.wait()
        self._file.close()

    def rss(self) -> float:
        """Return the resident memory in MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Service(Process):
    """One of the services, with its health server."""

    def __init__(
        self,
        name: str,
        environment: dict[str, str],
        folder: Path,
        tag: str = "",
        network: Network = HERE,
    ) -> None:
        self.health = f"http://{Address(network.there, free_port())}"
        environment = {
            "HEALTHPORT": self.health.removeprefix("http://"),
            "LOGFORMAT": "text",
            "KAFKAFETCHWAIT": "5ms",
            **environment,
        }
        command = network.command(sys.executable, "-m", name)
        super().__init__(command, environment, folder / f"{name}{tag}.log")

    def ready(self, timeout: float = 30) -> Self:
        """Wait until it reports that it is ready."""
        wait_for(lambda: reads(f"{self.health}/readyz"), timeout, f"{self.log.name} to be ready")
        return self

    def ledger(self) -> dict[str, Any]:
        """Return its ledger: counts per camera."""
        counts: dict[str, Any] = json.loads(get(f"{self.health}/ledger"))
        return counts

    def metric(self, name: str) -> float:
        """Return the sum of a metric's samples; 0 when there are none."""
        lines = get(f"{self.health}/metrics").decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


class ModelServer(Process):
    """The stand-in model server; it is ready when the block begins."""

    def __init__(
        self,
        folder: Path,
        port: int,
        logs: Path,
        *flags: str,
        model: str = "imagenet",
        network: Network = HERE,
    ) -> None:
        self.base = f"http://{Address(network.there, port)}"
        self._status = f"{self.base}/v1/models/{model}"
        self.url = f"{self._status}:predict"
        grpc_port = free_port()
        self.grpc = f"grpc://{Address(network.there, grpc_port)}/v1/models/"
        command = [sys.executable, "-m", "tfserving.server", f"--port={grpc_port}", f"--rest_api_port={port}"]
        command += [f"--model_name={model}", f"--model_base_path={folder}", *flags]
        super().__init__(network.command(*command), {}, logs / "tfserving.log")

    def __enter__(self) -> Self:
        # Its ports open once all its models are available.
        wait_for(lambda: reads(self._status), 90, "the model server")
        return self


@contextmanager
def embedded_broker(folder: Path, *options: str) -> Iterator[tuple[str, Process]]:
    """Start librdkafka's mock broker in its own process; yield its address and the process."""
    command = [sys.executable, "-m", "compose.broker", *options]
    with Process(command, {}, folder / "broker.log") as broker:
        line = wait_for(lambda: "KAFKA_BOOTSTRAP=" in broker.text and broker.text, 20, "the broker")
        yield line.split("KAFKA_BOOTSTRAP=")[1].split()[0], broker
