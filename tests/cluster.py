"""A Kafka whose brokers are killed and paused: for the tests and the benchmarks."""

import os
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from confluent_kafka.admin import AdminClient

from tests.parts import wait_for

COMMAND: Final = "KAFKA_COMMAND"
"""The environment variable with the command that starts, stops, restarts, pauses and resumes brokers."""

# Kafka's own values, where a cluster for tests may have others; and more patience with a busy machine.
_PROPERTIES: Final = {
    "group.initial.rebalance.delay.ms": "3000",
    "num.partitions": "8",
    "zookeeper.connection.timeout.ms": "60000",
}


class Cluster:
    """The brokers, numbered from 1, and their addresses."""

    def __init__(self, folder: Path, brokers: int, *options: str) -> None:
        self._folder = folder
        properties = [f"--property={name}={value}" for name, value in _PROPERTIES.items()]
        output = self._run("start", f"--brokers={brokers}", *properties, *options)
        self.bootstrap = output.partition("KAFKA_BOOTSTRAP=")[2].split()[0]
        self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def kill(self, number: int) -> float:
        """Kill a broker; return when, in s since the epoch."""
        self._run("stop", f"--broker={number}", "--signal=KILL")
        killed = time.time()
        wait_for(lambda: not _answers(self._address(number)), 10, "the port to close")
        return killed

    def restart(self, number: int) -> float:
        """Start a killed broker again; return when it began to listen."""
        ended = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            listening = pool.submit(_listens, self._address(number), ended)
            try:
                self._run("restart", f"--broker={number}")
            finally:
                ended.set()
            return listening.result()

    def pause(self, number: int) -> None:
        """Stop a broker as if its machine did nothing."""
        self._run("pause", f"--broker={number}")

    def resume(self, number: int) -> float:
        """Let a paused broker continue; return when, in s since the epoch."""
        self._run("resume", f"--broker={number}")
        return time.time()

    def wait_in_sync(self, topics: Sequence[str]) -> None:
        """Wait until every replica of these topics has everything."""
        wait_for(lambda: all(map(self._in_sync, topics)), 60, "the replicas")

    def close(self) -> None:
        """Stop all of it, and remove its data."""
        self._run("stop", "--clean")

    def _address(self, number: int) -> tuple[str, int]:
        host, _, port = self.bootstrap.split(",")[number - 1].rpartition(":")
        return host, int(port)

    def _in_sync(self, topic: str) -> bool:
        partitions = self._admin.list_topics(topic, timeout=10).topics[topic].partitions.values()
        return all(len(each.isrs) == len(each.replicas) for each in partitions)

    def _run(self, verb: str, *options: str) -> str:
        command = [*shlex.split(os.environ[COMMAND]), verb, f"--data={self._folder}", *options]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _listens(address: tuple[str, int], ended: threading.Event) -> float:
    """Return when a port began to accept connections, or the broker ended its start."""
    while not ended.is_set() and not _answers(address):
        time.sleep(0.01)
    return time.time()


def _answers(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


@contextmanager
def cluster(brokers: int, *options: str) -> Iterator[Cluster]:
    """Run a cluster for the block, with further options of the command that starts it."""
    with TemporaryDirectory(prefix="kafka-") as folder:
        kafka = Cluster(Path(folder) / "data", brokers, *options)
        try:
            yield kafka
        finally:
            kafka.close()
