"""All open streams and sockets: how many there may be, and which of them must end."""

import pytest

from tests.video.fakes import FakeConnection
from video.streams.clients import Clients, TooManyError


@pytest.mark.exceeds("video.settings.VideoSettings.maxclients")
def test_no_more_clients_join_than_allowed() -> None:
    clients = Clients(2, 30)

    with clients.join(FakeConnection(), lambda: True), clients.join(FakeConnection(), lambda: True):
        with pytest.raises(TooManyError, match=r"there are 2 open streams \(MAXCLIENTS\)"):
            clients.join(FakeConnection(), lambda: True).__enter__()
        assert len(clients._open) == 2
    with clients.join(FakeConnection(), lambda: True):
        assert len(clients._open) == 1


@pytest.mark.exceeds("video.settings.VideoSettings.clienttimeout")
def test_only_clients_that_do_not_read_are_disconnected() -> None:
    clients, idle, slow, quick = Clients(9, 30), FakeConnection(), FakeConnection(), FakeConnection()
    idle.full = slow.full = True
    slow.since = 5.0

    with clients.join(idle, bool), clients.join(slow, lambda: True), clients.join(quick, lambda: True):
        clients.sweep(31.0)

    assert [each.aborted for each in (idle, slow, quick)] == [True, False, False]


def test_clients_without_permission_are_disconnected() -> None:
    clients, one, other, rights = Clients(9, 30), FakeConnection(), FakeConnection(), {"one": True}

    with clients.join(one, lambda: rights["one"]), clients.join(other, lambda: True):
        clients.sweep(1.0)
        before = one.aborted
        rights["one"] = False
        clients.sweep(2.0)

    assert (before, one.aborted, other.aborted) == (False, True, False)
