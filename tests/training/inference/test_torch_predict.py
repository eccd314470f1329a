"""PyTorch's part, with a stand-in for PyTorch; test_torch uses the real one where it is installed."""

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

NAMES = ("training.inference.child.torch_predict", "training.code.child.torch_model")
CODE = """\
class Net(nn.Module):
    def forward(self, given):
        return torch.Tensor(given.array * self.weight) if FACTOR else given.array
    def loss_fn(self): return 1
    def optimizer(self): return 2
    def metrics(self): return {"loss": 3}
model = Net()
"""


@pytest.fixture
def torch_predict(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, module in fake_torch.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module(NAMES[0])
    for name in NAMES:
        sys.modules.pop(name, None)


def loaded(torch_predict: Any, folder: Path, imports: str = "FACTOR = 1") -> Any:
    (folder / "model.py").write_text(joined(imports, CODE))
    sys.modules["torch"].save({"weight": fake_torch.Tensor(np.array([3.0]))}, folder / "model.pth")
    return torch_predict.load({"code": str(folder / "model.py"), "model": str(folder / "model.pth")})


def test_it_predicts_with_the_trained_weights(torch_predict: Any, tmp_path: Path) -> None:
    predict = loaded(torch_predict, tmp_path)

    assert predict(np.array([[1, 2]], np.uint8)).tolist() == [[3, 6]]
    assert predict(np.full((1, 1, 1), 255, np.uint8)).tolist() == [[[[3]]]], "as pictures in training"


def test_what_is_not_for_pytorch(torch_predict: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="PyTorch's models take numbers"):
        loaded(torch_predict, tmp_path)(np.array([[b"a"]]))
    with pytest.raises(UserError, match="the model gave a ndarray: expected a tensor"):
        loaded(torch_predict, tmp_path, "FACTOR = 0")(np.array([[1]], np.uint8))
