"""All cameras: frames come from another thread, and are shown on the event loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.flow.ledger import Ledger
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction, Result
from tests.video.conftest import LIMITS
from tests.video.fakes import Audience, a_frame, settle
from video.cameras.camera import Camera, Limits
from video.cameras.cameras import Cameras


class Bench:
    """Cameras with their ledger, and a thread that offers frames as the reader does."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.ledger = Ledger()
        self.cameras = Cameras(limits, self.ledger)

    def offer(self, *frames: Frame) -> None:
        """Let frames come in, as the reader does."""
        for frame in frames:
            self.ledger.came(frame.camera)
            self.cameras.offer(frame.camera, frame)

    def offer_elsewhere(self, *frames: Frame) -> None:
        """Let frames come in from another thread, while this one, and its event loop, wait."""
        thread = threading.Thread(target=self.offer, args=frames)
        thread.start()
        thread.join()

    def shown(self) -> dict[str, int]:
        """Return the number of the frame that is up, by camera."""
        return {camera.name: camera.frame.seq for camera in self.cameras}


def anyone(_: str) -> bool:
    """Every camera may be seen."""
    return True


def on_a_loop(scenario: Callable[[Bench], object]) -> Bench:
    """Open the cameras, let the scenario happen while the loop is blocked, and let the loop settle."""
    bench = Bench()

    async def run() -> None:
        bench.cameras.open()
        scenario(bench)
        await settle()

    asyncio.run(run())
    return bench


def test_frames_of_another_thread_are_shown() -> None:
    bench = on_a_loop(lambda bench: bench.offer_elsewhere(a_frame(1), a_frame(1, camera="yard")))

    assert bench.shown() == {"door": 1, "yard": 1}
    assert bench.ledger.totals() == {"in": 2, "out": 2, "dropped": {}, "pending": 0}


def test_while_the_loop_is_blocked_one_frame_a_camera_is_kept() -> None:
    frames = [a_frame(seq, camera=camera) for seq in range(1, 101) for camera in ("door", "yard")]

    bench = on_a_loop(lambda bench: bench.offer_elsewhere(*frames))

    assert bench.shown() == {"door": 100, "yard": 100}
    assert bench.ledger.snapshot() == {
        camera: {"in": 100, "out": 1, "dropped": {"replaced": 99}, "pending": 0}
        for camera in ("door", "yard")
    }


