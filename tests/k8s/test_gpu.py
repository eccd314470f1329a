"""TensorFlow Serving on a GPU: the image, the resource, and the nodes."""

from tests.e2e.conftest import SERVING
from tests.k8s.manifests import Document, pod_of, system, workload


def pod() -> Document:
    """Return the model server's pod."""
    return pod_of(workload(system("gpu"), "tfserving"))


def container() -> Document:
    """Return its only container, apart from the one that brings the model."""
    found: Document
    (found,) = pod()["containers"]
    return found


def test_the_image_is_the_same_version_for_gpus() -> None:
    assert container()["image"] == f"{SERVING}-gpu"


def test_each_replica_gets_a_whole_gpu() -> None:
    # Kubernetes takes the limit for the request, and accepts nothing else.
    assert container()["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "nvidia.com/gpu" not in container()["resources"]["requests"]


def test_it_runs_on_nodes_with_gpus_which_other_pods_may_be_kept_from() -> None:
    assert pod()["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert pod()["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]


def test_an_update_needs_no_second_gpu() -> None:
    deployment = workload(system("gpu"), "tfserving")

    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_the_model_comes_out_of_our_image() -> None:
    (init,) = pod()["initContainers"]
    (mount,) = init["volumeMounts"]
    given = {variable["name"]: variable["value"] for variable in container()["env"]}

    assert init["image"] == "streamlens/tfserving"
    assert init["command"] == ["cp", "-R", "/models/.", mount["mountPath"]]
    assert {"name": mount["name"], "mountPath": "/models", "readOnly": True} in container()["volumeMounts"]
    assert given["MODEL_NAME"] == "imagenet"
