"""Names, labels and reasons that are written from right to left begin where they can be seen."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from pipeline.wire.predictions import Prediction, Result
from tests.e2e.browsing import open_page
from tests.e2e.firefox import Firefox
from tests.e2e.test_reasons import Site, site
from tests.parts import wait_for

__all__ = ["site"]

TEXT = "كاميرا الباب الأمامي للمبنى الشمالي في الطابق الثالث بجانب المصعد الكبير مقابل المكتبة (12)!"
LABEL = [Prediction("imagenet_1", (Result(TEXT, 0.6),), 1, 40)]
SIZE = (900, 600)
BEGINNINGS = """[...document.querySelectorAll(".name, .label, .veil-reason")]
  .filter(({ textContent }) => /^\\p{Script=Arabic}/u.test(textContent))
  .map((element) => {
    const range = document.createRange();
    range.setStart(element.firstChild, 0);
    range.setEnd(element.firstChild, 1);
    const [first, box] = [range, element].map((each) => each.getBoundingClientRect());
    return first.width > 0 && box.left <= first.left + 1 && first.right <= box.right + 1;
  })"""
"""For each Arabic text, whether its first letter is in sight."""


def show(site: Site) -> None:
    """Give a camera an Arabic name and reason, and another one an Arabic label."""
    site.films.cameras["yard"].labels = lambda _: LABEL
    site.report(TEXT, "no-signal", TEXT)


def test_their_first_letters_are_in_sight_in_chromium(site: Site, browser: Browser) -> None:
    show(site)
    with open_page(browser, site.address, SIZE) as page:
        expect(page.locator(".veil-reason").filter(has_text=TEXT)).to_be_visible(timeout=20_000)
        expect(page.locator(".label").filter(has_text=TEXT)).to_be_visible(timeout=20_000)
        assert page.evaluate(BEGINNINGS) == [True, True, True]


def test_their_first_letters_are_in_sight_in_firefox(site: Site, firefox: str, tmp_path: Path) -> None:
    show(site)
    with Firefox(firefox, tmp_path) as page:
        page.resize(*SIZE)
        page.open(site.address)
        wait_for(lambda: len(page.evaluate(BEGINNINGS)) == 3, 20, "a name, a label and a reason")
        assert page.evaluate(BEGINNINGS) == [True, True, True]
        assert page.complaints == []
