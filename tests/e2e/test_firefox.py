"""The page in Firefox: live pictures, labels, and a single camera."""

from contextlib import ExitStack
from pathlib import Path

from tests.e2e.browsing import PIXELS
from tests.e2e.firefox import Firefox
from tests.e2e.test_wall import start
from tests.parts import free_port, wait_for


def expect_moving(page: Firefox, camera: str) -> None:
    """Check that a camera's picture moves."""
    pixels = f"""({PIXELS})([document.querySelector('[data-camera="{camera}"] canvas')])[0]"""
    # Two changes: the first may be from an empty canvas to a picture that then stays.
    for _ in range(2):
        first = wait_for(lambda: page.evaluate(pixels), 20, "a picture")
        wait_for(lambda: page.evaluate(pixels) != first, 20, "the picture to move")  # noqa: B023


def test_firefox_shows_live_pictures_labels_and_a_single_camera(firefox: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = start(stack, tmp_path, free_port(), ["door", "yard"])
        page = stack.enter_context(Firefox(firefox, tmp_path))
        page.open(site.address)

        def texts(selector: str) -> list[str]:
            found: list[str] = page.evaluate(
                f"[...document.querySelectorAll('{selector}')].map(({{textContent}}) => textContent)"
            )
            return found

        wait_for(lambda: len(texts(".tile[data-state=live] .name")) == 2, 20, "the cameras")
        for camera in ("door", "yard"):
            expect_moving(page, camera)
        for label in ("hare", "wood rabbit"):
            wait_for(lambda: label in texts("[data-camera=door] .label"), 20, label)  # noqa: B023

        page.evaluate("document.querySelector('[data-camera=door] a.open').click()")

        wait_for(lambda: texts("#wall[data-view=single] .log-label"), 20, "the recent labels")
        expect_moving(page, "door")
        assert page.complaints == []
