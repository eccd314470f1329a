"""Clients of model servers: REST and gRPC alike."""

import re
import threading
from typing import Final, Protocol

from consumer.model_server.rest_client import RestClient
from consumer.model_server.tensors import Array, Signature, Tensors

GRPC_URL: Final = re.compile(
    r"(?P<scheme>grpcs?)://(?P<host>[^/\s@]+)/v1/models/(?P<name>[^/:\s]+)"
    r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:\s]+))?(?::predict)?"
)
"""What names a model: `grpc://host:8500/v1/models/imagenet`; `grpcs` is gRPC over TLS."""


class Client(Protocol):
    """Asks one model; `predict` and `close` are for one thread, the rest for any."""

    def predict(self, inputs: Tensors) -> dict[str, Array]:
        """Return the outputs for a batch; raise ModelError where there is no sensible answer."""
        ...

    def signature(self) -> Signature:
        """Return the model's signature; raise ModelError where it cannot be had."""
        ...

    def missing(self) -> str | None:
        """Return why the server does not offer the model, or None; takes a second at most."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def connect(url: str, timeout: float) -> Client:
    """Return a client of the model at an `http(s)` or `grpc(s)` URL; `timeout` in s bounds each question."""
    if not url.startswith("grpc"):
        return RestClient(url, timeout)
    # It takes 15 MB of memory.
    from consumer.model_server.grpc_client import RpcClient  # noqa: PLC0415

    return RpcClient(url, timeout)


class KnownSignature:
    """A model's signature, asked for when it is first needed and again once forgotten; for any thread."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._signature: Signature | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Signature:
        """Return the signature; raise ModelError where it cannot be had."""
        with self._lock:
            if self._signature is None:
                self._signature = self._client.signature()
            return self._signature

    def forget(self) -> None:
        """Ask again when it is next needed: the model may have changed."""
        with self._lock:
            self._signature = None
