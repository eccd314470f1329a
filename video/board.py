"""All cameras, by name: frames come from the reader's thread, clients from the event loop."""

import asyncio
from collections.abc import Iterator

from pipeline.frame import Frame, age_of
from pipeline.ledger import Ledger
from pipeline.newest import Newest
from video.channel import Channel, Limits
from video.mjpeg import part


class Board:
    """The channels of the cameras seen so far."""

    def __init__(self, limits: Limits, ledger: Ledger) -> None:
        self._limits = limits
        self._ledger = ledger
        self._frames = Newest[Frame](replaced=lambda frame: ledger.dropped(frame.camera, "replaced"))
        self._channels: dict[str, Channel] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._any = asyncio.Event()

    def offer(self, camera: str, frame: Frame) -> None:
        """Take a frame from any thread, and show it soon; a newer one of the same camera may replace it."""
        self._frames.put(camera, frame)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._show)

    def open(self) -> None:
        """Show frames on the running event loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._any = asyncio.Event()
        self._show()

    def close(self) -> None:
        """End all streams, and forget the cameras."""
        self._loop = None
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        self._any.set()

    def drop_rest(self) -> None:
        """Count the frames that were not shown."""
        for frame in self._frames.clear():
            self._ledger.dropped(frame.camera, "stopping")

    def __iter__(self) -> Iterator[Channel]:
        """Yield the channels in the order of the cameras' names."""
        yield from (self._channels[camera] for camera in sorted(self._channels))

    def get(self, camera: str) -> Channel | None:
        """Return a camera's channel, if it has been seen."""
        return self._channels.get(camera)

    async def first(self) -> Channel | None:
        """Return the first camera's channel, waiting for one if there is none; None when the board closes."""
        await self._any.wait()
        return next(iter(self), None)

    def _show(self) -> None:
        if self._loop is None:  # closed since this was called for
            return
        for frame in self._frames.clear():
            made = part(frame)
            channel = self._channels.get(frame.camera)
            if channel is None:
                self._channels[frame.camera] = Channel(frame, made, self._limits)
                self._any.set()
            else:
                channel.show(frame, made)
            self._ledger.went(frame.camera, age_of(frame.captured))
