"""The queue of a cluster: in the order of creation, with the reason of each wait."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clock import Clock
from tests.training.runners.cluster.fakes import FakeCluster, fake_cluster
from tests.training.runners.cluster.test_runner import MODULE, World
from training.runners.cluster import postponed
from training.runners.runner import Run, RunnerError

QUOTA = "jobs.batch is forbidden: exceeded quota: lab, requested: count/jobs.batch=1, used: 2, limited: 2"
NO_GPU = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
REFUSED = f"the cluster refuses to create a Job (403): {QUOTA}"


class Full(World):
    """A cluster that may be full."""

    def __init__(self, cluster: FakeCluster, folder: Path) -> None:
        super().__init__(cluster, folder)
        self.restarted(most=3)

    def scheduled(self, number: int, *, fits: bool) -> None:
        """Note in the pod of a training whether a node has taken it."""
        condition = {"type": "PodScheduled", "status": str(fits)}
        if not fits:
            condition |= {"reason": "Unschedulable", "message": NO_GPU}
        name = f"model-training-{number}"
        self.cluster.pod(name, f"{name}-pod", phase="Pending", conditions=[condition])
        self.runner.look()

    def queue(self) -> list[tuple[int, str, list[int]]]:
        """Return the numbers of the trainings that wait, with the reasons."""
        return [
            (number_in(each.name), each.why, [number_in(name) for name in each.behind])
            for each in self.runner.waiting()
        ]

    def started(self) -> list[int]:
        """Return the numbers of the Jobs that have had their turn."""
        return [number_in(each) for each in self.cluster.names("Job") if each not in self.suspended()]


def number_in(name: str) -> int:
    return int(name.rpartition("-")[2])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(postponed, "time", found)
    return found


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[Full]:  # noqa: ARG001
    with fake_cluster() as cluster:
        yield Full(cluster, tmp_path / "runs")


def test_no_job_has_its_turn_before_a_node_has_taken_the_earlier_ones(world: Full) -> None:
    world.start(1, 2, 3, 4, 5)
    pod = "the cluster has no pod for it yet: a quota may be full (kubectl describe job model-training-1)"
    full = "the cluster is full"
    assert world.queue()[:2] == [(1, pod, []), (2, full, [1])]

    world.scheduled(1, fits=True)
    assert world.started() == [1, 2]
    world.scheduled(2, fits=False)
    assert world.started() == [1, 2]

    why = f"no node has room for it: {NO_GPU}"
    assert world.queue() == [(2, why, []), (3, full, [2]), (4, full, [3]), (5, full, [4])]
    world.restarted(most=3)
    assert [number for number, _, _ in world.queue()] == [2, 3, 4, 5]
    world.scheduled(2, fits=True)
    world.scheduled(3, fits=True)
    assert world.started() == [1, 2, 3]
    assert world.queue() == [(4, "MAXRUNS=3", [1, 2, 3]), (5, "MAXRUNS=3", [4])]


def test_a_job_that_no_node_can_take_lets_the_next_go_once_it_is_stopped(world: Full) -> None:
    world.start(1, 2, 3)
    world.scheduled(1, fits=False)

    world.runner.stop("model-training-2")
    assert [number for number, _, _ in world.queue()] == [1, 3]
    world.runner.stop("model-training-1")
    assert world.queue()[0] == (3, "it is started in a moment", [])
    world.runner.look()

    assert world.started() == [3]


def test_a_pod_that_is_replaced_waits_again_and_the_next_ones_behind_it(world: Full) -> None:
    world.start(1)
    world.scheduled(1, fits=True)
    world.start(2)
    world.cluster.running("model-training-2", "model-training-2-pod")
    condition = {"type": "PodScheduled", "status": "False", "message": NO_GPU}

    world.cluster.pod("model-training-1", "replaced", phase="Pending", conditions=[condition])
    world.start(3)
    world.runner.look()

    assert [(number, behind) for number, _, behind in world.queue()] == [(1, []), (3, [1])]


def test_what_a_quota_refuses_waits_in_order(world: Full, clock: Clock) -> None:
    world.cluster.refusals["POST", "Job"] = (403, QUOTA)

    world.start(1, 2, 3)

    assert world.cluster.objects == {}
    assert world.runner.names() == {"model-training-1", "model-training-2", "model-training-3"}
    full = "the cluster is full"
    assert world.queue() == [(1, REFUSED, []), (2, full, [1]), (3, full, [2])]
    world.cluster.refusals["POST", "PersistentVolumeClaim"] = (403, "exceeded quota: volumes")
    clock.now += 10
    world.runner.look()
    assert "exceeded quota: volumes" in world.queue()[0][1]
    world.cluster.refusals.clear()
    world.runner.look()
    assert world.started() == [], "the cluster is asked again after a break"

    clock.now += 10
    for number in (1, 2, 3):
        world.runner.look()
        assert world.started()[-1] == number
        world.scheduled(number, fits=True)
    assert world.queue() == []


def test_a_restarted_service_finds_what_a_quota_has_refused(world: Full) -> None:
    world.cluster.refusals["POST", "Job"] = (403, QUOTA)
    world.start(10, 9)
    world.cluster.refusals.clear()

    world.restarted(most=3)
    assert [number for number, _, _ in world.queue()] == [10, 9]
    world.runner.look()

    assert world.started() == [10]
    world.restarted(most=3)
    assert world.runner.names() == {"model-training-10", "model-training-9"}


@pytest.mark.parametrize("ends", ["stop", "forget"])
def test_a_refused_training_that_is_stopped_or_deleted_lets_the_next_go(world: Full, ends: str) -> None:
    world.cluster.refusals["POST", "Job"] = (403, QUOTA)
    world.start(1, 2, 3)
    world.cluster.refusals.clear()

    for number in (2, 1):
        getattr(world.runner, ends)(f"model-training-{number}")
    world.runner.look()

    assert world.started() == [3]
    assert world.runner.names() == {"model-training-3"}
    assert [*world.folder.glob(".postponed/*")] == []


def test_a_job_whose_record_a_killed_service_has_left_is_not_made_twice(world: Full) -> None:
    world.start(1)
    postponed.Postponed(world.folder / ".postponed").add(Run("model-training-1", MODULE, {}), "")

    world.restarted(most=3)

    assert [number for number, _, _ in world.queue()] == [1]
    assert [*world.folder.glob(".postponed/*")] == []


def test_where_nothing_can_be_kept_the_training_is_refused(world: Full) -> None:
    world.folder.mkdir()
    (world.folder / ".postponed").touch()
    world.cluster.refusals["POST", "Job"] = (403, QUOTA)

    with pytest.raises(RunnerError, match="cannot be written: "):
        world.start(1)

    assert world.runner.names() == set()


def test_an_inference_that_a_quota_refuses_does_not_wait(world: Full) -> None:
    world.cluster.refusals["POST", "Deployment"] = (403, QUOTA)

    with pytest.raises(RunnerError, match="exceeded quota"):
        world.replicas(1, 1)


def test_nobody_else_can_read_what_is_kept(world: Full) -> None:
    """Its variables contain tokens."""
    world.cluster.refusals["POST", "Job"] = (403, QUOTA)

    world.start(1)

    (file,) = world.folder.glob(".postponed/*/run.json")
    assert file.stat().st_mode & 0o777 == 0o600
