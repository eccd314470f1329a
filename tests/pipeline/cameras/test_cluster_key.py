"""The key in a Secret of the cluster: found, created, refused."""

import base64
import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.cameras import cluster_key
from pipeline.cameras.cluster_key import ClusterKey, FetchError
from pipeline.cameras.seal import Seal, new_key

SECRETS = "/api/v1/namespaces/here/secrets"
NAMED = f"{SECRETS}/cameras-key"


class Api(ThreadingHTTPServer):
    """An API server with at most one Secret; `forced` are answers that it gives instead, in turn."""

    def handle_error(self, *_: object) -> None:
        """A client that does not trust the server hangs up."""

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


def account(folder: Path, address: str) -> tuple[Path, Path]:
    """Write a pod's account to a folder; return the certificate and key of an API server at an address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kube-apiserver")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    authority, private = folder / "ca.crt", folder / "server.key"
    authority.write_bytes(signed.public_bytes(Encoding.PEM))
    plain = NoEncryption()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, plain))
    (folder / "token").write_text("token-1")
    (folder / "namespace").write_text("here")
    return authority, private


@pytest.mark.parametrize("is_known", [True, False])
def test_in_a_pod_only_the_clusters_own_api_server_gets_the_token(
    api: Api,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_known: bool,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*account(tmp_path, "127.0.0.1" if is_known else "127.0.0.2"))
    api.socket = context.wrap_socket(api.socket, server_side=True)
    monkeypatch.setattr(cluster_key, "_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(api.server_address[1]))

    status = cluster_key.main(["cameras-key", str(tmp_path / "key")])

    if is_known:
        assert status == 0
        Seal((tmp_path / "key").read_text().split())
        assert api.tokens == {"Bearer token-1"}
    else:
        assert status == 1
        assert "certificate verify failed" in capsys.readouterr().err
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
