"""What the REST and the gRPC client have in common."""

from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.model_server.login import NO_LOGIN, Login
from pipeline.model_server.rest_client import RestClient
from pipeline.model_server.tensors import Array, Signature, Tensors
from pipeline.model_server.url import ModelUrl


class Client(Protocol):
    """Asks one model. One thread uses `predict`, `version` and `close`; any thread may use the rest."""

    @property
    def version(self) -> int | None:
        """The version of the model that gave the last answer, if the server says so."""
        ...

    def predict(self, inputs: Tensors, wanted: Sequence[str] = ()) -> dict[str, Array]:
        """Return the outputs for a batch; raise ModelError if there is no valid answer.

        Outputs that are not `wanted` may be missing; without any, all are.
        """
        ...

    def signature(self) -> Signature:
        """Return the model's signature; raise ModelError if it is not available."""
        ...

    def missing(self) -> str | None:
        """Return why the server does not offer the model, or None; takes at most a second."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def connect(
    url: ModelUrl,
    timeout: float,
    login: Login = NO_LOGIN,
    *,
    by_version: bool = False,
    reconnected: Callable[[], object] = lambda: None,
) -> Client:
    """Return a client of the model at a URL; each request may take `timeout` s.

    If its answers are to be `by_version`, the client finds out which version gives them. It calls
    `reconnected` whenever it is connected again after a connection was lost.
    """
    if not url.scheme.startswith("grpc"):
        return RestClient(url, timeout, login, by_version=by_version, reconnected=reconnected)
    # gRPC costs 15 MB of memory, so it is imported only where it is used.
    from pipeline.model_server.grpc_client import GrpcClient  # noqa: PLC0415

    return GrpcClient(url, timeout, login, reconnected=reconnected)
