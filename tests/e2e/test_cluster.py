"""Streamlens on a real Kubernetes cluster, with the unchanged manifests."""

import base64
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from pipeline.cameras.seal import new_key
from tests.e2e.conftest import call
from tests.e2e.kubernetes import (
    SUBSYSTEMS,
    Object,
    System,
    Watch,
    cameras,
    is_labelled,
    is_ready,
    name_of,
    restarts,
    wait_until_labelled,
)
from tests.k8s.manifests import ledger_commands
from tests.parts import ROOT, wait_for

pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("cluster")]

MANY = "k8s/overlays/many-cameras"
BY_WRONG_ORDER = ("training", "video", "consumer", "producer", "tfserving", "zookeeper")
MODELS = '{"imagenet_1": "http://tfserving-service:8501/v1/models/%s:predict"}'


@pytest.fixture(scope="module")
def default_namespace(cluster: None) -> Iterator[System]:  # noqa: ARG001
    """The default namespace, which is empty in the end."""
    system = System()
    yield system
    system.delete()


@pytest.fixture
def system(default_namespace: System) -> System:
    """Streamlens in the default namespace, its six files applied in the wrong order; everything works."""
    if not default_namespace.objects():
        default_namespace.apply(*BY_WRONG_ORDER)
        wait_until_labelled()
    default_namespace.wait_until_ready()
    wait_until_labelled()
    return default_namespace


@pytest.fixture
def empty(default_namespace: System) -> System:
    """The default namespace without Streamlens."""
    default_namespace.delete()
    return default_namespace


@pytest.mark.parametrize(
    "source",
    [
        *(f"-f={name}/deployment.yml" for name in SUBSYSTEMS),
        "-f=k8s/namespace.yml",
        "-k=k8s/",
        "-k=k8s/overlays/many-cameras",
        "-k=k8s/overlays/autoscaling-cpu",
        "-k=k8s/overlays/gpu",
        "-k=k8s/overlays/three-brokers",
        "-k=k8s/overlays/hardened",
        "-k=k8s/overlays/kraft",
        "-k=k8s/overlays/kraft-three-brokers",
        "-k=k8s/overlays/external",
        "-k=k8s/overlays/hardened-external",
        "-k=k8s/overlays/monitoring",
        "-k=k8s/overlays/hardened-monitoring",
        "-k=k8s/grafana",
        "-k=k8s/overlays/int8",
        "-k=k8s/overlays/training-models",
        "-k=k8s/overlays/training-kubernetes",
        "-k=k8s/overlays/hardened-training",
        "-k=k8s/ledger",
        "-k=k8s/overlays/hardened/ledger",
    ],
)
def test_the_api_server_accepts_every_manifest(source: str) -> None:
    said = System().kubectl("apply", "--dry-run=server", source)

    assert "(server dry run)" in said


def test_manifests_applied_in_the_wrong_order_need_no_manual_restart(system: System) -> None:
    assert {name_of(pod).split("-")[0] for pod in system.pods()} == set(SUBSYSTEMS) | {"kafka"}
    assert sum(map(restarts, (system.pod(app) for app in ("producer", "consumer", "video")))) == 0


def test_the_readmes_commands_compare_what_the_services_count(system: System) -> None:
    commands = "\n".join(ledger_commands())
    assert commands

    def accounted() -> bool:
        # Those of a process that was killed may be asked for half a minute.
        return "all frames are accounted for" in call("bash", "-ec", commands)

    try:
        wait_for(accounted, 120, "all frames to be accounted for")
        log = system.kubectl("logs", "job/ledger")
        assert re.search(r"^bikes +producer +captured \d+ = published \d+", log, re.MULTILINE)
        (condition, *_) = json.loads(system.kubectl("get", "job", "ledger", "-o", "json"))["status"][
            "conditions"
        ]
        assert condition["type"] in {"SuccessCriteriaMet", "Complete"}
    finally:
        system.kubectl("delete", "-k", "k8s/ledger")


