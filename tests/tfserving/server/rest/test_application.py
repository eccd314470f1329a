"""The API behind HTTP, without a network."""

import asyncio
import gc
import gzip
import json
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tfserving.server.strategies import BODIES
from tfserving.server.errors import Code, ServingError
from tfserving.server.monitoring.monitoring import DEFAULT_PATH, Monitor
from tfserving.server.rest.application import RestApi
from tfserving.server.rest.asgi import LARGEST_BODY
from tfserving.server.rest.route import Route

PREDICT = "/v1/models/m:predict"
GZIP = {"content-encoding": "gzip"}


@dataclass
class Answer:
    """The response that an application has sent."""

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
    parts: list[dict[str, Any]] = [{"body": body[:5], "more_body": True}, {"body": body[5:]}]
    messages = iter([{"type": "http.request", **part} for part in parts])
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        for message in messages:
            return message
        return await asyncio.Future()

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope_of(method, path, headers), receive, send))
    got = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], got, sent[1]["body"])


def scope_of(method: str, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the scope of a request."""
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "method": method,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query.encode("utf-8", "surrogatepass"),
        "headers": [(key.encode(), value.encode()) for key, value in (headers or {}).items()],
    }


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


def test_a_body_in_parts_is_joined(application: Application) -> None:
    answer = ask(application(repeat), "POST", PREDICT, b"some long body")

    assert answer.status == 200
    assert answer.body == b"predict m some long body"
    assert answer.headers["content-type"] == "application/json"


def test_a_gzipped_body_is_decompressed(application: Application) -> None:
    answer = ask(application(repeat), "POST", PREDICT, gzip.compress(b"abc", mtime=0), headers=GZIP)

    assert answer.body == b"predict m abc"


@pytest.mark.parametrize(
    "body", [b"nonsense", gzip.compress(b"abc", mtime=0)[:-3], gzip.compress(bytes(LARGEST_BODY + 1))]
)
def test_a_gzipped_body_that_is_broken_or_too_large_is_refused(application: Application, body: bytes) -> None:
    answer = ask(application(repeat), "POST", PREDICT, body, headers=GZIP)

    assert answer.status == 400
    assert "Failed to uncompress" in answer.error


def test_a_body_of_exactly_the_limit_is_decompressed(application: Application) -> None:
    body = gzip.compress(bytes(LARGEST_BODY))

    answer = ask(application(lambda _, body: b"%d" % len(body)), "POST", PREDICT, body, headers=GZIP)

    assert answer.body == b"%d" % LARGEST_BODY


@pytest.mark.parametrize(("method", "body"), [("POST", b""), ("GET", b"nonsense")])
def test_a_request_without_a_gzipped_body_is_not_decompressed(
    application: Application, method: str, body: bytes
) -> None:
    path = PREDICT if method == "POST" else "/v1/models/m"

    answer = ask(application(repeat), method, path, body, headers=GZIP)

    assert answer.status == 200


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
def test_options_need_an_origin(application: Application, headers: dict[str, str], status: int) -> None:
    answer = ask(application(repeat), "OPTIONS", "/v1/anything", headers=headers)

    assert (answer.status, answer.body) == (status, b"")


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
def test_cross_origin_requests_are_allowed_by_a_flag(application: Application, method: str) -> None:
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


def test_an_error_quotes_the_path_as_it_came(application: Application) -> None:
    answer = ask(application(repeat), "POST", "/v1/models/é/%C3%A9")

    assert answer.error == "Malformed request: POST /v1/models/é/%C3%A9"


def test_only_ascii_letters_match_case_insensitively(application: Application) -> None:
    assert ask(application(repeat), "POST", "/V1/MODELS/m:predict").status == 200
    assert ask(application(repeat), "POST", "/v1/model\u017f/m:predict").status == 400


def test_a_request_whose_client_has_gone_is_not_started(
    application: Application, executor: ThreadPoolExecutor
) -> None:
    go, begun = threading.Event(), threading.Event()
    busy = [executor.submit(go.wait, 10) for _ in range(2)]

    def begin(*_: object) -> bytes:
        begun.set()
        return b""

    app = application(begin)
    sent: list[MutableMapping[str, Any]] = []

    async def leave() -> None:
        messages: list[dict[str, Any]] = [{"type": "http.disconnect"}, {"type": "http.request"}]

        async def receive() -> MutableMapping[str, Any]:
            return messages.pop()

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await app(scope_of("POST", PREDICT), receive, send)

    asyncio.run(leave())
    go.set()
    wait(busy)
    executor.submit(int).result(10)

    assert sent[0]["status"] == 499
    assert not begun.is_set()


def test_requests_are_counted_with_their_model_and_status(application: Application) -> None:
    monitor = Monitor()

    def sometimes(route: Route, _: bytes) -> bytes:
        if route.name == "none":
            raise ServingError(Code.NOT_FOUND, "no such model")
        return b"{}"

    app = application(sometimes, monitor=monitor, metrics_path="/metrics")
    ask(app, "POST", PREDICT)
    ask(app, "GET", "/v1/models/m")
    ask(app, "POST", "/v1/models/no%6ee:predict")
    ask(app, "GET", f"/v1/models/m/versions/{2**63}")
    ask(app, "PUT", PREDICT)
    ask(app, "OPTIONS", PREDICT)
    ask(app, "GET", "/elsewhere")
    text = ask(app, "GET", "/metrics").body.decode()

    counts = [line for line in text.splitlines() if line.startswith(":tensorflow:serving:request_count{")]
    assert counts == [
        ':tensorflow:serving:request_count{model_name="",status="FAILED_PRECONDITION"} 1',
        ':tensorflow:serving:request_count{model_name="",status="INVALID_ARGUMENT"} 1',
        ':tensorflow:serving:request_count{model_name="m",status="INVALID_ARGUMENT"} 1',
        ':tensorflow:serving:request_count{model_name="m",status="OK"} 2',
        ':tensorflow:serving:request_count{model_name="none",status="NOT_FOUND"} 1',
    ]
    latency = ":tensorflow:serving:request_latency_count{"
    assert [line for line in text.splitlines() if line.startswith(latency)] == [
        f'{latency}model_name="m",API="",entrypoint="REST"}} 1',
        f'{latency}model_name="m",API="predict",entrypoint="REST"}} 1',
    ]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/metrics", "/v1/metrics"])
def test_metrics_are_served_at_their_path(application: Application, method: str, path: str) -> None:
    answer = ask(application(repeat, metrics_path=path), method, path)

    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
    assert b"# TYPE :tensorflow:serving:request_count counter" in answer.body.splitlines()


def test_metrics_take_no_query(application: Application) -> None:
    answer = ask(application(repeat, metrics_path="/metrics"), "GET", "/metrics?x=1")

    assert (answer.status, answer.headers["content-type"]) == (400, "text/plain")
    assert answer.body == b"Unexpected path: /metrics?x=1. Should be /metrics"


def test_without_monitoring_there_are_no_metrics(application: Application) -> None:
    assert ask(application(repeat), "GET", DEFAULT_PATH).status == 404


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]
PATHS = st.lists(
    st.sampled_from(
        "/v1 /V1/models /m /versions /labels /7 :predict :classify /metadata ?x # % %2F %ff / é /metrics"
        f" {2**63}".split()
    )
    | st.text()
).map("".join)
HEADERS = st.dictionaries(
    st.sampled_from(["origin", "content-encoding", "content-type", "expect", "x"]),
    st.sampled_from(["gzip", "http://a", "https://", "", "br, gzip", "text/html"]) | st.text(),
)


@given(st.sampled_from(METHODS), PATHS, HEADERS, BODIES | BODIES.map(gzip.compress), st.booleans())
def test_any_request_gets_a_documented_answer(
    method: str, path: str, headers: dict[str, str], body: bytes, cors: bool
) -> None:
    with ThreadPoolExecutor(1) as executor:
        app = RestApi(repeat, executor, cors=cors, metrics_path="/metrics")
        answer = ask(app, method, "/" + path.lstrip("/"), body, headers)

    assert answer.status in {200, 400, 404}
    assert int(answer.headers["content-length"]) == len(answer.body)
    kind = answer.headers.get("content-type")
    if kind == "application/json" and answer.status == 400 and answer.body:
        assert isinstance(answer.error, str)
        assert "Internal" not in answer.error
    if answer.status == 404:
        assert kind == "text/html"
    if method == "OPTIONS" and kind is None:
        assert answer.body == b""
    if kind in {"application/json", None}:
        assert ("access-control-allow-origin" in answer.headers) == cors


def test_a_failed_request_leaves_its_body_to_no_collection(executor: ThreadPoolExecutor) -> None:
    def fail(*_: object) -> bytes:
        raise ServingError(Code.INVALID_ARGUMENT, "no")

    app = RestApi(fail, executor)
    ask(app, "POST", PREDICT, b"x")
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(20):
            assert ask(app, "POST", PREDICT, b"x" * 1_000_000).status == 400
        assert tracemalloc.get_traced_memory()[0] < 5_000_000
    finally:
        tracemalloc.stop()
        gc.enable()


def test_a_failure_after_the_timeout_is_not_reported_as_an_error(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    go = threading.Event()

    def fail(*_: object) -> bytes:
        assert go.wait(10)
        raise ServingError(Code.INVALID_ARGUMENT, "no")

    app = application(fail, timeout=0.05)

    async def send(_: MutableMapping[str, Any]) -> None:
        go.set()

    async def ask_and_stay() -> None:
        messages: list[dict[str, Any]] = [{"type": "http.request"}]

        async def receive() -> MutableMapping[str, Any]:
            return messages.pop() if messages else await asyncio.Future()

        await app(scope_of("POST", PREDICT), receive, send)
        for _ in range(100):  # until the loop has the failure
            await asyncio.sleep(0.01)

    asyncio.run(ask_and_stay())
    gc.collect()

    assert "asyncio" not in {record.name for record in caplog.records}
