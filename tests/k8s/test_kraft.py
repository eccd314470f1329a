"""Without ZooKeeper, nothing of it is left, and Kafka's controllers find each other."""

import re
from base64 import urlsafe_b64decode
from typing import Any

import pytest
import yaml

from tests.k8s import environment
from tests.k8s.manifests import name_of, system, texts, workload
from tests.k8s.test_kafka import PORTS, PROPERTIES, addresses, properties, protocols, variables
from tests.parts import ROOT

CONTROLLER = 19096


class _Reset:
    """What Docker Compose removes from the file before."""


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!reset", lambda *_: _Reset())


def compose() -> dict[str, Any]:
    """Return what compose/kraft.yml changes."""
    file: dict[str, Any] = yaml.load((ROOT / "compose/kraft.yml").read_text(), _Loader)
    return file


@pytest.mark.parametrize("name", ["kraft", "kraft-three-brokers"])
def test_nothing_of_zookeeper_is_left(name: str) -> None:
    documents = system(name)

    assert [name_of(document) for document in documents if "zookeeper" in name_of(document)] == []
    assert [text for text in texts(list(documents)) if "zookeeper" in text.lower() or "zk1" in text] == []
    assert [key for key in variables("kafka", documents) if "ZOOKEEPER" in key or "BROKER_ID" in key] == []


@pytest.mark.parametrize(("name", "brokers"), [("kraft", 1), ("kraft-three-brokers", 3)])
def test_every_broker_is_a_controller_that_the_others_find(name: str, brokers: int) -> None:
    documents = system(name)
    found = variables("kafka", documents)

    assert workload(documents, "kafka")["spec"]["replicas"] == brokers
    assert found["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert found["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",") == [
        f"{number}@kafka-{number}.kf1-service:{CONTROLLER}" for number in range(1, brokers + 1)
    ]
    assert found["KAFKA_CONTROLLER_LISTENER_NAMES"] == "CONTROLLER"
    assert protocols(found)["CONTROLLER"] == "PLAINTEXT"


@pytest.mark.parametrize("name", ["kraft", "kraft-three-brokers"])
def test_kafka_listens_where_it_is_reached(name: str) -> None:
    found = variables("kafka", system(name))

    listened = re.findall(r"(\w+)://:(\d+)", found["KAFKA_LISTENERS"])
    assert {each: int(port) for each, port in listened} == {**PORTS, "CONTROLLER": CONTROLLER}
    assert "CONTROLLER" not in addresses(found)


def test_the_cluster_has_an_id_that_kafka_accepts() -> None:
    ids = {
        variables("kafka", system("kraft"))["CLUSTER_ID"],
        compose()["services"]["kafka"]["environment"]["CLUSTER_ID"],
    }

    (given,) = ids
    assert len(urlsafe_b64decode(f"{given}==")) == 16


def test_with_compose_too_nothing_of_zookeeper_is_left() -> None:
    changes = compose()["services"]
    given = changes["kafka"]["environment"]
    whole: dict[str, Any] = {**environment.compose("zookeeper", "kafka"), **given}
    kept = {name: str(value) for name, value in whole.items() if not isinstance(value, _Reset)}
    kraft = variables("kafka", system("kraft"))

    assert isinstance(changes["zookeeper"], _Reset)
    assert isinstance(changes["kafka"]["depends_on"], _Reset)
    assert [name for name in kept if "ZOOKEEPER" in name or "BROKER_ID" in name] == []
    assert properties(kept).keys() - PROPERTIES == set()
    for name in ("KAFKA_PROCESS_ROLES", "KAFKA_CONTROLLER_LISTENER_NAMES", "KAFKA_LOG_DIRS"):
        assert kept[name] == kraft[name]
    assert protocols(kept) == protocols(kraft)
