"""A stand-in for PyTorch and ignite, on numpy: as much of them as a training uses.

tests/training/job/test_torch.py uses the real ones where they are installed.
"""

import pickle
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np


class Tensor:
    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)

    def to(self, _: Any) -> "Tensor":
        return self

    cpu = detach = clone = lambda self: self

    def numpy(self) -> Any:
        return self.array

    def numel(self) -> int:
        return int(self.array.size)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def __float__(self) -> float:
        return float(self.array)


class Module:
    """A linear model; `step` moves it towards the labels."""

    def __init__(self) -> None:
        self.weight = np.zeros(1)
        self.is_training = False

    def modules(self) -> Iterator[Any]:
        yield self

    def to(self, _: Any) -> "Module":
        return self

    def eval(self) -> None:
        self.is_training = False

    def train(self) -> None:
        self.is_training = True

    def state_dict(self) -> dict[str, Tensor]:
        return {"weight": Tensor(self.weight.copy())}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.weight = state["weight"].array.copy()

    def __call__(self, given: Tensor) -> Tensor:
        return self.forward(given)  # type: ignore[attr-defined, no-any-return]


class Optimizer:
    """Counts its steps."""

    def __init__(self, model: Module) -> None:
        self.model = model
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        self.model.weight = self.model.weight + 1

    def state_dict(self) -> dict[str, int]:
        return {"steps": self.steps}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.steps = state["steps"]


class Events(Enum):
    ITERATION_COMPLETED = 1


class Engine:
    def __init__(self, process: Callable[[Any], Any]) -> None:
        self.process = process
        self.handlers = list[Callable[[Any], None]]()
        self.metrics = dict[str, Any]()
        self.state = SimpleNamespace(metrics={}, iteration=0, epoch_length=0)

    def add_event_handler(self, _: Events, handler: Callable[[Any], None]) -> None:
        self.handlers.append(handler)

    def run(self, batches: Any, max_epochs: int, epoch_length: int | None) -> Any:
        assert max_epochs == 1
        self.state = SimpleNamespace(metrics={}, iteration=0, epoch_length=epoch_length or len(batches))
        outputs = []
        for batch in _repeated(batches, self.state.epoch_length):
            outputs.append(self.process(batch))
            self.state.iteration += 1
            for handler in self.handlers:
                handler(self)
        self.state.metrics = {name: metric.compute(outputs) for name, metric in self.metrics.items()}
        return self.state


def _repeated(batches: Iterable[Any], count: int) -> Iterator[Any]:
    while True:
        for batch in batches:
            if count == 0:
                return
            count -= 1
            yield batch


class Metric:
    def __init__(self, compute: Callable[[list[tuple[Tensor, Tensor]]], Any]) -> None:
        self.compute = compute

    def attach(self, engine: Engine, name: str) -> None:
        engine.metrics[name] = self


TRAINERS = list[dict[str, Any]]()
"""The options of the trainers that were made."""


def create_supervised_trainer(
    model: Any, optimizer: Any, loss: Any, *, device: Any, output_transform: Any, **options: Any
) -> Engine:
    TRAINERS.append({"device": device, **options})

    def process(batch: tuple[Tensor, Tensor]) -> Any:
        model.train()
        predicted = model(batch[0])
        optimizer.step()
        return output_transform(batch[0], batch[1], predicted, loss)

    return Engine(process)


def create_supervised_evaluator(model: Any, *, metrics: dict[str, Metric], device: Any, **_: Any) -> Engine:
    assert device

    def process(batch: tuple[Tensor, Tensor]) -> Any:
        model.eval()
        return model(batch[0]), batch[1]

    engine = Engine(process)
    engine.metrics.update(metrics)
    return engine


def modules() -> dict[str, types.ModuleType]:
    """Return the modules by name."""
    torch, nn = types.ModuleType("torch"), types.ModuleType("torch.nn")
    ignite, engine = types.ModuleType("ignite"), types.ModuleType("ignite.engine")
    metrics = types.ModuleType("ignite.metrics")
    cuda = SimpleNamespace(is_available=lambda: False)

    def save(value: Any, file: Any) -> None:
        Path(file).write_bytes(pickle.dumps(value))

    def load(file: Any, map_location: Any, weights_only: bool) -> Any:
        assert map_location
        assert weights_only
        return pickle.loads(Path(file).read_bytes())

    vars(torch).update(
        nn=nn, cuda=cuda, device=str, from_numpy=Tensor, no_grad=nullcontext, save=save, load=load
    )
    vars(torch).update(manual_seed=lambda _: None, Tensor=Tensor, Optimizer=Optimizer)
    vars(nn).update(Module=Module, Embedding=type("Embedding", (), {}))
    vars(engine).update(
        Events=Events,
        create_supervised_trainer=create_supervised_trainer,
        create_supervised_evaluator=create_supervised_evaluator,
    )
    metrics.Metric = Metric  # type: ignore[attr-defined]
    return {
        "torch": torch,
        "torch.nn": nn,
        "ignite": ignite,
        "ignite.engine": engine,
        "ignite.metrics": metrics,
    }
