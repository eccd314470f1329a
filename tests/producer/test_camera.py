import logging
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
from prometheus_client import REGISTRY

from pipeline.flow.ledger import Ledger
from pipeline.service.workers import Pulse
from pipeline.wire.picture import PictureError
from producer import camera as module
from producer.camera import Camera
from producer.sources.source import Captured, CaptureError, EndedError, Source, TooLargeError
from tests.clock import START
from tests.parts import wait_for

INTERVAL = 0.04


class FakeTime:
    """A clock that only advances when something waits on it."""

    def __init__(self) -> None:
        self.now = START

    def monotonic(self) -> float:
        return self.now


class FakeEvent(threading.Event):
    """An event whose waits only advance the fake clock."""

    def __init__(self, time: FakeTime) -> None:
        super().__init__()
        self.time = time

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        if not self.is_set():
            self.time.now += timeout
        return self.is_set()


class RecordingPulse(Pulse):
    """Records when it beat, and stops at `stop_at`."""

    def __init__(self, time: FakeTime) -> None:
        super().__init__(FakeEvent(time))
        self.time = time
        self.beats: list[float] = []
        self.stop_at = float("inf")

    def beat(self) -> None:
        self.beats.append(self.time.now)
        if self.time.now >= self.stop_at:
            self.stopping.set()


class FakeSource:
    """Delivers a frame after each of the `durations` (s), and then fails.

    Each is due `interval` s after the last one.
    """

    def __init__(self, kit: "Kit", durations: list[float], interval: float = 0.0) -> None:
        self.kit = kit
        self.interval = interval
        self.durations = durations
        self.closed = False

    def due_in(self) -> float:
        return self.interval

    def grab(self) -> None:
        assert not self.closed
        if not self.durations:
            raise self.kit.error
        self.kit.time.now += self.durations.pop(0)
        self.kit.grabs.append(self.kit.time.now)
        if len(self.kit.grabs) == self.kit.stop_after:
            self.kit.pulse.stopping.set()

    def retrieve(self) -> Captured:
        number = len(self.kit.grabs)
        self.kit.retrieved.append(number)
        if self.kit.broken(number):
            raise self.kit.picture_error
        return Captured(np.zeros((48, 64, 3), np.uint8), 64, 48, number)

    def close(self) -> None:
        self.closed = True


class Kit:
    """A camera, the result of opening it each time (None: a failure), and a record of its calls.

    It stops after `stop_after` frames, or when the `script` is over.
    """

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.pulse = RecordingPulse(time)
        self.ledger = Ledger()
        self.stop_after = 0
        self.script: list[list[float] | None] = []
        self.sources: list[FakeSource] = []
        self.error = CaptureError("no more frames")
        self.due_every = 0.0
        self.opened: list[float] = []
        self.grabs: list[float] = []
        self.retrieved: list[int] = []
        self.broken: Callable[[int], bool] = lambda _: False
        self.picture_error = PictureError("no JPEG")

    def camera(self, *, due_every: float = 0.0, interval: float = INTERVAL) -> Camera:
        self.due_every = due_every
        return Camera(
            "front", self._open, open_timeout=20, interval=interval, frozen_after=5, ledger=self.ledger
        )

    def waits(self) -> list[float]:
        return [later - earlier for earlier, later in pairwise(self.opened)]

    def _open(self) -> Source:
        self.opened.append(self.time.now)
        if not self.script:
            self.pulse.stopping.set()
        durations = self.script.pop(0) if self.script else None
        if durations is None:
            raise CaptureError("it cannot be opened")
        self.sources.append(FakeSource(self, durations, self.due_every))
        return self.sources[-1]


def reconnects() -> float:
    return REGISTRY.get_sample_value("streamlens_camera_reconnects_total", {"camera": "front"}) or 0.0


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Kit:
    time = FakeTime()
    monkeypatch.setattr(module, "time", time)
    return Kit(time)


# A live camera


def test_frames_of_a_fast_camera_that_are_not_due_are_counted(kit: Kit) -> None:
    kit.script = [[0.01] * 400]
    kit.stop_after = 400
    camera = kit.camera()

    camera.run(kit.pulse)

    (counts,) = kit.ledger.snapshot().values()
    due = 400 - counts["dropped"]["not_due"]
    assert counts["in"] == 400
    assert 100 <= due <= 102
    assert len(kit.retrieved) == due, "frames that are not due are never retrieved"
    assert counts["dropped"]["replaced"] == due - 1
    assert counts["pending"] == 1