def test_a_rollout_of_the_consumer_freezes_the_picture_for_at_most_two_seconds(system: System) -> None:
    with Watch() as watch:
        roll_out(system, "consumer")
        time.sleep(3)

        assert watch.longest_gap() <= 2


def test_a_rollout_of_the_model_server_loses_no_request_and_the_picture_moves(system: System) -> None:
    before = system.model_requests()

    with Watch() as watch:
        roll_out(system, "tfserving")
        wait_for(lambda: len(running(system, "tfserving")) == 2, 60, "the old servers to be gone")
        time.sleep(3)

        assert watch.longest_gap() <= 2
    after = system.model_requests()
    assert after.keys() == {"ok"}
    assert after["ok"] > before["ok"] + 10


@pytest.mark.parametrize("app", ["video", "producer", "consumer", "tfserving", "kafka", "zookeeper"])
def test_a_pod_that_is_deleted_comes_back_and_the_picture_moves_again(system: System, app: str) -> None:
    topics = topic_ids(system)
    assert topics.keys() == {"videocam", "videodisplay", "cameras"}
    deleted = system.pods(app)[0]
    begun = time.monotonic()

    system.kubectl("delete", "pod", name_of(deleted))

    wait_for(lambda: uid(deleted) not in map(uid, system.pods(app)), 60, "another pod")
    system.wait_until_ready()
    wait_until_labelled(timeout=60)
    print(f"{app}: back after {time.monotonic() - begun:.1f} s")
    wait_for(lambda: topic_ids(system) == topics, 60, f"the same topics as before: {topics}")


def test_a_new_secret_and_a_restart_change_the_camera(system: System) -> None:
    def use(film: str) -> None:
        values = f"--from-literal=CAMERANAME=bikes --from-literal=VIDEOLINK=/clips/{film}"
        secret = f"kubectl create secret generic camera {values}"
        call("bash", "-c", f"{secret} --dry-run=client -o yaml | kubectl apply -f -")
        system.kubectl("rollout", "restart", "deployment/producer")

    try:
        use("bigbuckbunny.mp4")
        wait_for(lambda: cameras()["bikes"]["width"] == 1280, 60, "the other film")
        use("bikes.mp4")
        wait_for(lambda: cameras()["bikes"]["width"] == 640, 60, "the film from before")
    finally:
        system.kubectl("delete", "secret", "camera")
    roll_out(system, "producer")


def test_the_key_is_created_once_and_links_are_sealed(system: System) -> None:
    secret = json.loads(system.kubectl("get", "secret", "cameras-key", "-o", "json"))
    held = base64.b64decode(secret["data"]["cameras.key"]).decode()

    for app in ("producer", "video"):
        (pod, *_) = system.pods(app)
        read = system.kubectl("exec", name_of(pod), "-c", app, "--", "cat", "/keys/cameras.key")
        assert read == held
        token = "ls /var/run/secrets/kubernetes.io || true"
        said = system.kubectl("exec", name_of(pod), "-c", app, "--", "sh", "-c", f"({token}) 2>&1")
        assert "No such file" in said
    sealed = system.kafka(
        "kafka-console-consumer", "--topic cameras --from-beginning --timeout-ms 9000 || true"
    )
    assert '"link": "gAAAAA' in sealed
    assert "/clips/" not in sealed


def test_an_account_without_rights_is_reported_and_its_pod_starts_once_it_has_them(system: System) -> None:
    system.kubectl("delete", "rolebinding", "producer-key")
    system.kubectl("delete", "pod", name_of(system.pod("producer")))

    def complaint() -> bool:
        (pod,) = system.pods("producer")
        return "may not get or create Secret cameras-key" in system.log(pod, "key")

    wait_for(complaint, 60, "a complaint")
    pod = system.pod("producer")
    assert not is_ready(pod)

    system.apply("producer")
    wait_until_labelled(timeout=180)  # the kubelet tries again after a minute at most
    assert name_of(system.pod("producer")) == name_of(pod)
    assert restarts(system.pod("producer")) == 0


