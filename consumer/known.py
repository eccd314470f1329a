"""A value that has to be fetched, and may not be available."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Known(Generic[_Value]):
    """Fetches a value when it is first needed, and again after `forget`; for any thread."""

    def __init__(self, fetch: Callable[[], _Value]) -> None:
        self._fetch = fetch
        self._value: _Value | None = None
        self._lock = threading.Lock()

    def __call__(self) -> _Value:
        """Return the value; raise what `fetch` raises if it is not available."""
        with self._lock:
            if self._value is None:
                self._value = self._fetch()
            return self._value

    def forget(self) -> None:
        """Fetch the value again when it is next needed, because it may have changed."""
        with self._lock:
            self._value = None
