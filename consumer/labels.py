"""A model's labels, from a file or from a URL."""

import json
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from consumer.model_server.errors import ModelError
from pipeline.service.settings import SettingsError, mask

Labels = tuple[str, ...]

_TIMEOUT: Final = 2.0  # s for a download
_SHORTEST_PAUSE: Final = 1.0  # s after a failed download, doubled each time
_LONGEST_PAUSE: Final = 30.0
_FORMS: Final = (
    "a JSON list of strings, a JSON object from index to string, or a text with one label per line"
)


def source(model: str, place: str) -> Callable[[], Labels]:
    """Return what provides a model's labels, from a path or URL.

    A file is read now; raises `SettingsError` if that fails. A URL is fetched when the labels are first
    needed.
    """
    scheme, is_url, rest = place.partition("://")
    if is_url and scheme.lower() in ("http", "https"):
        if not _is_url(place):
            raise SettingsError(_explain(model, place, "expected a URL such as http://host/labels.json"))
        return FetchedLabels(model, place)
    try:
        path = unquote(rest) if is_url and scheme.lower() == "file" else place
        labels = parse(Path(path).read_bytes())
    except OSError as error:
        raise SettingsError(_explain(model, place, error.strerror or str(error))) from None
    except ValueError as error:
        raise SettingsError(_explain(model, place, str(error))) from None
    return lambda: labels


class FetchedLabels:
    """Labels that are downloaded when they are first needed, and then kept.

    While that fails, it is tried again after 1 s, later 30 s; for one thread at a time.
    """

    def __init__(self, model: str, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._url = url
        self._clock = clock
        self._labels: Labels = ()
        self._error = ""
        self._retry_at = 0.0
        self._pause = _SHORTEST_PAUSE

    def __call__(self) -> Labels:
        """Return the labels; raise ModelError of the kind `labels` while they are not available."""
        if not self._labels and (not self._error or self._clock() >= self._retry_at):
            self._fetch()
        if not self._labels:
            raise ModelError("labels", self._error)
        return self._labels

    def _fetch(self) -> None:
        # Imported here because it takes memory that only labels from a URL need.
        from consumer.model_server.download import download  # noqa: PLC0415

        try:
            self._labels = parse(download(self._url, _TIMEOUT))
        except (ModelError, ValueError) as error:
            reason = str(error).replace(urlsplit(self._url).password or self._url, "***")
            self._error = _explain(self._model, self._url, reason)
            self._retry_at = self._clock() + self._pause
            self._pause = min(_LONGEST_PAUSE, 2 * self._pause)


def parse(data: bytes) -> Labels:
    """Return the labels in a JSON list, in a JSON object from index to label, or on the lines of a text.

    A byte order mark, Windows line ends and empty lines at the end are accepted. Raises ValueError for
    anything else, and for anything ambiguous.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected UTF-8, found {data[error.start : error.start + 4]!r} at {error.start}"
        ) from None
    begin = text.lstrip()[:1]
    if begin in ("", "<", '"'):
        raise ValueError(f"expected {_FORMS}, found {text[:20]!r}")
    labels = _from_json(text) if begin in ("[", "{") else _from_lines(text)
    for index, label in enumerate(labels):
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in label):
            raise ValueError(f"expected printable characters in label {index}, found {label[:20]!r}")
    return labels


def _from_json(text: str) -> Labels:
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected {_FORMS}, found invalid JSON: {error}") from None
    if isinstance(labels, dict):
        labels = _by_index(labels)
    for index, label in enumerate(labels):
        if not isinstance(label, str):
            raise ValueError(f"expected a string as label {index}, found {json.dumps(label)[:40]}")
    if not labels:
        raise ValueError("expected at least one label")
    return tuple(labels)


def _by_index(labels: dict[str, object]) -> list[object]:
    """Return the values in the order of their keys, which are 0, 1, 2 and so on."""
    indices = [str(index) for index in range(len(labels))]
    if odd := sorted(labels.keys() - set(indices)):
        raise ValueError(f"expected the indices 0 to {len(labels) - 1} as keys, found {odd[0][:40]!r}")
    return [labels[index] for index in indices]


def _from_lines(text: str) -> Labels:
    labels = tuple(line.strip() for line in text.rstrip().split("\n"))
    if "" in labels:
        raise ValueError(f"expected a label on each line, found none on line {labels.index('') + 1}")
    return labels


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # an address or a port that is not one
        return False


def _explain(model: str, place: str, reason: str) -> str:
    return f"LABELURLS: cannot read the labels of {model} from {mask(place)!r}: {reason}"
