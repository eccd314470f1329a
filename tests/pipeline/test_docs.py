"""The READMEs list the modules there are."""

import re

import pytest

from tests.parts import ROOT

PACKAGES = [
    "pipeline",
    *sorted(str(each.parent.relative_to(ROOT)) for each in ROOT.glob("pipeline/*/__init__.py")),
]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_readme_has_a_row_for_each_module(package: str) -> None:
    folder = ROOT / package
    modules = {each.name for each in folder.glob("*.py")} - {"__init__.py"}
    packages = {f"{each.parent.name}/" for each in folder.glob("*/__init__.py")}

    rows = re.findall(r"^\| \[?`([^`]+)`", (folder / "README.md").read_text(), re.MULTILINE)

    assert sorted(rows) == sorted(modules | packages)
