"""Who gets the key to the cameras' links, and who may ask the cluster for it."""

import pytest

from pipeline.cameras import cluster_key
from tests.k8s import environment
from tests.k8s.manifests import (
    ACCOUNT,
    SYSTEMS,
    Document,
    Documents,
    containers_of,
    labels_of,
    of_kind,
    pod_of,
    read,
    system,
    workload,
    workloads,
)

KEEPERS = ("producer", "video")
"""Those that open cameras, or show their links."""
HARDENED = [name for name in SYSTEMS if name.startswith("hardened")]
GENERATING = [name for name in SYSTEMS if name not in HARDENED]
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"


def mounts(container: Document) -> dict[str, Document]:
    """Return what a container mounts, by the volume's name."""
    return {mount["name"]: mount for mount in container.get("volumeMounts", [])}


def others(documents: Documents, *kinds: str) -> list[Document]:
    """Return the documents of some kinds that are not the training service's."""
    return [each for each in of_kind(documents, *kinds) if each["metadata"]["labels"]["app"] != "training"]


def keys_of(documents: Documents, app: str) -> Document:
    """Return the volume from which a service reads the key."""
    found = workload(documents, app)
    (container,) = pod_of(found)["containers"]
    file = environment.kubernetes(found, container, documents)["CAMERASKEYFILE"]
    (name,) = (name for name, mount in mounts(container).items() if file.startswith(mount["mountPath"] + "/"))
    assert mounts(container)[name]["readOnly"]
    assert file == f"{mounts(container)[name]['mountPath']}/{cluster_key.ENTRY}"
    volumes: dict[str, Document] = {volume["name"]: volume for volume in pod_of(found)["volumes"]}
    return volumes[name]


@pytest.mark.parametrize("name", GENERATING)
@pytest.mark.parametrize("app", KEEPERS)
def test_an_init_container_fetches_the_key_into_memory(app: str, name: str) -> None:
    documents = system(name)
    volume = keys_of(documents, app)
    (container,) = pod_of(workload(documents, app))["initContainers"]

    assert volume["emptyDir"]["medium"] == "Memory"
    assert container["image"] == f"streamlens/{app}"
    *command, secret, file = container["command"]
    assert command == ["python", "-m", cluster_key.__name__]
    assert (secret, file) == ("cameras-key", f"{mounts(container)[volume['name']]['mountPath']}/cameras.key")


@pytest.mark.parametrize("name", GENERATING)
def test_only_that_container_has_a_token_and_it_soon_ends(name: str) -> None:
    documents = system(name)
    having = [
        (labels_of(each)["app"], container["name"])
        for each in workloads(documents)
        for container in containers_of(each)
        if ACCOUNT in mounts(container) and labels_of(each)["app"] != "training"
    ]

    assert sorted(having) == [("producer", "key"), ("video", "key")]
    for app in KEEPERS:
        pod = pod_of(workload(documents, app))
        (volume,) = (each for each in pod["volumes"] if each["name"] == ACCOUNT)
        token, authority, downward = volume["projected"]["sources"]
        assert token == {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}
        assert authority["configMap"]["name"] == "kube-root-ca.crt"
        assert downward["downwardAPI"]["items"][0]["fieldRef"]["fieldPath"] == "metadata.namespace"
        assert mounts(pod["initContainers"][0])[ACCOUNT]["mountPath"] == TOKEN


@pytest.mark.parametrize("name", GENERATING)
def test_an_account_may_only_create_secrets_and_read_that_one(name: str) -> None:
    documents = system(name)
    roles = {each["metadata"]["name"]: each["rules"] for each in others(documents, "Role")}
    bindings = others(documents, "RoleBinding")

    secrets = {"apiGroups": [""], "resources": ["secrets"]}
    rules = [
        {**secrets, "verbs": ["get"], "resourceNames": ["cameras-key"]},
        {**secrets, "verbs": ["create"]},
    ]
    assert roles == {f"{app}-key": rules for app in KEEPERS}
    assert [each["roleRef"]["name"] for each in bindings] == [*roles]
    for app, binding in zip(KEEPERS, bindings, strict=True):
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": app}]
        assert pod_of(workload(documents, app))["serviceAccountName"] == app
    accounts = others(documents, "ServiceAccount")
    assert [each["metadata"]["name"] for each in accounts] == [*KEEPERS]
    assert not any(each["automountServiceAccountToken"] for each in accounts)


@pytest.mark.parametrize("name", HARDENED)
def test_hardened_pods_have_no_account_and_mount_the_secret(name: str) -> None:
    documents = system(name)

    assert others(documents, "Role", "RoleBinding", "ServiceAccount") == []
    for app in KEEPERS:
        pod = pod_of(workload(documents, app))
        assert keys_of(documents, app)["secret"] == {"secretName": "cameras-key"}
        assert {"serviceAccountName", "initContainers"}.isdisjoint(pod)
        assert ACCOUNT not in {each["name"] for each in pod["volumes"]}


def test_no_other_service_gets_the_key(documents: Documents) -> None:
    names = {
        labels_of(each)["app"]
        for each in workloads(documents)
        for container in containers_of(each)
        if "keys" in mounts(container) or "CAMERASKEYFILE" in str(container)
    }

    assert names == {*KEEPERS}


@pytest.mark.parametrize("app", KEEPERS)
def test_with_compose_the_key_is_created_in_a_volume_that_both_share(app: str) -> None:
    (file,) = read(f"{app}/docker-compose.yml")
    service = file["services"][app]

    assert service["entrypoint"] == [
        *("python", "-m", "pipeline.cameras.new_key", environment.compose(app, app)["CAMERASKEYFILE"]),
        *("python", "-m", "pipeline", app),
    ]
    assert "cameras-key:/keys" in service["volumes"]
    (whole,) = read("compose/docker-compose.yml")
    name = {"name": "${CAMERASVOLUME:-streamlens-cameras-key}"}
    assert file["volumes"]["cameras-key"] == whole["volumes"]["cameras-key"] == name
