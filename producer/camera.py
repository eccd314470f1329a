"""Keep a camera open and offer its newest frame."""

import logging
import math
import random
import time
from collections.abc import Callable
from typing import Final

from pipeline.flow.ledger import Ledger
from pipeline.flow.newest import Newest
from pipeline.flow.pace import Pace
from pipeline.service.logs import Seldom
from pipeline.service.recorder import works_for
from pipeline.service.workers import Pulse
from pipeline.wire.picture import PictureError
from pipeline.wire.status import State
from producer.metrics import RECONNECTS
from producer.opening import Opening
from producer.patience import Patience
from producer.sources.source import (
    SLOW,
    BehindError,
    Captured,
    CaptureError,
    EndedError,
    Source,
    TooLargeError,
)

log = logging.getLogger(__name__)

_SHORTEST_WAIT: Final = 0.5  # s before a lost camera is reopened; doubles with each failure
_LONGEST_WAIT: Final = 30.0
_GRACE: Final = 0.5  # s for a source that has waited in vain to say why
_BEAT: Final = 1.0  # s between two heartbeats; half a minute without would look like a hung worker
_STEADY: Final = 5.0  # s of frames after which a loss is the first again
_UNOPENED: Final = "not open yet"


class Camera:
    """Reads a camera into `frames`: as fast as it delivers, but no more than one frame per `interval` s.

    A camera that is lost, or whose frames hold no pictures, is reopened after increasing delays.
    `open_source` raises `CaptureError` if the camera cannot be opened. The source that it returns waits for
    data for at most `patience` s, which is at least `frozen_after`.
    """

    def __init__(
        self,
        name: str,
        open_source: Callable[[], Source],
        *,
        open_timeout: float,
        interval: float,
        frozen_after: float,
        ledger: Ledger,
    ) -> None:
        self.name = name
        self.frames = Newest[Captured](replaced=lambda _: ledger.dropped(name, "replaced"))
        self._open_source = open_source
        self._open_timeout = open_timeout
        self._interval = self._every = interval
        self._patience = Patience(frozen_after)
        self._ledger = ledger
        self._pace = Pace(interval)
        self._source: Source | None = None
        self._failures = 0
        self._steady_at = math.inf  # when the camera counts as steady
        self._trouble: str | None = _UNOPENED
        self._last = time.monotonic()
        self._has_ended = False
        self._was_open = False
        self._reconnects = RECONNECTS.labels(name)
        self._seldom = Seldom(log)

    def run(self, pulse: Pulse) -> None:
        """Read frames until `pulse.stopping` is set."""
        works_for(self.name)
        try:
            while not pulse.stopping.is_set():
                pulse.beat()
                try:
                    self._go_on(pulse)
                except CaptureError as error:
                    if not pulse.stopping.is_set():
                        _wait(pulse, self._lost(error))
        finally:
            self._close()

    def end(self) -> None:
        """Count a frame that waits as dropped, and those that still come: nobody takes them any more."""
        self._has_ended = True
        for _ in self.frames.clear():
            self._ledger.dropped(self.name, "stopping")

    @property
    def patience(self) -> float:
        """How long to wait for data from the camera, in s: the slower it is, the longer."""
        return self._patience.seconds

    def interval(self) -> float:
        """Return the usual time in s between two frames that are published, as far as it is known."""
        return max(self._every, self._patience.usual)

    def unready(self) -> str | None:
        """Return what is wrong with the camera, in one line, or None."""
        _, reason = self.state()
        return reason and f"camera {self.name}: {reason}"

    def state(self) -> tuple[State, str | None]:
        """Return the camera's state, and what is wrong with it in one line, without its name."""
        trouble = self._trouble
        if trouble is None and self._is_silent():
            trouble = f"it is frozen: no new frame for more than {self.patience + self._every:.0f} s"
        if trouble is None:
            return "live", None
        return "connecting" if trouble is _UNOPENED else "no-signal", trouble

    def _go_on(self, pulse: Pulse) -> None:
        # Nothing else keeps the source: a decoder's pictures are freed before it is opened again.
        source = self._source or self._opened(pulse)
        wait = source.due_in()
        # A film may hold a picture for long, and knows it.
        self._every = max(self._interval, source.interval, wait)
        if wait:
            _wait(pulse, wait)
        self._step(source)

    def _opened(self, pulse: Pulse) -> Source:
        self._source = self._open(pulse)
        if self._was_open:
            self._reconnects.inc()
        self._was_open = True
        self._pace = Pace(self._interval)  # the first frame is due
        self._last = time.monotonic()
        return self._source

    def _is_silent(self) -> bool:
        return time.monotonic() - self._last > self.patience + self._every

    def _open(self, pulse: Pulse) -> Source:
        # The source may wait for as long; for its first picture, as long as for opening.
        pulse.quiet = max(self.patience, self._open_timeout)
        opening = Opening(self._open_source)
        until = time.monotonic() + self._open_timeout + _GRACE
        while not opening.wait(_BEAT):
            pulse.beat()
            if pulse.stopping.is_set() or time.monotonic() >= until:
                opening.abandon()
                raise CaptureError(f"it is not open after {self._open_timeout:g} s{SLOW}")
        return opening.result()

    def _step(self, source: Source) -> None:
        source.grab()
        now = time.monotonic()
        self._patience.came(now)
        self._ledger.came(self.name)
        if not self._pace.due(now):
            self._ledger.dropped(self.name, "not_due")
            return
        try:
            captured = source.retrieve()
        except BehindError as error:
            self._ledger.dropped(self.name, "behind")
            self._seldom.warning(
                "behind", f"a frame of {self.name} was {error}: set a lower resolution or rate"
            )
            return
        except PictureError as error:
            self._skipped(error)
            return
        except Exception:
            self._ledger.dropped(self.name, "failed")
            raise
        self._last = now
        if self._trouble:
            log.info("camera %s delivers frames of %d x %d", self.name, captured.width, captured.height)
            self._trouble = None
            self._steady_at = now + _STEADY
        self.frames.put(self.name, captured)
        if self._has_ended:
            self.end()

    def _skipped(self, error: PictureError) -> None:
        reason = "too_large" if isinstance(error, TooLargeError) else "bad_picture"
        self._ledger.dropped(self.name, reason)
        self._seldom.warning(reason, f"skipped a frame of {self.name}: {error}")
        if self._is_silent():
            raise CaptureError(f"it delivers no pictures: {error}")

    def _lost(self, error: CaptureError) -> float:
        self._close()
        if time.monotonic() >= self._steady_at or isinstance(error, EndedError):
            self._failures = 0
        self._steady_at = math.inf
        longest = min(_LONGEST_WAIT, _SHORTEST_WAIT * 2.0**self._failures)
        wait = longest * random.uniform(0.75, 1)  # so that producers do not all reconnect at once
        wait = max(wait, error.retry_after)
        self._failures = min(self._failures + 1, 10)
        self._seldom.warning(str(error), f"camera {self.name}: {error}; trying again in {wait:.1f} s")
        # One that ends its video now and then keeps its state, unless it is silent for too long.
        if self._trouble or not isinstance(error, EndedError):
            self._trouble = str(error)
        return wait

    def _close(self) -> None:
        if self._source is not None:
            self._patience.closed(time.monotonic())
            self._source.close()
            self._source = None


def _wait(pulse: Pulse, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not pulse.stopping.wait(min(left, _BEAT)):
        pulse.beat()
