"""PyTorch's part, with a stand-in for PyTorch; test_checking uses the real one where it is installed."""

import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from training.code.child.execute import UserError

NAME = "training.code.child.torch_model"
CODE = """\
class Net(nn.Module):
    def loss_fn(self): return 1
    def optimizer(self): return 2
    def metrics(self): return {"loss": Loss(), "accuracy": pretrained(pretrained=True)}
model = Net()
"""


class Module:
    def parameters(self) -> Iterator[Any]:
        yield from (types.SimpleNamespace(numel=lambda count=count: count) for count in (3, 4))

    def __str__(self) -> str:
        return "Net()"


@pytest.fixture
def torch_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    torch, nn, ignite = (types.ModuleType(name) for name in ("torch", "torch.nn", "ignite.metrics"))
    nn.Module = Module  # type: ignore[attr-defined]
    torch.nn = nn  # type: ignore[attr-defined]
    ignite.Loss = object  # type: ignore[attr-defined]
    for name, module in (("torch", torch), ("torch.nn", nn), ("ignite.metrics", ignite)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "ignite", types.ModuleType("ignite"))
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    yield importlib.import_module(NAME)
    sys.modules.pop(NAME, None)
    package, _, own = NAME.rpartition(".")
    delattr(sys.modules[package], own)  # otherwise the next import from the package finds it there


def request(code: str, file: Path, imports: str = "") -> dict[str, Any]:
    return {"imports": imports, "code": code, "distributed": False, "file": str(file)}


def test_a_model_is_summarised_without_its_pretrained_weights(torch_model: Any, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    imports = "def pretrained(pretrained): assert not pretrained"

    summary = torch_model.summarise(request(CODE, file, imports))

    assert summary == {
        "text": "Net()\nParameters: 7",
        "inputs": [],
        "outputs": [],
        "parameters": 7,
        "metrics": ["loss", "accuracy"],
    }
    assert file.read_text() == f"{imports}\n{CODE}"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("model = 5", "expected the variable `model` to be a torch.nn.Module, found int"),
        ("model = nn.Module()", r"expected the model to have a method loss_fn\(self\)"),
        (CODE.replace("return 2", "return 1 / 0"), "line 3 of the code: ZeroDivisionError"),
        (CODE.replace('"loss"', '"x"').replace("pretrained=True", ""), "line 4 of the code: NameError"),
        (CODE.replace("return {", "return [] and {"), r"expected metrics\(\) to return a dict"),
    ],
    ids=["type", "methods", "line", "name", "loss"],
)
def test_what_is_wrong_with_a_model_is_the_reason(
    torch_model: Any, tmp_path: Path, code: str, expected: str
) -> None:
    with pytest.raises(UserError, match=expected):
        torch_model.summarise(request(code, tmp_path / "model.py"))


def test_without_ignite_its_metrics_are_not_known(torch_model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Loss" in torch_model.names()

    monkeypatch.setitem(sys.modules, "ignite.metrics", None)

    assert set(torch_model.names()) == {"torch", "nn", "models"}
