"""A killed training finds its last epoch; the model is a stand-in with Keras's methods."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.job.child.checkpoint import Checkpoint

HISTORY = {"loss": [1.0, 0.5], "val_loss": [2.0, float("nan")]}


class Variable:
    """A variable of an optimizer."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)

    def __array__(self, *_: Any, **__: Any) -> NDArray[Any]:
        return self.value

    def assign(self, value: NDArray[Any]) -> None:
        if value.shape != self.value.shape:
            raise ValueError("another shape")
        self.value = value


class Model:
    """A model whose optimizer has variables once it was built."""

    def __init__(self, *weights: Any, steps: int = 0, moments: int = 12) -> None:
        self.weights = [np.asarray(each, np.float32) for each in weights]
        self.trainable_variables = self.weights
        self.optimizer = SimpleNamespace(variables=[], build=self._build)
        self._new = [Variable(steps), *(Variable(np.full(2, number)) for number in range(moments))]

    def _build(self, variables: Any) -> None:
        assert variables is self.trainable_variables
        self.optimizer.variables = self._new

    def trained(self) -> "Model":
        self._build(self.trainable_variables)
        return self

    def get_weights(self) -> list[NDArray[Any]]:
        return self.weights

    def set_weights(self, weights: list[NDArray[Any]]) -> None:
        if [each.shape for each in weights] != [each.shape for each in self.weights]:
            raise ValueError("another model")
        self.weights = weights


def numbers(count: int, start: int = 0) -> list[NDArray[Any]]:
    """Return more than ten weights, so that their order by name would be another."""
    return [np.full((2, 3), start + number) for number in range(count)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.npz"


def test_all_of_a_training_is_restored(file: Path) -> None:
    Checkpoint(file).save(Model(*numbers(12), steps=70).trained(), HISTORY, 12.5)
    model, found = Model(*numbers(12, 100)), Checkpoint(file)

    history = found.restore(model)

    assert found.time == 12.5
    assert history["loss"] == [1.0, 0.5]
    assert np.isnan(history["val_loss"][1])
    assert [int(each[0, 0]) for each in model.weights] == list(range(12))
    assert int(model.optimizer.variables[0].value) == 70
    assert [int(each.value[0]) for each in model.optimizer.variables[1:]] == list(range(12))


def test_the_newest_one_counts_and_nothing_else_is_left(file: Path) -> None:
    checkpoint = Checkpoint(file)
    checkpoint.save(Model(1).trained(), {"loss": [1.0]}, 1)
    checkpoint.save(Model(2).trained(), {"loss": [1.0, 0.5]}, 2)

    model = Model(0)
    assert checkpoint.restore(model) == {"loss": [1.0, 0.5]}
    assert model.weights == [2]
    assert list(file.parent.iterdir()) == [file]


def test_without_one_the_training_begins(file: Path) -> None:
    checkpoint = Checkpoint(file)

    assert checkpoint.restore(Model(0)) == {}
    assert checkpoint.time == 0


@pytest.mark.parametrize(
    "other",
    [Model([1, 2]), Model(1, 2), Model(0, moments=3)],
    ids=["shape", "layers", "optimizer"],
)
def test_one_of_another_model_is_not_used(file: Path, other: Model) -> None:
    Checkpoint(file).save(Model(0).trained(), HISTORY, 1)

    assert Checkpoint(file).restore(other) == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\3\4", b"nonsense", b"\x93NUMPY\1\0"],
    ids=["empty", "half", "nonsense", "another file"],
)
def test_one_that_is_broken_is_not_used(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    assert Checkpoint(file).restore(Model(0)) == {}


def test_objects_are_never_loaded(file: Path) -> None:
    """They could run code."""
    np.savez(file, history=np.array({"history": {}}, object))

    assert Checkpoint(file).restore(Model(0)) == {}


def test_on_a_full_disk_the_one_before_is_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Checkpoint(file).save(Model(*numbers(2)).trained(), HISTORY, 12.5)

    def full(part: Path, **_: Any) -> None:
        part.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "savez", full)
    Checkpoint(file).save(Model(*numbers(2, 5)).trained(), {"loss": [1.0]}, 20)

    assert capsys.readouterr().out == "no checkpoint of this epoch: No space left on device\n"
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert Checkpoint(file).restore(Model(*numbers(2, 100)))["loss"] == HISTORY["loss"]
