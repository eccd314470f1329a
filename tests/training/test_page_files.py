"""The files of the page, and what it shares with that of the video."""

import re
from typing import Final

import pytest

from tests.parts import ROOT

PAGE: Final = ROOT / "training/page"
COPIES: Final = (
    "dom.js",
    "notice.js",
    "theme.js",
    "stored.js",
    "times.js",
    "icon.svg",
    "style/tokens.css",
    "style/base.css",
)
"""Files that are those of the video page."""


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_the_same_as_in_the_video_page(name: str) -> None:
    assert (PAGE / name).read_bytes() == (ROOT / "video/page" / name).read_bytes()


def test_every_file_that_the_page_names_exists() -> None:
    named = re.findall(r'(?:href|src)="(page/[^"]+)"', (PAGE / "index.html").read_text())
    for module in PAGE.rglob("*.js"):
        if module.parent.name != "vendor":
            parts = re.findall(r'(?:from|import\()\s*"(\.[^"]+)"', module.read_text())
            named += [f"page/{(module.parent / part).resolve().relative_to(PAGE)}" for part in parts]

    assert len(named) > 50
    assert [name for name in named if not (PAGE.parent / name).is_file()] == []


def test_every_icon_that_the_page_uses_is_defined() -> None:
    defined = set(re.findall(r'<symbol id="([^"]+)"', (PAGE / "index.html").read_text()))

    assert defined == {f"theme-{name}" for name in ("system", "dark", "light")}
