"""The newest item of each camera: one slot a camera, the oldest slot served first."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Newest(Generic[Item]):
    """Holds at most one item a camera; a newer one takes the place of one not yet served.

    Cameras are served in the order in which their slots were filled, so that a fast camera cannot keep a
    slow one waiting. Each replaced item is handed to `replaced`.
    """

    def __init__(self, replaced: Callable[[Item], None]) -> None:
        self._replaced = replaced
        self._slots: dict[str, Item] = {}
        self._filled = threading.Condition()

    def __bool__(self) -> bool:
        """Whether an item waits."""
        return bool(self._slots)

    def put(self, camera: str, item: Item) -> None:
        """Offer an item; never waits."""
        with self._filled:
            old = self._slots.get(camera)
            # A dict keeps a key's place when its value changes: the camera does not lose its turn.
            self._slots[camera] = item
            self._filled.notify()
        if old is not None:
            self._replaced(old)

    def take(self, timeout: float) -> Item | None:
        """Return the item of the camera whose turn it is, or None when none comes within `timeout` s."""
        with self._filled:
            if not self._slots and not self._filled.wait_for(lambda: self._slots, timeout):
                return None
            return self._slots.pop(next(iter(self._slots)))

    def remove(self, camera: str) -> Item | None:
        """Remove and return a camera's item, or None if there is none."""
        with self._filled:
            return self._slots.pop(camera, None)

    def clear(self) -> list[Item]:
        """Return what was not served, and forget it."""
        with self._filled:
            items = list(self._slots.values())
            self._slots.clear()
        return items