def test_a_camera_is_added_and_removed_by_a_command(system: System) -> None:
    system.change_cameras("add", "phone", "/clips/carphone_pristine.mp4")
    wait_until_labelled("bikes", "phone", timeout=60)
    assert "phone" in system.change_cameras("list")

    system.change_cameras("remove", "phone")
    wait_for(lambda: "phone" not in cameras(), 60, "the camera to be gone")
    assert is_labelled("bikes")


@pytest.mark.parametrize(
    ("app", "replicas"), [("producer", 1), ("consumer", 1), ("video", 1), ("tfserving", 2)]
)
def test_pictures_of_all_cameras_keep_coming_while_a_service_is_scaled(
    system: System, app: str, replicas: int
) -> None:
    names = ("bikes", "bunny", "phone")
    system.change_cameras("apply", "-f", "-", text=(ROOT / MANY / "cameras.yml").read_text())
    wait_until_labelled(*names)

    def scale(count: int) -> None:
        system.kubectl("scale", f"deployment/{app}", f"--replicas={count}")
        wait_for(lambda: len(running(system, app)) == count, 90, f"{count} pods")
        system.wait_until_ready()
        time.sleep(5)  # as long as cameras may take to move

    with ExitStack() as stack:
        watches = [stack.enter_context(Watch(name)) for name in names]
        for count in (3, 1, replicas):
            scale(count)
        gaps = {watch.camera: round(watch.longest_gap(), 1) for watch in watches}
    print(f"{app}: longest gaps while it is scaled {gaps}")
    assert max(gaps.values()) <= 10
    for name in names[1:]:
        system.change_cameras("remove", name)


@pytest.mark.parametrize(
    ("variable", "wrong", "right", "says"),
    [
        ("TOPICNAMEIN", "nonsense", "videocam", "no frame has come on topic nonsense yet"),
        ("MODELURLS", MODELS % "nonsense", MODELS % "imagenet", "model imagenet_1: the server answered 404"),
        (
            "KAFKAPORTOUT",
            "nowhere:19093",
            "kf1-service:19093",
            "Kafka does not answer at nowhere:19093",
        ),
    ],
    ids=["topic", "model", "broker"],
)
def test_a_wrong_setting_is_reported_and_the_old_pod_keeps_running(
    system: System, variable: str, wrong: str, right: str, says: str
) -> None:
    (old,) = system.pods("consumer")
    system.kubectl("set", "env", "deployment/consumer", f"{variable}={wrong}")
    try:
        new = wait_for(lambda: [pod for pod in system.pods("consumer") if uid(pod) != uid(old)], 30, "a pod")[
            0
        ]
        wait_for(lambda: says in system.readiness(new), 60, f"the reason {says!r}")
        wait_for(lambda: complains(system, new, says), 30, "a line in the log")

        assert system.readiness(new).count("\n") == 1
        assert uid(old) in map(uid, system.pods("consumer"))
        assert not any(is_ready(pod) for pod in system.pods("consumer") if uid(pod) == uid(new))
    finally:
        system.kubectl("set", "env", "deployment/consumer", f"{variable}={right}")
    wait_for(lambda: len(running(system, "consumer")) == 1, 60, "the wrong pod to disappear")


def test_services_report_an_absent_broker_and_need_no_restart(system: System) -> None:
    system.kubectl("scale", "statefulset/kafka", "--replicas=0")
    try:
        wait_for(lambda: not is_ready(system.pod("producer")), 60, "the producer to be unready")
        wait_for(lambda: not is_ready(system.pod("consumer")), 60, "the consumer to be unready")
        for pod in (system.pod("producer"), system.pod("consumer")):
            wait_for(lambda: "Kafka does not answer" in system.readiness(pod), 30, "the reason")  # noqa: B023
        assert cameras()["bikes"]["state"] == "broker-away"
    finally:
        system.kubectl("scale", "statefulset/kafka", "--replicas=1")

    system.wait_until_ready()
    wait_until_labelled()
    assert sum(map(restarts, (system.pod(app) for app in ("producer", "consumer", "video")))) == 0


