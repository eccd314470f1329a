"""What the service asks of the package that checks code."""

from typing import Any

import pytest

from training import code_checks


class FakePackage:
    """Notes which checks are asked for; PyTorch is not installed."""

    def __init__(self) -> None:
        self.asked = list[str]()

    def Program(self, *fields: Any) -> Any:  # noqa: N802
        return fields

    def check(self, program: Any) -> None:
        self.asked.append(f"check {program[0]}")

    def check_syntax(self, program: Any) -> None:
        self.asked.append(f"syntax {program[0]}")

    def lacking(self, framework: str) -> list[str]:
        return ["torch"] if framework == "pth" else []


@pytest.mark.parametrize(
    ("elsewhere", "expected"),
    [(False, ["check tf", "check pth"]), (True, ["check tf", "syntax pth"])],
    ids=["here", "elsewhere"],
)
def test_what_is_not_installed_is_checked_as_far_as_possible_if_jobs_run_elsewhere(
    monkeypatch: pytest.MonkeyPatch, elsewhere: bool, expected: list[str]
) -> None:
    package = FakePackage()
    monkeypatch.setattr(code_checks, "_found", lambda: package)
    code = code_checks.load(elsewhere=elsewhere)

    for framework in ("tf", "pth"):
        code.check(framework, "", "model = 1", distributed=False)

    assert package.asked == expected
