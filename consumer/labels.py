"""Reads a model's list of labels."""

import json
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from pipeline.service.settings import SettingsError, mask

_TIMEOUT: Final = 5.0  # s


def load(model: str, source: str) -> tuple[str, ...]:
    """Return the labels of a JSON list, from a path or URL; raise `SettingsError` when there are none."""
    try:
        text = _fetch(source) if source.startswith(("http://", "https://")) else _read(source)
        labels = json.loads(text)
    except OSError as error:  # its text would hold the URL once more
        raise SettingsError(_explain(model, source, error.strerror or str(error))) from None
    except (ValueError, RecursionError, HTTPException) as error:
        raise SettingsError(_explain(model, source, str(error))) from None
    if not labels or not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise SettingsError(_explain(model, source, "it is no JSON list of texts"))
    return tuple(labels)


def _read(path: str) -> bytes:
    return Path(path.removeprefix("file://")).read_bytes()


def _fetch(url: str) -> bytes:
    try:
        with urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310  # an http URL, see above
            return bytes(answer.read())
    except HTTPError as error:
        with error:
            raise ValueError(f"the server answered {error.code}") from None
    except URLError as error:
        raise ValueError(f"the server is not reached: {error.reason}") from None


def _explain(model: str, source: str, reason: str) -> str:
    return f"LABELURLS: the labels of {model} cannot be read from {mask(source)!r}: {reason}"
