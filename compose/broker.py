"""A Kafka broker without Kafka: librdkafka's mock cluster, which clients of other processes can use, too.

    python -m compose.broker --topic videocam:4

It keeps the newest 5 MiB of a partition, and nothing once it ends. Topics that are not named in advance
come into being with four partitions when they are first asked for.
"""

import argparse
import ctypes
import os
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import Any, Final, NoReturn, Self

from compose.errors import BrokerError

ANNOUNCEMENT: Final = "KAFKA_BOOTSTRAP="
"""What the line begins with that tells the broker's address."""

_PRODUCER: Final = 0  # RD_KAFKA_PRODUCER of rdkafka.h
_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
# As in rdkafka.h and rdkafka_mock.h: what a function returns, and what it takes.
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

    `topics` maps names to their numbers of partitions. Raises `BrokerError`.
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
        # Groups have all their members at once here; by default the first to come would wait 3 s for others.
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the broker; what it held is gone."""
        if self._client:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._client)
        self._client = self._cluster = 0

    def _start(self) -> tuple[int, int]:
        config = self._library.rd_kafka_conf_new()
        reason = ctypes.create_string_buffer(512)
        # The client that carries the cluster never connects anywhere, and would complain about that.
        self._library.rd_kafka_conf_set(config, b"log_level", b"0", reason, len(reason))
        client = self._library.rd_kafka_new(_PRODUCER, config, reason, len(reason))
        if not client:
            raise BrokerError(f"librdkafka does not start: {reason.value.decode()}")
        cluster = self._library.rd_kafka_mock_cluster_new(client, 1)
        if not cluster:
            self._library.rd_kafka_destroy(client)
            raise BrokerError("librdkafka does not start its mock cluster")
        return client, cluster

    def _create(self, name: str, partitions: int) -> None:
        error = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if error:
            reason = self._library.rd_kafka_err2str(error).decode()
            raise BrokerError(f"topic {name} cannot be created: {reason}")


def _library() -> ctypes.CDLL:
    """Return librdkafka, as confluent_kafka brings it along."""
    try:
        from confluent_kafka import cimpl  # noqa: PLC0415 # only who starts a broker needs it
    except ImportError as error:
        raise BrokerError(f"confluent_kafka cannot be loaded, and with it librdkafka: {error}") from None
    # A symbol is looked up in a library and in what that is linked to: so librdkafka is found wherever a
    # wheel or a distribution keeps it, under whatever name, and is the very one that is loaded already.
    library = ctypes.CDLL(cimpl.__file__)
    for name, (returns, takes) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise BrokerError(f"the librdkafka of confluent_kafka has no {name}") from None
        function.restype, function.argtypes = returns, takes
    return library


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _topic(text: str) -> tuple[str, int]:
    name, _, partitions = text.rpartition(":")
    if not name or not partitions.isdecimal() or not 1 <= int(partitions) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r}: NAME:PARTITIONS is wanted, such as videocam:4")
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
    topics = dict(parser.parse_args(arguments).topic)
    parent = os.getppid()
    signals: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        signals.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    try:
        with Broker(topics) as broker:
            print(f"{ANNOUNCEMENT}{broker.bootstrap}", flush=True)
            while not signals and os.getppid() == parent:
                time.sleep(0.1)
    except BrokerError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
