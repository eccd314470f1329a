"""Producers outside the cluster reach Kafka at a node's port, with a password and few rights."""

import re

import pytest

from pipeline.topics.rights import RIGHTS
from tests.k8s.environment import NODE
from tests.k8s.manifests import containers_of, of_kind, system, texts, workload
from tests.k8s.test_kafka import addresses, protocols, variables

EXTERNAL = ("external", "hardened-external")
PORT = 19097


@pytest.mark.parametrize("name", EXTERNAL)
def test_kafka_announces_the_nodes_address_and_the_services_port(name: str) -> None:
    documents = system(name)
    (service,) = (
        each for each in of_kind(documents, "Service") if each["metadata"]["name"] == "kf1-external"
    )
    (port,) = service["spec"]["ports"]

    assert service["spec"]["type"] == "NodePort"
    assert port["port"] == PORT
    assert addresses(variables("kafka", documents))["EXTERNAL"] == (NODE, port["nodePort"])
    assert f"EXTERNAL://:{PORT}" in variables("kafka", documents)["KAFKA_LISTENERS"]


@pytest.mark.parametrize("name", EXTERNAL)
def test_only_the_external_port_changes(name: str) -> None:
    before = variables("kafka", system("hardened" if name.startswith("hardened") else "base"))
    found = variables("kafka", system(name))

    assert protocols(found) == {**protocols(before), "EXTERNAL": "SASL_PLAINTEXT"}
    inside = {each: address for each, address in addresses(found).items() if each != "EXTERNAL"}
    assert inside == addresses(before)
    changed = {key for key in before if found[key] != before[key]}
    assert changed == {"KAFKA_ADVERTISED_LISTENERS", "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"}


@pytest.mark.parametrize("name", EXTERNAL)
def test_the_users_come_from_a_secret_that_must_exist(name: str) -> None:
    documents = system(name)
    *_, prepares = (
        each for each in containers_of(workload(documents, "kafka")) if each["name"] == "external-users"
    )

    (source,) = prepares["envFrom"]
    assert source == {"prefix": "PASSWORD_", "secretRef": {"name": "kafka-external"}}
    assert "kafka-external" not in [secret["metadata"]["name"] for secret in of_kind(documents, "Secret")]
    assert variables("kafka", documents)["KAFKA_SASL_ENABLED_MECHANISMS"] == "SCRAM-SHA-512"


@pytest.mark.parametrize("name", EXTERNAL)
def test_they_may_do_what_a_producer_needs(name: str) -> None:
    (script,) = (text for text in texts(containers_of(workload(system(name), "kafka"))) if "allow=" in text)
    given: dict[str, set[str]] = {}
    for line in re.findall(r"\$allow (.+)", script):
        for topic in re.findall(r"--topic (\w+)", line):
            given[topic] = {each.upper() for each in re.findall(r"--operation (\w+)", line)}

    assert given == {topic: set(operations) for topic, operations in RIGHTS["producer"].items()}


def test_clients_inside_keep_their_rights() -> None:
    """Without passwords, they have no names; with passwords, they are these users."""
    kafka = variables("kafka", system("external"))
    hardened = variables("kafka", system("hardened-external"))

    assert kafka["KAFKA_SUPER_USERS"] == "User:ANONYMOUS"
    assert hardened["KAFKA_SUPER_USERS"] == "User:broker;User:producer;User:consumer;User:video;User:training"
    for found in (kafka, hardened):
        assert found["KAFKA_AUTHORIZER_CLASS_NAME"] == "kafka.security.authorizer.AclAuthorizer"
