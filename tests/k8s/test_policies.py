"""The network policies allow exactly the connections that the system needs."""

from ipaddress import ip_address

import pytest

from pipeline.targets import METADATA, Targets
from tests.k8s.manifests import LEDGERS, SYSTEMS, Document, Documents, build, of_kind, parse, system
from tests.k8s.network import CACHE, NAMES, OURS, OUTSIDE, STRANGER, Place, allows, is_in, pods, reached
from tests.pipeline.addresses import FORMS, REFUSED, embedded

Connection = tuple[str, str, str, int]

APPS = ("zookeeper", "kafka", "tfserving", "producer", "consumer", "video", "training")
PROMETHEUS = "prometheus"
MONITORED = [name for name in SYSTEMS if "monitoring" in name or name.endswith("autoscaling")]
OTHERS = (OUTSIDE, STRANGER, NAMES, CACHE)

# In addition to the pods' own: DNS, a web server, a camera, SSH, and one that nothing uses.
PORTS = (("UDP", 53), ("TCP", 53), ("TCP", 80), ("TCP", 554), ("UDP", 5004), ("TCP", 22), ("TCP", 9999))

NEEDED = {
    ("producer", "kafka", "TCP", 19091),
    ("consumer", "kafka", "TCP", 19092),
    ("consumer", "kafka", "TCP", 19093),
    ("video", "kafka", "TCP", 19094),
    ("training", "kafka", "TCP", 19094),
    ("kafka", "kafka", "TCP", 19095),
    ("kafka", "zookeeper", "TCP", 2181),
    ("zookeeper", "zookeeper", "TCP", 2888),
    ("zookeeper", "zookeeper", "TCP", 3888),
    ("consumer", "tfserving", "TCP", 8501),
    ("consumer", "tfserving", "TCP", 8500),
}


def browsers(names: tuple[str, ...]) -> set[Connection]:
    """Return the connections to the pages."""
    return {(name, app, "TCP", 8080) for name in names for app in ("video", "training")}


WITHOUT_ZOOKEEPER = {each for each in NEEDED if "zookeeper" not in each} | {("kafka", "kafka", "TCP", 19096)}


METRICS = {(PROMETHEUS, app, "TCP", 9000) for app in ("producer", "consumer", "video", "training")}


def needed(name: str) -> set[Connection]:
    """Return the connections between pods that one of the systems needs."""
    metrics = METRICS if name in MONITORED else set()
    versions = {("tfserving", "training", "TCP", 8080)} if name == "hardened-training" else set()
    return (WITHOUT_ZOOKEEPER if "kraft" in name else NEEDED) | metrics | versions


def from_anywhere(name: str, places: list[Place]) -> set[Connection]:
    """Return the connections to the page, and to Kafka's external port, if it has one.

    Prometheus may reach neither.
    """
    names = tuple(place.name for place in places if place.name != PROMETHEUS)
    external = {(each, "kafka", "TCP", 19097) for each in names if "external" in name}
    return browsers(names) | external


@pytest.mark.parametrize("name", [name for name in SYSTEMS if "hardened" not in name])
def test_only_clients_of_a_pod_can_reach_it(name: str) -> None:
    documents = system(name)
    ours = pods(documents)

    found = set(reached(documents, [*ours, *OTHERS], ours, PORTS))

    assert found == needed(name) | from_anywhere(name, [*ours, *OTHERS])


