"""A cluster's API on loopback, as far as the runner uses it. It refuses manifests that are not valid."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate
from kubernetes.client import ApiClient, Configuration

from training.runners.cluster.api import Cluster, Manifest
from training.runners.cluster.manifests import RUN

PATH = re.compile(r"/(?:api/v1|apis/(?:batch|apps)/v1)/namespaces/lab/([a-z]+)(?:/([^/?]+))?(/log)?")
KINDS = {
    "jobs": "Job",
    "deployments": "Deployment",
    "pods": "Pod",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "secrets": "Secret",
}


class FakeCluster:
    """Keeps objects by kind and name, requests, and logs by pod. `refusals` are by verb and kind."""

    def __init__(self) -> None:
        self.objects = dict[tuple[str, str], Manifest]()
        self.requests = list[tuple[str, str, str]]()
        self.logs = dict[str, list[str]]()
        self.refusals = dict[tuple[str, str], tuple[int, str]]()
        self.silent = set[str]()
        self.created = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self.server.serve_forever, args=(0.02,)).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def client(self) -> Cluster:
        """Return the real client."""
        settings = Configuration()
        settings.host = f"http://127.0.0.1:{self.server.server_port}"
        settings.retries = False
        return Cluster(ApiClient(settings), "lab")

    def names(self, kind: str) -> list[str]:
        return [name for found, name in self.objects if found == kind]

    def job(self, name: str) -> Manifest:
        return self.objects["Job", name]

    def pod(self, run: str, name: str, **status: Any) -> Manifest:
        """Add a pod of a run, or change its status."""
        pod = self.objects.setdefault(
            ("Pod", name),
            {
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "creationTimestamp": self.moment(),
                    "labels": {"app.kubernetes.io/managed-by": "streamlens-training", RUN: run},
                },
                "spec": {"containers": []},
            },
        )
        pod["status"] = status
        return pod

    def running(self, run: str, name: str) -> None:
        self.pod(run, name, phase="Running", containerStatuses=[{"state": {"running": {}}}])

    def ended(self, run: str, name: str, code: int, reason: str = "Error") -> None:
        terminated = {"exitCode": code, "reason": reason}
        phase = "Failed" if code else "Succeeded"
        self.pod(run, name, phase=phase, containerStatuses=[{"state": {"terminated": terminated}}])

    def finish(self, name: str, kind: str, failed: int = 0) -> None:
        """Let a Job be `Complete` or `Failed`."""
        self.job(name)["status"] = {"conditions": [{"type": kind, "status": "True"}], "failed": failed}

    def write(self, pod: str, *lines: str) -> None:
        """Let a pod write lines."""
        log = self.logs.setdefault(pod, [])
        log += [f"2026-01-31T12:00:00.{len(log) + number:09d}Z {line}" for number, line in enumerate(lines)]

    def moment(self) -> str:
        self.created += 1
        return f"2026-01-31T12:00:{self.created:02d}Z"

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Answer a request."""
        parts = urlsplit(path)
        found = PATH.fullmatch(parts.path)
        assert found, path
        kind, name = KINDS[found[1]], found[2] or ""
        self.requests.append((method, kind, name))
        if (method, kind) in self.refusals:
            status, message = self.refusals[method, kind]
            return status, json.dumps({"kind": "Status", "message": message}).encode()
        if found[3] and name in self.silent:
            return 504, b'{"message": "the node does not answer"}'
        if found[3]:
            assert (parse_qs(parts.query)["timestamps"], parse_qs(parts.query)["container"]) == (
                ["true"],
                ["job"],
            )
            return 200, "".join(f"{line}\n" for line in self.logs.get(name, [])).encode()
        return self._changed(method, kind, name, parse_qs(parts.query), body)

    def _changed(
        self, method: str, kind: str, name: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, bytes]:
        if method == "GET":
            labels = dict(each.split("=") for each in query["labelSelector"][0].split(","))
            items = [
                each
                for (known, _), each in self.objects.items()
                if known == kind and labels.items() <= each["metadata"]["labels"].items()
            ]
            return 200, json.dumps({"kind": f"{kind}List", "items": items}).encode()
        if method == "POST":
            return self._created(kind, json.loads(body))
        if (kind, name) not in self.objects:
            return 404, json.dumps({"message": f"{name} not found"}).encode()
        if method == "DELETE":
            del self.objects[kind, name]
            return 200, b"{}"
        _merge(self.objects[kind, name], json.loads(body))
        return 200, json.dumps(self.objects[kind, name]).encode()

    def _created(self, kind: str, manifest: Manifest) -> tuple[int, bytes]:
        name = manifest["metadata"]["name"]
        if (kind, name) in self.objects:
            return 409, json.dumps({"message": f"{name} already exists"}).encode()
        try:
            for version in ("1.33", kubernetes_validate.latest_version()):
                kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            return 422, json.dumps({"message": f"{error.path}: {error.message}"}).encode()
        manifest["metadata"]["creationTimestamp"] = self.moment()
        manifest["status"] = {}
        self.objects[kind, name] = manifest
        return 201, json.dumps(manifest).encode()


def _merge(target: Any, patch: Any) -> None:
    for key, value in patch.items():
        if isinstance(value, dict):
            _merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


def _handler(fake: FakeCluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_PATCH(self) -> None:
            assert self.headers["Content-Type"] == "application/merge-patch+json"
            self._answer("PATCH")

        def do_DELETE(self) -> None:
            self._answer("DELETE")

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = fake.answer(method, self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def fake_cluster() -> Iterator[FakeCluster]:
    """A cluster while the block runs."""
    fake = FakeCluster()
    try:
        yield fake
    finally:
        fake.close()
