"""How the ONVIF library's requests reach a camera: only at its own host, within limits of time and size."""

import asyncio
import time
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from lxml import etree
from requests.auth import HTTPDigestAuth
from urllib3.exceptions import HTTPError

from pipeline.cameras.links import host_name
from pipeline.targets import Targets
from producer.cameras.onvif.xml import LARGEST_ANSWER, AnswerError, parsed
from producer.sources.http.deadline import Adapter
from producer.sources.http.request import read, reason
from producer.sources.source import CaptureError

_NO_XML: Final = {401: "it asks for a login that is neither ONVIF's nor digest", 404: "it has no ONVIF there"}


class Transport:
    """Takes the place of the library's own transport, which follows redirections and reads without a limit.

    Requests go to `host` only, where the `targets` allow. Each may take `timeout` s. The password is sent
    hashed only, in the message or as HTTP's digest.
    """

    cache = None  # of the descriptions of services, which come with the library

    def __init__(self, host: str, targets: Targets, timeout: float, user: str, password: str) -> None:
        self._host = host_name(host)
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = HTTPDigestAuth(user, password) if user else None
        for scheme in "http://", "https://":
            self._session.mount(scheme, Adapter(targets))

    async def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> requests.Response:
        """Send a message; return the answer, whose body is XML. Raises `AnswerError`."""
        return await asyncio.to_thread(self._post, address, etree.tostring(envelope), dict(headers))

    async def aclose(self) -> None:
        """Close the connections."""
        self._session.close()

    def _post(self, address: str, message: bytes, headers: dict[str, str]) -> requests.Response:
        if host_name(urlsplit(address).hostname or "") != self._host:
            raise AnswerError("its services are on another host")
        until = time.monotonic() + self._timeout
        try:
            answer = self._session.post(
                address,
                message,
                headers={"Accept-Encoding": "identity", **headers},
                timeout=self._timeout,
                stream=True,
                verify=False,  # cameras sign their own certificates
                allow_redirects=False,
            )
            with answer:
                body = self._body(answer, until)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise AnswerError(reason(error, self._timeout)) from None
        except CaptureError as error:
            raise AnswerError(str(error)) from None
        try:
            parsed(body)  # the library's own parser is not as strict
        except AnswerError:
            if answer.status_code == 200:
                raise
            known = _NO_XML.get(answer.status_code, f"it answers {answer.status_code}")
            raise AnswerError(f"{known} ({urlsplit(address).path})") from None
        found = requests.Response()
        found.status_code, found.headers, found.raw = answer.status_code, answer.headers, BytesIO(body)
        return found

    def _body(self, answer: requests.Response, until: float) -> bytes:
        body = b""
        while data := read(answer, max(0.01, until - time.monotonic())):
            body += data
            if len(body) > LARGEST_ANSWER:
                raise AnswerError(f"expected an answer of at most {LARGEST_ANSWER} bytes, found more")
        return body
