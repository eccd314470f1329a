"""The pictures of label events: the frames' own JPEGs, neither copied nor decoded."""

from collections import Counter, OrderedDict


class Snapshots:
    """Keeps the newest JPEGs, up to `most_bytes`; a JPEG that several events share counts once."""

    def __init__(self, most_bytes: int) -> None:
        self.bytes = 0
        self._most_bytes = most_bytes
        self._kept: OrderedDict[int, tuple[str, bytes]] = OrderedDict()
        self._shared: Counter[int] = Counter()  # number of events, by the JPEG's identity

    def put(self, event: int, camera: str, jpeg: bytes) -> None:
        """Keep the picture of an event, which is newer than all others."""
        self._kept[event] = (camera, jpeg)
        self._shared[id(jpeg)] += 1
        if self._shared[id(jpeg)] == 1:
            self.bytes += len(jpeg)
        while self.bytes > self._most_bytes:
            self.drop(next(iter(self._kept)))

    def drop(self, event: int) -> None:
        """Stop keeping the picture of an event, if it is kept."""
        if event not in self._kept:
            return
        _, jpeg = self._kept.pop(event)
        self._shared[id(jpeg)] -= 1
        if not self._shared[id(jpeg)]:
            del self._shared[id(jpeg)]
            self.bytes -= len(jpeg)

    def get(self, event: int) -> tuple[str, bytes] | None:
        """Return an event's camera and JPEG, if they are kept."""
        return self._kept.get(event)
