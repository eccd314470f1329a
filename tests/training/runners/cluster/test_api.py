"""The cluster's API through the official client."""

from pathlib import Path

import pytest
import yaml

from tests.parts import free_port
from tests.training.runners.cluster.fakes import FakeCluster, fake_cluster
from training.runners.cluster import api
from training.runners.cluster.api import ClusterError, connect


def kubeconfig(file: Path, server: str, **context: str) -> None:
    file.write_text(
        yaml.safe_dump(
            {
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", **context}}],
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {"token": "abc"}}],
            }
        )
    )


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kubeconfig of a process outside the cluster."""
    monkeypatch.setattr(api, "_NAMESPACE", tmp_path / "namespace")
    file = tmp_path / "kubeconfig"
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    return file


def test_a_kubeconfig_names_the_cluster_and_the_namespace(outside: Path) -> None:
    with fake_cluster() as fake:
        kubeconfig(outside, f"http://127.0.0.1:{fake.server.server_port}", namespace="lab")

        assert connect().listed("Job", "a=b") == []
        assert fake.requests == [("GET", "Job", "")]
    kubeconfig(outside, "http://127.0.0.1:9")
    assert connect().namespace == "default"


def test_without_a_cluster_the_reason_says_what_is_expected(outside: Path) -> None:
    with pytest.raises(ClusterError, match=r"expected a pod with an account"):
        connect()
    outside.with_name("namespace").write_text("lab")
    with pytest.raises(ClusterError, match="expected a pod"):
        connect()


def test_a_cluster_that_does_not_answer_is_the_reason(outside: Path) -> None:
    kubeconfig(outside, f"http://127.0.0.1:{free_port()}")

    with pytest.raises(ClusterError, match="the cluster's API does not answer: ") as error:
        connect().listed("Job", "a=b")

    assert "\n" not in str(error.value)
    assert error.value.status == 0


def test_lacking_rights_are_the_reason() -> None:
    with fake_cluster() as fake:
        fake.refusals["GET", "Pod"] = (403, "pods is forbidden")

        with pytest.raises(
            ClusterError, match="pods is forbidden; apply k8s/overlays/training-kubernetes"
        ) as error:
            fake.client().listed("Pod", "a=b")

    assert error.value.status == 403


def test_what_does_not_exist_is_deleted_already() -> None:
    with fake_cluster() as fake:
        fake.client().delete("Secret", "nothing")

        assert fake.requests == [("DELETE", "Secret", "nothing")]


def test_a_manifest_that_is_not_valid_is_refused() -> None:
    with fake_cluster() as fake, pytest.raises(ClusterError):
        fake.client().create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "a", "labels": {}},
                "unknown": "field",
            }
        )
    assert isinstance(fake, FakeCluster)
