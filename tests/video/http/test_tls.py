"""TLS by certificate files."""

import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from pipeline.http.expiry import expiry
from pipeline.http.tls import Certificate
from pipeline.service.settings import SettingsError
from tests.conftest import missing

DAY = 24 * 3600


def make(folder: Path, name: str, *options: str) -> tuple[Path, Path]:
    """Make a key, and the certificate for localhost that it signed itself."""
    if not shutil.which("openssl"):
        missing("openssl", "install the package openssl")
    folder.mkdir()
    command = "openssl req -x509 -newkey rsa:2048 -days 30 -keyout key.pem -out cert.pem -addext"
    alternative = "subjectAltName=DNS:localhost"
    subprocess.run(
        [*command.split(), alternative, "-subj", f"/CN={name}", *(options or ("-nodes",))],
        check=True,
        cwd=folder,
        capture_output=True,
        timeout=60,
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key."""
    return make(tmp_path_factory.mktemp("tls") / "one", "one")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key, as they are renewed."""
    return make(tmp_path_factory.mktemp("tls") / "other", "other")


@pytest.fixture(scope="module")
def elliptic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate with a key of another type."""
    options = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    return make(tmp_path_factory.mktemp("tls") / "elliptic", "elliptic", *options)


@pytest.fixture
def files(tmp_path: Path, one: tuple[Path, Path]) -> tuple[Path, Path]:
    """The certificate files of a server."""
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    put(files, one)
    return files


def put(files: tuple[Path, Path], pair: tuple[Path, Path]) -> None:
    """Replace the files, each at once, as tools that renew certificates do."""
    for file, source in zip(files, pair, strict=True):
        new = file.with_suffix(".new")
        new.write_bytes(source.read_bytes())
        new.replace(file)


def served(certificate: Certificate, trusted: Path, ciphers: str = "") -> str | bool:
    """Return the name in the certificate that a client is shown, who trusts this one only.

    With `ciphers`, the client is limited to TLS 1.2 with these; False if there is none in common.
    """
    context = ssl.create_default_context(cafile=trusted)
    if ciphers:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
    here, there = socket.socketpair()
    with here, there:
        server = threading.Thread(target=lambda: greet(certificate, there), daemon=True)
        server.start()
        here.settimeout(20)
        try:
            with context.wrap_socket(here, server_hostname="localhost") as client:
                shown = client.getpeercert()
                assert client.recv(5) == b"hello"
        except ssl.SSLError as error:
            assert error.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE"  # noqa: PT017
            return False
        finally:
            server.join(20)
    assert shown is not None
    return str(dict(pair for part in shown["subject"] for pair in part)["commonName"])  # type: ignore[misc]


def greet(certificate: Certificate, connection: socket.socket) -> None:
    connection.settimeout(20)
    try:
        with certificate.context.wrap_socket(connection, server_side=True) as server:
            server.sendall(b"hello")
    except ssl.SSLError:  # the client does not trust it
        pass


@pytest.mark.outside
def test_a_client_that_trusts_the_certificate_is_served(
    files: tuple[Path, Path], one: tuple[Path, Path]
) -> None:
    assert served(Certificate(*files), one[0]) == "one"


@pytest.mark.outside
def test_a_renewed_certificate_is_served_without_a_restart(
    files: tuple[Path, Path], other: tuple[Path, Path]
) -> None:
    certificate = Certificate(*files)

    put(files, other)
    certificate.refresh()

    assert served(certificate, other[0]) == "other"


@pytest.mark.outside
def test_a_renewal_may_change_the_type_of_the_key_for_every_client(
    files: tuple[Path, Path], one: tuple[Path, Path], elliptic: tuple[Path, Path]
) -> None:
    certificate = Certificate(*files)

    for pair, name in (elliptic, "elliptic"), (one, "one"):
        put(files, pair)
        certificate.refresh()

        assert served(certificate, pair[0]) == name
        assert served(certificate, pair[0], ciphers="ECDHE-RSA-AES128-GCM-SHA256") == (name == "one" and name)


@pytest.mark.outside
@pytest.mark.parametrize(
    ("left", "level", "said"), [(8, "", ""), (6, "WARNING", "expires on"), (-1, "ERROR", "expired on")]
)
def test_a_certificate_is_reported_a_week_before_it_expires_and_each_day_then(
    files: tuple[Path, Path], caplog: pytest.LogCaptureFixture, left: int, level: str, said: str
) -> None:
    ends = expiry(files[0].read_bytes())
    now = ends - left * DAY

    certificate = Certificate(*files, clock=lambda: now)
    certificate.refresh()

    assert [record.levelname for record in caplog.records] == ([level] if level else [])
    assert said in caplog.text
    assert REGISTRY.get_sample_value("streamlens_certificate_expiry_seconds") == ends
    now += DAY
    certificate.refresh()
    assert len(caplog.records) == (2 if level else 1 if left == 8 else 0)


@pytest.mark.outside
def test_the_files_are_read_only_when_they_change(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = Certificate(*files)
    monkeypatch.setattr(certificate, "_load", lambda: pytest.fail("read without need"))

    certificate.refresh()


@pytest.mark.outside
@pytest.mark.parametrize("halfway", [True, False])
def test_a_broken_renewal_leaves_the_old_pair_and_is_logged_once(
    files: tuple[Path, Path],
    one: tuple[Path, Path],
    other: tuple[Path, Path],
    caplog: pytest.LogCaptureFixture,
    halfway: bool,
) -> None:
    certificate = Certificate(*files)
    if halfway:
        put(files, (other[0], one[1]))
    else:
        files[1].unlink()

    for _ in range(3):
        certificate.refresh()

    assert served(certificate, one[0]) == "one"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    put(files, other)
    certificate.refresh()
    assert served(certificate, other[0]) == "other"


@pytest.mark.outside
def test_an_old_version_of_tls_is_refused(files: tuple[Path, Path]) -> None:
    assert Certificate(*files).context.minimum_version == ssl.TLSVersion.TLSv1_2


def complaint(cert: Path, key: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        Certificate(cert, key)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.outside
def test_a_missing_file_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = files
    none = tmp_path / "none.pem"

    assert complaint(none, key) == f"TLSCERT='{none}': cannot be read: No such file or directory"
    assert complaint(cert, none) == f"TLSKEY='{none}': cannot be read: No such file or directory"
    assert complaint(tmp_path, key) == f"TLSCERT='{tmp_path}': cannot be read: Is a directory"


@pytest.mark.outside
def test_a_file_that_holds_something_else_is_named(
    files: tuple[Path, Path], other: tuple[Path, Path], elliptic: tuple[Path, Path]
) -> None:
    cert, key = files

    assert complaint(key, cert).startswith(f"TLSCERT='{key}': expected a certificate")
    assert complaint(cert, cert).startswith(f"TLSKEY='{cert}': expected a private key")
    for key_of_another in other[1], elliptic[1]:
        why = f"TLSKEY='{key_of_another}': is not the key of the certificate TLSCERT='{cert}'"
        assert complaint(cert, key_of_another) == why
    key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert complaint(cert, key).startswith(f"TLSCERT='{cert}', TLSKEY='{key}': cannot be used: ")


@pytest.mark.outside
def test_a_key_with_a_password_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    cert, key = make(tmp_path / "locked", "locked", "-passout", "pass:hunter22")

    assert complaint(cert, key).startswith(f"TLSKEY='{key}': is protected by a password")


def test_files_that_do_not_exist_or_hold_something_else_are_named(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    assert complaint(cert, key).startswith(f"TLSCERT='{cert}': cannot be read")
    cert.write_text("a diary")
    assert complaint(cert, key).startswith(f"TLSKEY='{key}': cannot be read")
    key.write_text("a diary")
    assert complaint(cert, key).startswith(f"TLSCERT='{cert}': expected a certificate")
    cert.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert complaint(cert, key).startswith(f"TLSKEY='{key}': expected a private key")
    key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    assert complaint(cert, key).startswith(f"TLSCERT='{cert}', TLSKEY='{key}': cannot be used")
