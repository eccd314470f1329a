"""Trainings and inferences as pods of a real cluster, without a training service: they wait for it."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import call
from tests.e2e.kubernetes import System, name_of
from tests.parts import wait_for
from training.runners.cluster.api import connect
from training.runners.cluster.manifests import Kit
from training.runners.cluster.runner import ClusterRunner
from training.runners.runner import Run

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("cluster")]

NAMESPACE = "streamlens-runs"
LIMIT = 240.0  # s
LABEL = "app.kubernetes.io/managed-by=streamlens-training"
KIT = Kit(
    images={"tf": "streamlens/training", "pth": "streamlens/training-torch"},
    training={"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    inference={"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    storage="64Mi",
)
TRAINING = {
    "BOOTSTRAP_SERVERS": "nowhere.invalid:1",
    "RESULT_URL": "http://nowhere.invalid:1/results/1",
    "RESULT_ID": "1",
    "DEPLOYMENT_ID": "1",
    "BATCH": "1",
    "KWARGS_FIT": '{"epochs": 1}',
    "A_TOKEN": "abc",
}
REPLICA = {"TRAININGURL": "http://nowhere.invalid:1", "SERVEDFOLDER": "/work/served", "A_TOKEN": "abc"}
LINE = "does not answer"
MARK = "/work/jobs/result-1/mark"


class World:
    """A namespace that accepts only restricted pods, and a runner."""

    def __init__(self, folder: Path) -> None:
        self.system = System(NAMESPACE)
        self.folder = folder
        self.ended = list[str]()
        self.runner = self.restarted()

    def restarted(self, most: int = 1) -> ClusterRunner:
        self.runner = ClusterRunner(connect(NAMESPACE), self.folder, most, KIT, self._ended)
        return self.runner

    def queue(self) -> list[tuple[str, list[str]]]:
        """Return the trainings that wait, and what they wait for."""
        return [(each.name, [*each.behind]) for each in self.runner.waiting()]

    def wait(self, condition: Callable[[], object], what: str) -> None:
        def looked() -> object:
            self.runner.look()
            return condition()

        wait_for(looked, LIMIT, what)

    def objects(self, kinds: str) -> list[str]:
        found = json.loads(self.system.kubectl("get", kinds, "-l", LABEL, "-o", "json"))["items"]
        return sorted(name_of(each) for each in found)

    def kubectl_output(self, *arguments: str) -> str:
        """Return what kubectl writes, whether it works or not."""
        command = ["kubectl", "-n", NAMESPACE, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def _ended(self, name: str, *_: object) -> bool:
        self.ended.append(name)
        return False


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": NAMESPACE,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    }
    command = ["kubectl", "apply", "-f", "-"]
    subprocess.run(command, input=json.dumps(manifest), text=True, check=True, capture_output=True)
    try:
        yield World(tmp_path / "runs")
    finally:
        call("kubectl", "delete", "namespace", NAMESPACE, timeout=300)


def test_trainings_survive_their_pods_and_the_service_and_leave_nothing(world: World) -> None:
    for name in ("model-training-1", "model-training-2"):
        world.runner.start(Run(name, "training.job", TRAINING))
    world.wait(lambda: LINE in world.runner.log("model-training-1"), "the first log")
    (pod,) = world.objects("pods")
    world.system.kubectl("exec", pod, "--", "touch", MARK)

    world.system.kubectl("delete", "pod", pod)
    world.restarted()
    assert world.runner.names() == {"model-training-1", "model-training-2"}
    world.wait(lambda: world.objects("pods") not in ([], [pod]), "another pod")
    (again,) = world.objects("pods")
    wait_for(lambda: MARK in world.kubectl_output("exec", again, "--", "ls", MARK), LIMIT, "the volume")
    assert world.ended == []

    world.runner.stop("model-training-1")
    world.wait(lambda: LINE in world.runner.log("model-training-2"), "the one whose turn it is")
    world.runner.stop("model-training-2")
    wait_for(lambda: world.objects("jobs,pods,persistentvolumeclaims,secrets") == [], LIMIT, "nothing")
    assert LINE in world.runner.log("model-training-1")


def test_trainings_wait_in_order_until_a_node_has_room_for_the_first(world: World) -> None:
    world.restarted(most=3)
    nowhere = {"streamlens/test": "nowhere"}
    world.runner.start(Run("model-training-1", "training.job", TRAINING, node_selector=nowhere))
    for name in ("model-training-2", "model-training-3"):
        world.runner.start(Run(name, "training.job", TRAINING))
    expected = [
        ("model-training-1", []),
        ("model-training-2", ["model-training-1"]),
        ("model-training-3", ["model-training-2"]),
    ]

    world.wait(lambda: "no node has room for it: " in world.runner.waiting()[0].why, "the scheduler")
    assert world.queue() == expected
    world.restarted(most=3)
    assert world.queue() == expected
    assert len(world.objects("pods")) == 1

    world.runner.stop("model-training-1")
    world.wait(lambda: world.queue() == [], "nodes for the others")
    assert sorted(world.runner.names()) == ["model-training-2", "model-training-3"]
    for name in world.runner.names():
        world.runner.stop(name)


def test_what_a_quota_refuses_waits_until_another_has_ended(world: World) -> None:
    world.restarted(most=3)
    world.system.kubectl("create", "quota", "few", "--hard=count/jobs.batch=1")
    hard = "{.status.hard}"
    wait_for(
        lambda: world.kubectl_output("get", "quota", "few", "-o", f"jsonpath={hard}"), LIMIT, "the quota"
    )

    for name in ("model-training-1", "model-training-2", "model-training-3"):
        world.runner.start(Run(name, "training.job", TRAINING))
    waiting = ["model-training-2", "model-training-3"]
    world.wait(lambda: [name for name, _ in world.queue()] == waiting, "a pod of the first")
    first, second = world.runner.waiting()
    assert "exceeded quota: few" in first.why
    assert (second.why, second.behind) == ("the cluster is full", ["model-training-2"])
    assert world.objects("jobs") == ["model-training-1"]

    world.restarted(most=3)
    world.runner.stop("model-training-1")
    world.wait(lambda: world.objects("jobs") == ["model-training-2"], "the next")
    ours = ["model-training-2", "model-training-2"]
    wait_for(lambda: world.objects("persistentvolumeclaims,secrets") == ours, LIMIT, "what belongs to it")
    for name in ("model-training-3", "model-training-2"):
        world.runner.stop(name)
    assert world.runner.names() == set()


def test_an_inference_has_its_replicas(world: World) -> None:
    for number in range(2):
        world.runner.start(
            Run(f"model-inference-7-{number}", "training.versions.sidecar", REPLICA, queues=False)
        )

    world.wait(lambda: len(world.objects("pods")) == 2, "two pods")
    assert world.objects("deployments") == ["model-inference-7"]
    for number in range(2):
        world.runner.stop(f"model-inference-7-{number}")
    wait_for(lambda: world.objects("deployments,pods,secrets") == [], LIMIT, "nothing")


def test_what_no_node_has_is_in_the_log(world: World) -> None:
    world.runner.start(Run("model-training-1", "training.job", TRAINING, gpus=64))

    world.wait(lambda: "nvidia.com/gpu" in world.runner.log("model-training-1"), "the reason")


def test_the_account_has_the_rights_that_the_runner_needs(world: World) -> None:
    world.system.kubectl("apply", "-f", "k8s/components/training-kubernetes/rbac.yml")

    def may(verb: str, resource: str, part: str = "") -> bool:
        account = f"--as=system:serviceaccount:{NAMESPACE}:training"
        command = ["kubectl", "-n", NAMESPACE, "auth", "can-i", verb, resource, account]
        command += [f"--subresource={part}"] if part else []
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    for resource in ("jobs.batch", "deployments.apps"):
        assert all(may(verb, resource) for verb in ("create", "list", "patch", "delete"))
    assert may("list", "pods")
    assert may("get", "pods", "log")
    assert may("create", "secrets")
    assert not may("get", "secrets")
    assert not may("list", "secrets")
    assert not may("create", "pods")
