"""HTTP around the API, without a network."""

import asyncio
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tfserving.server.strategies import BODIES
from tfserving.server.errors import Code, ServingError
from tfserving.server.rest import RestApi
from tfserving.server.route import Route

PREDICT = "/v1/models/m:predict"
GZIP = {"content-encoding": "gzip"}


@dataclass
class Answer:
    """What an application has sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> Any:
        """The message of a failure."""
        return json.loads(self.body)["error"]


def ask(
    app: RestApi, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> Answer:
    """Send one request to an application, its body in two parts."""
    path, _, query = path.partition("?")
    parts: list[dict[str, Any]] = [{"body": body[:5], "more_body": True}, {"body": body[5:]}]
    messages = iter([{"type": "http.request", **part} for part in parts])
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(messages)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query.encode("utf-8", "surrogatepass"),
        "headers": [(key.encode(), value.encode()) for key, value in (headers or {}).items()],
    }
    asyncio.run(app(scope, receive, send))
    got = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], got, sent[1]["body"])


@pytest.fixture(scope="module")
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def application(executor: ThreadPoolExecutor) -> Callable[..., RestApi]:
    """Return an application that answers with what a function returns."""

    def application(compute: Callable[[Route, bytes], bytes], **options: Any) -> RestApi:
        return RestApi(compute, executor, **options)

    return application


def repeat(route: Route, body: bytes) -> bytes:
    """Answer with the request."""
    return f"{route.verb} {route.name} ".encode() + body


Application = Callable[..., RestApi]


def test_the_body_is_put_together(application: Application) -> None:
    answer = ask(application(repeat), "POST", PREDICT, b"some long body")

    assert answer.status == 200
    assert answer.body == b"predict m some long body"
    assert answer.headers["content-type"] == "application/json"


def test_a_gzipped_body_is_unpacked(application: Application) -> None:
    answer = ask(application(repeat), "POST", PREDICT, gzip.compress(b"abc"), headers=GZIP)

    assert answer.body == b"predict m abc"


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", gzip.compress(b"abc")[:-3], gzip.compress(bytes(101 << 20))]
)
def test_a_gzipped_body_that_is_broken_or_too_large_is_refused(application: Application, body: bytes) -> None:
    answer = ask(application(repeat), "POST", PREDICT, body, headers=GZIP)

    assert answer.status == 400
    assert "Failed to uncompress" in answer.error


@pytest.mark.parametrize("path", ["/", "/v1", "/statuspage", "/v2/models/m", "/%76%31/models/m"])
def test_other_paths_are_not_found(application: Application, path: str) -> None:
    answer = ask(application(repeat), "GET", path)

    assert answer.status == 404
    assert answer.headers["content-type"] == "text/html"


def test_a_query_makes_a_post_malformed(application: Application) -> None:
    answer = ask(application(repeat), "POST", f"{PREDICT}?x=1")

    assert answer.status == 400
    assert answer.error == f"Malformed request: POST {PREDICT}?x=1"


def test_a_version_beyond_int64_has_an_empty_answer(application: Application) -> None:
    answer = ask(application(repeat), "GET", f"/v1/models/m/versions/{2**63}")

    assert (answer.status, answer.body) == (400, b"")


@pytest.mark.parametrize(
    ("headers", "status"), [({"origin": "https://a"}, 200), ({"origin": "a"}, 400), ({}, 400)]
)
def test_options_ask_for_an_origin(application: Application, headers: dict[str, str], status: int) -> None:
    answer = ask(application(repeat), "OPTIONS", "/v1/anything", headers=headers)

    assert (answer.status, answer.body) == (status, b"")


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
def test_other_origins_are_let_in_on_demand(application: Application, method: str) -> None:
    closed = ask(application(repeat), method, PREDICT, headers={"origin": "http://a"})
    opened = ask(application(repeat, cors=True), method, PREDICT, headers={"origin": "http://a"})

    assert "access-control-allow-origin" not in closed.headers
    assert opened.headers["access-control-allow-origin"] == "*"
    assert opened.headers["access-control-allow-methods"] == "POST, GET"
    assert opened.headers["access-control-allow-headers"] == "Content-Type"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (Code.INVALID_ARGUMENT, 400),
        (Code.FAILED_PRECONDITION, 400),
        (Code.OUT_OF_RANGE, 400),
        (Code.UNAUTHENTICATED, 401),
        (Code.PERMISSION_DENIED, 403),
        (Code.NOT_FOUND, 404),
        (Code.ALREADY_EXISTS, 409),
        (Code.ABORTED, 409),
        (Code.RESOURCE_EXHAUSTED, 429),
        (Code.CANCELLED, 499),
        (Code.UNKNOWN, 500),
        (Code.INTERNAL, 500),
        (Code.DATA_LOSS, 500),
        (Code.UNIMPLEMENTED, 501),
        (Code.UNAVAILABLE, 503),
        (Code.DEADLINE_EXCEEDED, 504),
    ],
)
def test_a_failure_has_the_status_of_its_code(application: Application, code: Code, status: int) -> None:
    def fail(*_: object) -> bytes:
        raise ServingError(code, 'why: "é"')

    answer = ask(application(fail), "POST", PREDICT)

    assert (answer.status, answer.error) == (status, 'why: "é"')


def test_a_fault_of_the_server_is_logged_and_not_shown(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> bytes:
        raise ZeroDivisionError("secret")

    answer = ask(application(fail), "POST", PREDICT)

    assert (answer.status, answer.error) == (500, "Internal error: ZeroDivisionError")
    assert "secret" in caplog.text


def test_a_request_has_a_time_limit(application: Application) -> None:
    go = threading.Event()

    def wait(*_: object) -> bytes:
        go.wait(10)
        return b""

    started = time.monotonic()
    answer = ask(application(wait, timeout=0.1), "POST", PREDICT)
    took = time.monotonic() - started
    go.set()

    assert answer.status == 504
    assert took < 5


@given(
    st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS"]),
    st.text().map("/v1/models/".__add__) | st.text().map("/".__add__) | st.just(PREDICT),
    BODIES,
)
def test_any_request_has_an_answer(method: str, path: str, body: bytes) -> None:
    with ThreadPoolExecutor(1) as executor:
        answer = ask(RestApi(repeat, executor), method, path, body)

    assert answer.status in {200, 400, 404}
