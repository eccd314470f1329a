"""Cameras of the topic: known from the start, at their places, and gone as soon as they are removed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pipeline.cameras.record import CameraRecord, RecordError, is_preview
from pipeline.cameras.seal import Seal, new_key
from pipeline.flow.ledger import Ledger
from tests.clock import Clock
from tests.video.cameras.statuses import a_status
from tests.video.conftest import LIMITS
from tests.video.fakes import Audience, a_frame, settle
from video.cameras.cameras import Cameras
from video.cameras.configured import configured
from video.cameras.removed import Removed

LINK = "rtsp://admin:geheim99@192.168.1.20/stream1"
RECORD = CameraRecord(link=LINK, group="In")
PREVIEW = "preview-0123456789abcdef"


class House:
    """Cameras on a loop, and who listens to them."""

    def __init__(self, clock: Clock, most: int) -> None:
        self.clock = clock
        self.cameras = Cameras(LIMITS, Ledger(), most=most)
        self.audience = Audience()
        self.late: list[str] = []
        self.cameras.on_late = self.late.append
        self.cameras.subscribe(self.audience)

    async def configure(self, name: str, record: CameraRecord | RecordError | None = RECORD) -> None:
        """Take a record of the topic."""
        self.cameras.configure(name, None if record is None else configured(record, Seal()))
        await settle()

    async def show(self, *names: str) -> None:
        """Take a frame of each camera."""
        for name in names:
            self.cameras.offer(name, a_frame(camera=name))
            await settle()

    async def hear(self, state: Any, reason: str | None = None, camera: str = "door") -> None:
        """Take a producer's record about a camera."""
        self.cameras.report(a_status(state, reason, camera=camera), 0)
        await settle()

    def said(self, name: str = "door") -> tuple[str, str | None]:
        """Return a camera's state and reason."""
        found = self.cameras.find(name)
        assert found is not None
        status = found.status()
        return status["state"], status["reason"]

    @property
    def names(self) -> list[str]:
        """The names of the listed cameras."""
        return [each.name for each in self.cameras.listed()]


Run = Callable[..., House]


