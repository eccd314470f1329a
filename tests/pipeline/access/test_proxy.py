"""What a proxy tells of its clients."""

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from pipeline.access.proxy import ProxyHeaders
from tests.pipeline.access.asgi import Client

HEADERS = {
    "x_forwarded_for": "198.51.100.7",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "evil, cams.example",
}


async def app(scope: object, receive: object, send: object) -> None:
    request = Request(scope)  # type: ignore[arg-type]
    client = request.client.host if request.client else None
    response = JSONResponse([client, request.url.scheme, request.headers.getlist("host")])
    await response(scope, receive, send)  # type: ignore[arg-type]


def test_a_trusted_proxy_is_believed() -> None:
    answer = Client(ProxyHeaders(app, "10.0.0.0/8"), "10.1.2.3").get("/", **HEADERS)

    assert answer.json == ["198.51.100.7", "https", ["cams.example"]]


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8", "192.0.2.2"])
def test_anybody_else_is_not(trusted: str) -> None:
    answer = Client(ProxyHeaders(app, trusted), "192.0.2.1").get("/", **HEADERS)

    assert answer.json == ["192.0.2.1", "http", ["cams:8080"]]


def test_a_proxy_that_sends_no_host_leaves_it() -> None:
    answer = Client(ProxyHeaders(app, "192.0.2.1")).get("/", x_forwarded_for="198.51.100.7")

    assert answer.json == ["198.51.100.7", "http", ["cams:8080"]]


def test_a_trusted_proxy_is_known_also_by_a_socket_for_both_kinds_of_addresses() -> None:
    answer = Client(ProxyHeaders(app, "10.0.0.0/8"), "::ffff:10.1.2.3").get("/", **HEADERS)

    assert answer.json == ["198.51.100.7", "https", ["cams.example"]]


@pytest.mark.parametrize("address", ["::ffff:192.0.2.1", "2001:db8::a00:1", "no address"])
def test_another_address_of_whatever_kind_is_not_trusted(address: str) -> None:
    answer = Client(ProxyHeaders(app, "10.0.0.0/8"), address).get("/", **HEADERS)

    assert answer.json == [address.removeprefix("::ffff:"), "http", ["cams:8080"]]
