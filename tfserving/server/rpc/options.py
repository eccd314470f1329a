"""The options of the gRPC server, from the flags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from tfserving.server import text_proto
from tfserving.server.errors import invalid
from tfserving.server.flags import Flags
from tfserving.server.rpc.ssl_config_pb2 import SSLConfig


@dataclass(frozen=True, slots=True)
class RpcOptions:
    """The options of the gRPC server.

    Without credentials, there is no TLS. Port 0 means no port if there is a socket, otherwise any free port.
    """

    host: str = ""
    port: int = 0
    socket_path: str = ""
    threads: int = 8
    health: bool = False
    as_content: bool = False
    credentials: grpc.ServerCredentials | None = None
    channel: Sequence[tuple[str, int | str]] = ()


def options(flags: Flags) -> RpcOptions:
    """Return the options that the flags set; raise ServingError if a flag, or a file it names, is invalid."""
    file = flags.ssl_config_file
    return RpcOptions(
        host=flags.host,
        port=flags.port,
        socket_path=flags.grpc_socket_path,
        threads=flags.grpc_max_threads,
        health=flags.enable_grpc_healthcheck_service,
        as_content=flags.enable_serialization_as_tensor_content,
        credentials=credentials(Path(file)) if file else None,
        channel=channel_arguments(flags.grpc_channel_arguments),
    )


def credentials(path: Path) -> grpc.ServerCredentials:
    """Return the credentials from the text file of an SSLConfig.

    Raises ServingError: NOT_FOUND if the file cannot be read, INVALID_ARGUMENT if it holds no credentials.
    """
    config = text_proto.read(path, SSLConfig(), is_secret=True)
    if not config.server_key or not config.server_cert:
        raise invalid(f"{path}: expected server_key and server_cert, a key and a certificate in PEM format")
    if config.client_verify and not config.custom_ca:
        raise invalid(f"{path}: client_verify needs custom_ca, the CA certificates that sign the clients'")
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        config.custom_ca.encode() or None,
        config.client_verify,
    )


def channel_arguments(text: str) -> list[tuple[str, int | str]]:
    """Return gRPC's options from `name=value,name=value`; whole numbers become integers.

    Raises ServingError (INVALID_ARGUMENT) for a part without a value.
    """
    arguments: list[tuple[str, int | str]] = []
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise invalid(f"--grpc_channel_arguments: expected name=value, found {part!r}")
        digits = value.removeprefix("-")
        arguments.append((name, int(value) if digits.isascii() and digits.isdigit() else value))
    return arguments