def test_the_newest_frame_wins(kit: Kit) -> None:
    kit.script = [[INTERVAL] * 5]
    kit.stop_after = 5
    camera = kit.camera()

    camera.run(kit.pulse)
    captured = camera.frames.take(0)

    assert captured is not None
    assert captured.at == 5
    assert camera.frames.take(0) is None
    assert kit.ledger.totals() == {"in": 5, "out": 0, "dropped": {"replaced": 4}, "pending": 1}


def test_a_slow_camera_keeps_all_its_frames(kit: Kit) -> None:
    kit.script = [[0.5] * 20]
    kit.stop_after = 20
    camera = kit.camera()

    camera.run(kit.pulse)

    assert "not_due" not in kit.ledger.totals()["dropped"]


# A source that says when its frames are due


def test_each_frame_is_grabbed_when_it_is_due(kit: Kit) -> None:
    kit.script = [[0.0, 0.01, 0.03, 0.0]]
    kit.stop_after = 4
    started = kit.time.now

    kit.camera(due_every=0.5).run(kit.pulse)

    assert [at - started for at in kit.grabs] == pytest.approx([0.5, 1.01, 1.54, 2.04])
    assert "not_due" not in kit.ledger.totals()["dropped"]


def test_frames_of_a_fast_film_that_are_not_due_are_not_decoded(kit: Kit) -> None:
    kit.script = [[0.0] * 100]
    kit.stop_after = 100

    kit.camera(due_every=0.01).run(kit.pulse)

    assert len(kit.retrieved) == pytest.approx(25, abs=2)


# A lost camera


def test_a_camera_that_cannot_be_opened_is_retried_with_growing_waits(kit: Kit) -> None:
    kit.script = [None] * 14

    kit.camera().run(kit.pulse)

    longest = [min(30.0, 0.5 * 2**number) for number in range(14)]
    assert len(kit.opened) == 15
    for wait, most in zip(kit.waits(), longest, strict=True):
        assert 0.75 * most - 1e-6 <= wait <= most + 1e-6
    assert kit.ledger.snapshot() == {}


def test_a_lost_camera_is_closed_and_opened_again(kit: Kit) -> None:
    kit.script = [[0.01] * 3, [0.01] * 2]

    kit.camera().run(kit.pulse)

    assert [source.closed for source in kit.sources] == [True, True]
    assert len(kit.grabs) == 5
    assert kit.ledger.totals()["in"] == 5


@pytest.mark.parametrize(
    "error", [CaptureError("no more frames"), EndedError("the camera has ended the video")]
)
def test_each_time_that_a_lost_camera_is_opened_again_is_counted(kit: Kit, error: CaptureError) -> None:
    before = reconnects()
    kit.script = [None, [0.01], None, [0.01], [0.01]]
    kit.error = error

    kit.camera().run(kit.pulse)

    assert reconnects() - before == 2


def test_the_waits_are_short_again_once_the_camera_was_steady(kit: Kit) -> None:
    kit.script = [None, None, None, None, [0.01, 3.0, 3.0], None]

    kit.camera().run(kit.pulse)

    lost_again, failed_again = kit.waits()[4:]
    assert lost_again <= 0.5 + 6.01 + 1e-6
    assert 0.75 - 1e-6 <= failed_again <= 1.0 + 1e-6


def test_a_camera_that_ends_its_video_now_and_then_is_opened_again_after_a_short_wait(kit: Kit) -> None:
    kit.script = [[0.01] for _ in range(6)]
    kit.error = EndedError("the camera has ended the video")

    kit.camera().run(kit.pulse)

    assert all(wait <= 0.5 + 0.01 + 1e-6 for wait in kit.waits()[:6])


def test_a_camera_that_asks_for_a_pause_is_left_alone_for_so_long(kit: Kit) -> None:
    kit.script = [[0.01]]
    kit.error = CaptureError("the camera answers 503 Service Unavailable", retry_after=20)

    kit.camera().run(kit.pulse)

    assert 20 <= kit.waits()[0] <= 20.02


