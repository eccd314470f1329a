"""Models are checked and built with TensorFlow in the restricted process."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import pytest

from training.code import checking
from training.code.checking import build, check, check_syntax, take
from training.code.child.check import load, main
from training.code.child.execute import UserError
from training.code.limits import Limits
from training.code.program import CodeError, Program, Summary

DENSE = """\
inputs = keras.Input((8, 8), name="image")
hidden = Dense(16, activation="relu")(keras.layers.Flatten()(inputs))
model = keras.Model(inputs, Dense(10, activation="softmax")(hidden))
model.compile(
    optimizer="adam",
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(3, name="top3")],
)
"""


@pytest.mark.parts
def test_a_model_is_built(tmp_path: Path) -> None:
    file = tmp_path / "model.h5"

    summary = build(Program("tf", "from keras.layers import Dense", DENSE), file)

    assert summary.inputs == ((None, 8, 8),)
    assert summary.outputs == ((None, 10),)
    assert summary.parameters == 64 * 16 + 16 + 16 * 10 + 10
    assert summary.metrics == ("loss", "accuracy", "top3")
    assert "Total params: 1,210" in summary.text
    with h5py.File(file) as saved:
        assert "training_config" in saved.attrs
        assert saved["streamlens/code"].asstr()[()] == DENSE
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parts
def test_a_distributed_model_may_be_the_last_line() -> None:
    code = (
        "i = keras.Input((4,))\nx = keras.layers.Dense(3)(i)\n"
        "keras.Model(\n    inputs=i,\n    outputs=[x, keras.layers.Dense(2)(x)],\n)\n\n"
    )

    summary = check(Program("tf", "", code, distributed=True))

    assert summary.outputs == ((None, 3), (None, 2))
    assert summary.metrics == ()


@pytest.mark.parts
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1\nkeras.layers.Dense(-5)", "line 2 of the code: ValueError: "),
        ("model = keras.Sequential([keras.layers.Dense(1)])", "the model's input is unknown"),
        ("keras.utils.get_file('x', 'http://127.0.0.1:9/x')", "has no network"),
        ("model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])", "call model.compile"),
    ],
    ids=["line", "input", "download", "compile"],
)
def test_what_is_wrong_with_a_model_is_reported(tmp_path: Path, code: str, expected: str) -> None:
    with pytest.raises(CodeError, match=r"^[^\n]+$") as error:
        build(Program("tf", "", code), tmp_path / "model.h5")

    assert expected in str(error.value)
    assert list(tmp_path.iterdir()) == []


TORCH = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(x)

    def loss_fn(self):
        return nn.CrossEntropyLoss()

    def optimizer(self):
        return torch.optim.Adam(self.parameters())

    def metrics(self):
        return {"loss": Loss(self.loss_fn())}

model = Net()
"""


@pytest.mark.usefixtures("pytorch")
def test_a_pytorch_model_is_built(tmp_path: Path) -> None:
    file = tmp_path / "model.py"

    summary = build(Program("pth", "import math", TORCH), file)

    assert summary.parameters == 10
    assert summary.metrics == ("loss",)
    assert file.read_text() == f"import math\n{TORCH}"


@pytest.mark.parts
def test_the_syntax_is_checked_without_the_framework() -> None:
    check_syntax(Program("pth", "import nothing_here", "model = nn.Linear(1, 1)"))

    with pytest.raises(CodeError, match="line 2 of the code: SyntaxError"):
        check_syntax(Program("pth", "", "model = 1\nmodel ="))
    with pytest.raises(CodeError, match="only TensorFlow models can be distributed"):
        check_syntax(Program("pth", "", "model = 1", distributed=True))


def test_a_missing_framework_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "training.code.child.torch_model", raising=False)

    with pytest.raises(UserError, match="PyTorch is not installed here: "):
        load("pth")


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (Program("jax", "", ""), "framework 'jax': expected tf or pth"),
        (Program("pth", "", "", distributed=True), "only TensorFlow models can be distributed"),
    ],
    ids=["framework", "distributed"],
)
def test_what_does_not_exist_is_rejected(program: Program, expected: str) -> None:
    with pytest.raises(CodeError, match=expected):
        check(program)


