"""Kafka's and ZooKeeper's settings exist, match each other, and agree between Kubernetes and Compose."""

import re

from compose import parts
from pipeline.service.settings import Settings
from tests.k8s import environment
from tests.k8s.environment import Variables
from tests.k8s.manifests import Documents, containers_of, pod_of, read, system, workload

PORTS = {"PRODUCER": 19091, "INPUT": 19092, "OUTPUT": 19093, "VIDEO": 19094, "BROKER": 19095}
CLIENTS = {"producer": "PRODUCER", "consumer": "INPUT", "video": "VIDEO", "training": "VIDEO"}

# From https://kafka.apache.org/39/documentation.html#brokerconfigs: the broker settings that we may use.
PROPERTIES = {
    "advertised.listeners",
    "authorizer.class.name",
    "broker.heartbeat.interval.ms",
    "broker.id",
    "broker.session.timeout.ms",
    "controller.listener.names",
    "controller.quorum.voters",
    "default.replication.factor",
    "group.initial.rebalance.delay.ms",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "listeners",
    "log.dirs",
    "log.retention.check.interval.ms",
    "log.retention.minutes",
    "log.roll.ms",
    "log.segment.delete.delay.ms",
    "message.max.bytes",
    "min.insync.replicas",
    "node.id",
    "num.partitions",
    "offsets.topic.replication.factor",
    "process.roles",
    "replica.fetch.max.bytes",
    "sasl.enabled.mechanisms",
    "sasl.mechanism.inter.broker.protocol",
    "super.users",
    "zookeeper.connect",
    "zookeeper.session.timeout.ms",
    *(f"listener.name.{name.lower()}.scram-sha-512.sasl.jaas.config" for name in (*PORTS, "EXTERNAL")),
}

# The variables that ZooKeeper's image turns into settings; it ignores others without a message.
ZOOKEEPER = {
    "ZOOKEEPER_CLIENT_PORT",
    "ZOOKEEPER_INIT_LIMIT",
    "ZOOKEEPER_QUORUM_LISTEN_ON_ALL_IPS",
    "ZOOKEEPER_SERVERS",
    "ZOOKEEPER_SERVER_ID",
    "ZOOKEEPER_SYNC_LIMIT",
    "ZOOKEEPER_TICK_TIME",
    "KAFKA_HEAP_OPTS",
}

# Kubernetes and Compose differ in the broker's name and its data folder.
OWN = {"POD_NAME", "KAFKA_BROKER_ID", "KAFKA_ADVERTISED_LISTENERS", "KAFKA_LOG_DIRS"}


def variables(name: str, documents: Documents) -> Variables:
    """Return the variables of the container that has its workload's name."""
    found = workload(documents, name)
    (container,) = pod_of(found)["containers"]
    return environment.kubernetes(found, container, documents)


def property_of(variable: str) -> str:
    """Return the property that Kafka's image sets from a variable: `log.roll.ms` from KAFKA_LOG_ROLL_MS."""
    signs = {"___": "-", "__": "_", "_": "."}
    return re.sub("_{1,3}", lambda match: signs[match[0]], variable.removeprefix("KAFKA_")).lower()


def properties(variables: Variables) -> Variables:
    """Return the properties that Kafka's image writes into the broker's configuration."""
    return {
        property_of(name): value
        for name, value in variables.items()
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    }


def is_kraft(variables: Variables) -> bool:
    """Whether Kafka runs without ZooKeeper."""
    return "KAFKA_PROCESS_ROLES" in variables


