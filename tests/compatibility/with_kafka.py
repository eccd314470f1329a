"""What keeps services from Kafka, and what they say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.compatibility.situation import Refused
from tests.guarded import LARGEST, GuardedKafka

Side = Literal["read", "write"]

TOPIC: Final = "videocam"
"""A topic that exists."""

SEEN: Final = "seen"
"""A topic that the user of SASL may describe, but neither read nor write."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A service that cannot use Kafka, in the table's words, and which line says why."""

    what: str
    port: str
    """The name of the port that it connects to, or an address that Kafka does not know."""

    then: Refused
    """In the line, `HOST:PORT` stands for that port's address."""

    config: Callable[[GuardedKafka], dict[str, Any]] = field(default=lambda _: {})
    """Returns its `KAFKACONFIG`."""

    topic: str = TOPIC
    size: int = 100
    """The size of its frames, in bytes."""

    sides: tuple[Side, ...] = ("write", "read")
    """Whether it is a service that writes frames, one that reads them, or each."""


def _login(kafka: GuardedKafka, **other: str) -> dict[str, Any]:
    return {**kafka.login, **{name.replace("_", "."): value for name, value in other.items()}}


def _login_over_tls(kafka: GuardedKafka, **other: str) -> dict[str, Any]:
    return {**kafka.tls, **_login(kafka, security_protocol="SASL_SSL", **other)}


_SET: Final = "set security.protocol in KAFKACONFIG to"
_LOGIN: Final = "and set sasl.mechanism, sasl.username and sasl.password"
_PASSWORD: Final = Refused(
    "Kafka's port HOST:PORT does not accept this user: correct sasl.username and sasl.password in KAFKACONFIG"
)
_NEEDS_TLS: Final = "Kafka's port HOST:PORT closes connections without TLS"
_WITHOUT_TLS: Final = "Kafka's port HOST:PORT does not use TLS"

TROUBLE: Final = [
    Trouble(
        "a closed port",
        "127.0.0.1:1",
        Refused(
            "Kafka does not answer at HOST:PORT (connection refused): start Kafka, or correct the address"
        ),
    ),
    Trouble(
        "an unknown host",
        "kafka.invalid:9092",
        Refused(
            "Kafka does not answer at kafka.invalid:9092 (its host name is unknown):"
            " start Kafka, or correct the address"
        ),
    ),
    Trouble(
        "a broker that advertises an address where nothing listens",
        "CLOSED",
        Refused(
            "Kafka names HOST:PORT as a broker's address, but it cannot be reached (connection refused):"
            " start that broker, or correct its advertised.listeners"
        ),
    ),
    Trouble(
        "a broker that advertises an unknown host",
        "UNKNOWN",
        Refused(
            "Kafka names kafka-0.invalid:9092 as a broker's address, but it cannot be reached (its host name"
            " is unknown): start that broker, or correct its advertised.listeners"
        ),
    ),
    Trouble(
        "a topic that does not exist, with `auto.create.topics.enable=false`",
        "PLAINTEXT",
        Refused("topic missing does not exist, and Kafka does not create it: use kafka-topics.sh --create"),
        topic="missing",
    ),
    Trouble(
        "a user without the right to write",
        "SASL_PLAINTEXT",
        Refused(
            "Kafka does not permit this user to write topic seen: allow WRITE and DESCRIBE with"
            " kafka-acls.sh, and CREATE if the topic does not exist"
        ),
        _login,
        SEEN,
        sides=("write",),
    ),
    Trouble(
        "a user without the right to read",
        "SASL_PLAINTEXT",
        Refused(
            "Kafka does not permit this user to read topic seen: allow READ and DESCRIBE with kafka-acls.sh,"
            " and CREATE if the topic does not exist"
        ),
        _login,
        SEEN,
        sides=("read",),
    ),
    Trouble(
        "a user without any right",
        "SASL_PLAINTEXT",
        Refused(
            "Kafka does not permit this user to read topic videocam: allow READ and DESCRIBE with"
            " kafka-acls.sh, and CREATE if the topic does not exist"
        ),
        _login,
        sides=("read",),
    ),
    Trouble(
        "a frame that is larger than `message.max.bytes`",
        "PLAINTEXT",
        Refused(
            "a frame is larger than topic videocam accepts: raise its max.message.bytes (or message.max.bytes"
            " of the brokers), or make the pictures smaller with JPEGQUALITY, IMAGESCALEX and IMAGESCALEY"
        ),
        size=2 * LARGEST,
        sides=("write",),
    ),
    Trouble(
        "a wrong password",
        "SASL_PLAINTEXT",
        _PASSWORD,
        lambda kafka: _login(kafka, sasl_password="wrong"),
    ),
    Trouble(
        "a wrong password over TLS",
        "SASL_SSL",
        _PASSWORD,
        lambda kafka: _login_over_tls(kafka, sasl_password="wrong"),
    ),
    Trouble(
        "a SASL mechanism that the broker does not have",
        "SASL_PLAINTEXT",
        Refused(
            "Kafka's port HOST:PORT does not offer this SASL mechanism:"
            " set sasl.mechanism in KAFKACONFIG to one of: PLAIN"
        ),
        lambda kafka: _login(kafka, sasl_mechanism="SCRAM-SHA-256"),
    ),
    Trouble(
        "no login at a port with SASL",
        "SASL_PLAINTEXT",
        Refused(f"Kafka's port HOST:PORT requires SASL: {_SET} SASL_PLAINTEXT, {_LOGIN}"),
    ),
    Trouble(
        "no login at a port with TLS and SASL",
        "SASL_SSL",
        Refused(f"Kafka's port HOST:PORT requires SASL: {_SET} SASL_SSL, {_LOGIN}"),
        lambda kafka: kafka.tls,
    ),
    Trouble(
        "a login at a port without SASL",
        "PLAINTEXT",
        Refused(f"Kafka's port HOST:PORT does not use SASL: {_SET} PLAINTEXT"),
        _login,
    ),
    Trouble("no TLS at a port with TLS", "SSL", Refused(f"{_NEEDS_TLS}: {_SET} SSL or SASL_SSL")),
    Trouble(
        "a login without TLS at a port with TLS and SASL",
        "SASL_SSL",
        Refused(f"{_NEEDS_TLS}: {_SET} SASL_SSL"),
        _login,
    ),
    Trouble(
        "TLS at a port without TLS",
        "PLAINTEXT",
        Refused(f"{_WITHOUT_TLS}: {_SET} PLAINTEXT or SASL_PLAINTEXT"),
        lambda kafka: kafka.tls,
    ),
    Trouble(
        "TLS with a login at a port with SASL, without TLS",
        "SASL_PLAINTEXT",
        Refused(f"{_WITHOUT_TLS}: {_SET} SASL_PLAINTEXT"),
        _login_over_tls,
    ),
    Trouble(
        "a certificate that is not trusted",
        "SSL",
        Refused(
            "the certificate of Kafka's port HOST:PORT is not trusted: set ssl.ca.location in KAFKACONFIG to"
            " the certificate of its authority, and use a host name that is in the certificate"
        ),
        lambda _: {"security.protocol": "SSL"},
    ),
]
