"""Requests from jobs: where the token goes, and which certificates are accepted."""

import ssl
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.error import URLError

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from training.backend import Backend

LIMIT = 60.0  # s


class Handler(BaseHTTPRequestHandler):
    """Notes who asks; leads from /there to `target`."""

    seen: ClassVar[list[tuple[str, str | None]]] = []
    target: ClassVar[str] = ""

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        leads = self.path == "/there"
        self.send_response(302 if leads else 200)
        if leads:
            self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def a_certificate(folder: Path, name: str) -> Path:
    """Write a certificate for a name, signed by itself, and its key; return the file of both."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[str]:
    """Run the server; yield its address."""
    Handler.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def get(backend: Backend, url: str) -> int:
    """Return the status of an answer."""
    with backend.open(urllib.request.Request(url), LIMIT) as answer:
        return answer.status


def test_each_request_has_the_token_but_not_after_a_redirection() -> None:
    with serving() as base:
        Handler.target = f"{base}/elsewhere"

        assert get(Backend("a-token"), f"{base}/there") == 200

    assert Handler.seen == [("/there", "Bearer a-token"), ("/elsewhere", None)]


def test_without_a_token_nothing_is_sent() -> None:
    with serving() as base:
        get(Backend(), f"{base}/x")

    assert Handler.seen == [("/x", None)]


def test_the_given_certificate_is_accepted_whatever_its_name(tmp_path: Path) -> None:
    certificate = a_certificate(tmp_path, "train.example")

    with serving(certificate) as base:
        assert get(Backend("a-token", certificate), f"{base}/x") == 200


def test_any_other_certificate_is_refused_before_the_token_is_sent(tmp_path: Path) -> None:
    ours, other = a_certificate(tmp_path, "train.example"), a_certificate(tmp_path, "other.example")
    # The authorities that follow in the file have signed those of many servers.
    chain = tmp_path / "chain.pem"
    chain.write_bytes(ours.read_bytes() + other.read_bytes())

    with serving(other) as base:
        for accepted in (ours, chain, None):
            with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
                get(Backend("a-token", accepted), f"{base}/x")

    assert Handler.seen == []


def test_a_renewed_certificate_counts_at_once(tmp_path: Path) -> None:
    ours, renewed = a_certificate(tmp_path, "train.example"), a_certificate(tmp_path, "renewed.example")
    backend = Backend("a-token", ours)
    ours.write_bytes(renewed.read_bytes())

    with serving(renewed) as base:
        assert get(backend, f"{base}/x") == 200


def test_a_file_without_a_certificate_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()

    with pytest.raises(OSError, match=r"empty\.pem: expected a certificate"):
        get(Backend("a-token", tmp_path / "empty.pem"), "https://127.0.0.1:9/x")
