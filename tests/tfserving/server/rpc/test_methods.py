"""How methods are called, with a service that needs no model."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from tests.tfserving.server.rpc_calls import failure
from tfserving.server.errors import Code
from tfserving.server.rpc import methods
from tfserving.server.rpc.calls import Call, Outcome
from tfserving.server.rpc.methods import Methods

PATIENCE = 20.0


class Service:
    """Answers a check at once, and a watch when it is told to."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def Check(self, request: Any, call: Call) -> Outcome:  # noqa: N802
        """Answer."""
        assert call.remaining() > 0
        return HealthCheckResponse(status=len(request.service) % 3), Code.OK, ""

    def Watch(self, request: Any, _: Call) -> Outcome:  # noqa: N802
        """Wait."""
        self.has_begun.set()
        assert self.may_end.wait(PATIENCE)
        return None, Code.NOT_FOUND, request.service


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def channel(service: Service) -> Iterator[grpc.Channel]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with ThreadPoolExecutor(2) as executor:

        async def start() -> tuple[Any, int]:
            server = grpc.aio.server()
            descriptor = health_pb2.DESCRIPTOR.services_by_name["Health"]
            server.add_generic_rpc_handlers((Methods(executor).handlers(descriptor, service),))
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            return server, port

        server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(PATIENCE)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
        asyncio.run_coroutine_threadsafe(server.stop(None), loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def asking(channel: grpc.Channel, name: str) -> Any:
    return channel.unary_unary(
        f"/grpc.health.v1.Health/{name}", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
    )


def test_an_answer_and_a_failure_come_back(channel: grpc.Channel, service: Service) -> None:
    service.may_end.set()

    assert asking(channel, "Check")(HealthCheckRequest(service="ab"), timeout=PATIENCE).status == 2
    assert failure(asking(channel, "Watch"), HealthCheckRequest(service="why"), timeout=PATIENCE) == (
        grpc.StatusCode.NOT_FOUND,
        "why",
    )


@pytest.mark.exceeds("tfserving.server.rpc.methods.MOST_HELD")
def test_more_bytes_than_fit_are_refused(
    channel: grpc.Channel, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "MOST_HELD", 300)
    large, small = HealthCheckRequest(service="x" * 250), HealthCheckRequest(service="x")
    waiting = asking(channel, "Watch").future(large, timeout=PATIENCE)
    assert service.has_begun.wait(PATIENCE)

    code, text = failure(asking(channel, "Check"), large, timeout=PATIENCE)

    assert (code, "try again" in text) == (grpc.StatusCode.UNAVAILABLE, True)
    assert asking(channel, "Check")(small, timeout=PATIENCE)
    service.may_end.set()
    assert waiting.exception().code() == grpc.StatusCode.NOT_FOUND
    assert asking(channel, "Check")(large, timeout=PATIENCE)
