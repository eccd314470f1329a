"""In the overlay with passwords, Kafka and its clients agree on users and mechanisms."""

import json
import re

import pytest

from tests.k8s.manifests import containers_of, pod_of, system, texts, workload
from tests.k8s.test_kafka import CLIENTS, PORTS, protocols, variables

HARDENED = ("hardened", "hardened-external", "hardened-autoscaling")


@pytest.mark.parametrize("name", HARDENED)
def test_every_listener_asks_for_a_password(name: str) -> None:
    kafka = variables("kafka", system(name))

    assert set(protocols(kafka).values()) == {"SASL_PLAINTEXT"}
    for listener in PORTS:
        login = kafka[f"KAFKA_LISTENER_NAME_{listener}_SCRAM___SHA___512_SASL_JAAS_CONFIG"]
        assert re.fullmatch(r'\S+\.ScramLoginModule required username="broker" password="[^"$]+";', login)
    assert kafka["KAFKA_SASL_ENABLED_MECHANISMS"] == "SCRAM-SHA-512"
    assert kafka["KAFKA_SASL_MECHANISM_INTER_BROKER_PROTOCOL"] == "SCRAM-SHA-512"


@pytest.mark.parametrize("app", CLIENTS)
def test_each_client_logs_in_as_its_listener_requires(app: str) -> None:
    documents = system("hardened")
    given = json.loads(variables(app, documents)["KAFKACONFIG"])

    assert given["security.protocol"] == protocols(variables("kafka", documents))[CLIENTS[app]]
    assert given["sasl.mechanism"] == "SCRAM-SHA-512"
    assert given["sasl.username"] == app
    assert given["sasl.password"]


def test_each_user_has_its_own_password_which_kafka_gets() -> None:
    documents = system("hardened")
    keys = {}
    for app in ("kafka", *CLIENTS):
        for variable in pod_of(workload(documents, app))["containers"][0]["env"]:
            reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
            if reference.get("name") == "kafka-users":
                keys[app] = reference["key"]

    assert keys == {"kafka": "broker", **{app: app for app in CLIENTS}}
    prepares, *_ = containers_of(workload(documents, "kafka"))
    (source,) = prepares["envFrom"]
    assert source["secretRef"] == {"name": "kafka-users"}
    users = re.search("for user in (.+); do", " ".join(texts(prepares["command"])))
    assert users
    assert set(users[1].split()) == set(keys.values())
