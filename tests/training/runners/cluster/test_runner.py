"""Runs in a cluster: the real client, and a stand-in for the cluster's API."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.runners.cluster.fakes import FakeCluster, fake_cluster
from training.runners.cluster import runner as module
from training.runners.cluster.api import ClusterError
from training.runners.cluster.manifests import Kit
from training.runners.cluster.runner import ClusterRunner
from training.runners.runner import Run, RunnerError

KIT = Kit(
    images={"tf": "streamlens/training", "pth": "streamlens/training-torch"},
    training={"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "4Gi"}},
    inference={"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    storage="10Gi",
)
MODULE = "training.job"


class World:
    """A cluster, and the service's runner."""

    def __init__(self, cluster: FakeCluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.ended = list[tuple[str, int | None, int]]()
        self.again = False
        self.runner = self.restarted()

    def restarted(self, most: int = 1) -> ClusterRunner:
        """Return the runner of a service that was restarted."""
        self.runner = ClusterRunner(self.cluster.client(), self.folder, most, KIT, self._ended)
        return self.runner

    def start(self, *numbers: int) -> None:
        for number in numbers:
            self.runner.start(Run(f"model-training-{number}", MODULE, {"RESULT_ID": str(number)}))

    def replicas(self, inference: int, count: int) -> None:
        for number in range(count):
            name = f"model-inference-{inference}-{number}"
            self.runner.start(Run(name, MODULE, {"GROUP_ID": "g"}, queues=False))

    def suspended(self) -> list[str]:
        return [name for name in self.cluster.names("Job") if self.cluster.job(name)["spec"]["suspend"]]

    def _ended(self, name: str, status: int | None, starts: int) -> bool:
        self.ended.append((name, status, starts))
        return self.again


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with fake_cluster() as cluster:
        yield World(cluster, tmp_path / "runs")


def test_trainings_wait_for_their_turn(world: World) -> None:
    world.start(9, 10, 11)
    assert world.suspended() == ["model-training-10", "model-training-11"]
    assert world.runner.names() == {"model-training-9", "model-training-10", "model-training-11"}
    world.runner.look()
    assert len(world.suspended()) == 2

    world.cluster.finish("model-training-9", "Complete")
    world.runner.look()

    assert world.ended == [("model-training-9", 0, 1)]
    assert world.suspended() == ["model-training-11"]
    assert "model-training-9" not in world.cluster.names("PersistentVolumeClaim")
    assert world.runner.names() == {"model-training-10", "model-training-11"}


def test_gpus_are_asked_for(world: World) -> None:
    world.runner.start(Run("model-training-1", MODULE, {}, gpus=2))
    world.runner.start(Run("model-inference-1-0", MODULE, {}, queues=False, gpus=1))

    for kind, name, gpus in (("Job", "model-training-1", "2"), ("Deployment", "model-inference-1", "1")):
        (container,) = world.cluster.objects[kind, name]["spec"]["template"]["spec"]["containers"]
        assert container["resources"]["limits"]["nvidia.com/gpu"] == gpus


def test_a_restarted_service_finds_its_runs(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.start(1, 2)
    world.replicas(3, 2)
    names = world.runner.names()

    with caplog.at_level(logging.INFO):
        world.restarted()

    assert world.runner.names() == names
    assert "found model-inference-3-1 in the cluster" in caplog.text
    world.cluster.finish("model-training-1", "Complete")
    world.runner.look()
    assert world.suspended() == []


def test_a_training_that_fails_for_good_is_reported_once_with_its_status(world: World) -> None:
    world.start(1)
    for number, code in enumerate((1, 1, 1, 137)):
        world.cluster.ended("model-training-1", f"pod-{number}", code, "OOMKilled" if code > 1 else "Error")
    world.cluster.finish("model-training-1", "Failed", failed=4)
    world.again = True

    world.runner.look()
    assert world.runner.names() == {"model-training-1"}  # such as while the database is away
    world.again = False
    world.runner.look()
    world.runner.look()

    assert world.ended == 2 * [("model-training-1", -9, 4)]
    assert world.runner.names() == set()
    assert world.runner.log("model-training-1").endswith("(it ended with exit status 137 (OOMKilled))\n")


def test_the_status_of_pods_that_are_gone_is_not_known(world: World) -> None:
    world.start(1)
    world.cluster.finish("model-training-1", "Failed")

    world.runner.look()

    assert world.ended == [("model-training-1", None, 4)]


def test_an_inference_is_one_deployment(world: World) -> None:
    world.replicas(7, 3)

    assert world.cluster.names("Deployment") == ["model-inference-7"]
    deployment = world.cluster.objects["Deployment", "model-inference-7"]
    assert deployment["spec"]["replicas"] == 3
    assert world.runner.names() == {f"model-inference-7-{number}" for number in range(3)}
    for number in range(3):
        world.runner.stop(f"model-inference-7-{number}")
    assert world.cluster.names("Deployment") == []
    assert world.runner.names() == set()
    world.runner.look()
    assert world.ended == []


def test_a_stopped_training_leaves_only_its_log(world: World) -> None:
    world.runner.start(Run("model-training-1", MODULE, {"RESULT_TOKEN": "x", "RESULT_ID": "1"}))
    assert world.cluster.objects["Secret", "model-training-1"]["stringData"] == {"RESULT_TOKEN": "x"}
    world.cluster.running("model-training-1", "pod-1")
    world.cluster.write("pod-1", "epoch 1")

    world.runner.stop("model-training-1")

    assert [kind for kind, _ in world.cluster.objects] == ["Pod"]  # which the cluster deletes with its Job
    world.cluster.objects.clear()
    assert world.runner.log("model-training-1") == "epoch 1\n"
    world.runner.stop("model-training-1")
    world.runner.forget("model-training-1")
    assert world.runner.log("model-training-1") == ""
    assert [*world.folder.iterdir()] == []


def test_logs_are_kept_pod_by_pod_without_repetition(world: World) -> None:
    world.start(1)
    world.cluster.pod("model-training-1", "pod-1", phase="Pending")
    world.cluster.write("pod-1", "a", "b")
    world.runner.look()
    assert world.runner.log("model-training-1") == ""
    world.cluster.running("model-training-1", "pod-1")
    world.runner.look()
    world.cluster.write("pod-1", "c")
    assert world.runner.log("model-training-1") == "a\nb\nc\n"

    world.restarted()
    world.cluster.ended("model-training-1", "pod-1", 1)
    world.cluster.running("model-training-1", "pod-2")
    world.cluster.write("pod-1", "d")
    world.cluster.write("pod-2", "again")
    world.runner.look()
    world.restarted().look()
    del world.cluster.objects["Pod", "pod-1"]
    world.runner.look()

    expected = "a\nb\nc\nd\n(it ended with exit status 1 (Error))\nagain\n"
    assert world.runner.log("model-training-1") == expected


def test_a_log_is_not_read_too_often(world: World) -> None:
    world.start(1)
    world.cluster.running("model-training-1", "pod-1")
    for _ in range(3):
        world.runner.look()

    assert world.cluster.requests.count(("GET", "Pod", "pod-1")) == 1


def test_a_node_that_does_not_answer_delays_no_other_log_for_long(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.restarted(most=2)
    world.start(1, 2)
    for number in (1, 2):
        world.cluster.running(f"model-training-{number}", f"pod-{number}")
        world.cluster.write(f"pod-{number}", "a")
    world.cluster.silent.add("pod-1")

    for _ in range(3):
        world.runner.look()

    assert "the log of model-training-1 cannot be read: " in caplog.text
    reads = [name for _, kind, name in world.cluster.requests if kind == "Pod" and name]
    assert reads == ["pod-1", "pod-2"]
    world.cluster.silent.clear()
    assert world.runner.log("model-training-1") == world.runner.log("model-training-2") == "a\n"


def test_what_keeps_a_pod_from_running_is_in_its_log(world: World) -> None:
    world.start(1)
    message = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    condition = {"type": "PodScheduled", "status": "False", "message": message}
    world.cluster.pod("model-training-1", "pod-1", phase="Pending", conditions=[condition])

    said = world.runner.log("model-training-1")

    assert said == f"(pod-1 waits: no node has room for it: {message})\n"


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (Run("Model", MODULE, {}), "cannot be the name"),
        (Run("a" * 64, MODULE, {}), "cannot be the name"),
        (Run("model-training-1", MODULE, {}), "runs already"),
    ],
    ids=["capitals", "long", "twice"],
)
def test_what_cannot_be_started(world: World, run: Run, reason: str) -> None:
    world.start(1)

    with pytest.raises(RunnerError, match=reason):
        world.runner.start(run)


def test_what_the_cluster_refuses_is_the_reason_and_leaves_nothing(world: World) -> None:
    world.cluster.refusals["POST", "Job"] = (403, "no such PriorityClass")

    with pytest.raises(RunnerError, match=r"refuses to create a Job \(403\): no such PriorityClass"):
        world.start(1)

    assert world.cluster.objects == {}
    assert world.runner.names() == set()
    world.cluster.refusals["POST", "Deployment"] = (403, "no")
    with pytest.raises(RunnerError, match="refuses to create a Deployment"):
        world.replicas(1, 1)


def test_what_is_still_being_deleted_is_tried_later(world: World) -> None:
    world.start(1)
    world.cluster.job("model-training-1")["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    world.runner.look()
    assert world.runner.names() == set()

    with pytest.raises(RunnerError, match="model-training-1 is still in the cluster: try again later"):
        world.start(1)


def test_a_cluster_that_is_away_is_noted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.start(1)
    world.cluster.refusals["GET", "Job"] = (500, "etcd is down")

    world.runner.look()

    assert "refuses to list a Job (500): etcd is down" in caplog.text
    assert world.runner.names() == {"model-training-1"}
    with pytest.raises(ClusterError):
        world.restarted()


def test_what_cannot_be_deleted_is_noted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.start(1)
    world.cluster.refusals["DELETE", "Job"] = (403, "no")

    world.runner.stop("model-training-1")

    assert "model-training-1 cannot be deleted: " in caplog.text


def test_names_of_others_touch_nothing(world: World) -> None:
    world.runner.forget("../x")

    assert world.runner.log("../x") == ""
    assert ("GET", "Pod", "") in world.cluster.requests
    assert not [method for method, _, _ in world.cluster.requests if method != "GET"]


def test_logs_that_cannot_be_written_are_noted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.folder.touch()
    world.start(1)
    world.cluster.running("model-training-1", "pod-1")
    world.cluster.write("pod-1", "a")

    world.runner.look()

    assert "logs are not kept" in caplog.text


def test_it_looks_from_time_to_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TICK", 0.0)
    world.cluster.requests.clear()

    world.runner.step()
    world.runner.step()

    assert world.cluster.requests.count(("GET", "Job", "")) == 1
