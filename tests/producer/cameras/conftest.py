"""Runs commands in this process, against librdkafka's own broker."""

import io
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from compose.broker import Broker
from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.service.masking import learn
from producer.cameras import store
from producer.cameras.__main__ import main
from producer.cameras.settings import CommandSettings
from producer.cameras.store import Store


class Ran(NamedTuple):
    """What a command has printed, and its exit status."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]
"""Runs a command, with `stdin` on its standard input."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command without any setting."""
    for name in CommandSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def command(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        status = main(list(arguments))
        return Ran(status, *capsys.readouterr())

    yield command
    learn()  # forgets the passwords


@pytest.fixture
def kafka(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: ARG001 # which unsets settings
    """The address of a broker, in `KAFKAPORT`."""
    monkeypatch.setattr(store, "_CONFIG", 0)  # this broker never says what the settings of a topic are
    with Broker({"cameras": 1, "videocam": 4, "status": 1}) as broker:
        monkeypatch.setenv("KAFKAPORT", broker.bootstrap)
        yield broker.bootstrap


@pytest.fixture
def stored(kafka: str) -> Callable[[], dict[str, CameraRecord | RecordError]]:
    """Return the cameras in the topic."""

    def read() -> dict[str, CameraRecord | RecordError]:
        with Store(CommandSettings(kafkaport=kafka)) as store:
            return store.cameras

    return read
