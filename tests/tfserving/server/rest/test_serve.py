"""The HTTP server, with an application of one answer."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.networks import MANY_ADDRESSES
from tests.parts import get
from tfserving.server.rest import serve
from tfserving.server.rest.application import RestApi


@pytest.fixture
def stop() -> threading.Event:
    """Set when the server has ended."""
    return threading.Event()


def answer(api: Any, *_: object) -> bytes:
    """Answer with the path's end."""
    return repr(api).encode()


def test_requests_are_answered_until_it_is_stopped(stop: threading.Event) -> None:
    with ThreadPoolExecutor(1) as executor:
        listener = serve.bind(0)
        port = listener.getsockname()[1]
        server = serve.HttpServer(RestApi(answer, executor), listener, stop)

        server.start()
        body = get(f"http://127.0.0.1:{port}/v1/models/toy#fragment", 20)
        server.stop()
        server.join(20)

    assert b"toy" in body
    assert stop.wait(20)
    listener.close()


@MANY_ADDRESSES
@pytest.mark.parametrize("has_ipv6", [True, False])
def test_every_address_of_ipv4_is_listened_on(has_ipv6: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_ipv6:
        monkeypatch.setattr("socket.has_dualstack_ipv6", lambda: False)
    with serve.bind(0) as listener:
        listener.listen()

        socket.create_connection(("127.0.0.2", listener.getsockname()[1]), timeout=20).close()


def test_every_address_of_ipv6_is_listened_on_too(ipv6: str) -> None:
    with serve.bind(0) as listener:
        listener.listen()

        socket.create_connection((ipv6, listener.getsockname()[1]), timeout=20).close()


@MANY_ADDRESSES
def test_one_address_is_reached_under_no_other() -> None:
    with serve.bind(0, "127.0.0.1") as listener:
        listener.listen()
        port = listener.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=20).close()

        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.2", port), timeout=20)


def test_one_address_of_ipv6_is_reached_under_no_other(ipv6: str) -> None:
    with serve.bind(0, ipv6) as listener:
        listener.listen()
        port = listener.getsockname()[1]
        socket.create_connection((ipv6, port), timeout=20).close()

        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.1", port), timeout=20)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(OSError, match=f"port {port}"):
            serve.bind(port)
