"""The status page in both browsers: services, cameras, drops, a service that stops, a lost connection."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import pytest
from confluent_kafka import Producer
from playwright.sync_api import Browser, expect

from pipeline.wire import figures, model_figures
from pipeline.wire.figures import CameraFigures, Dropped, Figures
from pipeline.wire.model_figures import ModelFigures, Models
from pipeline.wire.status import State, Status, Subject, encode_key, encode_value
from tests.e2e.browsing import SIZES, Line, expect_accessible, keep, open_page, picture
from tests.e2e.conftest import Window
from tests.e2e.test_browsers import OWN, texts
from tests.e2e.test_wall import Site, axe, start
from tests.parts import free_port, wait_for

__all__ = ["axe"]

FAILED: Final = {"timeout": Dropped(3, 0.2)}
NONE: Final = "\N{EN DASH}"
FILTER: Final = """(() => {
  const field = document.querySelector("#filter");
  field.value = "YA";
  field.dispatchEvent(new Event("input"));
})()"""


@dataclass(frozen=True, slots=True)
class House:
    """A video server with two cameras, and a consumer of which only the reports exist."""

    site: Site
    writer: Producer

    def report(self, state: State, reason: str | None = None) -> None:
        """Report the consumer's state and, while it runs, what it drops."""
        status = Status(Subject("consumer", "host-1"), state, reason, time.time())
        self.writer.produce("status", key=encode_key(status.subject), value=encode_value(status))
        if state != "stopped":
            door = CameraFigures(15.0, 14.5, 0.04, {"replaced": Dropped(17, 0.5)})
            for key, value in figures.encode(Figures("consumer", "host-1", time.time(), {"door": door})):
                self.writer.produce("status", key=key, value=value)
            asked = {"imagenet_1": ModelFigures("tfserving:8501", None, 12.5, 25.0, 0.046, 0.112, FAILED)}
            key, value = model_figures.encode(Models("consumer", "host-1", asked), time.time())
            self.writer.produce("status", key=key, value=value)
        self.writer.flush(5)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The house."""
    with ExitStack() as stack:
        site = start(stack, tmp_path_factory.mktemp("status"), free_port(), ["door", "yard"])
        yield House(site, Producer({"bootstrap.servers": site.bootstrap}))


def row(window: Window, key: str) -> list[str]:
    """Return the texts of a row's cells."""
    return texts(window, f'[data-key="{key}"] > *')


def test_it_shows_rates_drops_a_service_that_stops_and_a_lost_connection(
    house: House, window: Window
) -> None:
    with Line(house.site.address) as line:
        window.open(house.site.address)
        wait_for(lambda: len(texts(window, ".tile .name")) == 2, 20, "the wall")
        assert window.evaluate("document.querySelector('#status').getAttribute('href')") == "status"
        window.open(f"{line.address}status")

        def shows() -> bool:
            house.report("ready")
            door = row(window, "door")
            return len(door) == 8 and "consumer: replaced 17 (0.5/s)" in door[6] and door[4] != NONE

        wait_for(shows, 60, "a camera's drops and its rate")
        name, state, captured, labelled, shown, age, _, note = row(window, "door")
        assert (name, state, captured, labelled) == ("door", "Live", NONE, "14.5")
        assert 0 < float(shown) < 60
        assert age.split()[1] in {"ms", "s"}
        assert "No producer reports" in note
        assert row(window, "consumer")[1] == "1 ready"
        assert row(window, "video")[1] == "1 ready"
        assert row(window, "producer")[1] == "None"
        server = row(window, "imagenet_1@tfserving:8501")
        assert server[:7] == ["tfserving:8501: imagenet_1", "Ready", "1", "12.5", "25.0", "46 ms", "112 ms"]
        assert server[7:] == ["timeout 3 (0.2/s)", ""]
        window.keep(picture(f"status-{type(window).__name__.lower()}"))

        house.report("stopped")
        wait_for(lambda: row(window, "consumer/host-1")[1] == "Stopped", 30, "the consumer to have stopped")
        assert row(window, "consumer")[1] == "1 stopped"
        assert "No consumer reports" in row(window, "consumer")[6]
        assert window.evaluate("document.querySelector('#model-servers-section').hidden")

        window.evaluate(FILTER)
        assert texts(window, "#cameras tbody tr:not([hidden]) th") == ["yard"]
        assert texts(window, "#cameras-heading") == ["Cameras (1 of 2)"]

        assert window.complaints == []
        line.accepts = False
        line.cut()
        wait_for(lambda: "No connection to the server since" in texts(window, "#banner")[0], 30, "the banner")
        line.accepts = True
        wait_for(lambda: texts(window, "#banner") == [""], 30, "the connection")
    assert [text for text in window.complaints if not any(part in text for part in OWN)] == []


@pytest.mark.usefixtures("axe")
def test_it_is_accessible_and_fits_on_a_phone(house: House, browser: Browser) -> None:
    house.report("not-ready", "model imagenet_1: connection refused")
    for scheme, size in (("dark", "desktop"), ("light", "phone")):
        with open_page(
            browser, f"{house.site.address}status", SIZES[size], "light" if scheme == "light" else "dark"
        ) as page:
            expect(page.locator('[data-key="consumer/host-1"]')).to_contain_text(
                "connection refused", timeout=60_000
            )
            expect(page.locator('[data-key="imagenet_1@tfserving:8501"]')).to_be_visible()
            expect(page.locator('[data-key="yard"]')).to_be_visible()
            expect_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
            table = page.get_by_role("table", name="Services")
            note = table.get_by_role("row", name="host-1").get_by_role("cell").last
            expect(note).to_contain_text("Model imagenet_1: connection refused")
            assert page.evaluate(
                "note => note.getBoundingClientRect().right <= innerWidth", note.element_handle()
            )
            keep(page, f"status-{size}")
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.matches('.brand a')")
