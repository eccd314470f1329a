"""Asks a model server over HTTP, within a deadline."""

import time
from typing import Final

import urllib3
from urllib3 import exceptions

_LARGEST_ANSWER: Final = 16 * 1024 * 1024  # bytes
_PIECE: Final = 256 * 1024


class ModelError(Exception):
    """A model did not answer, or not sensibly: `kind` is one word for the counters."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class ModelClient:
    """Posts requests to one URL over a connection that is kept open."""

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._pool = urllib3.PoolManager(maxsize=1, retries=False)

    def ask(self, body: bytes) -> bytes:
        """Return the answer's body; raise `ModelError` for anything but a 200 within the deadline."""
        deadline = time.monotonic() + self._timeout
        try:
            answer = self._pool.request(
                "POST",
                self._url,
                body=body,
                headers={"Content-Type": "application/json"},
                timeout=urllib3.Timeout(total=self._timeout),
                preload_content=False,
                redirect=False,
            )
            try:
                text = _read(answer, deadline)
            except BaseException:
                answer.close()  # the rest of this answer must not be taken for the next one
                raise
            answer.release_conn()
        except exceptions.NewConnectionError as error:
            raise ModelError("unreachable", str(error)) from None
        except exceptions.TimeoutError:
            raise ModelError("timeout", f"no answer within {self._timeout:g} s") from None
        except (exceptions.HTTPError, OSError) as error:
            raise ModelError("broken", str(error)) from None
        if answer.status != 200:
            raise ModelError(f"http_{answer.status}", f"it answered {answer.status}: {text[:200]!r}")
        return text


def _read(answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    pieces = []
    length = 0
    while piece := answer.read1(_PIECE):
        pieces.append(piece)
        length += len(piece)
        if length > _LARGEST_ANSWER:
            raise ModelError("nonsense", f"the answer is longer than {_LARGEST_ANSWER} bytes")
        if time.monotonic() > deadline:
            raise exceptions.TimeoutError("the answer trickles in")
    return b"".join(pieces)
