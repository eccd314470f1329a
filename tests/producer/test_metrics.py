"""What Prometheus learns about the state of cameras."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from pipeline.wire.status import State
from producer.metrics import CamerasUp


@pytest.fixture
def states() -> dict[str, State]:
    return {}


@pytest.fixture
def registry(states: dict[str, State]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(CamerasUp(lambda: states))
    return registry


def up(registry: CollectorRegistry, camera: str) -> float | None:
    return registry.get_sample_value("streamlens_camera_up", {"camera": camera})


@pytest.mark.parametrize(("state", "value"), [("live", 1), ("no-signal", 0), ("connecting", 0)])
def test_a_camera_is_up_while_it_delivers(
    registry: CollectorRegistry, states: dict[str, State], state: State, value: float
) -> None:
    states["door"] = state

    assert up(registry, "door") == value


def test_a_paused_camera_has_no_sample(registry: CollectorRegistry, states: dict[str, State]) -> None:
    states["door"] = "paused"

    assert up(registry, "door") is None


def test_a_preview_has_no_sample(registry: CollectorRegistry, states: dict[str, State]) -> None:
    states["preview-1f"] = "no-signal"

    assert up(registry, "preview-1f") is None


def test_a_camera_that_is_gone_has_no_sample(registry: CollectorRegistry, states: dict[str, State]) -> None:
    states["door"] = "live"
    assert up(registry, "door") == 1

    del states["door"]

    assert up(registry, "door") is None
    assert b'camera="door"' not in generate_latest(registry)
