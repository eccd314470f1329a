"""The training service as a job sees it: a model to fetch, and places for progress, metrics and results."""

import json
import logging
import secrets
import shutil
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from training.backend import Backend
from training.code.supervise import StoppedError
from training.versions.archive import KIND, pack

log = logging.getLogger(__name__)

_ATTEMPTS: Final = 10
_BREAK: Final = 5.0  # s between two attempts
_ANSWER: Final = 30.0  # s
_BUILT: Final = 600.0  # s for a model, whose code runs first
_BLOCK: Final = 1024 * 1024
_LONGEST_REFUSAL: Final = 2_000  # bytes that are read of one
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class RefusedError(Exception):
    """The service does not accept a request: its reason in one line."""


class AwayError(Exception):
    """The service does not answer."""


class Service:
    """Requests about the result at `url`. After `stop`, waiting for the service ends with StoppedError."""

    def __init__(
        self, url: str, stop: threading.Event, pause: float = _BREAK, backend: Backend | None = None
    ) -> None:
        self._url = url
        self._backend = backend or Backend()
        self._metrics_url = "/results_metrics/".join(url.rsplit("/results/", 1))
        self._stop = stop
        self._pause = pause

    def fetch_model(self, file: Path) -> None:
        """Write the untrained model to a file. Raises RefusedError and AwayError."""

        def fetch() -> None:
            part = file.with_name(f".{file.name}.part")
            request = urllib.request.Request(self._url)  # noqa: S310
            with self._backend.open(request, _BUILT) as answer, part.open("wb") as copy:
                shutil.copyfileobj(answer, copy, _BLOCK)
                if answer.length:  # reading in blocks does not notice
                    raise URLError(f"the connection ended {answer.length} bytes too early")
            part.replace(file)

        self._persist(fetch)

    def progress(self, fields: Mapping[str, Any]) -> None:
        """Report how far the job is, once. Raises RefusedError and AwayError."""
        body = json.dumps(dict(fields)).encode()
        self._once(f"{self._url}/progress", body, {"Content-Type": "application/json"})

    def metrics(self, fields: Mapping[str, Any]) -> None:
        """Report the metrics of all epochs so far, once. Raises RefusedError and AwayError."""
        self._once(self._metrics_url, urlencode({"data": json.dumps(dict(fields))}).encode(), _FORM)

    def insist(self, fields: Mapping[str, Any]) -> None:
        """Report a state that must arrive. Raises RefusedError and AwayError."""
        self._persist(lambda: self.progress(fields))

    def upload(self, model: Path, picture: bytes | None, fields: Mapping[str, Any]) -> int | None:
        """Upload the trained model; return the result that has it, if it is another one.

        Raises RefusedError and AwayError.
        """
        boundary = secrets.token_hex(16)
        head, tail = _around(boundary, model.name, picture, json.dumps(dict(fields)))
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + model.stat().st_size + len(tail)),
        }
        answer = b""

        def send() -> None:
            nonlocal answer
            answer = self._send(self._url, _body(head, model, tail), headers)

        self._persist(send)
        return _result(answer)

    def add_version(self, folder: Path, added: int | None = None) -> None:
        """Send the files of a version to the model store: of the result `added`, if that is another one.

        Raises RefusedError and AwayError.
        """
        headers = {"Content-Type": KIND}
        url = f"{self._url}/version" + (f"?added={added}" if added else "")
        self._persist(lambda: self._send(url, pack(folder), headers))

    def _persist(self, request: Any) -> None:
        """Repeat a request until the service answers."""
        for attempt in range(_ATTEMPTS):
            try:
                _meet(request)
                return
            except AwayError as error:
                if attempt == _ATTEMPTS - 1:
                    raise
                log.warning("%s; trying again in %g s", error, self._pause)
                if self._stop.wait(self._pause):
                    raise StoppedError from None

    def _once(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        _meet(lambda: self._send(url, body, headers))

    def _send(self, url: str, body: Any, headers: dict[str, str]) -> bytes:
        request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310
        with self._backend.open(request, _ANSWER) as answer:
            return answer.read()


def _meet(request: Any) -> None:
    """Make a request, and turn what may go wrong into our errors."""
    try:
        request()
    except HTTPError as error:
        with error:
            text = " ".join(error.read(_LONGEST_REFUSAL).decode(errors="replace").split())
        why = f"the training service answered {error.code}: {text or error.reason}"
        if error.code >= 500:
            raise AwayError(why) from None
        raise RefusedError(why) from None
    except (HTTPException, OSError) as error:  # URLError is an OSError
        raise AwayError(f"the training service does not answer: {getattr(error, 'reason', error)}") from None


def _result(answer: bytes) -> int | None:
    """Return the id of a result in an answer, if there is one."""
    try:
        return int(json.loads(answer)["result"])
    except (ValueError, TypeError, KeyError):
        return None


def _around(boundary: str, name: str, picture: bytes | None, data: str) -> tuple[bytes, bytes]:
    """Return what comes before and after the model in a multipart body; §5.4 for the names."""
    begin = f'--{boundary}\r\nContent-Disposition: form-data; name="'
    head = f'{begin}data"\r\n\r\n{data}\r\n'.encode()
    if picture is not None:
        kind = 'confussion_matrix"; filename="confusion_mat.png"\r\nContent-Type: image/png\r\n\r\n'
        head += f"{begin}{kind}".encode() + picture + b"\r\n"
    kind = f'trained_model"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    return head + f"{begin}{kind}".encode(), f"\r\n--{boundary}--\r\n".encode()


def _body(head: bytes, file: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with file.open("rb") as model:
        while block := model.read(_BLOCK):
            yield block
    yield tail
