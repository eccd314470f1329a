"""`python -m training.federated`: its settings, its name, and its end."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.service.logs import Seldom
from pipeline.service.settings import SettingsError, load
from tests.training.federated.test_worker import CONTROL
from training.code.supervise import StoppedError
from training.data.samples import Samples
from training.federated import __main__ as module
from training.federated.settings import WorkerSettings

README = Path(module.__file__).with_name("README.md").read_text()
NEEDED = {"DATA_BOOTSTRAP_SERVERS": "mine:9092", "MODEL_BOOTSTRAP_SERVERS": "cloud:9092"}


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the process' own signal handlers back afterwards."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WorkerSettings:
    for name in WorkerSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {**NEEDED, "CLIENTFOLDER": str(tmp_path / "clients")}.items():
        monkeypatch.setenv(name, value)
    return load(WorkerSettings)


def test_the_readme_names_all_settings() -> None:
    ours = {*WorkerSettings.model_fields} - {*WorkerSettings.__bases__[0].model_fields}  # type: ignore[attr-defined]

    assert [name for name in ours if f"`{name.upper()}`" not in README] == []


def test_a_name_that_fits_into_no_topic_is_refused(
    settings: WorkerSettings,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLIENT", "a/b")

    with pytest.raises(SettingsError, match="client 'a/b': expected 1 to 60 letters"):
        load(WorkerSettings)


def test_a_client_without_a_name_keeps_a_random_one(settings: WorkerSettings) -> None:
    first = module.client_name(settings)

    assert module.client_name(settings) == first
    assert len(first) == 16
    assert module.client_name(settings.model_copy(update={"client": "ann"})) == "ann"


class Kafka:
    """Stands in for the clients of a Kafka: each follower has a trouble, and counts."""

    closed: list[str]

    def __init__(self, bootstrap: str, config: dict[str, Any], stop: threading.Event) -> None:
        self.trouble = f"{bootstrap} is away"
        self.config = config
        self.stop = stop

    def consumer(self) -> "Kafka":
        return self

    follower = sender = consumer

    def close(self) -> None:
        self.closed.append(self.trouble)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("raises", [True, False], ids=["within", "between"])
def test_a_signal_ends_the_worker(
    settings: WorkerSettings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: signal.Signals,
    *,
    raises: bool,
) -> None:
    Kafka.closed = []

    class Worker:
        def __init__(self, *given: Any, **more: Any) -> None:
            self.given, self.more = given, more

        def step(self) -> None:
            name, folder, around = self.given
            assert folder == settings.clientfolder / name
            os.kill(os.getpid(), number)
            assert around.owner.stop.wait(10)
            if raises:
                raise StoppedError

    monkeypatch.setattr(module, "Kafka", Kafka)
    monkeypatch.setattr(module, "_seldom", Seldom(module.log))
    monkeypatch.setattr(module, "Worker", Worker)

    assert module.serve(settings) == 0

    assert len(Kafka.closed) == 4
    assert raises or {"mine:9092 is away", "cloud:9092 is away"} <= {each.message for each in caplog.records}


def test_samples_are_read_from_the_owners_kafka(
    settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stop = threading.Event()

    def read(ranges: Any, _: Any, bootstrap: str, *, progress: Any, waiting: Any, **__: Any) -> Samples:
        assert (ranges, bootstrap) == (CONTROL.ranges, "mine:9092")
        progress(1, 2)
        waiting("topic mine: Kafka does not answer")
        stop.set()
        progress(2, 2)
        return Samples(np.zeros(1), None)

    monkeypatch.setattr(module, "read", read)

    with pytest.raises(StoppedError):
        module._read(settings, CONTROL, tmp_path, stop)
