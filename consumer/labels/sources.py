"""Where labels come from: a file or a URL, which is read again when it changes."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from consumer.labels.formats import LARGEST_FILE, parse
from consumer.labels.labels import Labels
from pipeline.model_server.errors import UNREAD, ModelError
from pipeline.model_server.login import NO_LOGIN, Login
from pipeline.service.logs import Seldom
from pipeline.service.masking import mask
from pipeline.service.settings import SettingsError
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from pipeline.wire.text import one_line

log = logging.getLogger(__name__)

VERSION: Final = "{version}"
"""Stands for the served version of the model, in a path or URL."""

_TIMEOUT: Final = 2.0  # s for a download
_FILE_EVERY: Final = 2.0  # s between two looks at a file
_URL_EVERY: Final = 30.0
_SHORTEST_PAUSE: Final = 1.0  # s after a failed attempt, doubled each time
_LONGEST_PAUSE: Final = 30.0
_MOST_VERSIONS: Final = 4

Read = Callable[[str, Any], tuple[bytes, Any] | None]
"""Reads a place; returns its content and a mark, or None if the mark is the one given: nothing changed."""


@dataclass(slots=True)
class _Copy:
    """The labels at one place, or why there are none; `mark` tells whether the place has changed."""

    labels: Labels | None = None
    error: str = ""
    mark: Any = None
    due: float = 0.0
    pause: float = _SHORTEST_PAUSE


class LabelSource:
    """The labels of one model. `refresh` reads them, in one thread; any thread may look them up.

    If the place names the version, each version of the model has labels of its own.
    """

    def __init__(
        self, model: str, place: str, read: Read, every: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.by_version = VERSION in place
        self.wanted = threading.Event()  # set when there is something to read at once
        self._model = model
        self._place = place
        self._read = read
        self._every = every
        self._clock = clock
        self._seldom = Seldom(log)
        self._lock = threading.Lock()
        self._copies: dict[int | None, _Copy] = {} if self.by_version else {None: _Copy()}

    def __call__(self, version: int | None = None) -> Labels:
        """Return the labels of a version of the model; raise ModelError while they are not available."""
        if self.by_version and version is None:
            raise ModelError("labels", f"LABELURLS: the version of {self._model} is not known")
        key = version if self.by_version else None
        with self._lock:
            if key not in self._copies:
                self._copies[key] = _Copy()
                while len(self._copies) > _MOST_VERSIONS:
                    del self._copies[next(iter(self._copies))]
                self.wanted.set()
            copy = self._copies[key]
            if copy.labels is None:
                kind, why = ("labels", copy.error) if copy.error else (UNREAD, "they have not been read yet")
                raise ModelError(kind, self._explain(key, why))
            return copy.labels

    def read_again(self) -> None:
        """Read the labels as soon as possible, because another version of the model is served."""
        with self._lock:
            for copy in self._copies.values():
                copy.due = min(copy.due, self._clock())
        self.wanted.set()

    def refresh(self) -> float:
        """Read what is due; return how many seconds it takes until something is due again."""
        self.wanted.clear()
        with self._lock:
            copies = list(self._copies.items())
        for version, copy in copies:
            if self._clock() >= copy.due:
                self._update(version, copy)
        return max(
            0.0, min((copy.due for _, copy in copies), default=self._clock() + self._every) - self._clock()
        )

    def _update(self, version: int | None, copy: _Copy) -> None:
        try:
            found = self._read(self._at(version), copy.mark)
            labels = parse(found[0], self._path(version)) if found else copy.labels
        except (ModelError, OSError, ValueError) as error:
            self._fail(version, copy, _reason(error))
            return
        changed = copy.labels is not None and labels != copy.labels
        with self._lock:
            copy.labels, copy.error, copy.pause = labels, "", _SHORTEST_PAUSE
            copy.due = self._clock() + self._every
            if found:
                copy.mark = found[1]
        if changed and labels:
            log.info("model %s: its labels have changed, and are %d now", self._model, len(labels.names))

    def _fail(self, version: int | None, copy: _Copy, reason: str) -> None:
        """Keep the labels that there are; try again soon."""
        with self._lock:
            copy.error = one_line(reason.replace(urlsplit(self._place).password or self._place, "***"))
            copy.due = self._clock() + copy.pause
            copy.pause = min(_LONGEST_PAUSE, 2 * copy.pause)
            kept = copy.labels is not None
        if kept:
            self._seldom.warning("labels", f"{self._explain(version, copy.error)}; the old ones stay in use")

    def _at(self, version: int | None) -> str:
        return self._place if version is None else self._place.replace(VERSION, str(version))

    def _path(self, version: int | None) -> str:
        return unquote(urlsplit(self._at(version)).path) if "://" in self._place else self._at(version)

    def _explain(self, version: int | None, reason: str) -> str:
        return (
            f"LABELURLS: cannot read the labels of {self._model} from {mask(self._at(version))!r}: {reason}"
        )


def source(
    model: str, place: str, login: Login = NO_LOGIN, services: tuple[Address, ...] = ()
) -> LabelSource:
    """Return what provides a model's labels, from a path or URL. `services` are our own.

    A file is read now, unless its path names the version; raises `SettingsError` if that fails. Everything
    else is read by `keep_fresh`.
    """
    scheme, is_url, rest = place.partition("://")
    if is_url and scheme.lower() in ("http", "https"):
        if not _is_url(place):
            raise SettingsError(
                f"LABELURLS: cannot read the labels of {model} from {mask(place)!r}:"
                " expected a URL such as http://host/labels.json"
            )
        return LabelSource(model, place, partial(_download, login, services), _URL_EVERY)
    if is_url and scheme.lower() != "file":
        raise SettingsError(
            f"LABELURLS: cannot read the labels of {model} from {mask(place)!r}: expected http, https or file"
        )
    path = unquote(rest) if is_url else place
    labels = LabelSource(model, path, _read_file, _FILE_EVERY)
    if not labels.by_version:
        labels.refresh()
        try:
            labels()
        except ModelError as error:
            raise SettingsError(str(error)) from None
    return labels


def keep_fresh(labels: LabelSource, pulse: Pulse) -> None:
    """Read labels whenever they are due or wanted, until the service stops."""
    while not pulse.stopping.is_set():
        pulse.beat()
        labels.wanted.wait(min(1.0, labels.refresh()))


def _read_file(path: str, mark: Any) -> tuple[bytes, Any] | None:
    state = Path(path).stat()
    now = (state.st_mtime_ns, state.st_size, state.st_ino)
    if now == mark:
        return None
    with Path(path).open("rb") as file:
        return file.read(LARGEST_FILE + 1), now


def _download(login: Login, services: tuple[Address, ...], url: str, mark: Any) -> tuple[bytes, Any] | None:
    # Imported here because it takes memory that only labels from a URL need.
    from consumer.labels.download import download  # noqa: PLC0415

    return download(url, _TIMEOUT, mark, login.header(), services, most=LARGEST_FILE)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # an address or a port that is not one
        return False


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
