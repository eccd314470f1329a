"""The task that trains PyTorch models, with a stand-in for PyTorch."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.job import fake_torch
from training.code.child.execute import UserError
from training.code.program import joined

MODULES = ("torch_fit", "torch_checkpoint")
IMPORTS = "import numpy as np"
CODE = """\
class CrossEntropyLoss:
    pass

class Net(nn.Module):
    def forward(self, given):
        return torch.Tensor(given.array[:, :3] * (1 + self.weight))
    def loss_fn(self): return CrossEntropyLoss()
    def optimizer(self): return torch.Optimizer(self)
    def metrics(self):
        right = lambda each: np.mean(each[0].array.argmax(1) == each[1].array)
        return {
            "loss": Metric(lambda outputs: torch.Tensor(np.mean([1 - right(each) for each in outputs]))),
            "accuracy": Metric(lambda outputs: float(np.mean([right(each) for each in outputs]))),
            "classes": Metric(lambda outputs: torch.Tensor([1, 2])),
        }

model = Net()
"""


class FakeReport:
    def __init__(self) -> None:
        self.sent = list[dict[str, Any]]()

    def send(self, kind: str, value: Any = None) -> None:
        assert (kind, value) == ("started", None)

    def progress(self, value: dict[str, Any]) -> None:
        self.sent.append(value)
        if value.get("epoch") == self.dies_after and "metrics" in value:
            raise KeyboardInterrupt

    dies_after = 0


@pytest.fixture
def torch_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    for name, module in fake_torch.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    names = [*(f"training.job.child.{name}" for name in MODULES), "training.code.child.torch_model"]
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(*_place(name), raising=False)
    monkeypatch.chdir(tmp_path)
    fake_torch.TRAINERS.clear()
    yield importlib.import_module(names[0])
    for name in names:
        sys.modules.pop(name, None)
        package, last = _place(name)
        vars(package).pop(last, None)


def _place(name: str) -> tuple[Any, str]:
    """Return the package of a module, which keeps the module too, and the last part of its name."""
    package, _, last = name.rpartition(".")
    return importlib.import_module(package), last


def request(folder: Path, code: str = CODE, **more: Any) -> dict[str, Any]:
    labels = np.arange(20, dtype=np.uint8).reshape(20, 1) % 3
    np.save(folder / "features.npy", np.eye(3, 5, dtype=np.uint8)[labels[:, 0]])
    np.save(folder / "labels.npy", labels)
    (folder / "program.py").write_text(joined(IMPORTS, code))
    return {
        "data": str(folder),
        "model": str(folder / "program.py"),
        "sizes": {"training": 12, "test": 5, "validation": 3},
        "batch": 4,
        "fit": {"max_epochs": 3, "shuffle": True, "amp_mode": None},
        "val": {},
        "matrix": True,
        "seed": 7,
        "memory": 2**20,
        "pictures": None,
        **more,
    }


def test_a_model_is_trained_and_evaluated(torch_fit: Any, tmp_path: Path) -> None:
    report = FakeReport()

    found = torch_fit.main(request(tmp_path), report)

    assert found["train_metrics"] == {"loss": [0.0] * 3, "accuracy": [1.0] * 3}
    assert found["val_metrics"] == {"loss": [0.0] * 3, "accuracy": [1.0] * 3}
    assert found["test_metrics"] == {"loss": [0.0], "accuracy": [1.0]}
    assert found["confusion_matrix"] == [[2, 0, 0], [0, 2, 0], [0, 0, 1]]
    assert found["program"] == (IMPORTS, CODE)
    assert fake_torch.TRAINERS == [{"device": "cpu", "amp_mode": None}]
    state = sys.modules["torch"].load("model.pth", "cpu", True)
    assert state["weight"].array == [9]
    states = [each["state"] for each in report.sent]
    assert (states[0], states[-2:]) == ("training", ["evaluating", "exporting"])
    metrics = [each["metrics"] for each in report.sent if "metrics" in each]
    assert [len(each["train_metrics"]["loss"]) for each in metrics] == [1, 2, 3]
    assert {"step": 1, "steps": 3}.items() <= report.sent[1].items()


def test_a_killed_training_continues_after_its_last_epoch(torch_fit: Any, tmp_path: Path) -> None:
    report = FakeReport()
    report.dies_after = 2
    with pytest.raises(KeyboardInterrupt):
        torch_fit.main(request(tmp_path), report)

    found = torch_fit.main(request(tmp_path), FakeReport())

    assert len(found["train_metrics"]["loss"]) == 3
    state = sys.modules["torch"].load("checkpoint.pt", "cpu", True)
    assert state["optimizer"] == {"steps": 9}
    assert state["model"]["weight"].array == [9]


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_checkpoint_of_something_else_is_ignored(torch_fit: Any, tmp_path: Path, content: bytes) -> None:
    Path("checkpoint.pt").write_bytes(content)

    assert len(torch_fit.main(request(tmp_path), FakeReport())["train_metrics"]["loss"]) == 3


def test_without_test_and_validation_there_are_no_such_metrics(torch_fit: Any, tmp_path: Path) -> None:
    sizes = {"training": 20, "test": 0, "validation": 0}

    found = torch_fit.main(request(tmp_path, sizes=sizes), FakeReport())

    assert (found["val_metrics"], found["test_metrics"], found["confusion_matrix"]) == (None, None, None)


def test_samples_that_do_not_suit_the_model_are_the_reason(torch_fit: Any, tmp_path: Path) -> None:
    code = CODE.replace("given.array[:, :3]", "given.array[:, 9]")
    with pytest.raises(UserError, match=r"line 6 of the code: IndexError: .*; a sample has the shape 5"):
        torch_fit.main(request(tmp_path, code), FakeReport())

    code = CODE.replace("[:, :3]", "[:, :2]")
    with pytest.raises(UserError, match=r"such as 2, .* expected 0 to 1"):
        torch_fit.main(request(tmp_path, code), FakeReport())


def test_an_epoch_without_a_batch_is_refused(torch_fit: Any, tmp_path: Path) -> None:
    fit = {"max_epochs": 1, "drop_last": True}

    with pytest.raises(UserError, match="drop_last: it leaves no batch"):
        torch_fit.main(request(tmp_path, batch=13, fit=fit), FakeReport())


def test_a_matrix_is_made_only_if_asked_for(torch_fit: Any, tmp_path: Path) -> None:
    found = torch_fit.main(request(tmp_path, matrix=False), FakeReport())

    assert found["confusion_matrix"] is None
    assert found["test_metrics"] is not None