def test_while_the_loop_is_blocked_it_is_woken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    def scenario(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        wake = loop.call_soon_threadsafe

        def counted(call: Any, *given: Any) -> Any:
            calls.append(call)
            return wake(call, *given)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        bench.offer_elsewhere(*(a_frame(1, camera=f"x{number}") for number in range(100)))
        bench.cameras.forget("x0")

    bench = on_a_loop(scenario)

    assert len(calls) == 1
    assert bench.shown().keys() == {f"x{number}" for number in range(1, 100)}


def test_frames_that_came_before_the_loop_are_shown_when_it_opens() -> None:
    bench = Bench()
    bench.offer(a_frame(1), a_frame(2))

    async def scenario() -> None:
        bench.cameras.open()

    asyncio.run(scenario())

    assert bench.shown() == {"door": 2}


def test_listeners_to_all_cameras_get_each_frame_and_each_change() -> None:
    other = (Prediction("imagenet_1", (Result("suit", 0.5),), 18, 41),)
    audience = Audience()

    async def scenario() -> None:
        bench = Bench()
        bench.cameras.subscribe(audience)
        bench.cameras.open()
        for frame in (a_frame(1), a_frame(2), a_frame(3, predictions=other), a_frame(4, predictions=other)):
            bench.offer(frame)
            await settle()

    asyncio.run(scenario())

    assert audience.seqs == [1, 2, 3, 4]
    assert audience.changes == [("door", "live")] * 2
    assert audience.lost == []


def test_a_camera_s_frame_reaches_no_listener_to_another() -> None:
    audience = Audience()

    async def scenario() -> None:
        bench = Bench()
        bench.cameras.open()
        bench.offer(a_frame(1), a_frame(1, camera="yard"))
        await settle()
        camera = bench.cameras.get("door")
        assert camera is not None
        camera.subscribe(audience)
        bench.offer(a_frame(2, camera="yard"), a_frame(2))
        await settle()

    asyncio.run(scenario())

    assert audience.seqs == [2]


@pytest.mark.parametrize(("trouble", "state"), [(None, "no-signal"), ("Kafka is away", "broker-away")])
def test_a_camera_that_falls_silent_is_noticed(trouble: str | None, state: str) -> None:
    async def scenario() -> str:
        bench = Bench(Limits(no_signal_after=0.2, stale_after=5))
        audience = Audience()
        bench.cameras.report_broker(trouble)
        bench.cameras.open()
        bench.offer(a_frame())
        await settle()
        bench.cameras.subscribe(audience)
        watching = asyncio.create_task(bench.cameras.watch())
        async with asyncio.timeout(10):
            while not audience.changes:
                await asyncio.sleep(0.01)
        watching.cancel()
        return audience.changes[0][1]

    assert asyncio.run(scenario()) == state


def test_cameras_are_numbered_in_the_order_in_which_they_came() -> None:
    bench = on_a_loop(lambda bench: bench.offer(a_frame(camera="yard"), a_frame(camera="door")))

    assert {camera.name: camera.id for camera in bench.cameras} == {"yard": 1, "door": 2}


def test_cameras_come_in_the_order_of_their_names() -> None:
    names = ["yard", "door", "Ärger", "10", "9"]

    bench = on_a_loop(lambda bench: bench.offer(*(a_frame(camera=name) for name in names)))

    assert list(bench.shown()) == sorted(names)


def test_a_camera_that_was_never_seen_has_no_channel() -> None:
    bench = on_a_loop(lambda bench: bench.offer(a_frame()))

    assert bench.cameras.get("yard") is None


def test_the_first_camera_is_waited_for() -> None:
    async def scenario() -> str:
        bench = Bench()
        bench.cameras.open()
        waiting = asyncio.create_task(bench.cameras.first(anyone))
        await settle()
        assert not waiting.done()
        bench.offer_elsewhere(a_frame(camera="yard"), a_frame(camera="door"))
        async with asyncio.timeout(10):
            camera = await waiting
        assert camera is not None
        return camera.name

    assert asyncio.run(scenario()) == "door"


def test_the_first_camera_is_the_first_that_may_be_seen() -> None:
    async def scenario() -> str:
        bench = Bench()
        bench.cameras.open()
        waiting = asyncio.create_task(bench.cameras.first(lambda camera: camera == "yard"))
        bench.offer(a_frame(camera="door"))
        await settle()
        assert not waiting.done()
        bench.offer(a_frame(camera="yard"))
        async with asyncio.timeout(10):
            camera = await waiting
        assert camera is not None
        return camera.name

    assert asyncio.run(scenario()) == "yard"


def test_a_client_that_waits_for_the_first_camera_is_released_at_the_end() -> None:
    async def scenario() -> object:
        bench = Bench()
        bench.cameras.open()
        waiting = asyncio.create_task(bench.cameras.first(anyone))
        await settle()
        bench.cameras.close()
        async with asyncio.timeout(10):
            return await waiting

    assert asyncio.run(scenario()) is None


def test_closing_ends_the_channels_and_frames_that_come_later_are_counted() -> None:
    audience = Audience()

    async def scenario(bench: Bench) -> None:
        bench.cameras.open()
        bench.offer(a_frame(1))
        await settle()
        camera = bench.cameras.get("door")
        assert camera is not None
        camera.subscribe(audience)
        bench.cameras.close()
        bench.offer_elsewhere(a_frame(2), a_frame(3))
        await settle()

    bench = Bench()
    asyncio.run(scenario(bench))
    assert (audience.seqs, audience.lost) == ([], ["door"])
    bench.offer(a_frame(4))
    bench.cameras.drop_rest()

    assert bench.shown() == {}
    dropped = {"replaced": 2, "stopping": 1}
    assert bench.ledger.totals() == {"in": 4, "out": 1, "dropped": dropped, "pending": 0}


def test_a_frame_on_its_way_when_the_board_closes_makes_no_new_channel() -> None:
    async def scenario(bench: Bench) -> None:
        bench.cameras.open()
        bench.offer(a_frame(1))
        bench.cameras.close()
        await settle()

    bench = Bench()
    asyncio.run(scenario(bench))
    bench.cameras.drop_rest()

    assert bench.shown() == {}
    assert bench.ledger.totals()["pending"] == 0


def test_a_board_opens_again_after_its_loop_has_ended() -> None:
    bench = on_a_loop(lambda bench: bench.offer(a_frame(1)))
    bench.cameras.close()
    bench.offer(a_frame(2))

    async def again() -> None:
        bench.cameras.open()
        bench.offer_elsewhere(a_frame(3, camera="yard"))
        await settle()

    asyncio.run(again())

    assert bench.shown() == {"door": 2, "yard": 3}


def test_a_loop_that_ended_without_closing_the_board_loses_nothing() -> None:
    bench = on_a_loop(lambda bench: bench.offer(a_frame(1)))

    bench.offer(a_frame(2))
    bench.cameras.drop_rest()

    assert bench.ledger.totals() == {"in": 2, "out": 1, "dropped": {"stopping": 1}, "pending": 0}


class ClosingLoop(asyncio.SelectorEventLoop):
    """A loop that closes in the moment before it is called."""

    def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Close, as another thread might."""
        self.close()
        return super().call_soon_threadsafe(*args, **kwargs)


def test_a_loop_that_closes_while_a_frame_is_offered_loses_nothing() -> None:
    bench = Bench()
    bench.cameras._loop = ClosingLoop()

    bench.offer(a_frame(1))
    bench.cameras.drop_rest()

    assert bench.ledger.totals() == {"in": 1, "out": 0, "dropped": {"stopping": 1}, "pending": 0}


def test_a_forgotten_camera_is_gone_for_its_listeners_and_for_those_to_all() -> None:
    of_one, of_all = Audience(), Audience()

    async def scenario() -> Bench:
        bench = Bench()
        bench.cameras.open()
        bench.cameras.subscribe(of_all)
        bench.offer(a_frame(1), a_frame(1, camera="yard"))
        await settle()
        camera = bench.cameras.get("door")
        assert camera is not None
        camera.subscribe(of_one)
        forgetting = threading.Thread(target=bench.cameras.forget, args=("door",))
        forgetting.start()
        forgetting.join()
        bench.cameras.forget("never seen")
        await settle()
        assert camera.gone
        return bench

    bench = asyncio.run(scenario())

    assert list(bench.shown()) == ["yard"]
    assert of_one.lost == of_all.lost == ["door"]


def test_a_frame_that_waits_when_its_camera_is_forgotten_does_not_bring_it_back() -> None:
    bench = Bench()
    bench.offer(a_frame(1))
    bench.ledger.forget("door")
    bench.cameras.forget("door")

    async def scenario() -> None:
        bench.cameras.open()

    asyncio.run(scenario())

    assert bench.shown() == {}
    assert bench.ledger.totals() == {"in": 1, "out": 0, "dropped": {"forgotten": 1}, "pending": 0}


def test_a_camera_that_comes_back_starts_afresh() -> None:
    async def scenario() -> tuple[Camera | None, Camera | None]:
        bench = Bench()
        bench.cameras.open()
        bench.offer(a_frame(1))
        await settle()
        before = bench.cameras.get("door")
        bench.cameras.forget("door")
        bench.offer(a_frame(2))
        await settle()
        return before, bench.cameras.get("door")

    before, after = asyncio.run(scenario())

    assert before is not None
    assert after is not None
    assert (after.frame.seq, after.number, after.gone) == (2, 1, False)
    assert after.id != before.id


def test_ids_fit_a_picture_s_header_however_many_cameras_have_come_and_gone() -> None:
    async def scenario() -> set[int]:
        bench = Bench()
        bench.cameras.open()
        bench.cameras._show(a_frame(camera="stays"))
        for _ in range(0x10000):
            bench.cameras._show(a_frame(camera="comes"))
            bench.cameras._forget("comes")
        bench.cameras._show(a_frame(camera="comes"))
        return {camera.id for camera in bench.cameras}

    ids = asyncio.run(scenario())

    assert len(ids) == 2
    assert max(ids) <= 0xFFFF
