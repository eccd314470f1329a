"""What is known of ended sessions."""

import asyncio
from pathlib import Path

import pytest

from pipeline.access import logouts as module
from pipeline.access.logouts import LONGEST, Logout, Logouts
from pipeline.access.users_file import UsersFile
from tests.clock import Clock
from tests.pipeline.access.conftest import change

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
@pytest.mark.exceeds("pipeline.access.logouts._MOST")
def test_with_too_many_logouts_of_a_user_their_old_sessions_end_too(
    logouts: Logouts, monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    made = [Logout("ann", 100 + number, f"id {number}") for number in range(5)]

    covered = [each for logout in made[::order] for each in logouts.add(logout)]

    assert sorted(covered) == made[:2]
    assert logouts.before("ann") == Logout("ann", 102, "")
    assert all(map(logouts.cover, made))
    assert logouts.cover(Logout("ann", 101, "another"))
    assert not logouts.cover(Logout("ann", 102, "another"))
    assert not logouts.cover(Logout("bob", 100, "another"))


def test_only_the_first_logout_of_a_session_is_stored(logouts: Logouts) -> None:
    stored: list[Logout] = []

    async def store(logout: Logout, _: object) -> None:
        stored.append(logout)

    logouts.store = store
    for logout in (ANN, ANN, ANN._replace(id="b"), ANN):
        asyncio.run(logouts.end(logout))
    logouts.add(Logout("ann", 101, ""))
    asyncio.run(logouts.end(ANN._replace(id="c")))

    assert stored == [ANN, ANN._replace(id="b")]


def test_a_record_is_read_back(logouts: Logouts) -> None:
    records = [ANN, Logout("ann", 7, ""), logouts.begin()]
    keys = [logouts.key(each) for each in records]

    assert len(set(keys)) == 3
    assert all(map(logouts.owns, keys))
    assert [logouts.decode(logouts.key(each), logouts.encode(each)) for each in records] == records


@pytest.mark.parametrize(
    "value", [b"", b"nonsense", b"\xff", b".", b"WyJhbm4iLDEwMCwiYSJd.AAAA", b"a" * 100_000]
)
def test_a_record_without_a_signature_does_not_count(logouts: Logouts, value: bytes) -> None:
    assert logouts.decode(logouts.key(ANN), value) is None


def test_a_record_under_the_key_of_another_does_not_count(logouts: Logouts) -> None:
    assert logouts.decode(logouts.key(ANN._replace(id="b")), logouts.encode(ANN)) is None


def test_a_record_of_another_secret_has_another_key_and_does_not_count(
    logouts: Logouts, content: UsersFile, path: Path, clock: Clock
) -> None:
    records = [ANN, logouts.begin()]
    keys, values = [logouts.key(each) for each in records], [logouts.encode(each) for each in records]

    change(path, clock, content.model_copy(update={"secret": "t" * 32}))

    assert not any(map(logouts.owns, keys))
    assert not {logouts.key(each) for each in records} & set(keys)
    assert [
        logouts.decode(logouts.key(each), value) for each, value in zip(records, values, strict=True)
    ] == [
        None,
        None,
    ]


def test_a_record_is_needless_once_its_sessions_have_ended_anyway(logouts: Logouts, clock: Clock) -> None:
    clock.now += 2 * LONGEST
    now = int(clock.now)
    logouts.add(Logout("", 100, ""))
    logouts.add(Logout("ann", now, ""))

    assert logouts.is_needless(Logout("bob", now - LONGEST - 1, "a"), now)
    assert logouts.is_needless(Logout("bob", now - LONGEST - 1, ""), now)
    assert logouts.is_needless(Logout("ann", now - 1, "a"), now)
    assert not logouts.is_needless(Logout("ann", now, "a"), now)
    assert not logouts.is_needless(Logout("bob", now - LONGEST, "a"), now)
    assert not logouts.is_needless(Logout("ann", now, ""), now)
    assert not logouts.is_needless(Logout("", 1, ""), now)


def test_a_clock_that_is_years_ahead_makes_no_record_needless(logouts: Logouts, clock: Clock) -> None:
    begun = int(clock.now)
    clock.now += 2 * LONGEST

    assert not logouts.is_needless(Logout("bob", begun, "a"), begun + 3600)
    assert logouts.is_needless(Logout("bob", begun, "a"), begun + LONGEST + 1)
