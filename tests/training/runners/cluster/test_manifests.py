"""The objects of runs."""

from dataclasses import replace
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.parts import ROOT
from tests.training.runners.cluster.test_runner import KIT, MODULE
from training.runners.cluster.api import Manifest
from training.runners.cluster.manifests import Kit, claim, deployment, job, secret
from training.runners.runner import Run

RUN = Run("model-training-7", MODULE, {"FRAMEWORK": "pth", "RESULT_ID": "7", "RESULT_TOKEN": "abc"}, gpus=2)
REPLICA = Run("model-inference-7-0", "training.inference", {"GROUP_ID": "g", "A_TOKEN": "x"}, queues=False)
RBAC = "k8s/components/training-kubernetes/rbac.yml"
BOTH = [job(RUN, KIT, is_suspended=True), deployment(REPLICA, "model-inference-7", KIT)]


def pod_of(manifest: Manifest) -> Manifest:
    found: Manifest = manifest["spec"]["template"]["spec"]
    return found


def container(manifest: Manifest) -> Manifest:
    (found,) = pod_of(manifest)["containers"]
    return dict(found)


def environment(manifest: Manifest) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container(manifest)["env"]}


def valid(manifest: Manifest) -> None:
    for version in ("1.33", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_all_are_valid() -> None:
    without_gpus = Run("a", MODULE, {})
    made = secret("a", {"X_PASSWORD": "b"})
    assert made is not None
    for manifest in (*BOTH, job(without_gpus, KIT, is_suspended=False), claim("a", KIT), made):
        valid(manifest)


@pytest.mark.parametrize("manifest", BOTH, ids=["training", "inference"])
def test_pods_are_restricted(manifest: Manifest) -> None:
    pod, box = pod_of(manifest), container(manifest)

    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert (
        pod["securityContext"].items()
        >= {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        }.items()
    )
    assert box["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all("emptyDir" not in each or "sizeLimit" in each["emptyDir"] for each in pod["volumes"])
    mounts = {each["name"] for each in box["volumeMounts"]}
    assert mounts == {each["name"] for each in pod["volumes"]} == {"work", "tmp"}


def test_a_training_is_a_job_with_requests_limits_and_gpus() -> None:
    manifest = BOTH[0]

    assert container(manifest)["resources"] == {
        "requests": {"cpu": "1", "memory": "2Gi"},
        "limits": {"memory": "4Gi", "nvidia.com/gpu": "2"},
    }
    assert pod_of(manifest)["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert container(manifest)["image"] == "streamlens/training-torch"
    assert container(manifest)["command"] == ["python", "-m", "training.job"]
    assert manifest["spec"]["suspend"]


def test_without_gpus_none_is_requested() -> None:
    manifest = job(Run("a", MODULE, {}), KIT, is_suspended=False)

    assert "nvidia.com/gpu" not in container(manifest)["resources"]["limits"]
    assert "tolerations" not in pod_of(manifest)
    assert container(manifest)["image"] == "streamlens/training"


def test_runs_are_on_the_nodes_that_were_asked_for() -> None:
    gpus = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    spot = {"key": "spot", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}
    nodes: dict[str, Any] = {"node_selector": {"disk": "ssd"}, "tolerations": [spot]}
    training = job(Run("a", MODULE, {}, gpus=1, **nodes), KIT, is_suspended=False)
    inference = deployment(Run("a-0", MODULE, {}, queues=False, **nodes), "a", KIT)

    for manifest in (training, inference):
        valid(manifest)
        assert pod_of(manifest)["nodeSelector"] == {"disk": "ssd"}
    assert pod_of(training)["tolerations"] == [spot, gpus]
    assert pod_of(inference)["tolerations"] == [spot]
    assert not any("nodeSelector" in pod_of(each) for each in BOTH)


def test_trainings_have_the_priority_class_that_is_set() -> None:
    assert not any("priorityClassName" in pod_of(each) for each in BOTH)
    kit = replace(KIT, priority_class="low")

    manifest = job(RUN, kit, is_suspended=True)

    valid(manifest)
    assert pod_of(manifest)["priorityClassName"] == "low"
    assert "priorityClassName" not in pod_of(deployment(REPLICA, "a", kit))


def test_a_killed_training_continues_on_its_volume() -> None:
    spec = BOTH[0]["spec"]

    assert pod_of(BOTH[0])["restartPolicy"] == "Never"  # a Job that ignores failures needs it
    assert spec["backoffLimit"] == 3
    disruption, stop = spec["podFailurePolicy"]["rules"]
    assert disruption["action"] == stop["action"] == "Ignore"
    assert disruption["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    assert stop["onExitCodes"] == {"containerName": "job", "operator": "In", "values": [143]}
    volumes = {each["name"]: each for each in pod_of(BOTH[0])["volumes"]}
    assert volumes["work"]["persistentVolumeClaim"] == {"claimName": claim(RUN.name, KIT)["metadata"]["name"]}
    assert environment(BOTH[0])["JOBFOLDER"].startswith(container(BOTH[0])["volumeMounts"][0]["mountPath"])


def test_volumes_can_be_of_a_class() -> None:
    assert "storageClassName" not in claim("a", KIT)["spec"]
    kit = Kit(KIT.images, KIT.training, KIT.inference, "5Gi", "fast")
    assert (
        claim("a", kit)["spec"].items()
        >= {
            "storageClassName": "fast",
            "resources": {"requests": {"storage": "5Gi"}},
        }.items()
    )


def test_secrets_are_in_no_manifest() -> None:
    made = secret(RUN.name, RUN.variables)

    assert made is not None
    assert made["stringData"] == {"RESULT_TOKEN": "abc"}
    assert "abc" not in str(BOTH[0])
    assert environment(BOTH[0])["RESULT_TOKEN"] == {
        "secretKeyRef": {"name": made["metadata"]["name"], "key": "RESULT_TOKEN"}
    }
    assert environment(BOTH[1])["A_TOKEN"]["secretKeyRef"]["name"] == "model-inference-7"
    assert secret("a", {"RESULT_ID": "7"}) is None
    assert container(BOTH[0])["envFrom"][1]["secretRef"] == {
        "name": "training-job-settings",
        "optional": True,
    }


def test_the_restricted_process_gets_less_memory_than_the_pod() -> None:
    assert environment(BOTH[0])["JOBMEMORY"] == str(4 * 2**30 - 512 * 2**20)
    kit = Kit(KIT.images, {"limits": {"memory": "256Mi"}}, {}, "1Gi")
    assert "JOBMEMORY" not in environment(job(RUN, kit, is_suspended=False))
    assert "JOBMEMORY" not in environment(deployment(REPLICA, "a", kit))


def test_variables_of_the_service_are_passed_on_and_the_runs_come_first() -> None:
    kit = Kit(KIT.images, {}, {}, "1Gi", variables={"LOGLEVEL": "debug", "RESULT_ID": "x"})

    found = environment(job(RUN, kit, is_suspended=False))

    assert (found["LOGLEVEL"], found["RESULT_ID"]) == ("debug", "7")


def test_inferences_are_probed_and_trainings_end() -> None:
    box = container(BOTH[1])
    (port,) = box["ports"]

    assert environment(BOTH[1])["HEALTHPORT"] == f":{port['containerPort']}"
    asked = {name: box[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    health, ready = ({"path": path, "port": port["name"]} for path in ("/healthz", "/readyz"))
    assert asked == {"startupProbe": health, "readinessProbe": ready, "livenessProbe": health}
    assert "HEALTHPORT" not in environment(BOTH[0])
    assert not {name for name in container(BOTH[0]) if "Probe" in name or name == "ports"}


def test_the_role_allows_what_the_runner_does_and_no_more() -> None:
    account, role, binding = yaml.safe_load_all((ROOT / RBAC).read_text())

    rules = {
        (group, resource): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert rules == {
        ("batch", "jobs"): {"create", "list", "patch", "delete"},
        ("apps", "deployments"): {"create", "list", "patch", "delete"},
        ("", "pods"): {"list"},
        ("", "pods/log"): {"get"},
        ("", "persistentvolumeclaims"): {"create", "delete"},
        ("", "secrets"): {"create", "delete"},
    }
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account["metadata"]["name"]}]
    assert not account["automountServiceAccountToken"]
