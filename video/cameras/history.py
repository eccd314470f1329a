"""The history of labels: the most recent changes, each with the picture on which the label appeared."""

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
from video.cameras.camera import Camera, Listed
from video.cameras.snapshots import Snapshots

Filter = Callable[[str], bool]
"""Decides by a camera's name whether its events are requested."""

_LONGEST_LABEL: Final = 200  # characters
_MOST_FORGOTTEN: Final = 256  # names; what is older counts as missed by everyone
_ID: Final = attrgetter("id")


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """One model's first label on one camera changed; to None if the model no longer has an answer.

    `id` is in ns since the epoch and increases with each event, even if the clock is set back; `time` is the
    clock's, in ms since the epoch. `seq` is the frame on which the label appeared.
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
    """Events, oldest first; `last` is the id to continue from.

    If earlier events may no longer be retained, `retained_from` is the id from which on all of them are.
    """

    events: list[LabelEvent]
    last: int
    retained_from: int | None


class _Labels:
    """One camera's labels and their changes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.labels: dict[str, str] = {}  # of the newest frame, by model
        self.events: list[LabelEvent] = []  # not a deque, whose middle is slow to reach
        self.lost = 0  # the id of the last event that is no longer retained


class History:
    """Listens to all cameras. A flickering label displaces only its own camera's events."""

    def __init__(self, most_events: int = 500, most_snapshot_bytes: int = 32_000_000) -> None:
        self.closed = False
        self._most_events = most_events
        self._snapshots = Snapshots(most_snapshot_bytes)
        self._cameras: OrderedDict[str, _Labels] = OrderedDict()  # the last change last
        self._began = self._id = time.time_ns()  # events up to `_began` are not retained
        self._newest = 0  # the id of the last event
        self._forgotten: dict[str, int] = {}  # the last events of forgotten cameras, by name
        self._news = asyncio.Event()

    def open(self) -> None:
        """Wait on the running event loop from now on."""
        self.closed = False
        self._news = asyncio.Event()

    def close(self) -> None:
        """End all waiting."""
        self.closed = True
        self._wake()

    def frame(self, camera: Camera) -> None:
        """Note the labels of a camera's new frame."""
        self.note(camera.frame)

    def changed(self, camera: Listed) -> None:
        """Do nothing: changes of labels are noted with their frames."""

    def gone(self, name: str) -> None:
        """Forget a camera's events and their pictures."""
        labels = self._cameras.pop(name, None)
        if labels is None or not labels.events:
            return
        for event in labels.events:
            self._snapshots.drop(event.id)
        self._forgotten[name] = labels.events[-1].id
        if len(self._forgotten) > _MOST_FORGOTTEN:
            self._began = max(self._began, self._forgotten.pop(next(iter(self._forgotten))))

    def note(self, frame: Frame) -> None:
        """Note the labels of a frame."""
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
        """Return an id after all events so far and before all later ones."""
        self._id = max(time.time_ns(), self._id + 1)
        return self._id

    def select(
        self,
        requested: Filter,
        limit: int,
        *,
        label: str = "",
        start: float | None = None,
        end: float | None = None,
    ) -> list[LabelEvent]:
        """Return at most `limit` events, newest first; may be called from any thread.

        `label` is a part of the label, in upper or lower case; `start` and `end`, both inclusive, are in ms
        since the epoch.
        """
        # Atomic copies: the event loop may note further events meanwhile.
        cameras = [each for each in list(self._cameras.values()) if requested(each.name)]
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

    def after(self, last: int, requested: Filter, limit: int) -> News:
        """Return at most `limit` events that followed the one with the id `last`."""
        forgotten = (each for name, each in self._forgotten.items() if each > last and requested(name))
        lost = max([self._began, *forgotten])
        found: list[list[LabelEvent]] = []
        for camera in reversed(self._cameras.values()):
            if not camera.events or camera.events[-1].id <= last:
                break  # the others have nothing newer
            if requested(camera.name):
                lost = max(lost, camera.lost)
                first = bisect_right(camera.events, last, key=_ID)
                found.append(camera.events[first : first + limit])
        events = list(islice(heapq.merge(*found, key=_ID), limit))
        cursor = events[-1].id if len(events) == limit else max(last, self._newest)
        return News(events, cursor, lost + 1 if lost > last else None)

    async def wait(self, last: int) -> None:
        """Wait for an event after `last`, or for the end."""
        while self._newest <= last and not self.closed:
            await self._news.wait()

    def snapshot(self, event: int) -> tuple[str, bytes] | None:
        """Return an event's camera and JPEG, or None if they are not kept; from any thread."""
        return self._snapshots.get(event)

    def _add_camera(self, name: str) -> _Labels:
        camera = self._cameras[name] = _Labels(name)
        self._cameras.move_to_end(name, last=False)  # it has no events yet
        return camera

    def _add(self, camera: _Labels, event: LabelEvent, jpeg: bytes) -> None:
        if len(camera.events) == self._most_events:
            camera.lost = camera.events.pop(0).id
            self._snapshots.drop(camera.lost)
        camera.events.append(event)
        self._snapshots.put(event.id, camera.name, jpeg)
        self._newest = event.id
        self._cameras.move_to_end(camera.name)

    def _wake(self) -> None:
        # A new event for the next wait: nobody needs to check whether all who wait for this one have woken.
        news, self._news = self._news, asyncio.Event()
        news.set()
