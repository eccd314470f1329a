"""Services, stateful sets, secrets and labels fit together, in the base and in each overlay."""

import re

from tests.k8s.manifests import (
    Document,
    Documents,
    containers_of,
    labels_of,
    name_of,
    of_kind,
    pod_of,
    ports_of,
    selects,
    texts,
    workloads,
)
from tests.training.runners.cluster.test_manifests import BOTH

PART = {"app.kubernetes.io/part-of": "streamlens"}
PREFIXES = ("KAFKA", "ZOOKEEPER", "CONFLUENT", "MODEL")
"""Prefixes of the variables that images read as settings. For each Service, Kubernetes sets NAME_PORT etc."""


def backend(service: Document, documents: Documents) -> Document:
    """Return the one workload that a Service selects, also of those that the training service creates."""
    selector = service["spec"]["selector"]
    all_workloads = (*workloads(documents), *BOTH)
    found = [workload for workload in all_workloads if selects(selector, labels_of(workload))]
    assert len(found) == 1, f"{name_of(service)} selects {[name_of(workload) for workload in found]}"
    return found[0]


def test_a_service_selects_ports_of_one_workload(documents: Documents) -> None:
    for service in of_kind(documents, "Service"):
        ports = ports_of(backend(service, documents))
        for port in service["spec"]["ports"]:
            # The name of a headless Service resolves to the pods themselves: the port is theirs.
            target = port.get("targetPort", port["port"])
            assert ports.get(target, target) in ports.values(), f"{name_of(service)}: {target}"
            assert ports[port["name"]] == port["port"], f"{name_of(service)}: {port['name']}"


def test_services_have_addresses_of_both_kinds_if_the_cluster_has(documents: Documents) -> None:
    for service in of_kind(documents, "Service"):
        # Prometheus looks these up: with two addresses, a pod would be counted twice.
        single = service["metadata"]["name"].endswith("-metrics")
        expected = "SingleStack" if single else "PreferDualStack"
        assert service["spec"]["ipFamilyPolicy"] == expected, name_of(service)


def test_addresses_in_settings_are_ports_of_services(documents: Documents) -> None:
    known = {
        (service["metadata"]["name"], port["port"])
        for service in of_kind(documents, "Service")
        for port in service["spec"]["ports"]
    }

    found = set()
    for workload in workloads(documents):
        for text in texts(containers_of(workload)):
            for name, ports in re.findall(r"([a-z0-9-]+-service)((?::\d+)+)", text):
                found |= {(name, int(port)) for port in ports.split(":")[1:]}
    assert found
    assert found <= known


def test_pods_named_in_settings_exist(documents: Documents) -> None:
    made = set()
    for workload in of_kind(documents, "StatefulSet"):
        spec, name = workload["spec"], workload["metadata"]["name"]
        first = spec.get("ordinals", {}).get("start", 0)
        made |= {f"{name}-{first + place}.{spec['serviceName']}" for place in range(spec["replicas"])}

    text = " ".join(texts([containers_of(workload) for workload in workloads(documents)]))
    assert set(re.findall(r"[a-z]+-\d+\.[a-z0-9-]+-service", text)) <= made


def test_a_stateful_set_has_its_own_service_and_keeps_its_volumes(documents: Documents) -> None:
    services = {service["metadata"]["name"]: service for service in of_kind(documents, "Service")}

    for workload in of_kind(documents, "StatefulSet"):
        service = services[workload["spec"]["serviceName"]]
        assert service["spec"]["clusterIP"] == "None"
        assert backend(service, documents) is workload
        claims = {claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]}
        volumes = {volume["name"] for volume in pod_of(workload).get("volumes", [])}
        mounts = {mount["name"] for box in containers_of(workload) for mount in box["volumeMounts"]}
        assert claims
        assert claims.isdisjoint(volumes)
        assert mounts == claims | volumes


def test_no_service_is_named_like_an_images_settings(documents: Documents) -> None:
    names = [service["metadata"]["name"] for service in of_kind(documents, "Service")]

    assert [name for name in names if name.upper().replace("-", "_").startswith(PREFIXES)] == []


def test_a_cameras_address_can_be_in_a_secret_and_no_secret_is_in_the_manifests(documents: Documents) -> None:
    used = [
        variable["valueFrom"]
        for workload in workloads(documents)
        for variable in pod_of(workload)["containers"][0].get("env", [])
        if variable["name"] in {"VIDEOLINK", "CAMERANAME"}
    ]

    assert used == [
        {"secretKeyRef": {"name": "camera", "key": name, "optional": True}}
        for name in ("VIDEOLINK", "CAMERANAME")
    ]
    assert of_kind(documents, "Secret") == []


def plain_secrets(texts: list[str]) -> list[str]:
    """Return the texts with a password, also in a URL; a variable in its place does not count."""
    assigned = r"(?i)(?:password|passwd|secret|token)\w*[\"']?\s*[=:]\s*[\"']?(?![^\s\"']*\$)[^\s\"']"
    return [text for text in texts if re.search(assigned, text) or re.search(r"://[^/\s:@]+:[^/\s@]+@", text)]


def test_there_are_no_passwords_in_plain_text(documents: Documents) -> None:
    for workload in workloads(documents):
        for container in containers_of(workload):
            assert plain_secrets([*texts(container)]) == []
            for variable in container.get("env", []):
                if re.search("PASSWORD|SECRET|TOKEN|VIDEOLINK", variable["name"]):
                    assert variable.get("valueFrom", {}).keys() == {"secretKeyRef"}, variable["name"]


def test_a_password_in_plain_text_is_found() -> None:
    plain = [
        '{"sasl.password": "abc"}',
        'login required password="abc";',
        "rtsp://user:abc@host/x",
        "TOKEN=abc",
    ]
    masked = [
        '{"sasl.password": "$(PASSWORD)"}',
        "password=PASSWORD_$user",
        "x=${!password}",
        "http://host:8501/x",
    ]

    assert plain_secrets([*plain, *masked]) == plain


def test_everything_can_be_found_by_its_label(documents: Documents) -> None:
    without = [
        name_of(document) for document in documents if not selects(PART, document["metadata"]["labels"])
    ]

    assert without == []
    assert [
        name_of(workload) for workload in workloads(documents) if not selects(PART, labels_of(workload))
    ] == []


def test_volumes_can_be_found_by_their_label(documents: Documents) -> None:
    without = [
        f"{name_of(workload)}: {claim['metadata']['name']}"
        for workload in of_kind(documents, "StatefulSet")
        for claim in workload["spec"]["volumeClaimTemplates"]
        if not selects(PART, claim["metadata"].get("labels", {}))
    ]

    assert without == []
