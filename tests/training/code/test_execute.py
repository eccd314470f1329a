"""Running the two texts of a model, in this process."""

import importlib.util
from pathlib import Path
from typing import Any, ClassVar

import pytest

from training.code.child import check
from training.code.child.execute import UserError, execute, model_of, parse
from training.code.child.later import Later
from training.code.installed import lacking
from training.code.program import FRAMEWORKS


def model(code: str, *, distributed: bool = True) -> Any:
    return model_of(execute("", code, {}, distributed=distributed), int, "number", distributed=distributed)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a = 1\na + 1", 2),
        ("a = 1\na + 1\n\n# the end\n\n", 2),
        ("x = 5", 5),
        ("x = y = 5", 5),
        ("a = (1 +\n2\n)", 3),
        ("(1\n+ 2)", 3),
        ("model = 4", 4),
        ("model = 4\nprint('compiled')", 4),
        ("model = 4\nif model: pass", 4),
        ("def f():\n    return 3\nmodel = f()\nf() + 5", 8),
        ("x, y = 1, 2\nmodel = x", 1),
        ("if 1:\n    model = 7", 7),
        ("a = 1\r\na + 1\r\n", 2),
        ("def f():\r\n    return 3\r\n\r\nf()", 3),
    ],
    ids=range(14),
)
def test_the_last_line_of_distributed_code_is_the_model(code: str, expected: int) -> None:
    assert model(code) == expected


def test_other_code_names_its_model() -> None:
    assert model("model = 1\n2", distributed=False) == 1
    with pytest.raises(UserError, match="expected it to set the variable `model`, found no"):
        model("1", distributed=False)
    with pytest.raises(UserError, match="expected the variable `model` to be a number, found str"):
        model("model = 'x'", distributed=False)
    with pytest.raises(UserError, match="or end with the model"):
        model("")


def test_imports_run_first_and_share_their_names() -> None:
    names = execute("import math\nbase = 2", "x = math.sqrt(base * given)", {"given": 8})

    assert names["x"] == 4


def test_classes_of_the_code_have_a_module() -> None:
    code = "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: 'int'\nx = Point(1).x"

    assert execute("", code, {})["x"] == 1


def test_the_source_of_functions_can_be_read() -> None:
    code = "import inspect\ndef f():\n    return 1\nx = inspect.getsource(f)"

    assert execute("", code, {})["x"] == "def f():\n    return 1\n"


def test_exceptions_that_cannot_be_printed_have_a_reason() -> None:
    code = "class Odd(Exception):\n    def __str__(self): raise KeyError(1)\n\nraise Odd"
    with pytest.raises(UserError, match="line 4 of the code: Odd: its text raised KeyError"):
        execute("", code, {})


def test_long_reasons_are_cut() -> None:
    with pytest.raises(UserError) as error:
        execute("", "raise ValueError('x' * 10**6)", {})

    assert len(str(error.value)) < 500


def test_packages_are_imported_when_used() -> None:
    assert Later("pathlib").Path is Path
    with pytest.raises(ModuleNotFoundError):
        _ = Later("no_such_package").anything
    assert not hasattr(Later("no_such_package"), "__path__")


def test_the_frameworks_are_known() -> None:
    assert set(FRAMEWORKS) == {"tf", "pth"}


@pytest.mark.parametrize(
    ("imports", "code", "expected"),
    [
        ("", "a = 1\nif a\n    pass", "line 2 of the code: SyntaxError: expected ':'"),
        ("1 +", "", "line 1 of the imports: SyntaxError: invalid syntax"),
        ("", "a = 1\nexec('1 +')", "line 2 of the code: SyntaxError: invalid syntax"),
        ("import nothing_like_it", "", "line 1 of the imports: ModuleNotFoundError: No module named"),
        ("", "x = 'a\0b'", "the code: "),
        ("", "-" * 100_000 + "1", "the code: it is nested too deeply"),
        ("", "raise MemoryError", "line 1 of the code: MemoryError; it needs more memory than the limit"),
        ("", "raise SystemExit", "line 1 of the code: SystemExit"),
    ],
    ids=["syntax", "imports", "inner", "module", "null", "nested", "memory", "exit"],
)
def test_an_error_names_the_users_line(imports: str, code: str, expected: str) -> None:
    with pytest.raises(UserError) as error:
        execute(imports, code, {})

    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("code", "is_denied"),
    [
        ("raise PermissionError(13, 'x')", True),
        ("raise OSError(18, 'a link')", True),
        ("raise OSError(28, 'full')", False),
        ("raise ValueError from PermissionError(1, 'x')", True),
        ("try:\n    open('/nowhere/at/all')\nexcept OSError:\n    raise ValueError", False),
        ("import urllib.error\nraise urllib.error.URLError(PermissionError(1, 'x'))", True),
        ("error = ValueError()\nerror.__cause__ = error\nraise error", False),
    ],
    ids=["denied", "link", "full", "cause", "context", "url", "circle"],
)
def test_a_restriction_is_named_as_the_cause(code: str, is_denied: bool) -> None:
    with pytest.raises(UserError) as error:
        execute("", code, {})

    assert ("opens only its own files" in str(error.value)) is is_denied


def test_the_syntax_of_both_texts_can_be_checked_alone() -> None:
    parse("import nothing_here", "model = Undefined()")
    with pytest.raises(UserError, match="line 2 of the imports: SyntaxError: "):
        parse("import math\nimport", "")
    with pytest.raises(UserError, match="line 1 of the code: SyntaxError: "):
        parse("", "model =")
    with pytest.raises(UserError, match="the code: "):
        parse("", "model = '\0'")


def test_a_task_may_check_the_syntax_alone() -> None:
    class FakeReport:
        sent: ClassVar[list[str]] = []

        def send(self, kind: str) -> None:
            self.sent.append(kind)

    report: Any = FakeReport()
    request = {"framework": "pth", "imports": "", "code": "model = 1", "only_syntax": True}

    assert check.main(request, report) == {}
    assert report.sent == ["started"]
    with pytest.raises(UserError, match="line 1 of the code: SyntaxError"):
        check.main({**request, "code": "model ="}, report)


def test_what_is_not_installed_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name != "ignite" else None)

    assert (lacking("tf"), lacking("pth")) == ([], ["ignite"])
