"""A Kafka broker without Kafka: librdkafka's mock cluster, which clients in other processes can use, too.

    python -m compose.broker --topic videocam:4

It keeps the newest 5 MiB of each partition, in memory. Topics that are not named in advance are created
with four partitions when a client first asks for them. Of topics named with `--keep`, the newest record of
each key is kept over restarts, in the folder `STATEFOLDER`.
"""

import argparse
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from compose.errors import BrokerError
from pipeline.service import state
from pipeline.service.trim import trimmed

if TYPE_CHECKING:
    from compose.records import KeptRecords

ANNOUNCEMENT: Final = "KAFKA_BOOTSTRAP="
"""The start of the line that announces the broker's address."""

_PRODUCER: Final = 0  # RD_KAFKA_PRODUCER of rdkafka.h
_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
# From rdkafka.h and rdkafka_mock.h: the type that a function returns, and those of its arguments.
_FUNCTIONS: Final[Mapping[str, tuple[Any, tuple[Any, ...]]]] = {
    "rd_kafka_conf_new": (_POINTER, ()),
    "rd_kafka_conf_set": (_INT, (_POINTER, _TEXT, _TEXT, _TEXT, ctypes.c_size_t)),
    "rd_kafka_new": (_POINTER, (_INT, _POINTER, _TEXT, ctypes.c_size_t)),
    "rd_kafka_destroy": (None, (_POINTER,)),
    "rd_kafka_err2str": (_TEXT, (_INT,)),
    "rd_kafka_mock_cluster_new": (_POINTER, (_POINTER, _INT)),
    "rd_kafka_mock_cluster_destroy": (None, (_POINTER,)),
    "rd_kafka_mock_cluster_bootstraps": (_TEXT, (_POINTER,)),
    "rd_kafka_mock_topic_create": (_INT, (_POINTER, _TEXT, _INT, _INT)),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, (_POINTER, ctypes.c_int32)),
}


class Broker:
    """A broker on a free port of 127.0.0.1, until it is closed; `bootstrap` is its address.

    `topics` maps each name to its number of partitions. Raises `BrokerError`.
    """

    def __init__(self, topics: Mapping[str, int] | None = None) -> None:
        self._library = _library()
        self._client, self._cluster = self._start()
        try:
            for name, partitions in (topics or {}).items():
                self._create(name, partitions)
        except BrokerError:
            self.close()
            raise
        # By default a group's first member waits 3 s for others; here they all come at once.
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the broker and drop what it holds."""
        if self._client:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._client)
        self._client = self._cluster = 0

    def _start(self) -> tuple[int, int]:
        config = self._library.rd_kafka_conf_new()
        reason = ctypes.create_string_buffer(512)
        # The client that owns the cluster never connects to it, and would log complaints about that.
        self._library.rd_kafka_conf_set(config, b"log_level", b"0", reason, len(reason))
        client = self._library.rd_kafka_new(_PRODUCER, config, reason, len(reason))
        if not client:
            raise BrokerError(f"librdkafka cannot be started: {reason.value.decode()}")
        cluster = self._library.rd_kafka_mock_cluster_new(client, 1)
        if not cluster:
            self._library.rd_kafka_destroy(client)
            raise BrokerError("librdkafka cannot start its mock cluster")
        return client, cluster

    def _create(self, name: str, partitions: int) -> None:
        error = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if error:
            reason = self._library.rd_kafka_err2str(error).decode()
            raise BrokerError(f"topic {name} cannot be created: {reason}")


def _library() -> ctypes.CDLL:
    """Return the librdkafka that comes with confluent_kafka."""
    try:
        from confluent_kafka import cimpl  # noqa: PLC0415 # only needed to start a broker
    except ImportError as error:
        raise BrokerError(f"confluent_kafka, which contains librdkafka, cannot be loaded: {error}") from None
    # A symbol is looked up in a library and in those that it is linked to. This finds the librdkafka that is
    # already loaded, wherever a wheel or a distribution keeps it and under whatever name.
    library = ctypes.CDLL(cimpl.__file__)
    for name, (returns, takes) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise BrokerError(f"the librdkafka of confluent_kafka has no {name}") from None
        function.restype, function.argtypes = returns, takes
    return library


def _keep(bootstrap: str, topics: Sequence[str]) -> "list[KeptRecords]":
    if not topics:
        return []
    from compose import records  # noqa: PLC0415 # like confluent_kafka, only needed to start a broker

    folder = trimmed(os.environ.get("STATEFOLDER", ""))
    return records.keep(bootstrap, topics, Path(folder) if folder else state.default())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _topic(text: str) -> tuple[str, int]:
    name, _, partitions = text.rpartition(":")
    if not name or not partitions.isdecimal() or not 1 <= int(partitions) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME:PARTITIONS, such as videocam:4")
    return name, int(partitions)


def main(arguments: list[str]) -> int:
    """Run a broker until SIGTERM, SIGINT or the end of the parent process; return the exit status."""
    parser = _Parser(
        prog="python -m compose.broker", allow_abbrev=False, description="A broker without Kafka."
    )
    text = "create a topic; may be repeated"
    parser.add_argument(
        "--topic", type=_topic, action="append", default=[], metavar="NAME:PARTITIONS", help=text
    )
    text = "the same, and keep the newest record of each key over restarts, in the folder STATEFOLDER"
    parser.add_argument(
        "--keep", type=_topic, action="append", default=[], metavar="NAME:PARTITIONS", help=text
    )
    found = parser.parse_args(arguments)
    logging.basicConfig(format=f"{parser.prog}: %(message)s")
    parent = os.getppid()
    signals: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        signals.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    try:
        with Broker(dict(found.topic + found.keep)) as broker:
            kept = _keep(broker.bootstrap, [name for name, _ in found.keep])
            print(f"{ANNOUNCEMENT}{broker.bootstrap}", flush=True)
            while not signals and os.getppid() == parent:
                for records in kept:
                    records.step()
                if not kept:
                    time.sleep(0.1)
            for records in kept:
                records.close()
    except BrokerError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