def test_only_ordinary_files_are_taken(tmp_path: Path) -> None:
    secret, source, file = tmp_path / "secret", tmp_path / "source", tmp_path / "file"
    secret.write_text("secret")

    source.symlink_to(secret)
    with pytest.raises(CodeError, match="it left no file source"):
        take(source, file, 100)
    source.unlink()
    source.hardlink_to(secret)
    with pytest.raises(CodeError, match="expected source to be a file of at most 100 bytes"):
        take(source, file, 100)
    source.unlink()
    source.mkdir()
    with pytest.raises(CodeError, match="expected source to be a file"):
        take(source, file, 100)
    source.rmdir()
    source.write_bytes(bytes(101))
    with pytest.raises(CodeError, match="at most 100 bytes"):
        take(source, file, 100)
    assert not file.exists()

    source.write_bytes(bytes(100))
    take(source, file, 100)
    assert file.read_bytes() == bytes(100)


SUMMARY = {
    "text": "Net",
    "inputs": [[None, 8]],
    "outputs": [[None, 2]],
    "parameters": 18,
    "metrics": ["loss"],
}


class Restricted:
    """Stands in for the restricted process: it writes `content`, and reports `summary`."""

    def __init__(self) -> None:
        self.summary: Any = SUMMARY
        self.content: bytes | None = b"built"
        self.request: dict[str, Any] = {}
        self.folder = Path()

    def run(self, task: str, request: dict[str, Any], *, folder: Path, limits: Limits, nice: int) -> Any:
        assert task == "training.code.child.check"
        assert 0 < nice < 19, "others have priority, but somebody waits"
        assert limits.folder
        self.request, self.folder = request, folder
        if self.content is not None:
            (folder / request["file"]).write_bytes(self.content)
        return self.summary


@pytest.fixture
def restricted(monkeypatch: pytest.MonkeyPatch) -> Restricted:
    found = Restricted()
    monkeypatch.setattr(checking, "run", found.run)
    return found


def test_a_program_is_handed_over_whole(restricted: Restricted) -> None:
    summary = check(Program("tf", "import os", "model = 1", distributed=True))

    assert summary == Summary("Net", ((None, 8),), ((None, 2),), 18, ("loss",))
    assert restricted.request == {
        "framework": "tf",
        "imports": "import os",
        "code": "model = 1",
        "distributed": True,
        "file": "model.h5",
    }
    assert not restricted.folder.exists()


@pytest.mark.parametrize("framework", ["tf", "pth"])
def test_what_was_built_is_taken(restricted: Restricted, tmp_path: Path, framework: str) -> None:
    file = tmp_path / "untrained"

    build(Program(framework, "", ""), file)

    assert file.read_bytes() == b"built"
    assert list(tmp_path.iterdir()) == [file]
    assert restricted.request["framework"] == framework


def test_code_that_removes_its_file_is_the_reason(restricted: Restricted, tmp_path: Path) -> None:
    restricted.content = None

    with pytest.raises(CodeError, match=r"the code: it left no file model\.h5"):
        build(Program("tf", "", ""), tmp_path / "untrained")

    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_leaves_no_part(
    restricted: Restricted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    assert restricted.content
    monkeypatch.setattr(Path, "replace", full)

    with pytest.raises(OSError, match="No space left"):
        build(Program("tf", "", ""), tmp_path / "untrained")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "summary",
    [
        None,
        [],
        {},
        {**SUMMARY, "inputs": None},
        {**SUMMARY, "inputs": [8]},
        {**SUMMARY, "outputs": [["many"]]},
        {**SUMMARY, "parameters": "many"},
        {**SUMMARY, "parameters": float("inf")},
        {**SUMMARY, "metrics": 5},
    ],
    ids=range(9),
)
def test_a_false_summary_is_rejected(restricted: Restricted, summary: Any) -> None:
    restricted.summary = summary

    with pytest.raises(CodeError, match="the code: it wrote into the report of its own process"):
        check(Program("tf", "", ""))


def test_a_long_summary_is_cut(restricted: Restricted) -> None:
    restricted.summary = {**SUMMARY, "text": "x" * 10**6, "metrics": ["m"] * 10**4, "inputs": [[1]] * 10**4}

    found = check(Program("tf", "", ""))

    assert (len(found.text), len(found.metrics), len(found.inputs)) == (100_000, 1_000, 1_000)


def test_the_task_says_when_the_framework_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = list[str]()
    framework = SimpleNamespace(summarise=lambda request: {**SUMMARY, "text": request["code"]})
    monkeypatch.setitem(sys.modules, "training.code.child.torch_model", framework)
    report = SimpleNamespace(send=kinds.append)

    found = main({"framework": "pth", "code": "model = 1"}, report)  # type: ignore[arg-type]

    assert kinds == ["started"]
    assert found["text"] == "model = 1"
