"""Kafka's and ZooKeeper's settings: known, alike in both worlds, and fit for each other."""

import re

from tests.k8s import environment
from tests.k8s.environment import Variables
from tests.k8s.manifests import Documents, containers_of, pod_of, read, system, workload

PORTS = {"PRODUCER": 19091, "INPUT": 19092, "OUTPUT": 19093, "VIDEO": 19094, "BROKER": 19095}
CLIENTS = {"producer": "PRODUCER", "consumer": "INPUT", "video": "VIDEO"}

# From https://kafka.apache.org/39/documentation.html#brokerconfigs: what a broker takes, of those that suit.
PROPERTIES = {
    "advertised.listeners",
    "broker.id",
    "default.replication.factor",
    "group.initial.rebalance.delay.ms",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "log.dirs",
    "log.retention.check.interval.ms",
    "log.retention.minutes",
    "log.roll.ms",
    "log.segment.delete.delay.ms",
    "message.max.bytes",
    "min.insync.replicas",
    "num.partitions",
    "offsets.topic.replication.factor",
    "replica.fetch.max.bytes",
    "sasl.enabled.mechanisms",
    "sasl.mechanism.inter.broker.protocol",
    "zookeeper.connect",
    "zookeeper.session.timeout.ms",
    *(f"listener.name.{name.lower()}.scram-sha-512.sasl.jaas.config" for name in PORTS),
}

# Those of which the image of ZooKeeper makes settings; it says nothing of others.
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

# What a broker is called and where it keeps its data is told by each world in its own way.
OWN = {"POD_NAME", "KAFKA_BROKER_ID", "KAFKA_ADVERTISED_LISTENERS", "KAFKA_LOG_DIRS"}


def variables(name: str, documents: Documents) -> Variables:
    """Return what the container gets that a workload is named for."""
    found = workload(documents, name)
    (container,) = pod_of(found)["containers"]
    return environment.kubernetes(found, container, documents)


def property_of(variable: str) -> str:
    """Return the property that the image of Kafka makes of a variable: `log.roll.ms` of KAFKA_LOG_ROLL_MS."""
    signs = {"___": "-", "__": "_", "_": "."}
    return re.sub("_{1,3}", lambda match: signs[match[0]], variable.removeprefix("KAFKA_")).lower()


def properties(variables: Variables) -> Variables:
    """Return what the image of Kafka writes into the broker's configuration."""
    return {
        property_of(name): value
        for name, value in variables.items()
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    }


def protocols(variables: Variables) -> dict[str, str]:
    """Return each listener's security protocol."""
    pairs = variables["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    return dict(pair.split(":") for pair in pairs)


def addresses(variables: Variables) -> dict[str, tuple[str, int]]:
    """Return the host and the port that a broker tells its clients, for each listener."""
    listeners = variables["KAFKA_ADVERTISED_LISTENERS"].split(",")
    found = [re.fullmatch(r"([A-Z]+)://([\w.-]+):(\d+)", listener) for listener in listeners]
    return {match[1]: (match[2], int(match[3])) for match in found if match}


def both_worlds(documents: Documents) -> list[Variables]:
    return [variables("kafka", documents), environment.compose("zookeeper", "kafka")]


def test_kafka_knows_each_of_its_settings(documents: Documents) -> None:
    for found in both_worlds(documents):
        assert properties(found).keys() - PROPERTIES == set()


def test_zookeeper_knows_each_of_its_settings(documents: Documents) -> None:
    for found in (variables("zookeeper", documents), environment.compose("zookeeper", "zookeeper")):
        assert found.keys() - ZOOKEEPER == set()


def test_both_worlds_have_the_same_settings() -> None:
    kafka, composed = both_worlds(system("base"))

    assert kafka.keys() - OWN == composed.keys() - OWN
    for name in kafka.keys() - OWN:
        assert kafka[name] == composed[name], name
    assert variables("zookeeper", system("base")) == environment.compose("zookeeper", "zookeeper")


def test_both_worlds_have_the_same_images() -> None:
    (file,) = read("zookeeper/docker-compose.yml")
    pods = {name: containers_of(workload(system("base"), name))[0] for name in file["services"]}

    assert {name: pod["image"] for name, pod in pods.items()} == {
        name: service["image"] for name, service in file["services"].items()
    }


def test_large_frames_pass_and_old_ones_go(documents: Documents) -> None:
    for found in map(properties, both_worlds(documents)):
        assert found["message.max.bytes"] == found["replica.fetch.max.bytes"] == "100000000"
        assert found["log.retention.minutes"] == "1"
        # Only a segment that is closed is removed, and only when somebody looks.
        assert int(found["log.roll.ms"]) <= 60_000
        assert int(found["log.retention.check.interval.ms"]) <= 60_000
        assert int(found["zookeeper.session.timeout.ms"]) <= 6_000


def test_each_client_has_a_port(documents: Documents) -> None:
    for found in both_worlds(documents):
        assert {name: port for name, (_, port) in addresses(found).items()} == PORTS
        assert protocols(found).keys() == PORTS.keys()
        assert found["KAFKA_INTER_BROKER_LISTENER_NAME"] == "BROKER"


def test_a_broker_tells_a_name_that_leads_to_it(documents: Documents) -> None:
    kafka, composed = both_worlds(documents)

    assert {host for host, _ in addresses(kafka).values()} == {"kafka-1.kf1-service"}
    inside = {host for name, (host, _) in addresses(composed).items() if name != "BROKER"}
    assert inside == {"kf1-service"}
    assert addresses(composed)["BROKER"][0] == "localhost"
    assert composed["KAFKA_BROKER_ID"] == kafka["KAFKA_BROKER_ID"] == "1"


def test_copies_are_no_more_than_brokers(documents: Documents) -> None:
    brokers = workload(documents, "kafka")["spec"]["replicas"]
    found = properties(variables("kafka", documents))

    assert found["offsets.topic.replication.factor"] == str(brokers)
    assert found.get("default.replication.factor", "1") == str(brokers)
    # One may be away.
    assert int(found.get("min.insync.replicas", "1")) == max(1, brokers - 1)


def test_every_zookeeper_knows_all_of_them() -> None:
    documents = system("three-brokers")
    found = variables("zookeeper", documents)

    names = [f"zookeeper-{number}.zk1-service" for number in (1, 2, 3)]
    assert found["ZOOKEEPER_SERVERS"].split(";") == [f"{name}:2888:3888" for name in names]
    assert workload(documents, "zookeeper")["spec"]["replicas"] == 3
    asked = variables("kafka", documents)["KAFKA_ZOOKEEPER_CONNECT"].split(",")
    assert asked == [f"{name}:2181" for name in names]
    assert found["ZOOKEEPER_SERVER_ID"] == "1"
