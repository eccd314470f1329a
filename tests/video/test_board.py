"""All cameras: frames come from another thread, and are shown on the event loop."""

import asyncio
import threading
from collections.abc import Callable

from pipeline.frame import Frame
from pipeline.ledger import Ledger
from tests.video.conftest import LIMITS
from tests.video.fakes import a_frame, settle
from video.board import Board
from video.mjpeg import part


class Bench:
    """A board with its ledger, and a reader's thread when one is wanted."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.board = Board(LIMITS, self.ledger)

    def offer(self, *frames: Frame) -> None:
        """Let frames come in, as the reader does."""
        for frame in frames:
            self.ledger.came(frame.camera)
            self.board.offer(frame.camera, frame)

    def offer_elsewhere(self, *frames: Frame) -> None:
        """Let frames come in from another thread, while this one, and its event loop, wait."""
        thread = threading.Thread(target=self.offer, args=frames)
        thread.start()
        thread.join()

    def shown(self) -> dict[str, int]:
        """Return the number of the frame that is up, by camera."""
        return {channel.frame.camera: channel.frame.seq for channel in self.board}


def on_a_loop(scenario: Callable[[Bench], object]) -> Bench:
    """Open a board, let the scenario happen while the loop is blocked, and let the loop settle."""
    bench = Bench()

    async def run() -> None:
        bench.board.open()
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


def test_frames_that_came_before_the_loop_are_shown_when_it_opens() -> None:
    bench = Bench()
    bench.offer(a_frame(1), a_frame(2))

    async def scenario() -> None:
        bench.board.open()

    asyncio.run(scenario())

    assert bench.shown() == {"door": 2}


def test_a_frame_and_its_part_belong_together() -> None:
    bench = on_a_loop(lambda bench: bench.offer(a_frame(1)))
    channel = bench.board.get("door")

    assert channel is not None
    assert channel.part == part(channel.frame)


def test_cameras_come_in_the_order_of_their_names() -> None:
    names = ["yard", "door", "Ärger", "10", "9"]

    bench = on_a_loop(lambda bench: bench.offer(*(a_frame(camera=name) for name in names)))

    assert list(bench.shown()) == sorted(names)


def test_a_camera_that_was_never_seen_has_no_channel() -> None:
    bench = on_a_loop(lambda bench: bench.offer(a_frame()))

    assert bench.board.get("yard") is None


def test_the_first_camera_is_waited_for() -> None:
    async def scenario() -> str:
        bench = Bench()
        bench.board.open()
        waiting = asyncio.create_task(bench.board.first())
        await settle()
        assert not waiting.done()
        bench.offer_elsewhere(a_frame(camera="yard"), a_frame(camera="door"))
        async with asyncio.timeout(10):
            channel = await waiting
        assert channel is not None
        return channel.frame.camera

    assert asyncio.run(scenario()) == "door"


def test_who_waits_for_the_first_camera_is_let_go_at_the_end() -> None:
    async def scenario() -> object:
        bench = Bench()
        bench.board.open()
        waiting = asyncio.create_task(bench.board.first())
        await settle()
        bench.board.close()
        async with asyncio.timeout(10):
            return await waiting

    assert asyncio.run(scenario()) is None


def test_closing_ends_the_channels_and_frames_that_come_later_are_counted() -> None:
    async def scenario(bench: Bench) -> int:
        bench.board.open()
        bench.offer(a_frame(1))
        await settle()
        channel = bench.board.get("door")
        assert channel is not None
        bench.board.close()
        bench.offer_elsewhere(a_frame(2), a_frame(3))
        await settle()
        return await channel.next(0)

    bench = Bench()
    assert asyncio.run(scenario(bench)) == 0
    bench.offer(a_frame(4))
    bench.board.drop_rest()

    assert bench.shown() == {}
    dropped = {"replaced": 2, "stopping": 1}
    assert bench.ledger.totals() == {"in": 4, "out": 1, "dropped": dropped, "pending": 0}


def test_a_frame_on_its_way_when_the_board_closes_makes_no_new_channel() -> None:
    async def scenario(bench: Bench) -> None:
        bench.board.open()
        bench.offer(a_frame(1))
        bench.board.close()
        await settle()

    bench = Bench()
    asyncio.run(scenario(bench))
    bench.board.drop_rest()

    assert bench.shown() == {}
    assert bench.ledger.totals()["pending"] == 0


def test_a_board_opens_again_after_its_loop_has_ended() -> None:
    bench = on_a_loop(lambda bench: bench.offer(a_frame(1)))
    bench.board.close()
    bench.offer(a_frame(2))

    async def again() -> None:
        bench.board.open()
        bench.offer_elsewhere(a_frame(3, camera="yard"))
        await settle()

    asyncio.run(again())

    assert bench.shown() == {"door": 2, "yard": 3}


def test_a_loop_that_ended_without_closing_the_board_loses_nothing() -> None:
    bench = on_a_loop(lambda bench: bench.offer(a_frame(1)))

    bench.offer(a_frame(2))
    bench.board.drop_rest()

    assert bench.ledger.totals() == {"in": 2, "out": 1, "dropped": {"stopping": 1}, "pending": 0}
