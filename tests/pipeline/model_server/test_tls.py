"""HTTPS: the certificates of the system are trusted, others are not."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.model_server.errors import ModelError
from tests.conftest import missing
from tests.consumer.fakes import Connection

pytestmark = pytest.mark.parts


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost that nobody else has signed; its key is next to it."""
    if not shutil.which("openssl"):
        missing("openssl", "install the package openssl")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout key.pem -out cert.pem"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
    )
    return tmp_path / "cert.pem"


@pytest.fixture
def base(certificate: Path) -> Iterator[str]:
    """The URL of a server with that certificate, which answers with the client's port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            text = str(self.client_address[1]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_certificate_that_the_system_trusts_is_accepted_and_the_connection_kept(
    base: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    connection = Connection(base, 10)

    ports = [connection.ask("/"), connection.ask("/")]

    assert ports[0] == ports[1]


def test_any_other_certificate_is_refused(base: str) -> None:
    with pytest.raises(ModelError, match="certificate") as caught:
        Connection(base, 10).ask("/")

    assert caught.value.kind == "broken"
