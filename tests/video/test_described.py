"""The server answers as its OpenAPI description says: schemathesis asks, with a login and without."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from compose.broker import Broker
from pipeline.access import token
from pipeline.access.logouts import Logouts
from pipeline.access.password import hashed
from pipeline.access.session import Sessions
from pipeline.access.users import Users
from pipeline.access.users_file import User, UsersFile, write
from pipeline.access.write_token import WriteAccess
from tests.pipeline.access.conftest import TOKEN
from tests.video.api.conftest import labelled
from tests.video.changing import changing
from tests.video.conftest import a_page
from tests.video.fakes import Site

pytestmark = pytest.mark.parts

ENDLESS = ("/", "/stream", "/stream/{camera}", "/api/events")
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    schemathesis.checks.not_a_server_error,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a page and a users file."""
    folder = tmp_path_factory.mktemp("described")
    ann = User(
        password=hashed("correct horse"),
        cameras=["door", "porch"],
        tokens={"api": token.digest(TOKEN)},
        roles=["operator"],
    )
    write(folder / "users.json", UsersFile(secret="s" * 32, users={"ann": ann}))
    with a_page(folder):
        yield folder


@pytest.fixture(scope="module")
def sites(folder: Path) -> Iterator[Mapping[str, Site]]:
    """A server that is open, and one for ann only; both have the same cameras, and follow a topic."""
    users = Users(folder / "users.json")
    logouts = Logouts(users)
    logouts.are_known = True
    with ExitStack() as stack:
        broker = stack.enter_context(Broker({"cameras": 1}))
        sites = {}
        for kind, sessions in ("open", None), ("closed", Sessions(users, 3600, logouts)):
            writes = WriteAccess("a-token-of-24-characters")
            site = stack.enter_context(changing(broker, sessions=sessions, writes=writes))
            site.show(labelled("tie"), labelled("tie", camera="yard"), labelled("tie", camera="porch"))
            sites[kind] = site
        yield sites


@pytest.fixture(scope="module")
def description(sites: Mapping[str, Site]) -> dict[str, Any]:
    """The description."""
    found: dict[str, Any] = json.loads(sites["open"].get("/api/openapi.json")[1])
    return found


def expect_described(
    description: dict[str, Any], path: str, method: str, status: int, sent: Mapping[str, str]
) -> None:
    """Check that a status and its headers are described for an address."""
    responses = description["paths"][path][method]["responses"]
    assert str(status) in responses, f"{method} {path} answers {status}"
    described = {name.lower() for name in responses[str(status)]["headers"]}
    assert {name.lower() for name in sent} - {"content-type"} <= described, f"{method} {path} {status}"


def test_it_is_valid(description: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(description).validate()


@pytest.mark.parametrize(
    ("kind", "headers"), [("open", {}), ("closed", BEARER), ("closed", {})], ids=["open", "in", "out"]
)
def test_all_answers_are_described(
    sites: Mapping[str, Site], description: dict[str, Any], kind: str, headers: dict[str, str]
) -> None:
    schema = schemathesis.openapi.from_dict(description)
    statuses: dict[str, set[int]] = {}

    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]
        if operation.path in ENDLESS and operation.method == "get":
            continue
        seen = statuses.setdefault(f"{operation.method} {operation.path}", set())

        @given(
            operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE)
        )
        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        def ask(case: schemathesis.Case[Any]) -> None:
            answer = case.call(
                base_url=f"http://127.0.0.1:{sites[kind].port}", headers=headers, allow_redirects=False
            )
            seen.add(answer.status_code)  # noqa: B023
            case.validate_response(answer, checks=CHECKS)
            sent = {name: ", ".join(values) for name, values in answer.headers.items()}
            expect_described(description, case.path, case.method.lower(), answer.status_code, sent)

        ask()

    assert len(statuses) >= 20
    if kind == "closed" and not headers:
        assert 401 in statuses["get /api/cameras"]
    else:
        assert statuses["get /api/cameras"] == {200}
    if kind == "open":
        assert 201 in statuses["post /api/cameras"] | statuses["put /api/cameras/{camera}"]


@pytest.mark.parametrize("path", ENDLESS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_beginnings_of_endless_answers_are_described(
    sites: Mapping[str, Site], description: dict[str, Any], path: str, method: str
) -> None:
    for kind, headers in ("open", {}), ("closed", BEARER), ("closed", {}), ("open", {"Host": "evil.example"}):
        for accept in ("*/*", "text/html"):
            with sites[kind].ask(path.format(camera="door"), method, Accept=accept, **headers) as answer:
                expect_described(description, path, method.lower(), answer.status, dict(answer.headers))


SPECIAL: list[tuple[str, str, dict[str, str]]] = [
    ("/", "get", {"Accept": "text/html", "Range": "bytes=0-3"}),
    ("/", "get", {"Accept": "text/html", "Range": "bytes=9000-"}),
    ("/page/{file}", "get", {"Range": "bytes=0-3"}),
    ("/page/{file}", "get", {"If-None-Match": "ETAG"}),
    ("/api/cameras", "get", {"X": "y" * 70_000}),
    ("/api/streams", "get", {"Origin": "http://evil.example"}),
    ("/api/cameras", "get", {"Host": "evil.example"}),
    ("/login", "post", {"Content-Type": "application/json"}),
    ("/login", "post", {"Origin": "http://evil.example"}),
    ("/logout", "post", {}),
    ("/", "get", {"token": "wrong"}),
    ("/", "get", {"token": "a-token-of-24-characters"}),
    ("/api/cameras", "post", {"Content-Type": "text/plain"}),
    ("/api/cameras", "post", {"X-Forwarded-For": "192.0.2.1"}),
    ("/api/previews", "post", {"Origin": "http://evil.example"}),
]


@pytest.mark.parametrize(("path", "method", "headers"), SPECIAL)
def test_special_answers_are_described(
    sites: Mapping[str, Site], description: dict[str, Any], path: str, method: str, headers: dict[str, str]
) -> None:
    site = sites["open"]
    real = path.format(file="app.js")
    headers = dict(headers)
    if token := headers.pop("token", None):
        real, headers["X-Forwarded-For"] = f"{real}?token={token}", "192.0.2.1"
    if "If-None-Match" in headers:
        with site.ask(real) as answer:
            headers = {"If-None-Match": answer.headers["ETag"]}

    with site.ask(real, method.upper(), **headers) as answer:
        expect_described(description, path, method, answer.status, dict(answer.headers))


STREAM = "/{camera}:{model}:inferred"


@pytest.mark.parametrize(
    "more", [{}, {"Sec-WebSocket-Key": "short"}, {"Sec-WebSocket-Version": "7"}, {"Origin": "http://evil"}]
)
@pytest.mark.parametrize(
    ("path", "real"),
    [("/ws", "/ws"), (STREAM, "/door:imagenet_1:inferred"), (STREAM, "/a:b:c:inferred")],
    ids=["page", "stream", "no stream"],
)
def test_a_handshake_is_described(
    sites: Mapping[str, Site], description: dict[str, Any], path: str, real: str, more: dict[str, str]
) -> None:
    handshake = {
        "Host": "localhost",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "c3RyZWFtbGVucy1zdHJlYQ==",
        **more,
    }
    connection = http.client.HTTPConnection("127.0.0.1", sites["open"].port, timeout=20)
    connection.putrequest("GET", real, skip_host=True)
    for name, value in handshake.items():
        connection.putheader(name, value)
    connection.endheaders()
    with connection.getresponse() as answer:
        expect_described(description, path, "get", answer.status, dict(answer.headers))
    connection.close()
