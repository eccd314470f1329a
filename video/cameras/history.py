"""What the cameras' labels were: each change of one, for a while, with the picture on which it came up."""

import asyncio
import heapq
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Final, NamedTuple

from pipeline.wire.frame import Frame
from video.cameras.snapshots import Snapshots

Wanted = Callable[[str], bool]
"""Tells by a camera's name whether its events are asked for."""

_LONGEST_LABEL: Final = 200  # characters
_ID: Final = attrgetter("id")


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """The first label of one model on one camera changed: to None when the model's answer is gone.

    `id` is in ns since the epoch and goes up with each event, also where the clock steps back; `time` is the
    clock's, in ms since the epoch. `seq` is the frame on which the label came up.
    """

    id: int
    time: int
    camera: str
    model: str
    label: str | None
    score: float | None
    previous: str | None
    seq: int


class News(NamedTuple):
    """Events, oldest first; `last` is where to go on from.

    Where events that would have come first are no longer retained, `retained_from` is the id from which on
    they all are.
    """

    events: list[LabelEvent]
    last: int
    retained_from: int | None


class _Camera:
    def __init__(self, name: str) -> None:
        self.name = name
        self.labels: dict[str, str] = {}  # those of the newest frame, by model
        self.events: list[LabelEvent] = []  # no deque: its middle is far away
        self.lost = 0  # the last event that is no longer retained


class History:
    """Lives on the event loop. A label that flickers pushes out older events of its own camera only."""

    def __init__(self, most_events: int = 500, most_snapshot_bytes: int = 32_000_000) -> None:
        self.closed = False
        self._most_events = most_events
        self._snapshots = Snapshots(most_snapshot_bytes)
        self._cameras: OrderedDict[str, _Camera] = OrderedDict()  # whose label changed last comes last
        self._began = self._id = time.time_ns()
        self._newest = 0  # the last event
        self._news = asyncio.Event()

    def open(self) -> None:
        """Let who waits wait on the running event loop from now on."""
        self.closed = False
        self._news = asyncio.Event()

    def close(self) -> None:
        """End all waiting."""
        self.closed = True
        self._wake()

    def note(self, frame: Frame) -> None:
        """Take the labels of a frame that is put up."""
        camera = self._cameras.get(frame.camera) or self._add_camera(frame.camera)
        firsts = {each.model: each.results[0] for each in frame.predictions if each.results}
        labels = {model: first.label[:_LONGEST_LABEL] for model, first in firsts.items()}
        before = camera.labels
        if labels == before:
            return
        camera.labels = labels
        for model in {**before, **labels}:
            if labels.get(model) != before.get(model):
                event = LabelEvent(
                    id=self.mark(),
                    time=time.time_ns() // 1_000_000,
                    camera=camera.name,
                    model=model,
                    label=labels.get(model),
                    score=firsts[model].score if model in firsts else None,
                    previous=before.get(model),
                    seq=frame.seq,
                )
                self._add(camera, event, frame.jpeg)
        self._wake()

    def mark(self) -> int:
        """Return an id after those of all events so far and before those of all to come."""
        self._id = max(time.time_ns(), self._id + 1)
        return self._id

    def select(
        self,
        wanted: Wanted,
        limit: int,
        *,
        label: str = "",
        start: float | None = None,
        end: float | None = None,
    ) -> list[LabelEvent]:
        """Return at most `limit` events, newest first; any thread may ask.

        `label` is what the label contains, in either case; `start` and `end` are in ms since the epoch, and
        both included.
        """
        # Copies, each made at once: meanwhile the event loop may note further events.
        cameras = [each for each in list(self._cameras.values()) if wanted(each.name)]
        events = [tuple(each.events) for each in cameras]
        text = label.casefold()

        def fits(event: LabelEvent) -> bool:
            return (
                (not text or (event.label is not None and text in event.label.casefold()))
                and (start is None or start <= event.time)
                and (end is None or event.time <= end)
            )

        found = [filter(fits, reversed(each)) for each in events]
        return list(islice(heapq.merge(*found, key=_ID, reverse=True), limit))

    def after(self, last: int, wanted: Wanted, limit: int) -> News:
        """Return at most `limit` events that came after the one with the id `last`."""
        lost = self._began
        found: list[list[LabelEvent]] = []
        for camera in reversed(self._cameras.values()):
            if not camera.events or camera.events[-1].id <= last:
                break  # those that follow have nothing newer
            if wanted(camera.name):
                lost = max(lost, camera.lost)
                first = bisect_right(camera.events, last, key=_ID)
                found.append(camera.events[first : first + limit])
        events = list(islice(heapq.merge(*found, key=_ID), limit))
        cursor = events[-1].id if len(events) == limit else max(last, self._newest)
        return News(events, cursor, lost + 1 if lost > last else None)

    async def wait(self, last: int) -> None:
        """Wait until there is an event after `last`, or the end."""
        while self._newest <= last and not self.closed:
            await self._news.wait()

    def snapshot(self, event: int) -> tuple[str, bytes] | None:
        """Return the camera and the JPEG of an event, or None where it is not, or no longer, kept."""
        return self._snapshots.get(event)

    def _add_camera(self, name: str) -> _Camera:
        camera = self._cameras[name] = _Camera(name)
        self._cameras.move_to_end(name, last=False)  # it has no event yet
        return camera

    def _add(self, camera: _Camera, event: LabelEvent, jpeg: bytes) -> None:
        if len(camera.events) == self._most_events:
            camera.lost = camera.events.pop(0).id
            self._snapshots.drop(camera.lost)
        camera.events.append(event)
        self._snapshots.put(event.id, camera.name, jpeg)
        self._newest = event.id
        self._cameras.move_to_end(camera.name)

    def _wake(self) -> None:
        # A new event for the next: who waits for the old one need not be asked whether it woke.
        news, self._news = self._news, asyncio.Event()
        news.set()
