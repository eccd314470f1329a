"""A Kafka with a port of each kind, which creates no topics and grants rights, for what goes wrong there."""

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from tests.cluster import COMMAND
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


class GuardedKafka:
    """Its ports by name; everybody may do everything but the user of SASL, who needs rights."""

    def __init__(self, folder: Path) -> None:
        self.ports = {name: f"127.0.0.1:{free_port()}" for name in _PROTOCOLS}
        advertised = {**self.ports, **_ADVERTISED}
        properties = {
            "listeners": _listed("{}://{}", self.ports),
            "advertised.listeners": _listed("{}://{}", advertised),
            "listener.security.protocol.map": _listed("{}:{}", _PROTOCOLS),
            "auto.create.topics.enable": "false",
            "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer",
            "super.users": "User:ANONYMOUS",
            "message.max.bytes": str(LARGEST),
        }
        self._command = [*shlex.split(os.environ[COMMAND])]
        self._folder = folder
        port = self.ports["PLAINTEXT"].rpartition(":")[2]
        options = [f"--port={port}", f"--sasl={_USER}:{_PASSWORD}", "--tls"]
        output = self._run(
            "start", *options, *(f"--property={name}={value}" for name, value in properties.items())
        )
        self.login: dict[str, Any] = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": _USER,
            "sasl.password": _PASSWORD,
        }
        self.tls: dict[str, Any] = {
            "security.protocol": "SSL",
            "ssl.ca.location": output.partition("KAFKA_TLS_CA=")[2].split()[0],
        }
        self._admin = AdminClient({"bootstrap.servers": self.ports["PLAINTEXT"], "log_level": 0})

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

    def close(self) -> None:
        """Stop it, and remove its data."""
        self._run("stop", "--clean")

    def _run(self, verb: str, *options: str) -> str:
        command = [*self._command, verb, f"--data={self._folder}", *options]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


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
