"""One camera as the video server knows it: its newest frame, who waits for the next, and its state."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pipeline.frame import Frame, age_of
from pipeline.predictions import as_json

State = Literal["live", "stale", "no-signal"]

_FPS_OVER: Final = 5.0  # s


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on things count as old, in s: a camera's last frame, and the answer behind a label."""

    no_signal_after: float
    stale_after: float


class Channel:
    """Lives on the event loop: the newest frame, and the same as `part` of an MJPEG stream."""

    def __init__(self, frame: Frame, part: bytes, limits: Limits) -> None:
        self.frame = frame
        self.part = part
        self._limits = limits
        self._number = 1
        self._news = asyncio.Event()
        self._closed = False
        self._arrivals = deque([time.monotonic()], maxlen=500)
        self._state: State = self._judge()
        self._since = time.time()

    def show(self, frame: Frame, part: bytes) -> None:
        """Put up a frame, and wake who waits for it."""
        self._update()
        self.frame, self.part = frame, part
        self._arrivals.append(time.monotonic())
        self._update()
        self._number += 1
        self._wake()

    def close(self) -> None:
        """End the streams."""
        self._closed = True
        self._wake()

    async def next(self, seen: int) -> int:
        """Wait for a frame other than number `seen`; return the newest one's number; 0 at the end."""
        while self._number == seen and not self._closed:
            await self._news.wait()
        return 0 if self._closed else self._number

    def status(self) -> dict[str, Any]:
        """Return what /api/cameras tells of this camera."""
        self._update()
        now = time.monotonic()
        over = _FPS_OVER if self._state != "no-signal" else 0
        recent = [at for at in self._arrivals if now - at < over]
        seconds = recent[-1] - recent[0] if len(recent) > 1 else 0
        return {
            "name": self.frame.camera,
            "state": self._state,
            "since": datetime.fromtimestamp(self._since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "fps": round((len(recent) - 1) / seconds, 1) if seconds else 0.0,
            "age_ms": round(1000 * age_of(self.frame.captured)),
            "seq": self.frame.seq,
            "width": self.frame.width,
            "height": self.frame.height,
            "predictions": as_json(self.frame.predictions),
        }

    def _update(self) -> None:
        state = self._judge()
        if state != self._state:
            silent = time.monotonic() - self._arrivals[-1] if state == "no-signal" else 0
            self._state, self._since = state, time.time() - silent

    def _judge(self) -> State:
        if time.monotonic() - self._arrivals[-1] > self._limits.no_signal_after:
            return "no-signal"
        oldest = 1000 * self._limits.stale_after
        ages = [prediction.age_ms for prediction in self.frame.predictions]
        return "stale" if any(age is None or age > oldest for age in ages) else "live"

    def _wake(self) -> None:
        # A new event for the next frame: who waits for the old one need not be asked whether it woke.
        news, self._news = self._news, asyncio.Event()
        news.set()
