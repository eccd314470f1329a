"""Receives the requests of gRPC's methods in an event loop, and answers them in threads.

A client may send a request as slowly as it likes: only complete ones get a thread.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, Final

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from pipeline.wire import protobuf
from tfserving.server import held, refusals
from tfserving.server.crowd import crowd
from tfserving.server.errors import Code, invalid
from tfserving.server.held import TOO_MANY, Held
from tfserving.server.rpc import calls
from tfserving.server.rpc.calls import Call, Outcome

LARGEST_REQUEST: Final = 16 << 20
"""Bytes of a message; gRPC refuses a longer one by the length at its beginning."""

MOST_ARRIVING: Final = 16
"""Requests that arrive at the same time. Beyond that, the oldest of the client with the most is given up."""

MOST_CALLS: Final = 256
"""Requests that wait for a thread or have one. Beyond that, one that waits is given up in this way, too."""

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
    ) -> Callable[[AsyncIterator[bytes], Any], Awaitable[bytes]]:
        async def handle(requests: AsyncIterator[bytes], context: Any) -> bytes:
            data = await self._read(requests, context)
            while self._held.size + len(data) > held.MOST_HELD and len(data) > held.SMALL:
                if not self._held.give_up(len(data)):
                    await _refuse(context, Code.UNAVAILABLE, TOO_MANY)
            if len(self._calls) >= MOST_CALLS and (
                waiting := next((each for each in crowd(self._calls) if each.cancel()), None)
            ):
                del self._calls[waiting]
            call = Call(context.time_remaining())
            run = self._held.submit(partial(_answer, kind, method, call), data)
            del data
            self._calls[run] = _host(context)
            answered = asyncio.wrap_future(run)
            try:
                await asyncio.wait([answered])
            finally:
                self._calls.pop(run, None)
                run.cancel()  # if it has not started, it must not start any more
                call.has_gone = True
            if answered.cancelled():
                await _refuse(context, Code.UNAVAILABLE, TOO_MANY)
            answer, code, message = answered.result()
            if code != Code.OK:
                await _refuse(context, code, message)
            return bytes(answer)

        return handle

    async def _read(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        """Return the only request of a call, or abort the call."""
        if len(self._arriving) >= MOST_ARRIVING:
            oldest = crowd(self._arriving)[0]
            del self._arriving[oldest]
            oldest.reschedule(0)
        limit = asyncio.timeout(LONGEST_ARRIVAL)
        try:
            async with limit:
                self._arriving[limit] = _host(context)
                async for data in requests:
                    return data
        except TimeoutError:
            await _refuse(context, Code.DEADLINE_EXCEEDED, "The request arrives too slowly")
        finally:
            self._arriving.pop(limit, None)
        return b""


async def _refuse(context: Any, code: Code, message: str) -> None:
    """End a call with an error."""
    refusals.log("gRPC", code, message)
    await context.abort(_CODES[code], calls.details(message))


def _host(context: Any) -> str:
    """Return the address of a client, without its port."""
    return str(context.peer()).rpartition(":")[0]


def _answer(kind: Any, method: Callable[[Any, Call], Outcome], call: Call, data: bytes) -> Outcome:
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
