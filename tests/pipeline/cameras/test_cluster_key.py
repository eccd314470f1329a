"""The key in a Secret of the cluster: found, created, refused."""

import base64
import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.cameras import cluster_key
from pipeline.cameras.cluster_key import ClusterKey, FetchError
from pipeline.cameras.seal import new_key

SECRETS = "/api/v1/namespaces/here/secrets"
NAMED = f"{SECRETS}/cameras-key"


class Api(ThreadingHTTPServer):
    """An API server with at most one Secret; `forced` are answers that it gives instead, in turn."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.secret: dict[str, Any] | None = None
        self.forced: dict[str, list[int]] = {"GET": [], "POST": []}
        self.asked: list[tuple[str, str]] = []
        self.tokens: set[str | None] = set()

    def hold(self, keys: str, entry: str = "cameras.key") -> None:
        self.secret = {"data": {entry: base64.b64encode(keys.encode()).decode()}}

    def fetch(self) -> str:
        port = self.server_address[1]
        return ClusterKey(
            lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=20),
            "token-1",
            "here",
            "cameras-key",
        ).fetch()


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        self._note("GET")
        self._answer("GET", 200 if self.server.secret else 404)

    def do_POST(self) -> None:
        self._note("POST")
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.secret:
            return self._answer("POST", 409)
        if not self.server.forced["POST"]:
            self.server.hold(given["stringData"]["cameras.key"])
        return self._answer("POST", 201)

    def _note(self, method: str) -> None:
        self.server.asked.append((method, self.path))
        self.server.tokens.add(self.headers["Authorization"])

    def _answer(self, method: str, status: int) -> None:
        forced = self.server.forced[method]
        status = forced.pop(0) if forced else status
        body = self.server.secret if status in (200, 201) else {"message": f"because of {status}"}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_secret_that_exists_is_used_as_it_is(api: Api) -> None:
    first, second = new_key(), new_key()
    api.hold(f"{first},{second}")

    assert api.fetch() == f"{first}\n{second}\n"
    assert api.asked == [("GET", NAMED)]
    assert api.tokens == {"Bearer token-1"}


def test_a_missing_secret_is_created_once(api: Api) -> None:
    key = api.fetch()

    assert api.asked == [("GET", NAMED), ("POST", SECRETS)]
    assert api.fetch() == key


def test_of_two_pods_the_slower_one_uses_the_key_of_the_other(api: Api) -> None:
    key = new_key()
    api.hold(key)
    api.forced["GET"] = [404]

    assert api.fetch() == f"{key}\n"
    assert api.asked == [("GET", NAMED), ("POST", SECRETS), ("GET", NAMED)]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_account_without_rights_is_one_line_with_what_to_do(api: Api, method: str) -> None:
    api.forced[method] = [403]

    with pytest.raises(FetchError, match=r"may not get or create Secret cameras-key .*kubectl create secret"):
        api.fetch()


@pytest.mark.parametrize(
    ("keys", "entry", "says"),
    [
        ("x", "other", "expected an entry cameras.key"),
        ("not a key", "cameras.key", "expected Fernet keys"),
        (" \n", "cameras.key", "expected a Fernet key, found none"),
        ("ä", "cameras.key", "expected an entry cameras.key"),
    ],
)
def test_a_secret_with_another_content_is_named(api: Api, keys: str, entry: str, says: str) -> None:
    api.hold(keys, entry)

    with pytest.raises(FetchError, match=f"Secret cameras-key in namespace here.*{says}") as caught:
        api.fetch()

    assert "\n" not in str(caught.value)


def test_an_api_server_that_fails_is_quoted(api: Api) -> None:
    api.forced["GET"] = [500]

    with pytest.raises(FetchError, match="answers 500: because of 500"):
        api.fetch()


def test_an_api_server_that_is_away_is_named(api: Api) -> None:
    def connect() -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", 1, timeout=20)

    with pytest.raises(FetchError, match=r"does not answer at 127\.0\.0\.1:1"):
        ClusterKey(connect, "", "here", "cameras-key").fetch()
    assert api.asked == []


def test_outside_a_pod_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    assert cluster_key.main(["cameras-key", str(tmp_path / "key")]) == 1

    assert "expected to run in a pod" in capsys.readouterr().err


def test_the_file_is_for_its_owner_only_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "cameras.key"

    cluster_key.write(file, "one")
    cluster_key.write(file, "two")

    assert file.read_text() == "two"
    assert file.stat().st_mode & 0o777 == 0o600
