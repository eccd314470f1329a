"""What the service asks of the package that checks code."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from training import code, code_checks
from training.code import CodeError, Program
from training.code.program import Summary


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the package was asked to check and build."""
    found = list[Any]()

    def check(program: Program) -> None:
        found.append(program)
        if not program.code:
            raise CodeError("the code: expected it to set the variable `model`")

    monkeypatch.setattr(code, "check", check)
    monkeypatch.setattr(code, "build", lambda *given: found.append(given))
    return found


def test_programs_are_checked_and_built(asked: list[Any], tmp_path: Path) -> None:
    checks = code_checks.load()

    checks.check("tf", "i", "c", distributed=True)
    checks.build("pth", "i", "c", distributed=False, file=tmp_path)

    assert asked == [Program("tf", "i", "c", distributed=True), (Program("pth", "i", "c"), tmp_path)]
    with pytest.raises(ValueError, match="expected it to set the variable `model`"):
        checks.check("tf", "", "", distributed=False)


def test_what_the_machine_lacks_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("check", "build"):
        monkeypatch.setattr(code, name, full)
    checks = code_checks.load()

    with pytest.raises(ValueError, match="the code cannot be run here: No space left on device"):
        checks.check("tf", "", "model = 1", distributed=False)
    with pytest.raises(ValueError, match="the code cannot be run here: No space left on device"):
        checks.build("tf", "", "model = 1", distributed=False, file=tmp_path)


def test_arguments_are_read() -> None:
    checks = code_checks.load()

    assert checks.arguments("epochs=5, shuffle=True", "tf", "fit") == {"epochs": 5, "shuffle": True}
    with pytest.raises(ValueError, match="expected epochs=NUMBER"):
        checks.arguments("", "tf", "fit")


@pytest.mark.parametrize("missing", ["training.code", "numpy"])
def test_a_package_that_is_missing_is_a_reason(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    def absent(_: str) -> Any:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(importlib, "import_module", absent)
    assert "training.code" in sys.modules

    error = ValueError if missing == "training.code" else ModuleNotFoundError
    with pytest.raises(error, match="training.code" if error is ValueError else "numpy"):
        code_checks.load().check("tf", "", "model = 1", distributed=False)


@pytest.mark.parametrize(
    ("elsewhere", "expected"),
    [(False, ["check tf", "check pth"]), (True, ["check tf", "syntax pth"])],
    ids=["here", "elsewhere"],
)
def test_what_is_not_installed_is_checked_as_far_as_possible_if_jobs_run_elsewhere(
    monkeypatch: pytest.MonkeyPatch, elsewhere: bool, expected: list[str]
) -> None:
    found = list[str]()
    monkeypatch.setattr(code, "check", lambda program: found.append(f"check {program.framework}"))
    monkeypatch.setattr(code, "check_syntax", lambda program: found.append(f"syntax {program.framework}"))
    monkeypatch.setattr(code, "lacking", lambda framework: ["torch"] if framework == "pth" else [])
    checks = code_checks.load(elsewhere=elsewhere)

    for framework in ("tf", "pth"):
        checks.check(framework, "", "model = 1", distributed=False)

    assert found == expected


def test_the_metrics_of_a_model_are_found_where_its_framework_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(program: Program) -> Any:
        return Summary("", (), (), 0, ("loss", program.code))

    monkeypatch.setattr(code, "check", check)
    monkeypatch.setattr(code, "lacking", lambda framework: ["torch"] if framework == "pth" else [])

    assert code_checks.load().metrics("pth", "", "accuracy") == ("loss", "accuracy")
    assert code_checks.load(elsewhere=True).metrics("tf", "", "mae") == ("loss", "mae")
    assert code_checks.load(elsewhere=True).metrics("pth", "", "accuracy") is None
