"""What is known of ended sessions."""

from pathlib import Path

import pytest

from tests.clock import Clock
from tests.video.access.conftest import change
from video.access import logouts as module
from video.access.logouts import LONGEST, Logout, Logouts
from video.access.users_file import UsersFile

ANN = Logout("ann", 100, "a")


def test_a_logout_ends_its_session_and_no_other(logouts: Logouts) -> None:
    logouts.add(ANN)

    assert logouts.cover(ANN)
    assert not logouts.cover(ANN._replace(id="b"))
    assert not logouts.cover(ANN._replace(name="bob"))


def test_what_begins_the_topic_ends_everything_earlier(logouts: Logouts, clock: Clock) -> None:
    first = logouts.begin()
    assert not logouts.have_begun

    logouts.add(first)
    logouts.add(first._replace(begun=1))

    assert logouts.have_begun
    assert logouts.cover(Logout("ann", int(clock.now) - 1, "a"))
    assert not logouts.cover(Logout("ann", int(clock.now), "a"))


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.exceeds("video.access.logouts._MOST")
def test_with_too_many_logouts_of_a_user_their_old_sessions_end_too(
    logouts: Logouts, monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    made = [Logout("ann", 100 + number, f"id {number}") for number in range(5)]

    for logout in made[::order]:
        logouts.add(logout)

    assert all(map(logouts.cover, made))
    assert logouts.cover(Logout("ann", 101, "another"))
    assert not logouts.cover(Logout("ann", 102, "another"))
    assert not logouts.cover(Logout("bob", 100, "another"))


def test_a_record_is_read_back(logouts: Logouts) -> None:
    for logout in (ANN, Logout("ann", 7, ""), logouts.begin()):
        assert logouts.decode(logouts.encode(logout)[1]) == logout
    assert len({logouts.encode(each)[0] for each in (ANN, Logout("ann", 7, ""), logouts.begin())}) == 3


@pytest.mark.parametrize(
    "value", [b"", b"nonsense", b"\xff", b".", b"WyJhbm4iLDEwMCwiYSJd.AAAA", b"a" * 100_000]
)
def test_what_is_not_signed_is_no_record(logouts: Logouts, value: bytes) -> None:
    assert logouts.decode(value) is None


def test_a_record_of_an_earlier_secret_does_not_count(
    logouts: Logouts, content: UsersFile, path: Path, clock: Clock
) -> None:
    value = logouts.encode(ANN)[1]

    change(path, clock, content.model_copy(update={"secret": "t" * 32}))

    assert logouts.decode(value) is None


def test_a_record_is_outdated_once_its_session_has_ended_anyway(logouts: Logouts, clock: Clock) -> None:
    now = int(clock.now)

    assert logouts.is_outdated(Logout("ann", now - LONGEST - 1, "a"))
    assert not logouts.is_outdated(Logout("ann", now - LONGEST, "a"))
    assert not logouts.is_outdated(Logout("", 1, ""))
