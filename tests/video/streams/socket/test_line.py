"""A browser at the end of a line: what it sees of 16 cameras, simulated with a clock of our own."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from pipeline.access.visitor import Anyone
from tests.clock import SECOND, Clock
from tests.video.fakes import a_frame
from tests.video.streams.socket.fakes import Picture, Wall, Wire, read
from video.streams.socket.feed import Feeds
from video.streams.socket.viewer import Viewer
from video.streams.socket.wire import Ack, Watch

CAMERAS = [f"camera {number:02}" for number in range(16)]
FPS = 15
JPEG = bytes(20_000)


@dataclass
class Seen:
    """A picture on the browser's screen."""

    at: float
    picture: Picture

    @property
    def age(self) -> float:
        """In s, from capture to screen."""
        return self.at - self.picture.captured / SECOND


@dataclass
class World:
    """What happens, in the order of time."""

    clock: Clock
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _counter: "itertools.count[int]" = field(default_factory=itertools.count)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something then."""
        heapq.heappush(self._due, (when, next(self._counter), action))

    def run(self, until: float) -> None:
        """Let time pass."""
        while self._due and self._due[0][0] <= until:
            self.clock.now, _, action = heapq.heappop(self._due)
            action()


class Line(Wire):
    """Takes everything, as a network with endless buffers would, and passes on `rate` bytes a second."""

    def __init__(self, world: World, rate: float, delay: float) -> None:
        super().__init__()
        self.rate, self.delay = rate, delay
        self.seen: list[Seen] = []
        self.viewer: Viewer | None = None
        self._world = world
        self._busy = 0.0

    def write(self, chunk: bytes) -> None:
        """Carry a chunk to the browser, and what it answers back."""
        self._busy = max(self._busy, self._world.clock.now) + len(chunk) / self.rate
        (picture,) = read(chunk)
        self._world.at(self._busy + self.delay, lambda: self._arrive(picture))

    def _arrive(self, picture: Picture) -> None:
        now = self._world.clock.now
        self.seen.append(Seen(now, picture))
        answer = Ack(picture.camera, picture.number)
        viewer = self.viewer
        assert viewer
        self._world.at(now + self.delay, lambda: viewer.take(answer))


class Street:
    """A browser that watches all cameras over a line."""

    def __init__(self, clock: Clock, rate: float, delay: float) -> None:
        self.world = World(clock)
        self.line = Line(self.world, rate, delay)
        self.wall = Wall()
        self.shown = 0
        self._frames(0)
        self.viewer = self.line.viewer = Viewer(self.line, Anyone(), self.wall, Feeds())
        self.viewer.allow(CAMERAS)
        self.viewer.take(Watch(dict.fromkeys(CAMERAS, 0)))

    def run(self, seconds: float) -> list[Seen]:
        """Let the cameras run for so long; return what was seen by a second later."""
        begin = self.world.clock.now
        for tick in range(1, int(seconds * FPS) + 1):
            self.world.at(begin + tick / FPS, lambda: self._frames(0.001))
        self.world.run(begin + seconds + 1)
        return self.line.seen

    def _frames(self, age: float) -> None:
        self.shown += 1
        captured = round((self.world.clock.now - age) * SECOND)
        for camera in CAMERAS:
            self.wall.put(a_frame(self.shown, camera=camera, captured=captured, jpeg=JPEG))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of cameras, viewers and frames."""
    clock = Clock()
    for module in ("pipeline.wire.frame", "video.cameras.camera", "video.streams.socket.viewer"):
        monkeypatch.setattr(f"{module}.time", clock)
    return clock


def by_camera(seen: list[Seen]) -> list[list[int]]:
    """Return the numbers of each camera's pictures, in the order in which they were seen."""
    cameras = range(1, len(CAMERAS) + 1)
    return [[each.picture.number for each in seen if each.picture.camera == camera] for camera in cameras]


@pytest.mark.parametrize("delay", [0.005, 0.05, 0.15])
def test_a_bad_line_gets_fewer_pictures_but_none_that_is_old(clock: Clock, delay: float) -> None:
    street = Street(clock, rate=100_000, delay=delay)

    seen = street.run(60)

    assert max(each.age for each in seen) < 1
    assert len(seen) * len(JPEG) / 60 > 0.8 * street.line.rate
    for numbers in by_camera(seen):
        assert numbers == sorted(set(numbers))
        assert len(numbers) >= 0.8 * len(seen) / len(CAMERAS)


@pytest.mark.parametrize("delay", [0.0005, 0.01])
def test_a_fast_line_gets_every_picture(clock: Clock, delay: float) -> None:
    street = Street(clock, rate=100e6, delay=delay)

    seen = street.run(10)

    assert all(numbers == list(range(1, street.shown + 1)) for numbers in by_camera(seen))
    assert max(each.age for each in seen) < 0.1


def test_a_line_that_becomes_bad_shows_young_pictures_again_soon(clock: Clock) -> None:
    street = Street(clock, rate=10e6, delay=0.02)
    begin = clock.now
    street.world.at(begin + 10, lambda: setattr(street.line, "rate", 100_000))

    seen = street.run(60)

    assert max(each.age for each in seen if each.at < begin + 10) < 0.2
    assert max(each.age for each in seen if each.at > begin + 20) < 1


def test_a_line_whose_delay_grows_for_good_gets_its_share_again(clock: Clock) -> None:
    street = Street(clock, rate=10e6, delay=0.001)
    begin = clock.now
    street.world.at(begin + 10, lambda: setattr(street.line, "delay", 0.25))

    seen = street.run(60)

    late = [each for each in seen if begin + 40 < each.at < begin + 60]
    assert max(each.age for each in late) < 0.4
    assert len(late) / 20 > 2 * len(CAMERAS)
