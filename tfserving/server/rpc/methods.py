"""Receives the requests of gRPC's methods in an event loop, and answers them in threads.

A client may send a request as slowly as it likes: only complete ones get a thread.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from pipeline.service.networks import network_of
from pipeline.wire import protobuf
from tfserving.server import refusals
from tfserving.server.crowd import crowd
from tfserving.server.errors import Code, ServingError, invalid
from tfserving.server.held import TOO_MANY, Held
from tfserving.server.rpc import calls
from tfserving.server.rpc.calls import Call, Outcome

LARGEST_REQUEST: Final = 16 << 20
"""Bytes of a message; gRPC refuses a longer one by the length at its beginning."""

MOST_ARRIVING: Final = 16
"""Requests that arrive at the same time. Beyond that, the oldest of the client with the most is given up."""

MOST_CALLS: Final = 256
"""Requests that wait for a thread or have one. Beyond that, a waiting one is dropped by the same rule."""

LONGEST_ARRIVAL: Final = 10.0  # s for a request to arrive

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


class Methods:
    """Makes the handlers of services' methods, for one event loop."""

    def __init__(self, executor: Executor) -> None:
        self._held = Held(executor)
        self._arriving: dict[asyncio.Timeout, str] = {}  # hosts, in the order of arrival
        self._calls: dict[Future[Outcome], str] = {}

    def handlers(self, service: ServiceDescriptor, servicer: Any) -> Any:
        """Return the handlers for the methods of a service."""
        return grpc.method_handlers_generic_handler(
            service.full_name,
            {
                # As a stream, a request is awaited here, and not by gRPC, which waits forever.
                method.name: grpc.stream_unary_rpc_method_handler(
                    self._handler(GetMessageClass(method.input_type), getattr(servicer, method.name))
                )
                for method in service.methods
                if hasattr(servicer, method.name)
            },
        )

    def _handler(
        self, kind: Any, method: Callable[[Any, Call], Outcome]
    ) -> Callable[[Any, Any], Awaitable[bytes]]:
        async def handle(_: Any, context: Any) -> bytes:
            try:
                return await self._answer(kind, method, context)
            except ServingError as error:
                # To abort a call instead would keep it, with its message, until Python collects garbage.
                refusals.log("gRPC", error.code, error.message)
                context.set_code(_CODES[error.code])
                context.set_details(calls.details(error.message))
                return b""

        return handle

    async def _answer(self, kind: Any, method: Callable[[Any, Call], Outcome], context: Any) -> bytes:
        """Return the answer to a call, as bytes; raise ServingError if it fails or is refused."""
        data = await self._read(context)
        if len(self._calls) >= MOST_CALLS and (
            waiting := next((each for each in crowd(self._calls) if each.cancel()), None)
        ):
            del self._calls[waiting]
        call = Call(context.time_remaining())
        host = _host(context)
        run = self._held.submit(partial(_outcome, kind, method, call), data, host)
        del data
        self._calls[run] = host
        answered = asyncio.wrap_future(run)
        try:
            await asyncio.wait([answered], timeout=call.remaining())
        finally:
            self._calls.pop(run, None)
            run.cancel()  # if it has not started, it must not start any more
            call.has_gone = True
        if not answered.done():
            raise ServingError(Code.DEADLINE_EXCEEDED, "The request was not answered in time")
        if answered.cancelled():
            raise ServingError(Code.UNAVAILABLE, TOO_MANY)
        answer, code, message = answered.result()
        if code != Code.OK:
            raise ServingError(code, message)
        return bytes(answer)

    async def _read(self, context: Any) -> bytes:
        """Return the only request of a call; raise ServingError if it does not arrive in time."""
        if len(self._arriving) >= MOST_ARRIVING:
            oldest = crowd(self._arriving)[0]
            del self._arriving[oldest]
            if not oldest.expired():
                oldest.reschedule(0)
        limit = asyncio.timeout(LONGEST_ARRIVAL)
        try:
            async with limit:
                self._arriving[limit] = _host(context)
                # gRPC's iterator over the requests would hold this one until the call ends.
                data = await context.read()
                return data if isinstance(data, bytes) else b""  # grpc.aio.EOF
        except TimeoutError:
            raise ServingError(Code.DEADLINE_EXCEEDED, "The request arrives too slowly") from None
        finally:
            self._arriving.pop(limit, None)


def _host(context: Any) -> str:
    """Return the network of a client; those over the Unix socket count as one."""
    kind, _, address = unquote(str(context.peer())).partition(":")
    return network_of(address.rpartition(":")[0].strip("[]")) if kind.startswith("ipv") else kind


def _outcome(kind: Any, method: Callable[[Any, Call], Outcome], call: Call, data: bytes) -> Outcome:
    """Return the outcome of a method, its answer as bytes."""
    request, code, message = calls.outcome(lambda: _parsed(kind, data))
    if code != Code.OK:
        return None, code, message
    answer, code, message = method(request, call)
    return (answer.SerializeToString() if code == Code.OK else None), code, message


def _parsed(kind: Any, data: bytes) -> Any:
    try:
        protobuf.check(data, kind.DESCRIPTOR)
        return kind.FromString(data)
    except (ValueError, DecodeError) as error:
        raise invalid(f"Invalid {kind.DESCRIPTOR.name}: {error}") from None
