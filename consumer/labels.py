"""Reads a model's list of labels."""

import json
from pathlib import Path
from typing import Final

import urllib3

from pipeline.settings import SettingsError, mask

_TIMEOUT: Final = 5.0  # s


def load(model: str, source: str) -> tuple[str, ...]:
    """Return the labels of a JSON list, from a path or URL; raise `SettingsError` when there are none."""
    try:
        text = _fetch(source) if source.startswith(("http://", "https://")) else _read(source)
        labels = json.loads(text)
    except (OSError, ValueError, RecursionError, urllib3.exceptions.HTTPError) as error:
        raise SettingsError(_explain(model, source, str(error))) from None
    if not labels or not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise SettingsError(_explain(model, source, "it is no JSON list of texts"))
    return tuple(labels)


def _read(path: str) -> bytes:
    return Path(path.removeprefix("file://")).read_bytes()


def _fetch(url: str) -> bytes:
    answer = urllib3.request("GET", url, timeout=_TIMEOUT, retries=False)
    if answer.status != 200:
        raise ValueError(f"the server answered {answer.status}")
    return answer.data


def _explain(model: str, source: str, reason: str) -> str:
    return f"LABELURLS: the labels of {model} cannot be read from {mask(source)!r}: {reason}"
