"""The share of one producer: what the newest plan says, and whether to make the next one."""

import logging
import time
from collections.abc import Callable, Collection
from typing import Final

from producer.sharing.plan import Plan, decode, encode, mark, renewed

log = logging.getLogger(__name__)

_AGAIN: Final = 1.0  # s after which a plan is sent again, for those who have not heard it
_SILENT: Final = 1.0  # s in which others who have a plan would have sent it


class Shares:
    """What the producer `me` captures, as far as it knows the plan."""

    def __init__(self, me: str) -> None:
        self._me = me
        self._plan = self._before = Plan()
        self._written = 0.0  # when the plan changed last, in s since the epoch
        self._heard_at = 0.0  # the same, in s of the monotonic clock
        self._waits_since: float | None = None
        self._sent_at = 0.0
        self._sent = Plan()

    def hear(self, message: bytes, at: float) -> None:
        """Take a plan that was written at `at`, in s since the epoch. Anything else is ignored."""
        plan = decode(message)
        if plan is None:
            return
        if plan.holders != self._plan.holders:
            self._before, self._written, self._heard_at = self._plan, at, time.monotonic()
        self._plan = plan

    def alone_since(self, camera: str, last_heard: Callable[[str], float | None]) -> float | None:
        """Return since when a camera of this producer is without frames, because another one had it.

        In s of the monotonic clock; None if nobody had it. `last_heard` says when another producer was.
        """
        holder = self._before.holders.get(mark(camera))
        if holder is None or holder == self._me:
            return None
        if holder in self._plan.members:
            return self._heard_at
        return last_heard(holder) or self._heard_at

    def given_away(self, camera: str) -> float | None:
        """Return how many seconds ago a camera was given to another producer; None if it was not."""
        if self._plan.holders.get(mark(camera), self._me) == self._me:
            return None
        return max(0.0, time.time() - self._written)

    def next_plan(self, cameras: Collection[str], present: tuple[str, ...]) -> bytes | None:
        """Return a plan to send, if it is this producer's turn and if there is something to say."""
        now = time.monotonic()
        if not self._is_leader(present, now):
            return None
        plan = renewed(self._plan, cameras, present, self._me)
        # Once sent, it takes a moment until it is heard.
        is_new = plan not in (self._plan, self._sent)
        if not is_new and now - self._sent_at < _AGAIN:
            return None
        if is_new:
            log.info("cameras: %d, producers: %d", len(plan.holders), len(present))
        self._sent, self._sent_at = plan, now
        return encode(plan)

    def share(self, cameras: Collection[str]) -> set[str] | None:
        """Return which of the cameras this producer captures; None as long as there is no plan."""
        return self._plan.share(self._me, cameras) if self.has_plan else None

    @property
    def has_plan(self) -> bool:
        """Whether a plan was heard."""
        return bool(self._plan.by)

    @property
    def is_assigned(self) -> bool:
        """Whether the plan includes this producer."""
        return self._me in self._plan.members

    def _is_leader(self, present: tuple[str, ...], now: float) -> bool:
        """Return whether this producer makes the next plan."""
        if self.has_plan:
            leader = self._plan.by if self._plan.by in present else present[0]
            return leader == self._me
        # If others share already, there is a plan, which they send whenever somebody comes.
        if self._waits_since is None:
            self._waits_since = now
        return present == (self._me,) or (now - self._waits_since > _SILENT and present[0] == self._me)
