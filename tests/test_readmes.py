"""The READMEs list the modules that exist."""

import re
from pathlib import Path

import pytest

from tests.parts import ROOT

PACKAGES = ("pipeline", "producer", "consumer", "video", "tfserving", "training", "compose")
MODULES = sorted(
    path.relative_to(ROOT)
    for name in PACKAGES
    for path in (ROOT / name).rglob("*.py")
    if not path.stem.startswith("__") and not path.stem.endswith("_pb2")
)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_readme_names_the_module(module: Path) -> None:
    """The one in its folder, or one above; as `name.py`, `folder/name.py` or `name`."""
    pages = [page for folder in module.parents if (page := ROOT / folder / "README.md").is_file()]
    text = "".join(page.read_text() for page in pages if page.parent != ROOT)

    assert re.search(rf"`([\w/]+/)?{module.stem}(\.py)?`", text)


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
