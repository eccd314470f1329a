"""The memory for the newest frames of all cameras."""


class Room:
    """Bounds the bytes that the newest frames of all cameras take.

    A frame of up to `most` / `cameras` bytes always has room, so that large frames cost no other camera its
    own. All together they may therefore take twice `most`.
    """

    def __init__(self, most: int, cameras: int) -> None:
        self._most = most
        self._share = most // cameras
        self._sizes: dict[str, int] = {}
        self._taken = 0

    def take(self, camera: str, size: int) -> bool:
        """Replace a camera's frame; return False, and keep the old one, if there is no room for it."""
        taken = self._taken - self._sizes.get(camera, 0) + size
        if taken > self._most and size > self._share:
            return False
        self._taken, self._sizes[camera] = taken, size
        return True

    def leave(self, camera: str) -> None:
        """Forget a camera's frame."""
        self._taken -= self._sizes.pop(camera, 0)
