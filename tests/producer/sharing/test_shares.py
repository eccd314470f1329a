"""Producers that hear each other's beats and plans share the cameras, whatever happens to them."""

import pytest

from pipeline.kafka import members
from pipeline.kafka.members import BEAT, Members
from producer.sharing import shares
from producer.sharing.shares import Shares
from tests.clock import Clock

CAMERAS = [f"camera {number}" for number in range(16)]
STEP = 0.05  # s


class Site:
    """Producers on a topic that delivers each message at once, unless it is `away`, and their captures."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.away = False
        self.cameras = list(CAMERAS)
        self.members: dict[str, Members] = {}
        self.shares: dict[str, Shares] = {}
        self.stopped: set[str] = set()
        self.captures: dict[str, set[str]] = {}
        self.changes = 0  # captures that began or ended
        self._next: dict[str, float] = {}
        self._missed: dict[str, list[tuple[str, bytes, float]]] = {}

    def start(self, *names: str) -> None:
        for name in names:
            self.members[name], self.shares[name] = Members(name), Shares(name)
            self.captures[name] = set()
            self._next[name] = self.clock.now
            self._missed[name] = []

    def kill(self, name: str) -> None:
        del self.members[name], self.shares[name], self.captures[name]

    def end(self, name: str) -> None:
        self._send("beat", self.members[name].leave())
        self.kill(name)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.clock.now += STEP
            for name in sorted(self.members.keys() - self.stopped):
                self._step(name)

    def is_shared(self) -> bool:
        """Return whether each camera is captured by exactly one producer."""
        return sorted(each for share in self.captures.values() for each in share) == sorted(self.cameras)

    def seconds_until_shared(self) -> float:
        begun = self.clock.now
        while not self.is_shared():
            assert self.clock.now - begun < 30
            self.run(STEP)
        return self.clock.now - begun

    def _step(self, name: str) -> None:
        for kind, message, at in self._missed[name]:
            self._hear(name, kind, message, at)
        self._missed[name] = []
        present = self.members[name].present()
        if self.clock.now >= self._next[name]:
            self._next[name] = self.clock.now + BEAT
            self._send("beat", self.members[name].beat())
        if present is None:
            return
        if plan := self.shares[name].next_plan(self.cameras, present):
            self._send("plan", plan)
        share = self.shares[name].share(self.cameras)
        if share is not None:
            self.changes += len(share ^ self.captures[name])
            self.captures[name] = share

    def _send(self, kind: str, message: bytes) -> None:
        if self.away:
            return
        for name in self.members:
            if name in self.stopped:
                self._missed[name].append((kind, message, self.clock.now))
            else:
                self._hear(name, kind, message, self.clock.now)

    def _hear(self, name: str, kind: str, message: bytes, at: float) -> None:
        if kind == "beat":
            self.members[name].hear(message)
        else:
            self.shares[name].hear(message, at)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    clock = Clock()
    for module in (members, shares):
        monkeypatch.setattr(module, "time", clock)
    return Site(clock)


def test_a_producer_alone_captures_everything_within_a_second(site: Site) -> None:
    site.start("a")

    assert site.seconds_until_shared() <= 1


def test_producers_that_start_together_share_evenly_within_two_seconds(site: Site) -> None:
    site.start("a", "b", "c")

    assert site.seconds_until_shared() <= 2
    assert sorted(map(len, site.captures.values())) == [5, 5, 6]


@pytest.mark.parametrize("killed", ["a", "b"])
def test_the_cameras_of_a_killed_producer_move_within_three_seconds(site: Site, killed: str) -> None:
    site.start("a")
    site.run(5)
    site.start("b", "c")
    site.run(5)
    others = {name: set(share) for name, share in site.captures.items() if name != killed}
    site.kill(killed)

    assert site.seconds_until_shared() <= 3
    for name, share in others.items():
        assert share <= site.captures[name]


@pytest.mark.parametrize("ended", ["a", "b"])
def test_a_producer_that_ends_hands_over_at_once(site: Site, ended: str) -> None:
    site.start("a")
    site.run(5)
    site.start("b")
    site.run(5)
    site.end(ended)

    assert site.seconds_until_shared() <= 3 * STEP


def test_a_new_producer_gets_its_share_and_the_others_keep_the_rest(site: Site) -> None:
    site.start("a", "c")
    site.run(5)
    site.changes = 0
    site.start("b")
    site.run(3)

    assert site.is_shared()
    assert sorted(map(len, site.captures.values())) == [5, 5, 6]
    assert site.changes in (10, 12)


def test_cameras_that_come_and_go_move_no_other(site: Site) -> None:
    site.start("a", "b", "c")
    site.run(5)
    site.changes = 0
    site.cameras += ["new", "newer"]
    site.run(2)
    assert site.is_shared()
    assert site.changes == 2

    site.cameras = site.cameras[5:]
    site.run(2)

    assert site.is_shared()
    assert site.changes == 2 + 5


def test_while_kafka_is_away_everything_stays_as_it_is(site: Site) -> None:
    site.start("a", "b")
    site.run(10)
    before = {name: set(share) for name, share in site.captures.items()}

    site.away = True
    site.run(30)
    during = {name: set(share) for name, share in site.captures.items()}
    site.away = False
    site.run(3)

    assert before == during == site.captures


@pytest.mark.parametrize("stopped", ["a", "b"])
def test_a_producer_that_was_stopped_for_a_while_gets_a_share_again(site: Site, stopped: str) -> None:
    site.start("a", "b")
    site.run(10)
    site.stopped.add(stopped)
    site.run(10)
    assert len(site.captures["ab".replace(stopped, "")]) == 16

    site.stopped.clear()

    site.run(1.5)
    assert site.is_shared()
    assert sorted(map(len, site.captures.values())) == [8, 8]


def test_how_long_a_camera_was_alone_counts_from_the_last_sign_of_its_producer(site: Site) -> None:
    site.start("a", "b")
    site.run(5)
    killed_at, theirs = site.clock.now, site.captures["b"]
    site.kill("b")
    site.seconds_until_shared()

    alone = [site.shares["a"].alone_since(each, site.members["a"].last_heard) for each in theirs]

    assert alone == [pytest.approx(killed_at, abs=BEAT + STEP)] * len(theirs)
    assert site.shares["a"].alone_since("nobody's", site.members["a"].last_heard) is None


def test_what_was_given_away_is_known_with_its_age(site: Site) -> None:
    site.start("a")
    site.run(5)
    before = set(site.captures["a"])
    site.start("b")
    site.seconds_until_shared()
    site.run(2)
    given = before - site.captures["a"]

    assert given
    for camera in before:
        age = site.shares["a"].given_away(camera)
        if camera in given:
            assert age is not None
            assert 1 < age < 4
        else:
            assert age is None


@pytest.mark.parametrize("message", [b"", b"{}", b"nonsense", b'{"by": "%", "shares": {}}'])
def test_other_messages_are_not_plans(site: Site, message: bytes) -> None:
    site.start("a")
    site.run(5)

    site.shares["a"].hear(message, 0)

    assert site.is_shared()
    assert site.shares["a"].is_assigned