def test_opening_may_take_long_but_not_for_ever(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BEAT", 0.001)
    released = threading.Event()
    closed = threading.Event()
    kit.script = [[0.01]]
    source = FakeSource(kit, [])
    monkeypatch.setattr(source, "close", closed.set)

    def open_source() -> Source:
        kit.opened.append(kit.time.now)
        if len(kit.opened) > 1:
            kit.pulse.stopping.set()
            raise CaptureError("enough")
        released.wait(20)
        return source

    def beat() -> None:
        kit.time.now += 1
        kit.pulse.beats.append(kit.time.now)

    monkeypatch.setattr(kit.pulse, "beat", beat)
    camera = kit.camera()
    monkeypatch.setattr(camera, "_open_source", open_source)

    camera.run(kit.pulse)
    released.set()

    assert 20 <= kit.waits()[0] <= 24
    assert len(kit.pulse.beats) >= 20
    assert closed.wait(20), "a source that opens too late is closed"


def test_a_camera_that_is_being_opened_does_not_hold_up_the_end(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BEAT", 0.001)
    released = threading.Event()

    def open_source() -> Source:
        released.wait(60)
        raise CaptureError("too late")

    camera = kit.camera()
    monkeypatch.setattr(camera, "_open_source", open_source)
    kit.pulse.stop_at = kit.time.now

    camera.run(kit.pulse)
    released.set()

    assert camera.unready() == "camera front: not open yet"


def test_a_camera_that_never_gets_far_is_opened_less_and_less_often(kit: Kit) -> None:
    kit.script = [[0.01] for _ in range(12)]

    kit.camera().run(kit.pulse)

    assert kit.waits()[-1] >= 0.75 * 30
    assert len(kit.grabs) == 12


def test_the_same_reason_is_logged_once_a_minute(
    kit: Kit, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.service.logs.time", kit.time)
    kit.script = [None] * 12

    kit.camera().run(kit.pulse)

    lines = [record for record in caplog.records if "it cannot be opened" in record.getMessage()]
    minutes = (kit.time.now - kit.opened[0]) / 60
    assert minutes > 2
    assert 2 <= len(lines) <= 1 + minutes


def test_the_first_frame_of_a_camera_that_is_back_is_due(kit: Kit) -> None:
    kit.script = [[0.01], [0.01], [0.01] * 3]

    kit.camera(interval=3600).run(kit.pulse)

    assert kit.retrieved == [1, 2, 3, 4]  # after a pause, two are
    assert kit.ledger.totals()["dropped"] == {"replaced": 3, "not_due": 1}


def test_the_heart_beats_while_waiting_for_a_lost_camera(kit: Kit) -> None:
    kit.script = [None] * 10

    kit.camera().run(kit.pulse)

    gaps = [later - earlier for earlier, later in pairwise(kit.pulse.beats)]
    assert max(kit.waits()) > 20
    assert max(gaps) <= 1.0 + 1e-6


def test_the_heart_beats_while_waiting_for_a_tick(kit: Kit) -> None:
    kit.script = [[0.0] * 3]
    kit.stop_after = 3

    kit.camera(due_every=60.0).run(kit.pulse)

    gaps = [later - earlier for earlier, later in pairwise(kit.pulse.beats)]
    assert [at - START for at in kit.grabs] == pytest.approx([60, 120, 180])
    assert max(gaps) <= 1.0 + 1e-6


def test_the_heart_beats_with_every_frame(kit: Kit) -> None:
    kit.script = [[0.01] * 50]
    kit.stop_after = 50

    kit.camera().run(kit.pulse)

    assert len(kit.pulse.beats) == 50


def test_a_long_wait_ends_with_the_service(kit: Kit) -> None:
    kit.script = [None] * 100
    kit.pulse.stop_at = START + 100

    kit.camera().run(kit.pulse)

    assert START + 100 <= kit.time.now <= START + 101


def test_the_source_is_closed_at_the_end(kit: Kit) -> None:
    kit.script = [[0.01] * 10]
    kit.stop_after = 3

    kit.camera().run(kit.pulse)

    assert len(kit.grabs) == 3
    assert kit.sources[0].closed


def test_the_source_is_closed_even_if_an_exception_escapes(kit: Kit) -> None:
    kit.script = [[0.01, "a bug"]]  # type: ignore[list-item]

    with pytest.raises(TypeError):
        kit.camera().run(kit.pulse)

    assert kit.sources[0].closed


# Frames without pictures


def test_a_frame_without_a_picture_is_skipped_and_counted(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    kit.script = [[INTERVAL] * 6]
    kit.stop_after = 6
    kit.broken = lambda number: number % 2 == 0
    camera = kit.camera()

    camera.run(kit.pulse)

    assert kit.ledger.totals() == {
        "in": 6,
        "out": 0,
        "dropped": {"bad_picture": 3, "replaced": 2},
        "pending": 1,
    }
    assert len(kit.opened) == 1
    (message,) = caplog.messages
    assert "front" in message
    assert message.endswith(": no JPEG")
    assert camera.unready() is None


def test_pictures_that_are_too_large_are_counted_separately(kit: Kit) -> None:
    kit.script = [[1.0] * 10]
    kit.stop_after = 8
    kit.broken = lambda _: True
    kit.picture_error = TooLargeError("more than MAXPIXELS")
    camera = kit.camera()

    camera.run(kit.pulse)

    assert kit.ledger.totals()["dropped"]["too_large"] >= 6
    assert camera.state() == ("no-signal", "it delivers no pictures: more than MAXPIXELS")


def test_a_camera_without_readable_pictures_is_opened_again(kit: Kit) -> None:
    kit.script = [[1.0] * 10, [1.0] * 2]
    kit.stop_after = 8
    kit.broken = lambda number: number <= 6
    camera = kit.camera()

    camera.run(kit.pulse)

    assert len(kit.opened) == 2, "after the sixth frame: it may be silent for 5 s"
    assert kit.sources[0].durations == [1.0] * 4
    assert kit.ledger.totals()["dropped"] == {"bad_picture": 6, "replaced": 1}
    assert camera.unready() is None


def test_a_camera_without_readable_pictures_is_reported(kit: Kit) -> None:
    kit.script = [[1.0] * 6]
    kit.broken = lambda _: True
    kit.pulse.stop_at = START + 6
    camera = kit.camera()

    camera.run(kit.pulse)

    reason = camera.unready()
    assert reason
    assert reason.startswith("camera front: ")
    assert reason.endswith(": no JPEG")


def test_a_bug_in_retrieving_is_counted(kit: Kit) -> None:
    def bug(_: int) -> bool:
        raise ZeroDivisionError

    kit.script = [[0.01]]
    kit.broken = bug

    with pytest.raises(ZeroDivisionError):
        kit.camera().run(kit.pulse)

    assert kit.ledger.totals() == {"in": 1, "out": 0, "dropped": {"failed": 1}, "pending": 0}


# Reports


def test_the_reason_that_a_camera_is_not_ready_is_reported(kit: Kit) -> None:
    kit.script = [None]
    camera = kit.camera()

    assert camera.unready() == "camera front: not open yet"
    camera.run(kit.pulse)
    assert camera.unready() == "camera front: it cannot be opened"


def test_a_camera_that_ended_is_reported(kit: Kit) -> None:
    kit.script = [[0.01]]
    kit.pulse.stop_at = START + 0.05
    camera = kit.camera()

    camera.run(kit.pulse)

    assert camera.unready() == "camera front: no more frames"


def test_a_camera_that_ends_its_video_now_and_then_stays_live(kit: Kit) -> None:
    kit.script = [[0.01], [0.01], [0.01]]
    kit.error = EndedError("the camera has ended the video")
    kit.pulse.stop_at = START + 1
    camera = kit.camera()

    camera.run(kit.pulse)

    assert len(kit.grabs) == 3
    assert camera.state() == ("live", None)


def test_a_camera_that_has_ended_its_video_and_cannot_be_opened_again_is_reported(kit: Kit) -> None:
    kit.script = [[0.01], None]
    kit.error = EndedError("the camera has ended the video")
    kit.pulse.stop_at = START + 1
    camera = kit.camera()

    camera.run(kit.pulse)

    assert camera.state() == ("no-signal", "it cannot be opened")


def test_a_source_is_freed_before_the_camera_is_opened_again(kit: Kit) -> None:
    alive = weakref.WeakSet[FakeSource]()
    freed: list[bool] = []

    class Gone(FakeSource):
        def grab(self) -> None:
            raise CaptureError("it is gone")

    def open_source() -> Source:
        with suppress(AssertionError):
            wait_for(lambda: not alive, 5, "the last source to be freed")
        freed.append(not alive)
        if len(freed) == 3:
            kit.pulse.stopping.set()
        source = Gone(kit, [])
        alive.add(source)
        return source

    camera = Camera(
        "front", open_source, open_timeout=60, interval=INTERVAL, frozen_after=5, ledger=kit.ledger
    )
    camera.run(kit.pulse)

    assert freed == [True] * 3


@pytest.mark.exceeds("producer.settings.ProducerSettings.frozenafter")
def test_a_frozen_camera_is_reported(kit: Kit) -> None:
    kit.script = [[0.01] * 3]
    kit.stop_after = 3
    camera = kit.camera()
    camera.run(kit.pulse)

    assert camera.unready() is None
    kit.time.now += 5.0
    assert camera.unready() is None
    kit.time.now += 1.0
    assert camera.unready() == "camera front: it is frozen: no new frame for more than 5 s"


def test_the_reason_does_not_change_while_the_camera_stays_frozen(kit: Kit) -> None:
    kit.script = [[0.01] * 3]
    kit.stop_after = 3
    camera = kit.camera()
    camera.run(kit.pulse)

    kit.time.now += 10.0
    first = camera.state()
    kit.time.now += 10.0

    assert first == camera.state()
    assert first[0] == "no-signal"


def test_a_camera_that_delivers_every_ten_seconds_is_live(kit: Kit) -> None:
    kit.script = [[0.01] + [10.0] * 4]
    kit.stop_after = 5
    camera = kit.camera()
    camera.run(kit.pulse)

    kit.time.now += 29.0
    assert camera.state() == ("live", None)
    kit.time.now += 2.0
    state, reason = camera.state()
    assert state == "no-signal"
    assert reason is not None


@pytest.mark.parametrize(
    ("gap", "published_every", "film_holds", "expected"),
    [(0.5, 0.042, 0.0, 0.5), (10.0, 0.042, 0.0, 10.0), (0.5, 10.0, 0.0, 10.0), (0.0, 0.042, 60.0, 60.0)],
)
def test_the_interval_is_the_longest_of_the_cameras_and_those_that_are_set(
    kit: Kit, gap: float, published_every: float, film_holds: float, expected: float
) -> None:
    kit.script = [[0.01] + [gap] * 4]
    kit.stop_after = 5
    camera = kit.camera(interval=published_every, due_every=film_holds)
    first = camera.interval()

    camera.run(kit.pulse)

    assert first == published_every, "known before the first frame"
    assert camera.interval() == pytest.approx(expected, abs=0.05)


def test_its_source_is_given_the_time_that_it_needs(kit: Kit) -> None:
    kit.script = [[0.01] + [10.0] * 4, []]
    camera = kit.camera()
    quiet: list[float] = []
    beat = kit.pulse.beat

    def note() -> None:
        beat()
        quiet.append(kit.pulse.quiet)

    kit.pulse.beat = note  # type: ignore[method-assign]
    assert camera.patience == 5
    camera.run(kit.pulse)

    assert camera.patience == 30
    assert quiet[-1] == 30, "the heart may be quiet for as long"


def test_a_camera_says_what_it_does(kit: Kit) -> None:
    kit.script = [None, [0.01] * 3]
    kit.stop_after = 3
    camera = kit.camera()
    assert camera.state() == ("connecting", "not open yet")

    kit.pulse.stop_at = START + 0.2
    camera.run(kit.pulse)
    assert camera.state() == ("no-signal", "it cannot be opened")

    kit.pulse.stop_at = float("inf")
    kit.pulse.stopping.clear()
    camera.run(kit.pulse)
    assert camera.state() == ("live", None)


def test_a_slow_file_is_not_reported_as_frozen(kit: Kit) -> None:
    kit.script = [[0.0]]
    kit.stop_after = 1
    camera = kit.camera(due_every=60.0)
    camera.run(kit.pulse)

    kit.time.now += 64.0

    assert camera.unready() is None


def test_a_film_that_holds_a_picture_for_long_is_not_reported_as_frozen(kit: Kit) -> None:
    kit.script = [[0.0] * 5]
    kit.stop_after = 5
    reports: list[str | None] = []
    camera = kit.camera(due_every=60.0)
    beat = kit.pulse.beat

    def look() -> None:
        beat()
        if kit.grabs:
            reports.append(camera.unready())

    kit.pulse.beat = look  # type: ignore[method-assign]
    camera.run(kit.pulse)

    assert set(reports) == {None}


def test_trouble_and_recovery_are_logged_once_each(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kit.script = [None, [0.01] * 3]
    kit.stop_after = 3

    kit.camera().run(kit.pulse)

    assert caplog.messages[0].startswith("camera front: it cannot be opened; trying again in 0.")
    assert caplog.messages[1:] == ["camera front delivers frames of 64 x 48"]
