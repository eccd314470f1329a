"""Names, labels and reasons that are written from right to left begin where they can be seen."""

from pipeline.wire.predictions import Prediction, Result
from tests.e2e.browsing import picture
from tests.e2e.conftest import Window
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


def test_their_first_letters_are_in_sight(site: Site, window: Window) -> None:
    show(site)
    window.resize(*SIZE)
    window.open(site.address)
    wait_for(lambda: len(window.evaluate(BEGINNINGS)) == 3, 20, "a name, a label and a reason")
    assert window.evaluate(BEGINNINGS) == [True, True, True]
    window.keep(picture(f"right-to-left-{type(window).__name__.lower()}"))
    assert window.complaints == []