def test_make_status_lists_everything_that_runs(system: System) -> None:  # noqa: ARG001
    said = call("make", "status")

    assert "video-service" in said
    assert said.count("1/1") == 8


def test_deleting_the_files_leaves_nothing(system: System) -> None:
    for name in SUBSYSTEMS:
        system.kubectl("delete", "-f", f"{name}/deployment.yml")
    assert "cameras-key" in system.kubectl("delete", "secret", "--selector", "app=cameras-key")

    system.wait_until_gone()


def test_a_restricted_namespace_accepts_our_hardened_pods_but_not_root(empty: System) -> None:  # noqa: ARG001
    system = System("streamlens")
    call("kubectl", "apply", "-f", "k8s/namespace.yml")
    try:
        refused = subprocess.run(
            ["kubectl", "-n", "streamlens", "run", "root", "--image=busybox:1.36"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "violates PodSecurity" in refused.stderr

        users = [
            f"--from-literal={user}={user}-password"
            for user in ("broker", "producer", "consumer", "video", "training")
        ]
        system.kubectl("create", "secret", "generic", "kafka-users", *users)
        key = f"--from-literal=cameras.key={new_key()}"
        system.kubectl("create", "secret", "generic", "cameras-key", key)
        system.kubectl("apply", "-k", "k8s/overlays/hardened")
        wait_until_labelled()
        system.wait_until_ready()

        with pytest.raises(AssertionError, match="124"):  # without a password Kafka never answers
            system.kafka_topics("--list", "& sleep 10; kill $! && exit 124")
    finally:
        call("kubectl", "delete", "namespace", "streamlens", timeout=170)


def test_one_of_three_brokers_may_be_lost(empty: System) -> None:
    system = empty
    with_make("deploy", "three-brokers")
    try:
        wait_until_labelled(timeout=180)
        system.wait_until_ready()
        described = system.kafka_topics("--describe", "--topic", "videocam")
        assert described.count("ReplicationFactor: 3") == 1
        assert "min.insync.replicas=2" in described

        with Watch() as watch:
            system.kubectl("delete", "pod", "kafka-2", "--grace-period=0", "--force")
            time.sleep(12)
            assert watch.longest_gap() < 10
        wait_until_labelled()
    finally:
        with_make("undeploy", "three-brokers")
        system.wait_until_gone()


def test_each_of_many_cameras_is_shown(empty: System) -> None:
    with_make("deploy", "many-cameras")
    try:
        wait_until_labelled(timeout=180)
        empty.change_cameras("apply", "-f", "-", text=(ROOT / MANY / "cameras.yml").read_text())
        assert len(empty.pods("producer")) == 3
        wait_until_labelled("bikes", "bunny", "phone", timeout=180)
    finally:
        with_make("undeploy", "many-cameras")
        empty.wait_until_gone()


def complains(system: System, pod: Object, reason: str) -> bool:
    lines = system.kubectl("logs", name_of(pod)).splitlines()
    return any("not ready: " in line and reason in line for line in lines)


def with_make(target: str, overlay: str) -> None:
    call("make", target, f"OVERLAY=overlays/{overlay}")


def roll_out(system: System, name: str) -> None:
    system.kubectl("rollout", "restart", f"deployment/{name}")
    system.kubectl("rollout", "status", f"deployment/{name}", "--timeout=150s")


def running(system: System, app: str) -> list[Object]:
    """Return an app's pods, including those that are terminating."""
    return [pod for pod in system.objects("pods") if pod["metadata"]["labels"]["app"] == app]


def uid(thing: Object) -> str:
    return str(thing["metadata"]["uid"])


def topic_ids(system: System) -> dict[str, str]:
    """Return the ids of our topics by name; empty while Kafka does not answer."""
    try:
        lines = system.kafka_topics("--describe").splitlines()
    except AssertionError:
        return {}
    rows = [dict(part.split(": ") for part in line.split("\t") if ": " in part) for line in lines]
    return {
        row["Topic"]: row["TopicId"]
        for row in rows
        if "TopicId" in row and row["Topic"].startswith(("video", "cameras"))
    }
