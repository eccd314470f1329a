"""What the restricted process is asked, and what it may leave; the process is a stand-in."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.federated.test_messages import ROUND
from training.code.limits import of_training
from training.code.program import CodeError
from training.federated import local
from training.federated.held import Held
from training.federated.local import Local
from training.federated.weights import pack

SIZES = {"training": 7, "test": 0, "validation": 2}


class World:
    """The process."""

    def __init__(self, folder: Path) -> None:
        self.held = Held(folder)
        self.left: bytes | None = pack([np.array([3, 4], np.float32)])[1]
        self.found: Any = {"metrics": {"loss": 0.5, "val_loss": float("nan")}}
        self.request: dict[str, Any] = {}
        self.options: dict[str, Any] = {}
        self.stop = threading.Event()

    def run(self, task: str, request: dict[str, Any], **options: Any) -> Any:
        assert task == "training.job.child.keras_federated"
        self.request, self.options = request, options
        if self.left is not None:
            (options["folder"] / "weights.bin").write_bytes(self.left)
        return self.found

    def train(self) -> Any:
        return Local(2**30, 5, self.stop).train(self.held, ROUND, SIZES)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.setattr(local, "run", world.run)
    monkeypatch.setattr(local, "lacking", lambda _: [])
    return world


def test_the_process_gets_what_it_needs_and_no_more(world: World) -> None:
    trained = world.train()

    described, data = pack([np.array([3, 4], np.float32)])
    assert trained.version == 4
    assert trained.weights == described
    assert (trained.training, trained.validation) == ({"loss": 0.5}, {"loss": None})
    assert world.held.update.read_bytes() == data
    assert world.request == {
        "step": "fit",
        "model": str(world.held.model),
        "data": str(world.held.data),
        "file": str(world.held.weights),
        "weights": ROUND.weights.composed(),
        "sizes": SIZES,
        "batch": 32,
        "fit": {"epochs": 2},
        "memory": 5,
        "seed": 10,
    }
    assert world.options["read"] == [world.held.data]
    assert world.options["folder"] == world.held.work
    assert (world.options["limits"].memory, world.options["limits"].time) == (2**30, None)
    assert world.options["stop"] is world.stop


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        (None, "it left no file weights.bin"),
        (b"x" * 9, "expected weights.bin to be a file of at most 8 bytes"),
        (b"x" * 7, "its weights have 7 bytes: expected 8"),
        (pack([np.array([1, np.nan], np.float32)])[1], "NaN, infinite or too large: lower the learning rate"),
    ],
    ids=["none", "large", "small", "nan"],
)
def test_what_it_leaves_is_checked(world: World, left: bytes | None, reason: str) -> None:
    world.left = left

    with pytest.raises(ValueError, match=reason):
        world.train()


@pytest.mark.parametrize("found", [None, {}, {"metrics": 3}, {"metrics": {"loss": "x"}}], ids=str)
def test_false_metrics_end_the_round(world: World, found: Any) -> None:
    world.found = found

    with pytest.raises(CodeError, match="it wrote into the report of its own process"):
        world.train()


def test_where_tensorflow_is_missing_the_reason_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "lacking", lambda _: ["keras", "tensorflow"])

    with pytest.raises(CodeError, match="TensorFlow is not installed here, it lacks keras and tensorflow"):
        world.train()


def test_without_a_number_all_memory_may_be_used() -> None:
    assert of_training(0, local.FOLDER).memory > 2**28
