"""A film plays at its own speed, again and again."""

import weakref
from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np
import pytest

from producer.sources import film as module
from producer.sources.film import FilmSource
from producer.sources.source import Captured, CaptureError
from producer.sources.video import EndError
from tests.clock import SECOND, START, Clock


class FakeVideo:
    """A film with frames at these times; its last frame lasts as long as `duration`."""

    def __init__(
        self, times: Sequence[float | None], duration: float = 0.04, *, may_jump: bool = False
    ) -> None:
        self.times = times
        self.may_jump = may_jump
        self.duration = duration
        self.number = -1
        self.closed = False

    @property
    def time(self) -> float | None:
        return self.times[self.number] if self.number >= 0 else None

    def read(self) -> None:
        assert not self.closed
        if self.number + 1 == len(self.times):
            raise EndError("it has ended")
        self.number += 1

    def captured(self, at: int) -> Captured:
        return Captured(np.zeros((1, 1, 3), np.uint8), self.number, 1, at)

    def close(self) -> None:
        self.closed = True


class Kit:
    """A film source, and when it showed which frame."""

    def __init__(self, time: Clock, make: Callable[[], FakeVideo], interval: float = 0.04) -> None:
        self.time = time
        self.videos: list[FakeVideo] = []
        self.make = make
        self.source = FilmSource(self.open(), self.open, interval)  # type: ignore[arg-type]

    def open(self) -> FakeVideo:
        self.videos.append(self.make())
        return self.videos[-1]

    def play(self, count: int) -> list[tuple[float, int]]:
        """Return the times and numbers of the next frames."""
        shown = []
        for _ in range(count):
            self.time.sleep(self.source.due_in())
            self.source.grab()
            shown.append((round(self.time.now - START, 6), self.source.retrieve().width))
        return shown


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(module, "time", fake)
    return fake


def test_each_frame_is_shown_for_as_long_as_the_film_says(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([5, 5.2, 5.25, 7]))

    assert kit.play(4) == [(0, 0), (0.2, 1), (0.25, 2), (2, 3)]


def test_a_film_starts_over_after_its_last_frames_duration(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([0, 0.2], duration=0.3))

    assert kit.play(5) == [(0, 0), (0.2, 1), (0.5, 0), (0.7, 1), (1, 0)]
    assert [video.closed for video in kit.videos] == [True, True, False]


@pytest.mark.usefixtures("time")
def test_a_film_is_freed_before_it_is_opened_again() -> None:
    alive, counts = weakref.WeakSet[FakeVideo](), []

    def open_film() -> FakeVideo:
        counts.append(len(alive))
        if len(counts) == 3:
            raise CaptureError("it is gone")
        video = FakeVideo([0, 0.2])
        alive.add(video)
        return video

    with closing(FilmSource(open_film(), open_film, 0.04)) as source:  # type: ignore[arg-type]
        for _ in range(4):
            source.grab()
        with pytest.raises(CaptureError):
            source.grab()

    assert counts == [0, 0, 0]


@pytest.mark.parametrize("times", [[None, None, None], [3, 2, 1], [0, 1e6, 2e6], [1, 1, 1]])
def test_a_film_without_sensible_times_plays_at_its_rate(time: Clock, times: Sequence[float | None]) -> None:
    kit = Kit(time, lambda: FakeVideo(times, duration=0.1))

    assert [at for at, _ in kit.play(5)] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-6)


@pytest.mark.exceeds("producer.sources.film._LONGEST")
@pytest.mark.parametrize(
    ("says", "shown"), [(module._LONGEST, module._LONGEST), (module._LONGEST + 0.1, 0.05)]
)
def test_a_film_may_hold_a_picture_for_a_minute(time: Clock, says: float, shown: float) -> None:
    kit = Kit(time, lambda: FakeVideo([0, says], duration=0.05))

    assert kit.play(2) == [(0, 0), (shown, 1)]


