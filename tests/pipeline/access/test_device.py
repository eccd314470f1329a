"""The cookie of a known device."""

import pytest

from pipeline.access.device import LENGTH, Devices, cookie_name
from pipeline.access.signature import signer
from pipeline.access.users import Users
from tests.clock import Clock


@pytest.fixture
def devices(users: Users, clock: Clock) -> Devices:
    """What issues the cookies."""
    return Devices(users, clock.time)


def header(name: str, value: str) -> str:
    return f"a=b; {cookie_name(name)}={value}"


def test_each_login_makes_a_device_of_its_own(devices: Devices) -> None:
    one, other = devices.issue("ann"), devices.issue("ann")

    found = {devices.find("ann", header("ann", each)) for each in (one, other)}

    assert len(found - {""}) == 2


def test_a_device_is_known_to_its_user_only(devices: Devices) -> None:
    anns = devices.issue("ann")

    assert devices.find("bob", header("bob", anns)) == ""
    assert devices.find("bob", header("ann", anns)) == ""
    both = f"{header('ann', anns)}; {header('bob', devices.issue('bob'))}"
    assert devices.find("ann", both)
    assert devices.find("bob", both)


def test_a_device_is_forgotten_when_browsers_drop_its_cookie(devices: Devices, clock: Clock) -> None:
    cookie = header("ann", devices.issue("ann"))

    clock.now += LENGTH - 1
    assert devices.find("ann", cookie)
    clock.now += 1
    assert not devices.find("ann", cookie)


@pytest.mark.parametrize("signed", [["ann"], "ann", 7, None, ["ann", "x", "y"], {"name": "ann"}])
def test_only_its_own_signed_values_count(devices: Devices, users: Users, signed: object) -> None:
    assert devices.find("ann", header("ann", str(signer(users.secret, "device").dumps(signed)))) == ""
    session = signer(users.secret, "session").dumps(["ann", 2**40, "x"])
    assert devices.find("ann", header("ann", str(session))) == ""
