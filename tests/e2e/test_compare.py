"""The single view shows two precisions of a model side by side."""

import re
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pipeline.wire.predictions import Prediction, Result
from tests.e2e.browsing import SIZES, expect_accessible, keep, open_page, tile
from tests.e2e.test_reasons import Site, site
from tests.e2e.test_wall import axe

__all__ = ["axe", "site"]

NONE = "\N{EN DASH}"


def both(label: str) -> Callable[[int], Sequence[Prediction]]:
    """Return labels of two precisions: this one, and hare."""
    return lambda seq: [
        Prediction("imagenet_8", (Result(label, 0.604),), seq - 1, 41, 31),
        Prediction("imagenet_32", (Result("hare", 0.7),), seq - 1, 41, 23),
    ]


def row(page: Page, title: str) -> Locator:
    """Return the cells of a row."""
    titled = page.get_by_role("rowheader", name=title, exact=True)
    return page.locator(".compare tbody tr").filter(has=titled).locator("td")


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize("size", SIZES)
def test_two_precisions_are_compared_figure_by_figure(site: Site, browser: Browser, size: str) -> None:
    yard, door = site.films.cameras["yard"], site.films.cameras["door"]
    yard.labels, door.running = both("hare"), True
    with open_page(browser, f"{site.address}?camera=yard", SIZES[size]) as page:
        expect(page.locator(".compare-model")).to_have_text(["imagenet_8", "imagenet_32"], timeout=60_000)
        expect(row(page, "Label")).to_have_text(["hare", "hare"])
        expect(row(page, "Probability")).to_have_text(["60.4%", "70.0%"])
        expect(row(page, "Answer time")).to_have_text(["31 ms", "23 ms"])
        expect(row(page, "Label age")).to_have_text(["41 ms", "41 ms"])
        expect(row(page, "Same label")).to_have_text([NONE, re.compile(r"^(\d+) of \1$")], timeout=60_000)

        yard.labels = both("wood rabbit")

        expect(row(page, "Label")).to_have_text(["wood rabbit", "hare"], timeout=60_000)
        expect(row(page, "Same label")).to_have_text(
            [NONE, re.compile(r"^(\d+) of (?!\1$)\d+$")], timeout=60_000
        )
        expect_accessible(page)
        keep(page, f"two-precisions-{size}")

        page.goto(f"{site.address}?camera=door")
        expect(tile(page, "door").locator(".model-name").first).to_have_text("imagenet_1", timeout=60_000)
        expect(page.locator(".compare")).to_be_hidden()