@pytest.mark.parametrize("jump", [-100, -0.05, 2, 40, 1e5])
def test_a_film_plays_on_where_its_clock_jumps(time: Clock, jump: float) -> None:
    times = [200, 200.05, 200.1 + jump, 200.15 + jump]
    kit = Kit(time, lambda: FakeVideo(times, duration=0.05, may_jump=True))

    assert [at for at, _ in kit.play(4)] == pytest.approx([0, 0.05, 0.1, 0.15], abs=1e-6)


@pytest.mark.parametrize(("says", "shown"), [(0.05, 0.086), (10, 0.14)])
def test_a_frame_that_is_due_earlier_than_the_film_says_delays_no_others(
    time: Clock, says: float, shown: float
) -> None:
    kit = Kit(time, lambda: FakeVideo([0, 0.04, 0.06, 0.28], duration=says))
    kit.source.due_in()
    kit.source.grab()
    kit.videos[0].duration = 0.04
    kit.play(1)
    kit.videos[0].duration = says

    assert [at for at, _ in kit.play(2)] == pytest.approx([shown, 0.28], abs=1e-6)


@pytest.mark.parametrize("may_jump", [False, True])
def test_a_film_with_one_picture_per_30_s_is_that_slow(time: Clock, may_jump: bool) -> None:
    kit = Kit(time, lambda: FakeVideo([0, 30, 60, 90], may_jump=may_jump))

    assert [at for at, _ in kit.play(4)] == [0, 30, 60, 90]


def test_a_film_that_becomes_slow_is_believed_from_its_second_pause(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([0, 0.04, 30.04, 60.04], may_jump=True))

    assert [at for at, _ in kit.play(4)] == pytest.approx([0, 0.04, 0.08, 30.08], abs=1e-6)


def test_a_pause_is_kept_where_times_cannot_jump(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([0, 0.04, 20.04]))

    assert [at for at, _ in kit.play(3)] == pytest.approx([0, 0.04, 20.04], abs=1e-6)


def test_frames_are_captured_when_they_are_shown(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([0, 0.2]))
    kit.play(2)

    assert kit.source.retrieve().at == round((START + 0.2) * SECOND)


def test_after_a_pause_a_film_does_not_hurry(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([number / 25 for number in range(1000)]))
    kit.play(10)

    time.now += 60
    numbers = [number for _, number in kit.play(100)]
    begun = time.now
    kit.play(100)

    assert numbers == list(range(10, 110))
    assert time.now - begun == pytest.approx(4)


@pytest.mark.parametrize(("interval", "seconds"), [(0.001, 1), (0.042, 1), (0.5, 0.5), (10, 10)])
def test_a_single_picture_is_repeated_at_the_pace_of_pictures(
    time: Clock, interval: float, seconds: float
) -> None:
    kit = Kit(time, lambda: FakeVideo([0]), interval)

    assert kit.play(4) == [(0, 0), (seconds, 0), (2 * seconds, 0), (3 * seconds, 0)]
    assert len(kit.videos) == 4, "another picture may have taken its place"


def test_a_film_without_frames_is_reported(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([]))

    with pytest.raises(CaptureError, match="before the first frame"):
        kit.source.due_in()


def test_a_film_that_cannot_be_opened_again_is_reported(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([0, 0.1]))
    kit.play(2)

    def missing() -> FakeVideo:
        raise CaptureError("there is no such file")

    kit.make = missing
    with pytest.raises(CaptureError, match="no such file"):
        kit.source.due_in()


def test_closing_closes_the_film(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([0]))

    kit.source.close()

    assert kit.videos[0].closed


def test_the_next_frame_is_decoded_shortly_before_it_is_due(time: Clock) -> None:
    kit = Kit(time, lambda: FakeVideo([0, 0.04, 0.08, 0.12]))
    kit.play(2)
    begun, number = time.now, kit.videos[0].number

    left = kit.source.due_in()

    assert number == 1, "it did not read ahead while the frame was taken"
    assert kit.videos[0].number == 2
    assert time.now - begun == pytest.approx(0.036, abs=1e-6)
    assert left == pytest.approx(0.004, abs=1e-6)
