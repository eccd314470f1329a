"""The READMEs list the modules that exist."""

import re
from pathlib import Path

import pytest

from tests.parts import ROOT

PACKAGES = ("pipeline", "producer", "consumer", "video", "tfserving", "compose")
MODULES = sorted(
    path.relative_to(ROOT)
    for name in PACKAGES
    for path in (ROOT / name).rglob("*.py")
    if not path.stem.startswith("__") and not path.stem.endswith("_pb2")
)


def nearest(module: Path) -> Path:
    """Return the README in a module's folder, or in the closest folder above that has one."""
    return next(page for folder in module.parents if (page := ROOT / folder / "README.md").is_file())


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_the_nearest_readme_names_the_module(module: Path) -> None:
    page = nearest(module)
    path = (ROOT / module).relative_to(page.parent)

    assert re.search(rf"`(?:{re.escape(str(path))}|{path.name}|{path.with_suffix('')})`", page.read_text())


def test_the_readmes_name_no_module_that_does_not_exist() -> None:
    """In the first column of tables: `name.py` or `folder/name.py`."""
    missing = [
        f"{page.relative_to(ROOT)}: {name}"
        for package in PACKAGES
        for page in (ROOT / package).rglob("README.md")
        for row in re.findall(r"^\| ([^|]*) \|", page.read_text(), re.MULTILINE)
        for name in re.findall(r"`([\w/]+\.py)`", row)
        if not (page.parent / name).is_file()
    ]

    assert missing == []
