"""Fixtures that the consumer's tests share."""

from collections.abc import Callable, Iterator

import pytest

from consumer.settings import ConsumerSettings
from pipeline.service.settings import SettingsError, load
from tests.clock import Clock
from tests.consumer.fakes import OPENED

Configure = Callable[..., ConsumerSettings]


@pytest.fixture(autouse=True)
def close_connections() -> Iterator[None]:
    """Close what the test has opened."""
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of day from which the ages of frames are computed; it passes only if a test sets it."""
    clock = Clock()
    monkeypatch.setattr("pipeline.wire.frame.time", clock)
    return clock


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Return the settings of an environment with the given variables and Kafka's addresses, nothing else."""

    def configure(**variables: str) -> ConsumerSettings:
        for name in ConsumerSettings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        defaults = {"KAFKAPORTIN": "kafka:9092", "KAFKAPORTOUT": "kafka:9092"}
        for name, value in {**defaults, **variables}.items():
            monkeypatch.setenv(name, value)
        return load(ConsumerSettings)

    return configure


@pytest.fixture
def complaint(configure: Configure) -> Callable[..., str]:
    """Return the error for an environment with the given variables."""

    def complaint(**variables: str) -> str:
        with pytest.raises(SettingsError) as caught:
            configure(**variables)
        return str(caught.value)

    return complaint
