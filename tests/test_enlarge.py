"""A larger limit is seen where it is read, and nowhere else."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.limits import enlarge as module
from tests.limits.enlarge import enlarge

OWNER = """
_MOST = 100
OTHER = 100

def own(most=_MOST, *, kept=_MOST, same=100):
    return _MOST, most, kept, same, OTHER
"""
READER = """
from fictitious import owner
from fictitious import neighbour
from fictitious.owner import _MOST as most

def by_name(given=most, same=100):
    return most, given, same

def by_module():
    return owner._MOST, neighbour._MOST
"""
NEIGHBOUR = """
from fictitious import owner

_MOST = 100

def read(given=_MOST):
    return _MOST, given, owner._MOST
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """A package of the services with a constant, a module that reads it, and one with another of its name."""
    folder = tmp_path / "fictitious"
    folder.mkdir()
    sources = {"__init__": "", "owner": OWNER, "neighbour": NEIGHBOUR, "reader": READER}
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "SERVICES", ("fictitious",))
    found = {}
    for name in ("owner", "neighbour", "reader"):
        __import__(f"fictitious.{name}")
        found[name] = sys.modules[f"fictitious.{name}"]
    yield found
    for name in [each for each in sys.modules if each.partition(".")[0] == "fictitious"]:
        del sys.modules[name]


def test_only_the_constant_that_is_meant_is_larger(package: dict[str, ModuleType]) -> None:
    enlarge("fictitious.owner._MOST", 10)

    assert package["owner"].own() == (1000, 1000, 1000, 100, 100)
    assert package["reader"].by_name() == (1000, 1000, 100)
    assert package["reader"].by_module() == (1000, 100)
    assert package["neighbour"].read() == (100, 100, 1000)
    assert package["owner"]._MOST == 100