def protocols(variables: Variables) -> dict[str, str]:
    """Return each listener's security protocol."""
    pairs = variables["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    return dict(pair.split(":") for pair in pairs)


def addresses(variables: Variables) -> dict[str, tuple[str, int]]:
    """Return the host and the port that a broker advertises, for each listener."""
    listeners = variables["KAFKA_ADVERTISED_LISTENERS"].split(",")
    found = [re.fullmatch(r"([A-Z]+)://([\w.-]+):(\d+)", listener) for listener in listeners]
    return {match[1]: (match[2], int(match[3])) for match in found if match}


def both_systems(documents: Documents) -> list[Variables]:
    return [variables("kafka", documents), environment.compose("zookeeper", "kafka")]


def test_each_setting_of_kafka_exists(documents: Documents) -> None:
    for found in both_systems(documents):
        assert properties(found).keys() - PROPERTIES == set()


def test_each_setting_of_zookeeper_exists(documents: Documents) -> None:
    systems = [environment.compose("zookeeper", "zookeeper")]
    if not is_kraft(variables("kafka", documents)):
        systems.append(variables("zookeeper", documents))
    for found in systems:
        assert found.keys() - ZOOKEEPER == set()


def test_kubernetes_and_compose_have_the_same_settings() -> None:
    kafka, composed = both_systems(system("base"))

    assert kafka.keys() - OWN == composed.keys() - OWN
    for name in kafka.keys() - OWN:
        assert kafka[name] == composed[name], name
    assert variables("zookeeper", system("base")) == environment.compose("zookeeper", "zookeeper")


def test_kubernetes_and_compose_have_the_same_images() -> None:
    (file,) = read("zookeeper/docker-compose.yml")
    pods = {name: containers_of(workload(system("base"), name))[0] for name in file["services"]}

    assert {name: pod["image"] for name, pod in pods.items()} == {
        name: service["image"] for name, service in file["services"].items()
    }


def test_large_frames_are_accepted_and_old_ones_removed(documents: Documents) -> None:
    for found in map(properties, both_systems(documents)):
        assert found["message.max.bytes"] == found["replica.fetch.max.bytes"] == "100000000"
        assert found["log.retention.minutes"] == "1"
        # Only closed segments are removed, and only at each retention check.
        assert int(found["log.roll.ms"]) <= 60_000
        assert int(found["log.retention.check.interval.ms"]) <= 60_000
        session = "broker" if "process.roles" in found else "zookeeper"
        assert int(found[f"{session}.session.timeout.ms"]) <= 6_000


def test_topics_have_as_many_partitions_whoever_creates_them(documents: Documents) -> None:
    created = Settings.model_fields["partitions"].default

    assert created == parts.PARTITIONS
    assert {int(each["KAFKA_NUM_PARTITIONS"]) for each in both_systems(documents)} == {created}


def test_each_client_has_a_port(documents: Documents) -> None:
    for found in both_systems(documents):
        ports = {name: port for name, (_, port) in addresses(found).items()}
        ours = protocols(found).keys() - {"CONTROLLER"}
        assert {name: ports[name] for name in ports.keys() - {"EXTERNAL"}} == PORTS
        assert ours == ports.keys()
        assert found["KAFKA_INTER_BROKER_LISTENER_NAME"] == "BROKER"


def test_a_broker_advertises_a_name_that_resolves_to_it(documents: Documents) -> None:
    kafka, composed = both_systems(documents)

    hosts = {host for name, (host, _) in addresses(kafka).items() if name != "EXTERNAL"}
    assert hosts == {"kafka-1.kf1-service"}
    inside = {host for name, (host, _) in addresses(composed).items() if name != "BROKER"}
    assert inside == {"kf1-service"}
    assert addresses(composed)["BROKER"][0] == "localhost"
    number = kafka["KAFKA_NODE_ID" if is_kraft(kafka) else "KAFKA_BROKER_ID"]
    assert composed["KAFKA_BROKER_ID"] == number == "1"


def test_there_are_as_many_replicas_as_brokers(documents: Documents) -> None:
    brokers = workload(documents, "kafka")["spec"]["replicas"]
    found = properties(variables("kafka", documents))

    assert found["offsets.topic.replication.factor"] == str(brokers)
    assert found.get("default.replication.factor", "1") == str(brokers)
    # One broker may be down.
    assert int(found.get("min.insync.replicas", "1")) == max(1, brokers - 1)


def test_every_zookeeper_lists_all_of_them() -> None:
    documents = system("three-brokers")
    found = variables("zookeeper", documents)

    names = [f"zookeeper-{number}.zk1-service" for number in (1, 2, 3)]
    assert found["ZOOKEEPER_SERVERS"].split(";") == [f"{name}:2888:3888" for name in names]
    assert workload(documents, "zookeeper")["spec"]["replicas"] == 3
    asked = variables("kafka", documents)["KAFKA_ZOOKEEPER_CONNECT"].split(",")
    assert asked == [f"{name}:2181" for name in names]
    assert found["ZOOKEEPER_SERVER_ID"] == "1"
