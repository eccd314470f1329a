"""A Kafka with a port of each kind, which creates no topics and grants rights, for what goes wrong there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from tests.cluster import Cluster
from tests.parts import free_port

# The protocol of each port. What the last two advertise cannot be reached.
_PROTOCOLS: Final = {
    "PLAINTEXT": "PLAINTEXT",
    "SASL_PLAINTEXT": "SASL_PLAINTEXT",
    "SSL": "SSL",
    "SASL_SSL": "SASL_SSL",
    "CLOSED": "PLAINTEXT",
    "UNKNOWN": "PLAINTEXT",
}
_ADVERTISED: Final = {"CLOSED": "127.0.0.1:1", "UNKNOWN": "kafka-0.invalid:9092"}
_USER, _PASSWORD = "alice", "secret"

LARGEST: Final = 100_000
"""The largest message, in bytes."""


class GuardedKafka(Cluster):
    """Its ports by name; everybody may do everything but the user of SASL, who needs rights."""

    def __init__(self, folder: Path) -> None:
        self.ports = {name: f"127.0.0.1:{free_port()}" for name in _PROTOCOLS}
        properties = {
            "listeners": _listed("{}://{}", self.ports),
            "advertised.listeners": _listed("{}://{}", {**self.ports, **_ADVERTISED}),
            "listener.security.protocol.map": _listed("{}:{}", _PROTOCOLS),
            "auto.create.topics.enable": "false",
            "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer",
            "super.users": "User:ANONYMOUS",
            "message.max.bytes": str(LARGEST),
        }
        port = self.ports["PLAINTEXT"].rpartition(":")[2]
        options = [f"--property={name}={value}" for name, value in properties.items()]
        super().__init__(folder, 1, f"--port={port}", f"--sasl={_USER}:{_PASSWORD}", "--tls", *options)
        self.login: dict[str, Any] = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": _USER,
            "sasl.password": _PASSWORD,
        }
        self.tls: dict[str, Any] = {
            "security.protocol": "SSL",
            "ssl.ca.location": self._run("addresses").partition("KAFKA_TLS_CA=")[2].split()[0],
        }

    def create(self, *topics: str) -> None:
        """Create topics with one partition."""
        for created in self._admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
            created.result()

    def allow(self, operation: AclOperation, topic: str) -> None:
        """Give the user of SASL a right."""
        right = AclBinding(
            ResourceType.TOPIC,
            topic,
            ResourcePatternType.LITERAL,
            f"User:{_USER}",
            "*",
            operation,
            AclPermissionType.ALLOW,
        )
        for granted in self._admin.create_acls([right]).values():
            granted.result()


def _listed(form: str, values: dict[str, str]) -> str:
    return ",".join(form.format(*each) for each in values.items())


@contextmanager
def guarded_kafka() -> Iterator[GuardedKafka]:
    """Run it for the block."""
    with TemporaryDirectory(prefix="kafka-") as folder:
        kafka = GuardedKafka(Path(folder) / "data")
        try:
            yield kafka
        finally:
            kafka.close()