@pytest.fixture
def run(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a scenario on an event loop."""
    for module in ("awaited", "camera", "cameras", "configured"):
        monkeypatch.setattr(f"video.cameras.{module}.time", clock)
    # What a dataclass takes its defaults from was bound before.
    monkeypatch.setattr("video.cameras.configured.Configured.__init__", _dated(clock))

    def run(scenario: Callable[[House], Coroutine[Any, Any, None]], most: int = 10) -> House:
        house = House(clock, most)

        async def act() -> None:
            house.cameras.open()
            await scenario(house)

        asyncio.run(act())
        return house

    return run


def _dated(clock: Clock) -> Callable[..., None]:
    from video.cameras.configured import Configured

    original = Configured.__init__

    def init(self: Configured, *values: Any, **named: Any) -> None:
        original(self, *values, **{"known": clock.now, "since": clock.now, **named})

    return init


def test_it_is_known_before_any_producer_reports_it(run: Run) -> None:
    async def scenario(house: House) -> None:
        await house.configure("door")
        assert house.said() == ("connecting", "no producer has opened it yet")
        house.clock.now += 16
        assert house.said() == (
            "never-seen",
            "no producer reports it: start one with the same CAMERASTOPIC",
        )
        await house.hear("no-signal", "wrong password")
        assert house.said() == ("never-seen", "wrong password")

    house = run(scenario)

    assert house.names == ["door"]
    status = house.cameras.listed()[0].status()
    assert (status["group"], status["since"]) == ("In", "1970-01-01T00:16:40Z")
    assert house.audience.changes


def test_it_is_paused_as_soon_as_the_record_says_so(run: Run) -> None:
    paused = RECORD.model_copy(update={"paused": True})

    async def scenario(house: House) -> None:
        await house.configure("door")
        await house.hear("live")
        await house.configure("door", paused)
        assert house.said() == ("paused", None)
        await house.show("yard")
        await house.configure("yard", paused)
        assert house.said("yard") == ("paused", None)
        await house.configure("yard")
        assert house.said("yard") == ("live", None)

    run(scenario)


def test_a_removed_one_is_gone_at_once_and_its_last_frames_do_not_bring_it_back(run: Run) -> None:
    async def scenario(house: House) -> None:
        for name in ("door", "yard"):
            await house.configure(name)
        await house.show("yard")
        camera = house.cameras.get("yard")
        assert camera is not None
        await house.configure("door", None)
        await house.configure("yard", None)
        assert house.names == []
        assert camera.gone
        assert house.audience.lost == ["door", "yard"]

        await house.show("yard")
        await house.hear("live", camera="door")
        assert house.names == []
        assert house.late == ["yard"]

        await house.configure("yard")
        await house.show("yard")
        assert house.said("yard") == ("live", None)
        await house.configure("yard", None)
        house.clock.now += 31
        await house.show("yard")
        assert house.names == ["yard"], "another camera of that name"

    run(scenario)


def test_a_record_that_cannot_be_used_or_does_not_decrypt_says_so(run: Run) -> None:
    sealed = CameraRecord(link=Seal([new_key()]).close(LINK))

    async def scenario(house: House) -> None:
        await house.configure("door", RecordError("bad_value", "expected JSON"))
        await house.configure("yard", sealed)

    house = run(scenario)

    assert house.said() == (
        "never-seen",
        "its record in the topic of cameras cannot be used: expected JSON",
    )
    assert house.said("yard") == (
        "never-seen",
        "its link is encrypted: set CAMERASKEY to the key, or CAMERASKEYFILE to its file",
    )


def test_they_have_their_places_before_all_others(run: Run) -> None:
    async def scenario(house: House) -> None:
        for name in ("x1", "x2", "x3"):
            await house.hear("no-signal", camera=name)
        for name in ("a", "b"):
            await house.configure(name)
        for number in range(20):
            await house.hear("no-signal", camera=f"invented {number}")
        assert {"a", "b"} <= set(house.names)
        assert len(house.names) <= 3
        await house.configure("c")
        await house.configure("d")
        assert house.names == ["a", "b", "c"]
        await house.configure("b", None)
        assert house.names == ["a", "c", "d"]
        house.clock.now += 10 * 24 * 3600
        house.cameras._waiting.expire(house.clock.now)
        assert house.names == ["a", "c", "d"]

    run(scenario, most=3)


def test_it_keeps_its_state_over_changes_that_do_not_concern_it(run: Run) -> None:
    async def scenario(house: House) -> None:
        await house.configure("door")
        house.clock.now += 100
        await house.configure("door", RECORD.model_copy(update={"group": "Out"}))
        assert house.cameras.listed()[0].status()["since"] == "2001-09-09T01:46:40Z"
        await house.configure("door", CameraRecord(link="rtsp://other/1"))
        assert house.cameras.listed()[0].status()["since"] == "2001-09-09T01:48:20Z"

    run(scenario)


def test_they_come_back_when_the_server_begins_again(run: Run) -> None:
    async def scenario(house: House) -> None:
        await house.configure("door")
        house.cameras.close()
        assert house.names == []
        house.cameras.open()
        assert house.names == ["door"]

    run(scenario)


def test_a_preview_is_in_no_list_and_disturbs_nobody(run: Run) -> None:
    async def scenario(house: House) -> None:
        await house.configure(PREVIEW, CameraRecord(link=LINK, until=2_000))
        await house.show(PREVIEW)
        assert (house.names, house.audience.seqs, house.audience.changes) == ([], [], [])
        assert house.said(PREVIEW) == ("live", None)
        await house.show("preview-ffffffffffffffff")
        assert house.late == ["preview-ffffffffffffffff"]

    run(scenario)


def test_hundreds_are_listed_without_frames(run: Run) -> None:
    async def scenario(house: House) -> None:
        for number in range(200):
            house.cameras.configure(f"camera {number}", configured(RECORD, Seal()))
        await settle()

    assert len(run(scenario, most=256).names) == 200


def test_names_of_previews() -> None:
    assert is_preview(PREVIEW)
    for name in ("preview-1", "preview-0123456789ABCDEF", f"{PREVIEW}0", f"a{PREVIEW}", ""):
        assert not is_preview(name)


def test_only_so_many_removed_ones_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("video.cameras.removed.MOST_CAMERAS", 3)
    removed = Removed()

    for number in range(5):
        removed.add(str(number), 0.0)

    assert [removed.has(str(number), 1.0) for number in range(5)] == [False, False, True, True, True]
    removed.add("x", 100.0)
    assert removed._until.keys() == {"x"}


def test_a_record_is_shown_as_the_api_takes_it() -> None:
    record = CameraRecord.model_validate(
        {"link": LINK, "interval": "1m30s", "deadline": "2.5ms", "scale": [0.5, 1]}
    )

    config = configured(record, Seal()).config()

    assert config is not None
    assert (config["interval"], config["deadline"], config["scale"]) == ("90s", "2.5ms", [0.5, 1.0])
    assert config["link"] == "rtsp://admin:***@192.168.1.20/stream1"
    assert CameraRecord.model_validate({**config, "link": LINK}) == record
