"""The bar at the top takes one row, also on small screens and with cameras in many states."""

import pytest

from pipeline.wire.predictions import Prediction, Result
from tests.e2e.conftest import Window
from tests.e2e.test_reasons import Site, site
from tests.parts import wait_for

__all__ = ["site"]

ROW = 56  # px
SCREENS = [(320, 568, "single"), (390, 844, "single"), (920, 700, "single"), (920, 700, "wall")]
HEIGHT = "document.querySelector('.bar').offsetHeight"
STATES = {"stale", "model-away", "never-seen", "connecting", "paused"}
COUNTED = "[...document.querySelectorAll('.count')].map((each) => each.dataset.state)"


@pytest.fixture
def address(site: Site) -> str:
    """The page's address; its cameras are in five states."""
    site.films.cameras["yard"].labels = lambda seq: [
        Prediction("imagenet_1", (Result("hare", 0.6),), seq, 60_000)
    ]
    site.films.cameras["door"].labels = lambda _: [Prediction("imagenet_1", (), None, None)]
    site.films.cameras["door"].running = True
    site.report("attic", "no-signal", "connection refused")
    site.report("gate", "connecting")
    site.report("roof", "paused")
    return site.address


def at(address: str, view: str) -> str:
    """Return the address of a view."""
    return f"{address}?camera=yard" if view == "single" else address


def test_it_takes_one_row(address: str, window: Window) -> None:
    for width, height, view in SCREENS:
        window.resize(width, height)
        window.open(at(address, view))
        wait_for(lambda: set(window.evaluate(COUNTED)) == STATES, 20, "all states")
        assert window.evaluate(HEIGHT) == ROW, f"{view}, {width} px"
    assert window.complaints == []
