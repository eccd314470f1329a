"""Fetch the key to the cameras' links from a Secret of the cluster, which is created if it is missing.

    python -m pipeline.cameras.cluster_key cameras-key /keys/cameras.key

runs in an init container, with the token of a service account that may do no more than that. A Secret that
exists is used as it is: its entry `cameras.key` holds Fernet keys, one per line.
"""

import base64
import http.client
import json
import os
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.cameras.seal import Seal, SealError, new_key

ENTRY: Final = "cameras.key"
"""The entry of the Secret."""

_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_ANSWERING: Final = 10.0  # s
_LABELS: Final = {"app": "cameras-key", "app.kubernetes.io/part-of": "streamlens"}

Connect = Callable[[], http.client.HTTPConnection]
"""Opens a connection to the API server."""


class FetchError(Exception):
    """There is no key to be had from the cluster. The text says why, and what to do, in one line."""


class ClusterKey:
    """A Secret of a namespace, as the account with this token sees it."""

    def __init__(self, connect: Connect, token: str, namespace: str, name: str) -> None:
        self._connect = connect
        self._token = token
        self._path = f"/api/v1/namespaces/{namespace}/secrets"
        self._place = f"Secret {name} in namespace {namespace}"
        self._name = name

    def fetch(self) -> str:
        """Return the keys, one per line; raise `FetchError`."""
        status, found = self._ask("GET", f"{self._path}/{self._name}")
        if status == http.HTTPStatus.NOT_FOUND:
            status, found = self._ask("POST", self._path, self._new())
            if status == http.HTTPStatus.CONFLICT:  # another pod was faster
                status, found = self._ask("GET", f"{self._path}/{self._name}")
        if status not in {http.HTTPStatus.OK, http.HTTPStatus.CREATED}:
            raise FetchError(self._refusal(status, found))
        return self._keys(found)

    def _new(self) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": self._name, "labels": _LABELS},
            "stringData": {ENTRY: f"{new_key()}\n"},
        }

    def _ask(self, method: str, path: str, body: object = None) -> tuple[int, Mapping[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection = self._connect()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            found = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            host = f"{connection.host}:{connection.port}"
            raise FetchError(f"the cluster's API server does not answer at {host}: {error}") from None
        finally:
            connection.close()
        return answer.status, found if isinstance(found, dict) else {}

    def _refusal(self, status: int, found: Mapping[str, Any]) -> str:
        if status == http.HTTPStatus.FORBIDDEN:
            return (
                f"the service account may not get or create {self._place}: apply its Role and RoleBinding"
                f" (deployment.yml), or {self._by_hand()}"
            )
        return f"{self._place}: the API server answers {status}: {found.get('message', 'no reason')}"

    def _keys(self, found: Mapping[str, Any]) -> str:
        try:
            text = base64.b64decode(found["data"][ENTRY]).decode("ascii")
        except (KeyError, TypeError, ValueError):
            raise FetchError(f"{self._place}: expected an entry {ENTRY}: {self._by_hand()}") from None
        try:
            keys = [key for part in text.split(",") for key in part.split()]
            if not keys:
                raise SealError("expected a Fernet key, found none")
            Seal(keys)
        except SealError as error:
            raise FetchError(f"{self._place}, entry {ENTRY}: {error}") from None
        return "".join(f"{key}\n" for key in keys)

    def _by_hand(self) -> str:
        return (
            f"kubectl create secret generic {self._name}"
            f" --from-literal={ENTRY}=$(openssl rand -base64 32 | tr +/ -_)"
        )


def in_cluster(name: str) -> ClusterKey:
    """Return the Secret of this pod's namespace; raise `FetchError` outside a cluster."""
    try:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
        token, namespace = ((_ACCOUNT / file).read_text().strip() for file in ("token", "namespace"))
        context = ssl.create_default_context(cafile=_ACCOUNT / "ca.crt")
    except (KeyError, ValueError, OSError) as error:
        raise FetchError(
            f"expected to run in a pod, with a service account's token at {_ACCOUNT}: {error}"
        ) from None

    def connect() -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(host, port, timeout=_ANSWERING, context=context)

    return ClusterKey(connect, token, namespace, name)


def write(file: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    file.unlink(missing_ok=True)  # what an earlier start of the container has written
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(text)


def main(arguments: Sequence[str]) -> int:
    """Fetch the key and write it; return the exit status."""
    if len(arguments) != 2:
        print("usage: python -m pipeline.cameras.cluster_key SECRET FILE", file=sys.stderr)
        return 2
    name, file = arguments
    try:
        write(Path(file), in_cluster(name).fetch())
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{file}: cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
