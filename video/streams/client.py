"""A client that is sent frames at its own pace, by what its kernel says it has read."""

from typing import Final

from pipeline.http.connection import Connection

# If a client's kernel does not say within so many seconds that the client reads, a frame goes out anyway.
_PATIENCE: Final = 0.5
# So many bytes more than a part may be unread: windows have units of up to 1 KB, and probes are not counted.
_SLACK: Final = 2048
# A kernel takes its time to acknowledge what is not read. For this many seconds after a client had too much
# unread, what is under way counts, too. Otherwise it does not, because the client may be far away.
_SLOW: Final = 1.0
_PROBE_EVERY: Final = 0.03  # s; an answer may take 40 ms
# Asking the kernel costs as much as the rest of a client's turn. Each time a client turns out to have read
# everything, it is trusted, and not asked, for this many seconds more. What it can leave unread in that time
# sets the upper limit.
_TRUST: Final = 0.005
_MOST_TRUST: Final = 0.05


class StreamClient:
    """One client of a stream; it never waits.

    `probe` is what can be sent to it between two frames, any number of times, and changes nothing: a client's
    kernel says what the client has read only when it acknowledges something.
    """

    __slots__ = ("_ask_at", "_last", "_length", "_probe", "_probe_at", "_slow_until", "_trust", "connection")

    def __init__(self, connection: Connection, probe: bytes) -> None:
        self.connection = connection
        self._probe = probe
        self._last = 0.0
        self._length = 0  # of the last part
        self._ask_at = 0.0
        self._trust = 0.0
        self._slow_until = 0.0
        self._probe_at = 0.0

    def take(self, chunk: bytes, now: float) -> bool:
        """Write a frame if the client has read all frames but the last; return whether it was written."""
        connection = self.connection
        if connection.full:
            return False
        if now >= self._ask_at:
            unread, limit = connection.unread(), self._length + _SLACK
            if unread > limit:
                self._slow_until = now + _SLOW
            elif now < self._slow_until:
                unread += connection.under_way()
            reads = unread <= len(chunk) // 2
            self._trust = min(self._trust + _TRUST, _MOST_TRUST) if reads else 0.0
            if unread > limit and now - self._last < _PATIENCE:
                self._ask(now)
                return False
            self._ask_at = now + self._trust
        self._last, self._length = now, len(chunk)
        connection.write(chunk)
        return True

    def _ask(self, now: float) -> None:
        if now >= self._probe_at:
            self._probe_at = now + _PROBE_EVERY
            self.connection.write(self._probe)