@pytest.mark.parametrize("name", MONITORED)
def test_prometheus_reaches_only_metrics_and_is_reached_by_those_who_read_them(name: str) -> None:
    documents = system(name)
    ours = pods(documents)
    (prometheus,) = (place for place in ours if place.name == PROMETHEUS)
    grafana = Place("grafana", {"app.kubernetes.io/name": "grafana"})
    keda = Place("keda", {"app": "keda-operator"}, {"kubernetes.io/metadata.name": "keda"})

    outwards = set(reached(documents, [prometheus], [*ours, *OTHERS], PORTS))
    inwards = set(reached(documents, [*ours, *OTHERS, grafana, keda], [prometheus], PORTS))

    names = {(PROMETHEUS, place, protocol, 53) for place in ("names", "cache") for protocol in ("UDP", "TCP")}
    assert outwards == METRICS | names
    readers = {"grafana", "keda"} if "autoscaling" in name else {"grafana"}
    assert inwards == {(reader, PROMETHEUS, "TCP", 9090) for reader in readers}


@pytest.mark.parametrize("name", [name for name in SYSTEMS if "hardened" in name])
def test_hardened_pods_reach_only_what_they_need(name: str) -> None:
    documents = system(name)
    ours = pods(documents)

    inside = set(reached(documents, ours, ours, PORTS))
    inwards = set(reached(documents, OTHERS, ours, PORTS))
    outwards = set(reached(documents, ours, OTHERS, PORTS))

    assert inside == needed(name)
    assert inwards == from_anywhere(name, list(OTHERS))
    names = {
        (app, place, protocol, 53)
        for app in (place.name for place in ours)
        for place in ("names", "cache")
        for protocol in ("UDP", "TCP")
    }
    cameras = {("producer", "outside", *port) for port in PORTS}
    assert {place.name for place in ours} - {PROMETHEUS} == {*APPS}
    assert outwards == names | cameras


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_ledgers_pod_and_no_other_reaches_the_counts_and_it_reaches_kafka(name: str) -> None:
    documents = system(name)
    ours = pods(documents)
    added = build(LEDGERS["hardened" if "hardened" in name else "plain"])
    (ledger,) = pods(added)
    sources = [*ours, *OTHERS]

    before = set(reached(documents, sources, [*ours, *OTHERS], PORTS))
    after = set(reached((*documents, *added), sources, [*ours, *OTHERS], PORTS))
    outwards = set(reached((*documents, *added), [ledger], [*ours, *OTHERS], PORTS))
    inwards = set(reached((*documents, *added), sources, [ledger], PORTS))

    assert after == before
    counts = {("ledger", app, "TCP", 9000) for app in ("producer", "consumer", "video", "training")}
    names = {("ledger", place, protocol, 53) for place in ("names", "cache") for protocol in ("UDP", "TCP")}
    assert outwards == counts | names | {("ledger", "kafka", "TCP", 19094)}
    assert inwards == set()


def blocks(app: str) -> list[Document]:
    """Return the blocks of addresses that the hardened pods of an app may reach."""
    return [
        peer["ipBlock"]
        for policy in of_kind(system("hardened"), "NetworkPolicy")
        if policy["spec"]["podSelector"]["matchLabels"].get("app") == app
        for rule in policy["spec"].get("egress", [])
        for peer in rule["to"]
        if "ipBlock" in peer
    ]


def is_camera(address: str) -> bool:
    """Return whether a hardened producer may reach an address outside its namespace."""
    return any(is_in(block, address) for block in blocks("producer"))


@pytest.mark.parametrize(
    "address", ["192.168.1.20", "10.0.0.5", "172.16.3.4", "203.0.113.5", "fd00:1::5", "2001:db8::1"]
)
def test_cameras_may_have_private_and_public_addresses(address: str) -> None:
    assert is_camera(address)


@pytest.mark.parametrize(
    "address",
    [
        *("10.96.0.1", "10.244.1.5", "fd00:10:96::1", "fd00:10:244:1::5"),
        *("10.42.0.7", "10.43.0.1", "2001:cafe:42:1::7", "2001:cafe:43::1"),
    ],
)
def test_the_addresses_of_a_clusters_pods_and_services_are_no_cameras(address: str) -> None:
    assert not is_camera(address)


