"""How methods are called, with a service that needs no model."""

import asyncio
import gc
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from tests.parts import wait_for
from tests.tfserving.server.rpc_calls import failure
from tfserving.server import held
from tfserving.server.errors import Code
from tfserving.server.rpc import calls, methods
from tfserving.server.rpc.calls import Call, Outcome
from tfserving.server.rpc.methods import Methods

PATIENCE = 20.0


class Service:
    """Answers a check at once, and a watch once it may."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Semaphore(0), threading.Event()

    def Check(self, request: Any, call: Call) -> Outcome:  # noqa: N802
        """Answer."""
        assert call.remaining() > 0
        return HealthCheckResponse(status=len(request.service) % 3), Code.OK, ""

    def Watch(self, request: Any, _: Call) -> Outcome:  # noqa: N802
        """Wait."""
        self.has_begun.release()
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


def busy(channel: grpc.Channel, service: Service, count: int, size: int = 0) -> list[Any]:
    """Let threads wait, and return their calls."""
    watch = asking(channel, "Watch")
    calls = [watch.future(HealthCheckRequest(service="x" * size), timeout=PATIENCE) for _ in range(count)]
    for _ in calls:
        assert service.has_begun.acquire(timeout=PATIENCE)
    return calls


@pytest.fixture
def few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all large messages be 300 bytes, and those large that have more than 20."""
    monkeypatch.setattr(held, "MOST_HELD", 300)
    monkeypatch.setattr(held, "SMALL", 20)


@pytest.mark.usefixtures("few_bytes")
@pytest.mark.exceeds("tfserving.server.held.MOST_HELD")
def test_more_bytes_than_fit_are_refused(channel: grpc.Channel, service: Service) -> None:
    (waiting,) = busy(channel, service, 1, 250)
    fits, large, small = (HealthCheckRequest(service="x" * size) for size in (45, 46, 10))
    assert waiting.running()

    assert failure(asking(channel, "Check"), large, timeout=PATIENCE) == (
        grpc.StatusCode.UNAVAILABLE,
        held.TOO_MANY,
    )
    assert asking(channel, "Check")(fits, timeout=PATIENCE)
    assert asking(channel, "Check")(small, timeout=PATIENCE)
    service.may_end.set()
    assert waiting.exception().code() == grpc.StatusCode.NOT_FOUND
    assert asking(channel, "Check")(large, timeout=PATIENCE)


@pytest.mark.usefixtures("few_bytes")
def test_a_large_message_that_waits_gives_way_to_another(channel: grpc.Channel, service: Service) -> None:
    running = busy(channel, service, 2)
    check = asking(channel, "Check")
    large = [check.future(HealthCheckRequest(service="x" * 200), timeout=PATIENCE) for _ in range(2)]
    wait_for(lambda: any(each.done() for each in large), PATIENCE, "the end of a call")

    service.may_end.set()

    codes = {each.code() for each in large}
    assert codes == {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    assert {each.code() for each in running} == {grpc.StatusCode.NOT_FOUND}


@pytest.mark.exceeds("tfserving.server.rpc.methods.MOST_CALLS")
def test_one_of_too_many_calls_that_wait_is_given_up(
    channel: grpc.Channel, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods, "MOST_CALLS", 4)
    running = busy(channel, service, 2)
    check = asking(channel, "Check")
    waiting = [check.future(HealthCheckRequest(), timeout=PATIENCE) for _ in range(5)]
    wait_for(lambda: sum(each.done() for each in waiting) == 3, PATIENCE, "the end of three calls")

    service.may_end.set()

    codes = [each.code() for each in waiting]
    assert codes.count(grpc.StatusCode.OK) == 2
    assert codes.count(grpc.StatusCode.UNAVAILABLE) == 3
    assert {each.code() for each in running} == {grpc.StatusCode.NOT_FOUND}


@pytest.mark.parametrize("most", [0, held.MOST_HELD], ids=["refused for its size", "answered with a failure"])
def test_a_failed_call_leaves_its_message_to_no_collection(
    channel: grpc.Channel, service: Service, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(held, "MOST_HELD", most)
    service.may_end.set()
    large = HealthCheckRequest(service="x" * 1_000_000)
    gc.disable()
    tracemalloc.start()
    try:
        codes = {failure(asking(channel, "Watch"), large, timeout=PATIENCE)[0] for _ in range(20)}

        assert codes <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.NOT_FOUND}
        wait_for(lambda: tracemalloc.get_traced_memory()[0] < 5_000_000, PATIENCE, "the messages to be freed")
    finally:
        tracemalloc.stop()
        gc.enable()


def test_a_call_without_a_time_limit_waits_for_a_thread_only_so_long(
    channel: grpc.Channel, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = busy(channel, service, 2)
    monkeypatch.setattr(calls, "LONGEST_CALL", 0.2)

    code, _ = failure(asking(channel, "Check"), HealthCheckRequest())

    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    service.may_end.set()
    assert {each.code() for each in running} == {grpc.StatusCode.NOT_FOUND}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ipv4:192.0.2.1:50000", "ipv4:192.0.2.1:50001", True),
        ("ipv4:192.0.2.1:50000", "ipv4:192.0.2.2:50000", False),
        ("ipv6:%5B2001:db8::1%5D:50000", "ipv6:[2001:db8::2]:50001", True),
        ("ipv6:%5B2001:db8::1%5D:50000", "ipv6:[2001:db8:0:1::1]:50000", False),
        ("ipv6:[::ffff:192.0.2.1]:50000", "ipv4:192.0.2.1:50000", True),
        ("unix:", "unix:/tmp/grpc.sock", True),
    ],
)
def test_a_client_counts_by_its_network(one: str, other: str, same: bool) -> None:
    def host(peer: str) -> str:
        return methods._host(SimpleNamespace(peer=lambda: peer))

    assert (host(one) == host(other)) == same
