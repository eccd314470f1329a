"""Cameras that are known from reports only: how they come, turn into cameras with frames, and go."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pipeline.flow.ledger import Ledger
from tests.clock import Clock
from tests.video.cameras.statuses import a_status
from tests.video.conftest import LIMITS
from tests.video.fakes import Audience, a_frame, settle
from video.cameras.cameras import Cameras


class Bench:
    """Two cameras at most, an audience, and the time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.audience = Audience()
        self.cameras = Cameras(LIMITS, Ledger(), most=2, ttl=600)
        self.cameras.subscribe(self.audience)

    async def hear(self, *states: Any, age: float = 0, **subject: Any) -> None:
        """Let a record come, and settle."""
        self.cameras.report(a_status(*states, **subject), age)
        await settle()

    async def see(self, *names: str) -> None:
        """Let frames come, and settle."""
        for name in names:
            self.cameras._ledger.came(name)
            self.cameras.offer(name, a_frame(camera=name, captured=self.clock.time_ns()))
            await settle()

    def expire(self) -> None:
        """Do what is done every 0.2 s."""
        for camera in self.cameras.listed():
            camera.check(None)
        self.cameras._waiting.expire(self.clock.now)

    def said(self) -> dict[str, tuple[str, str | None]]:
        """Return each listed camera's state and reason."""
        statuses = [camera.status() for camera in self.cameras.listed()]
        return {status["name"]: (status["state"], status["reason"]) for status in statuses}

    def ids(self) -> dict[str, int]:
        """Return each listed camera's id."""
        return {camera.name: camera.id for camera in self.cameras.listed()}


Run = Callable[[Callable[[Bench], Awaitable[None]]], Bench]


@pytest.fixture
def run(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Let a scenario happen on a loop."""
    for module in ("awaited", "cameras"):
        monkeypatch.setattr(f"video.cameras.{module}.time", clock)

    def run(scenario: Callable[[Bench], Awaitable[None]]) -> Bench:
        bench = Bench(clock)

        async def main() -> None:
            bench.cameras.open()
            await scenario(bench)

        asyncio.run(main())
        return bench

    return run


def test_a_camera_that_never_sent_a_frame_is_listed_with_its_reason(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.hear("connecting")
        await bench.hear("no-signal", "wrong password")

    bench = run(scenario)

    assert bench.said() == {"door": ("never-seen", "wrong password")}
    assert bench.audience.changes == [("door", "connecting"), ("door", "never-seen")]
    assert list(bench.cameras) == []
    assert bench.cameras.get("door") is None
    assert "there are: door" in bench.cameras.unknown("yard", lambda _: True)


def test_its_first_frame_makes_it_a_camera_with_another_id(run: Run) -> None:
    before: dict[str, int] = {}

    async def scenario(bench: Bench) -> None:
        await bench.hear("no-signal", "wrong password")
        before.update(bench.ids())
        await bench.see("door")

    bench = run(scenario)

    assert bench.said() == {"door": ("live", None)}
    assert before.keys() == bench.ids().keys()
    assert before != bench.ids()
    assert bench.audience.lost == []
    bench.clock.now += 10
    assert bench.said() == {"door": ("no-signal", "wrong password")}


def test_a_record_explains_why_a_camera_has_fallen_silent(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.see("door")
        bench.clock.now += 10
        await bench.hear("no-signal", "connection refused")

    assert run(scenario).said() == {"door": ("no-signal", "connection refused")}


@pytest.mark.parametrize("service", ["video", "consumer"])
def test_only_producers_make_cameras_known(run: Run, service: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.hear("no-signal", "x", service=service)
        await bench.hear("ready", service="producer", camera="")

    assert run(scenario).said() == {}


def test_cameras_without_frames_have_no_more_places_than_others(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        for name in ("a", "b", "c", "d"):
            await bench.hear("no-signal", "x", camera=name)

    assert run(scenario).said().keys() == {"a", "b"}


def test_they_make_room_for_cameras_with_frames(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.hear("no-signal", "x", camera="a", age=20)
        await bench.hear("no-signal", "x", camera="b")
        await bench.see("c")
        assert bench.said().keys() == {"b", "c"}
        await bench.see("d")
        await bench.hear("no-signal", "x", camera="a")

    bench = run(scenario)

    assert bench.said().keys() == {"c", "d"}
    assert bench.audience.lost == ["a", "b"]


def test_a_flood_of_names_leaves_only_what_there_is_room_for(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        for number in range(20_000):
            bench.cameras.report(a_status("no-signal", "x", camera=f"camera {number}"), 0)
        await settle()

    assert len(run(scenario).said()) == 2


def test_a_camera_whose_producer_was_stopped_is_forgotten_after_a_minute(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.hear("no-signal", "x")
        await bench.hear("stopped")
        bench.clock.now += 59
        bench.expire()
        assert bench.said() == {"door": ("never-seen", "its producer has stopped")}
        bench.clock.now += 2
        bench.expire()

    bench = run(scenario)

    assert bench.said() == {}
    assert bench.audience.lost == ["door"]


def test_one_whose_producer_fell_silent_is_forgotten_like_any_other(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.hear("no-signal", "x")
        bench.clock.now += 590
        bench.expire()
        assert bench.said() == {"door": ("never-seen", "its producer no longer reports")}
        bench.clock.now += 20
        bench.expire()

    assert run(scenario).said() == {}


def test_a_stopped_producer_makes_no_camera_known(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.hear("stopped")

    assert run(scenario).said() == {}


def test_a_forgotten_camera_whose_producer_still_tries_stays_listed(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.see("door", "yard")
        await bench.hear("no-signal", "wrong password")
        bench.cameras.forget("door")
        bench.cameras.forget("yard")
        await settle()

    bench = run(scenario)

    assert bench.said() == {"door": ("never-seen", "wrong password")}
    assert sorted(bench.audience.lost) == ["door", "yard"]


def test_the_first_stream_waits_for_a_camera_with_frames(run: Run) -> None:
    found: list[str] = []

    async def scenario(bench: Bench) -> None:
        await bench.hear("no-signal", "x", camera="a")
        first = asyncio.ensure_future(bench.cameras.first(lambda _: True))
        await settle()
        assert not first.done()
        await bench.see("b")
        camera = await first
        assert camera
        found.append(camera.name)

    run(scenario)

    assert found == ["b"]


def test_a_flood_of_invented_cameras_keeps_no_reported_one_out(run: Run) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.hear("no-signal", "wrong password", camera="before")
        for second in range(60):
            for number in range(20):
                await bench.hear("no-signal", camera=f"x{second}-{number}")
            if second % 10 == 0:
                await bench.hear("no-signal", "wrong password", camera="before")
                await bench.hear("no-signal", "closed port", camera="new")
            bench.clock.now += 1

    bench = run(scenario)

    assert bench.said() == {"before": ("never-seen", "wrong password"), "new": ("never-seen", "closed port")}
    assert len(bench.audience.lost) == 1
