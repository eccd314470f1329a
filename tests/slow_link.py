"""A Kafka behind a slow link: a proxy that holds back every byte for a while, in both directions."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from tests.cluster import cluster
from tests.parts import free_port

_BLOCK = 65536
_PROTOCOLS = "PLAINTEXT:PLAINTEXT,SLOW:PLAINTEXT"


class SlowLink:
    """Listens on `port` of 127.0.0.1, and passes everything on to the port `target`, `delay` s later."""

    def __init__(self, port: int, target: int, delay: float) -> None:
        self._target, self._delay = target, delay
        self._is_cut = False
        self._open = set[asyncio.StreamWriter]()
        self._tasks = set[asyncio.Task[None]]()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow link", daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", port))

    def cut(self) -> None:
        """Close all connections, and every new one, until `mend`."""
        self._is_cut = True
        self._call(self._drop())

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    def close(self) -> None:
        """End."""
        self.cut()
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _drop(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        if self._is_cut:
            near_out.transport.abort()
            return
        far_in, far_out = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {near_out, far_out}
        ways = [
            asyncio.create_task(self._way(near_in, far_out)),
            asyncio.create_task(self._way(far_in, near_out)),
        ]
        self._tasks |= {*ways}
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for writer in (near_out, far_out):
            writer.transport.abort()
            self._open.discard(writer)

    async def _way(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Pass bytes on, each block when its time has come."""
        waiting = asyncio.Queue[tuple[float, bytes]]()

        async def write() -> None:
            while (block := await waiting.get())[1]:
                await asyncio.sleep(max(0.0, block[0] - self._loop.time()))
                target.write(block[1])
                await target.drain()

        writing = asyncio.create_task(write())
        with suppress(ConnectionError):
            while data := await source.read(_BLOCK):
                waiting.put_nowait((self._loop.time() + self._delay, data))
            waiting.put_nowait((0, b""))
            await writing
        writing.cancel()


class Far(NamedTuple):
    """A Kafka with an address `near` it, and one `far` from it, which leads through the link."""

    near: str
    far: str
    link: SlowLink


@contextmanager
def far_kafka(delay: float) -> Iterator[Far]:
    """Run a real Kafka for the block, behind a link that takes `delay` s each way."""
    near, slow, far = free_port(), free_port(), free_port()
    link = SlowLink(far, slow, delay)
    listeners = "PLAINTEXT://127.0.0.1:{},SLOW://127.0.0.1:{}"
    properties = {
        "listeners": listeners.format(near, slow),
        "advertised.listeners": listeners.format(near, far),
        "listener.security.protocol.map": _PROTOCOLS,
    }
    options = [f"--property={name}={value}" for name, value in properties.items()]
    try:
        with cluster(1, f"--port={near}", *options) as kafka:
            yield Far(kafka.bootstrap, f"127.0.0.1:{far}", link)
    finally:
        link.close()
