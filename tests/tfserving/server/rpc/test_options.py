"""Flags become gRPC's options: credentials, channel arguments."""

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from tests.conftest import missing
from tfserving.server import flags
from tfserving.server.errors import Code, ServingError
from tfserving.server.rpc import options
from tfserving.server.rpc.options import RpcOptions

if TYPE_CHECKING:
    from tfserving.server.models.catalog import Catalog


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A key and the certificate for localhost that it signed itself, as PEM."""
    if not shutil.which("openssl"):
        missing("openssl", "install the package openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key -out cert -subj /CN=localhost"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        cwd=folder,
        capture_output=True,
    )
    return (folder / "key").read_text(), (folder / "cert").read_text()


def quoted(text: str) -> str:
    return '"' + text.replace("\n", "\\n") + '"'


def test_flags_become_grpc_options() -> None:
    flagged = flags.parse(
        [
            "--model_base_path=/m",
            "--port=1",
            "--grpc_socket_path=/s",
            "--grpc_max_threads=3",
            "--enable_grpc_healthcheck_service",
            "--enable_serialization_as_tensor_content",
            "--grpc_channel_arguments=grpc.max_concurrent_streams=7,grpc.primary_user_agent=a",
        ]
    )

    assert options.options(flagged) == RpcOptions(
        port=1,
        socket_path="/s",
        threads=3,
        health=True,
        as_content=True,
        channel=[("grpc.max_concurrent_streams", 7), ("grpc.primary_user_agent", "a")],
    )


@pytest.mark.parametrize("verify", [False, True])
def test_tls(rpc_catalog: "Catalog", tmp_path: Path, pair: tuple[str, str], verify: bool) -> None:
    from tfserving.server.rpc.server import RpcServer

    key, certificate = pair
    file = tmp_path / "ssl.pbtxt"
    text = f"server_key: {quoted(key)} server_cert: {quoted(certificate)}"
    if verify:
        text += f" custom_ca: {quoted(certificate)} client_verify: true"
    file.write_text(text)
    server = RpcServer(rpc_catalog, RpcOptions(credentials=options.credentials(file)))
    port = server.start()
    root = certificate.encode()
    known, unknown = (
        grpc.secure_channel(f"localhost:{port}", credentials)
        for credentials in (
            grpc.ssl_channel_credentials(root, key.encode(), root),
            grpc.ssl_channel_credentials(root),
        )
    )

    assert predicts(known)
    assert predicts(unknown) != verify
    server.close()


def predicts(channel: grpc.Channel) -> bool:
    """Tell whether a request is answered; close the channel."""
    from tests.tfserving.server.rpc_client import Client, request

    with channel:
        call = Client(channel).predictions.Predict.future(request(x=[1.0]), timeout=20)
        code = call.code()
    assert code in {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    return bool(code == grpc.StatusCode.OK)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, Code.NOT_FOUND),
        ("nonsense", Code.INVALID_ARGUMENT),
        ("", Code.INVALID_ARGUMENT),
        ('server_key: "k" server_cert: "c" client_verify: true', Code.INVALID_ARGUMENT),
    ],
)
def test_invalid_credentials_are_refused(tmp_path: Path, text: str | None, code: Code) -> None:
    file = tmp_path / "ssl.pbtxt"
    if text is not None:
        file.write_text(text)

    with pytest.raises(ServingError, match=r"ssl\.pbtxt") as caught:
        options.credentials(file)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "arguments"),
    [("", []), ("a=1,b=-2,c=x=y", [("a", 1), ("b", -2), ("c", "x=y")]), ("a=", [("a", "")])],
)
def test_channel_arguments(text: str, arguments: Any) -> None:
    assert options.channel_arguments(text) == arguments


def test_a_channel_argument_without_a_value_is_refused() -> None:
    with pytest.raises(ServingError, match="'a'"):
        options.channel_arguments("a")


@pytest.mark.parametrize(
    "text", ['server_key: "hunter2\n', "server_key: hunter2", 'server_key: "a" hunter2: 1']
)
def test_an_error_in_the_file_of_the_key_does_not_quote_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    file = tmp_path / "ssl.pbtxt"
    file.write_text(text)

    with pytest.raises(ServingError) as caught:
        options.credentials(file)

    assert "hunter2" not in f"{caplog.text} {caught.value}"
    assert " 1:" in caplog.text
