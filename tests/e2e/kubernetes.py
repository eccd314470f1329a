"""Streamlens on a Kubernetes cluster, as the tests see it: through kubectl and the page's port."""

import json
import os
import subprocess
import threading
import time
import urllib.request
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

from tests.e2e.conftest import call
from tests.parts import reads, wait_for

SUBSYSTEMS: Final = ("zookeeper", "tfserving", "producer", "consumer", "video", "training")
PAGE: Final = f"http://{os.environ.get('NODE', '127.0.0.1')}:30163"
"""The address of the NodePort; NODE is a node's address, if that is not this machine."""

_KINDS: Final = (
    "pods,deployments,statefulsets,services,secrets,persistentvolumeclaims,networkpolicies,pdb,"
    "serviceaccounts,roles,rolebindings"
)

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class System:
    """Streamlens in one namespace."""

    namespace: str = "default"

    def kubectl(self, *arguments: str, timeout: float = 170) -> str:
        """Return kubectl's output; if it fails, fail with its error output."""
        return call("kubectl", "--namespace", self.namespace, *arguments, timeout=timeout)

    def objects(self, kinds: str = _KINDS) -> list[Object]:
        """Return all objects of these kinds that belong to Streamlens."""
        label = "app.kubernetes.io/part-of=streamlens"
        items: list[Object] = json.loads(self.kubectl("get", kinds, "-l", label, "-o", "json"))["items"]
        return items

    def apply(self, *subsystems: str) -> None:
        """Apply the files of these subsystems in this order, unchanged."""
        for name in subsystems:
            self.kubectl("apply", "-f", f"{name}/deployment.yml")

    def delete(self) -> None:
        """Delete what the six files contain, and what comes with it; wait until it is gone."""
        for name in SUBSYSTEMS:
            self.kubectl("delete", "--ignore-not-found", "-f", f"{name}/deployment.yml")
        self.delete_key()
        self.wait_until_gone()

    def delete_key(self) -> None:
        """Delete the key of the cameras, which the first producer creates and no file contains."""
        self.kubectl("delete", "secret", "--ignore-not-found", "--selector", "app=cameras-key")

    def pods(self, app: str = "") -> list[Object]:
        """Return the pods of an app, or of all apps, without those that are terminating."""
        return [
            pod
            for pod in self.objects("pods")
            if app in ("", pod["metadata"]["labels"]["app"]) and "deletionTimestamp" not in pod["metadata"]
        ]

    def pod(self, app: str) -> Object:
        """Return the one pod of an app."""
        (pod,) = self.pods(app)
        return pod

    def wait_until_ready(self, timeout: float = 240) -> None:
        """Wait until every pod is ready; fail with kubectl's description of those that are not."""
        deadline = time.monotonic() + timeout
        while not (pods := self.pods()) or not all(map(is_ready, pods)):
            if time.monotonic() > deadline:
                lacking = [name_of(pod) for pod in pods if not is_ready(pod)]
                described = [self.kubectl("describe", "pod", name)[-3000:] for name in lacking]
                raise AssertionError("\n".join([f"not ready after {timeout:g} s: {lacking}", *described]))
            time.sleep(0.2)

    def wait_until_gone(self) -> None:
        """Wait until no object of Streamlens is left; fail with the names of those that are."""
        deadline = time.monotonic() + 120
        while left := self.objects():
            names = ", ".join(f"{each['kind']} {name_of(each)}" for each in left)
            assert time.monotonic() < deadline, f"still in namespace {self.namespace}: {names}"
            time.sleep(0.2)

    def readiness(self, pod: Object) -> str:
        """Return a pod's answer to /readyz."""
        probe = ["python", "-m", "pipeline.probe", "/readyz"]
        command = ["kubectl", "--namespace", self.namespace, "exec", name_of(pod), "--", *probe]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def model_requests(self) -> dict[str, float]:
        """Return how many requests the consumer sent to the model, by outcome."""
        outcomes = {}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{name_of(self.pod('consumer'))}:9000/proxy/metrics"
        for line in self.kubectl("get", "--raw", path).splitlines():
            if line.startswith("streamlens_model_requests_total{"):
                outcomes[line.split('outcome="')[1].split('"')[0]] = float(line.rpartition(" ")[2])
        return outcomes

    def change_cameras(self, *arguments: str, text: str = "") -> str:
        """Run the command for cameras in a producer's pod, and return its output."""
        command = ["exec", "-i", "deployment/producer", "-c", "producer", "--"]
        command += ["python", "-m", "producer.cameras", *arguments]
        run = subprocess.run(
            ["kubectl", "--namespace", self.namespace, *command],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def kafka_topics(self, *arguments: str) -> str:
        """Return the output of Kafka's own command for topics."""
        return self.kafka("kafka-topics", *arguments)

    def kafka(self, program: str, *arguments: str) -> str:
        """Return the output of one of Kafka's own commands."""
        command = (
            f"KAFKA_HEAP_OPTS=-Xmx64m {program} --bootstrap-server localhost:19095 {' '.join(arguments)}"
        )
        return self.kubectl("exec", "kafka-1", "--container", "kafka", "--", "bash", "-c", command)

    def log(self, pod: Object, container: str) -> str:
        """Return the output of a pod's container; empty while there is none."""
        command = ["kubectl", "--namespace", self.namespace, "logs", name_of(pod), "--container", container]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


def name_of(thing: Object) -> str:
    """Return an object's name."""
    return str(thing["metadata"]["name"])


def is_ready(pod: Object) -> bool:
    """Whether a pod is ready."""
    conditions = pod["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def restarts(pod: Object) -> int:
    """Return how often a pod's containers were restarted."""
    return sum(status["restartCount"] for status in pod["status"]["containerStatuses"])


def cameras() -> dict[str, Object]:
    """Return the cameras on the page by name; empty if the server does not answer."""
    answer = reads(f"{PAGE}/api/cameras")
    return {camera["name"]: camera for camera in json.loads(answer)} if answer else {}


def is_labelled(name: str = "bikes") -> bool:
    """Whether a camera's picture moves and has a fresh label."""
    camera = cameras().get(name, {"state": "unknown"})
    return camera["state"] == "live" and any(model["results"] for model in camera["predictions"])


def wait_until_labelled(*names: str, timeout: float = 120) -> None:
    """Wait until the pictures of these cameras move and have fresh labels."""
    wait_for(lambda: all(map(is_labelled, names or ("bikes",))), timeout, "labelled frames")


class Watch:
    """Watches a camera's stream, and keeps the times when frames arrived (s, of the monotonic clock)."""

    def __init__(self, camera: str = "bikes") -> None:
        self.camera = camera
        self.times: list[float] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def longest_gap(self) -> float:
        """Return the longest time without a frame, in s, including the time since the last one."""
        times = [*self.times, time.monotonic()]
        return max(after - before for before, after in pairwise(times))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with urllib.request.urlopen(f"{PAGE}/stream/{self.camera}", timeout=5) as stream:
                    while not self._stopping.is_set() and (line := stream.readline()):
                        if line.startswith(b"X-Seq"):
                            self.times.append(time.monotonic())
            except OSError:
                self._stopping.wait(0.1)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for(lambda: len(self.times) > 10, 30, "the stream")
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)
