"""Patience with wrong passwords, and one check at a time."""

import asyncio
import threading

import pytest

from pipeline.access import login_guard
from pipeline.access.login_guard import Passwords
from pipeline.access.users_file import UsersFile
from tests.clock import Clock
from tests.pipeline.access.conftest import PASSWORD

ANN = "192.0.2.1"


@pytest.fixture
def checks(clock: Clock) -> Passwords:
    """Checks by a clock that stands still."""
    return Passwords(clock.monotonic)


@pytest.fixture
def stored(content: UsersFile) -> str:
    """Ann's password's hash."""
    return content.users["ann"].password


def test_a_password_is_right_or_wrong(checks: Passwords, stored: str) -> None:
    async def scenario() -> list[float | None]:
        return [
            await checks.check(known, "ann", password, ANN)
            for known, password in ((stored, PASSWORD), (stored, "another"), (None, PASSWORD))
        ]

    assert asyncio.run(scenario()) == [0, None, None]


@pytest.mark.exceeds("pipeline.access.login_guard._MOST_BY_CLIENT")
def test_after_five_failures_a_client_waits_even_when_it_is_right(
    checks: Passwords, stored: str, clock: Clock
) -> None:
    async def scenario() -> None:
        for _ in range(5):
            assert await checks.check(stored, "ann", "wrong one", ANN) is None
        assert await checks.check(stored, "ann", PASSWORD, ANN) == 1
        assert await checks.check(stored, "ann", PASSWORD, "192.0.2.2") == 0
        clock.now += 1
        assert await checks.check(stored, "ann", PASSWORD, ANN) == 0

    asyncio.run(scenario())


def test_a_success_forgets_only_ones_own_failures(checks: Passwords, stored: str) -> None:
    async def scenario() -> list[float | None]:
        tries = [("ann", "wrong one"), ("bob", "wrong one")] * 2 + [("bob", PASSWORD), ("bob", "wrong one")]
        tries += [("bob", PASSWORD), ("ann", "wrong one"), ("ann", "wrong one"), ("ann", "wrong one")]
        for name, password in tries:
            assert await checks.check(stored, name, password, ANN) in {None, 0}
        return [await checks.check(stored, name, PASSWORD, ANN) for name in ("ann", "bob")]

    assert asyncio.run(scenario()) == [1, 1]


def test_a_known_device_waits_for_its_own_failures_only(checks: Passwords, stored: str, clock: Clock) -> None:
    async def scenario() -> None:
        for host in range(40):
            await checks.check(stored, "ann", "wrong one", f"192.0.2.{host % 4}")
        for _ in range(5):
            assert await checks.check(stored, "ann", "wrong one", ANN, "laptop") is None
        assert await checks.check(stored, "ann", PASSWORD, ANN, "laptop") == 1
        assert await checks.check(stored, "ann", PASSWORD, ANN, "phone") == 0
        assert await checks.check(stored, "ann", PASSWORD, ANN) == 1
        clock.now += 1
        assert await checks.check(stored, "ann", PASSWORD, ANN, "laptop") == 0

    asyncio.run(scenario())


def test_strangers_in_the_queue_do_not_delay_a_known_device(
    checks: Passwords, stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(_: object, password: str) -> bool:
        return password == PASSWORD or not go_on.wait(20)

    async def scenario() -> None:
        crowd = [
            asyncio.create_task(checks.check(stored, "ann", "wrong one", f"192.0.2.{host}"))
            for host in range(30)
        ]
        await asyncio.sleep(0)
        assert await checks.check(stored, "ann", PASSWORD, ANN) == 1
        assert await checks.check(stored, "ann", PASSWORD, ANN, "laptop") == 0
        go_on.set()
        await asyncio.gather(*crowd)

    monkeypatch.setattr(login_guard, "verify", slow)

    asyncio.run(scenario())


def test_tries_at_the_same_time_count_like_tries_in_a_row(checks: Passwords, stored: str) -> None:
    async def scenario() -> list[float | None]:
        tries = (checks.check(stored, "ann", "wrong one", ANN) for _ in range(10))
        return await asyncio.gather(*tries)

    assert asyncio.run(scenario()) == [None] * 5 + [1] * 5


@pytest.mark.exceeds("pipeline.access.login_guard._MOST_BY_NAME")
def test_a_name_that_many_clients_fail_at_waits_but_not_for_long(checks: Passwords, clock: Clock) -> None:
    async def scenario() -> None:
        for host in range(60):
            clock.now += (await checks.check(None, "ann", "wrong one", f"192.0.2.{host}")) or 0
        wait = await checks.check(None, "ann", "wrong one", "198.51.100.1")
        assert wait is not None
        assert 0 < wait <= 10

    asyncio.run(scenario())


@pytest.mark.exceeds("pipeline.access.login_guard._MOST_BY_USER")
def test_the_known_devices_of_a_user_do_not_take_the_time_of_the_others(
    checks: Passwords, stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(login_guard, "verify", lambda *_: go_on.wait(20))

    async def scenario() -> None:
        devices = ("laptop", "tablet")
        tries = [asyncio.create_task(checks.check(stored, "ann", PASSWORD, ANN, each)) for each in devices]
        await asyncio.sleep(0)
        assert await checks.check(stored, "ann", PASSWORD, ANN, "phone") == 1
        other = asyncio.create_task(checks.check(stored, "bob", PASSWORD, ANN, "bobs"))
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.gather(*tries, other) == [0] * 3
        assert await checks.check(stored, "ann", PASSWORD, ANN, "laptop") == 0

    asyncio.run(scenario())


@pytest.mark.exceeds("pipeline.access.login_guard._MOST_WAITING")
def test_checks_run_one_at_a_time_and_away_from_the_loop_and_too_many_are_put_off(
    checks: Passwords, stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    go_on = threading.Event()

    def slow(*_: object) -> bool:
        threads.append(threading.current_thread())
        assert go_on.wait(20)
        return True

    async def scenario() -> None:
        tries = [asyncio.create_task(checks.check(stored, "ann", PASSWORD, ANN)) for _ in range(16)]
        await asyncio.sleep(0)
        assert await checks.check(stored, "ann", PASSWORD, ANN) == 1
        assert len(threads) <= 1
        go_on.set()
        assert await asyncio.gather(*tries) == [0] * 16
        assert await checks.check(stored, "ann", PASSWORD, ANN) == 0

    monkeypatch.setattr(login_guard, "verify", slow)

    asyncio.run(scenario())

    assert len(set(threads)) == 1
    assert threading.main_thread() not in threads