@pytest.mark.parametrize("address", [*REFUSED, *sorted(map(str, METADATA))])
def test_a_policy_denies_what_a_producer_itself_refuses(address: str) -> None:
    for form in FORMS if ip_address(address).version == 4 else ["{}"]:
        written = embedded(form, address)
        assert Targets(frozenset(), (), "VIDEOLINK").refusal(written, 554)
        assert not is_camera(written), written


@pytest.mark.parametrize("app", [app for app in APPS if app != "producer"])
def test_no_other_pod_reaches_addresses(app: str) -> None:
    assert blocks(app) == []


def test_removing_a_policy_opens_its_pod() -> None:
    documents = system("base")
    ours = pods(documents)
    before = set(reached(documents, [*ours, *OTHERS], ours, PORTS))

    for policy in of_kind(documents, "NetworkPolicy"):
        without = tuple(document for document in documents if document is not policy)

        after = set(reached(without, [*ours, *OTHERS], ours, PORTS))
        opened = {target for _, target, _, _ in after - before}
        assert opened == {policy["metadata"]["name"]}


def policy(text: str) -> Documents:
    """Return a policy that selects the pods of app a."""
    fields = f"podSelector: {{matchLabels: {{app: a}}}}, {text}"
    return parse(f"{{kind: NetworkPolicy, metadata: {{name: a}}, spec: {{{fields}}}}}")


A = Place("a", {"app": "a"}, ports={"http": 8080})
B = Place("b", {"app": "b"}, ports={"http": 80})
FAR = Place("far", {"app": "b"}, {"kubernetes.io/metadata.name": "far"})


@pytest.mark.parametrize(
    ("rules", "source", "target", "port", "allowed"),
    [
        ("policyTypes: [Ingress]", B, A, 8080, False),
        ("policyTypes: [Ingress]", A, B, 80, True),
        ("policyTypes: [Ingress]", B, FAR, 80, True),
        ("policyTypes: [Ingress], ingress: [{}]", B, A, 8080, True),
        ("policyTypes: [Ingress], ingress: [{ports: [{port: http}]}]", B, A, 8080, True),
        ("policyTypes: [Ingress], ingress: [{ports: [{port: http}]}]", B, A, 80, False),
        ("policyTypes: [Ingress], ingress: [{ports: [{port: 80, protocol: UDP}]}]", B, A, 80, False),
        ("policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]", B, A, 8080, True),
        ("policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]", FAR, A, 8080, False),
        ("policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]", OUTSIDE, A, 8080, False),
        ("policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {}}]}]", FAR, A, 8080, True),
        ("policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", OUTSIDE, A, 8080, True),
        ("policyTypes: [Egress], egress: [{ports: [{port: http}]}]", A, B, 80, True),
        ("policyTypes: [Egress], egress: [{ports: [{port: http}]}]", A, B, 8080, False),
        ("policyTypes: [Egress]", A, OUTSIDE, 80, False),
        ("policyTypes: [Egress]", B, A, 8080, True),
    ],
)
def test_policies_are_read_as_kubernetes_reads_them(
    rules: str, source: Place, target: Place, port: int, allowed: bool
) -> None:
    assert A.namespace == OURS
    assert allows(policy(rules), source, target, ("TCP", port)) is allowed


@pytest.mark.parametrize(
    "rules",
    [
        "ingress: [{from: [{podSelector: {matchExpressions: []}}]}]",
        "ingress: [{ports: [{port: 1, endPort: 9}]}]",
        "ingress: [{to: []}]",
    ],
)
def test_unsupported_fields_are_an_error(rules: str) -> None:
    with pytest.raises(NotImplementedError):
        allows(policy(f"policyTypes: [Ingress], {rules}"), B, A, ("TCP", 8080))


def test_a_policy_names_its_pods_and_its_types(documents: Documents) -> None:
    def says(document: Document) -> bool:
        return bool(document["spec"]["policyTypes"]) and bool(document["spec"]["podSelector"])

    assert all(map(says, of_kind(documents, "NetworkPolicy")))
