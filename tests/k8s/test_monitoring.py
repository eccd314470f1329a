"""Prometheus finds all pods and containers of the services, and evaluates the same rules everywhere."""

from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from tests.k8s.manifests import (
    Document,
    build,
    labels_of,
    of_kind,
    pod_of,
    ports_of,
    read,
    selects,
    system,
    workload,
    workloads,
)
from tests.monitoring.test_rules import CONFIGURATIONS, RULES
from tests.parts import ROOT

MONITORING: Final = ("monitoring", "hardened-monitoring")
SERVICES: Final = ("producer", "consumer", "video", "training")


def jobs(text: str) -> dict[str, Document]:
    """Return how a configuration finds the targets of each job."""
    found: dict[str, Document] = {}
    for job in yaml.safe_load(text)["scrape_configs"]:
        (found[job["job_name"]],) = job["dns_sd_configs"]
    return found


def configuration(name: str) -> dict[str, str]:
    """Return the files of the ConfigMap that Prometheus mounts."""
    documents = system(name)
    pod = pod_of(workload(documents, "prometheus"))
    (mounted,) = (volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume)
    (found,) = (each for each in of_kind(documents, "ConfigMap") if each["metadata"]["name"] == mounted)
    files: dict[str, str] = found["data"]
    return files


def compose() -> dict[str, Any]:
    """Return the services of the Compose file."""
    (file,) = read("compose/docker-compose.yml")
    services: dict[str, Any] = file["services"]
    return services


@pytest.mark.parametrize("name", MONITORING)
def test_prometheus_gets_the_configuration_and_the_rules(name: str) -> None:
    files = configuration(name)

    assert files == {"prometheus.yml": (ROOT / CONFIGURATIONS[0]).read_text(), "rules.yml": RULES.read_text()}


@pytest.mark.parametrize("name", MONITORING)
def test_prometheus_finds_all_pods_of_each_service(name: str) -> None:
    documents = system(name)
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(documents, "Service")}

    found = jobs(configuration(name)["prometheus.yml"])

    assert list(found) == [*SERVICES, "inference"]
    for app, lookup in found.items():
        (record,) = lookup["names"]
        port, protocol, service = record.split(".")
        assert (port, protocol) == ("_health", "_tcp")
        # A pod that is not ready is measured, too.
        assert services[service]["publishNotReadyAddresses"] is True
        assert services[service]["clusterIP"] == "None"
        assert services[service]["selector"] == {"app": app}
        assert [each["name"] for each in services[service]["ports"]] == ["health"]


@pytest.mark.parametrize("name", MONITORING)
def test_nothing_else_changes(name: str) -> None:
    before = system(name.removesuffix("-monitoring") if "-" in name else "base")

    assert [each for each in before if each not in system(name)] == []


def test_what_prometheus_stores_is_smaller_than_its_volume() -> None:
    prometheus = workload(system("monitoring"), "prometheus")
    (container,) = pod_of(prometheus)["containers"]
    (claim,) = prometheus["spec"]["volumeClaimTemplates"]

    (size,) = (each.partition("size=")[2] for each in container["args"] if "retention.size" in each)
    assert (size, claim["spec"]["resources"]["requests"]["storage"]) == ("4GB", "5Gi")


def test_with_compose_prometheus_finds_all_containers_and_has_the_same_rules() -> None:
    services, prometheus = compose(), compose()["prometheus"]
    (container,) = pod_of(workload(system("monitoring"), "prometheus"))["containers"]

    for app, lookup in jobs((ROOT / CONFIGURATIONS[1]).read_text()).items():
        assert lookup["names"] == [app]
        assert app in services
        assert lookup["type"] == "A"
        assert lookup["port"] == ports_of(workload(system("base"), app))["health"]
    assert prometheus["profiles"] == ["monitoring"]
    assert prometheus["image"] == container["image"]
    assert prometheus["command"] == container["args"]
    mounted = dict(each.split(":")[:2] for each in prometheus["volumes"])
    assert (ROOT / "compose" / mounted_at(mounted, "rules.yml")).resolve() == RULES
    assert (ROOT / "compose" / mounted_at(mounted, "prometheus.yml")).resolve() == ROOT / CONFIGURATIONS[1]


def mounted_at(mounted: dict[str, str], name: str) -> str:
    """Return the file that is mounted under a name."""
    (found,) = (source for source, target in mounted.items() if target == f"/etc/prometheus/{name}")
    return found


def test_the_operator_is_given_all_services() -> None:
    documents = build("k8s/operator")
    (monitor,) = of_kind(documents, "PodMonitor")
    (policy,) = of_kind(documents, "NetworkPolicy")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]

    assert monitor["spec"]["jobLabel"] == "app"
    found = [
        labels_of(each)["app"]
        for each in workloads(system("base"))
        if selects(monitor["spec"]["selector"]["matchLabels"], labels_of(each))
        and endpoint["port"] in ports_of(each)
    ]
    assert sorted(found) == sorted(SERVICES)
    assert policy["spec"]["podSelector"] == monitor["spec"]["selector"]
    assert [rule["ports"] for rule in policy["spec"]["ingress"]] == [[{"port": endpoint["port"]}]]
    kubernetes_validate.validate(policy, "1.33", strict=True)


def test_grafana_gets_the_dashboard() -> None:
    (document,) = build("k8s/grafana")

    assert document["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert document["data"] == {"streamlens.json": (ROOT / "k8s/grafana/dashboard.json").read_text()}
    kubernetes_validate.validate(document, "1.33", strict=True)
