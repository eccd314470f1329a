"""Why Kafka cannot be used: one line for each cause, from what librdkafka reports."""

import logging
import math
import re
import time
from collections.abc import Collection
from typing import Any, Final, Literal

from confluent_kafka import KafkaError, KafkaException, Producer

from pipeline.service.logs import Seldom

log = logging.getLogger(__name__)
_seldom = Seldom(log)  # for all clients of this process: most causes keep each of them from Kafka

_LASTING: Final = 40.0  # s; librdkafka may keep the same report back for 30 s
_INFO: Final = 6  # librdkafka's level for connections that a broker closes

_AWAY: Final = "Kafka does not answer"
_NAMED: Final = "Kafka names"
_PLACE: Final = re.compile(
    r"(?:GroupCoordinator: )?(?:(?P<protocol>\w+)://)?(?P<address>[^\s/]+:\d+)(?P<first>/bootstrap)?(?:/\d+)?:"
)
_SET: Final = "set security.protocol in KAFKACONFIG to"
_MEANINGS: Final = [
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (
            r"Unsupported SASL mechanism(?:: broker's supported mechanisms: (?P<names>\S*))?",
            "{port} does not offer this SASL mechanism: set sasl.mechanism in KAFKACONFIG to one of: {names}",
        ),
        (r"not valid in current SASL state", f"{{port}} does not use SASL: {_SET} {{plain}}"),
        (
            r"SASL authentication error",
            "{port} does not accept this user: correct sasl.username and sasl.password in KAFKACONFIG",
        ),
        (
            r"certificate verify failed",
            "the certificate of {port} is not trusted: set ssl.ca.location in KAFKACONFIG to the certificate"
            " of its authority, and use a host name that is in the certificate",
        ),
        (
            r"alert (?:bad certificate|certificate required|unknown ca|handshake failure)",
            "{port} does not accept this client's certificate, or requires one: set ssl.certificate.location"
            " and ssl.key.location in KAFKACONFIG",
        ),
        (
            r"(?:closed by peer|wrong version number).* in state SSL_HANDSHAKE",
            f"{{port}} does not use TLS: {_SET} {{without_tls}}",
        ),
        # A port with TLS does not understand the first request.
        (
            r"^(?!\w*ssl:).*Disconnected.* in state APIVERSION_QUERY",
            f"{{port}} closes connections without TLS: {_SET} {{with_tls}}",
        ),
        # A port with SASL does, but does not answer anything else before a login.
        (
            r"^(?!sasl).*/bootstrap: Disconnected.*after \d{1,3}ms in state UP",
            f"{{port}} requires SASL: {_SET} SASL_{{plain}}, and set sasl.mechanism, sasl.username and"
            " sasl.password",
        ),
    )
]
_UNREACHABLE: Final = re.compile(
    r"Connect to \S+ failed: (?P<refused>[^(]+?)(?: \(|$)|(?P<unknown>Failed to resolve)|timed out"
)


class Causes:
    """What keeps this process from one Kafka, at `bootstrap`: the newest report of its clients."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = frozenset(bootstrap.split(","))
        self._why = ""
        self._noted = -math.inf
        self._fits = False  # Kafka has answered, so how the clients connect is right

    def config(self) -> dict[str, Any]:
        """Return the settings with which a client that is polled regularly reports to this."""
        return {"error_cb": self.note, "logger": self, "log_level": _INFO}

    def note(self, error: KafkaError) -> None:
        """Take an error that concerns a client as a whole: librdkafka's `error_cb`."""
        # librdkafka reconnects by itself, and reports many times a second that it has not succeeded yet.
        if not self._take(error.str()) and not (error.code() == KafkaError._ALL_BROKERS_DOWN and self.why()):
            _seldom.warning(error.name(), f"Kafka: {error.str()}")

    def log(self, _: int, template: str, *parts: object) -> None:
        """Take a line of librdkafka's log: its `logger`. Only the log says that a broker has disconnected."""
        line = template % parts
        if "Disconnected" not in line or not self._take(line.partition("]: ")[2]):
            log.debug("%s", line)

    def answered(self) -> None:
        """Note that a request was answered: Kafka is there."""
        self._fits = True
        if self._why.startswith(_AWAY):
            self._noted = -math.inf

    def ask(self, producer: Producer, topic: str) -> KafkaError | None:
        """Ask for a topic, which may take half a second; return why it cannot be reached, or None."""
        error: KafkaError | None
        try:
            error = producer.list_topics(topic, timeout=0.5).topics[topic].error
        except KafkaException as failure:
            error = failure.args[0]
        else:
            self.answered()
        return error

    def why(self) -> str | None:
        """Return the cause that lasts, or None."""
        return self._why if time.monotonic() - self._noted < _LASTING else None

    def of(self, error: KafkaError, topic: str, to: Literal["read", "write"]) -> str:
        """Return in one line why a request about a topic failed."""
        if error.code() >= 0:  # a broker's answer
            return topic_cause(error, topic, to)
        return self.why() or f"topic {topic}: {_AWAY}"

    def _take(self, report: str) -> bool:
        why = connection_cause(report, self._bootstrap)
        if why is None:
            return False
        # A broker that is ending looks like one that expects another protocol; the next attempt says more.
        if self._fits and "Disconnected" in report:
            return True
        # While Kafka is away, it cannot be reached at the addresses that it has named either.
        if not why.startswith(_NAMED) or (self.why() or _NAMED).startswith(_NAMED):
            self._why, self._noted = why, time.monotonic()
            _seldom.warning(why, why)
        return True


def topic_cause(error: KafkaError, topic: str, to: Literal["read", "write"]) -> str:
    """Return in one line why a broker refuses a request about a topic."""
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return f"topic {topic} does not exist, and Kafka does not create it: use kafka-topics.sh --create"
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return (
            f"Kafka does not permit this user to {to} topic {topic}: allow {to.upper()} and DESCRIBE with"
            " kafka-acls.sh, and CREATE if the topic does not exist"
        )
    if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return (
            f"a frame is larger than topic {topic} accepts: raise its max.message.bytes (or message.max.bytes"
            " of the brokers), or make the pictures smaller with JPEGQUALITY, IMAGESCALEX and IMAGESCALEY"
        )
    return f"topic {topic}: {error.str()}"


def connection_cause(report: str, bootstrap: Collection[str] = ()) -> str | None:
    """Return in one line what a report of librdkafka about a connection means; None if it means nothing.

    `bootstrap` are the addresses in the service's settings; Kafka has named all others itself.
    """
    place = _PLACE.match(report)
    if not place:
        return None
    for pattern, meaning in _MEANINGS:
        if found := pattern.search(report):
            names = found.groupdict().get("names") or "those of the broker"
            return meaning.format(port=f"Kafka's port {place['address']}", names=names, **_choices(place))
    return _unreachable(
        report, place["address"], is_given=bool(place["first"]) or place["address"] in bootstrap
    )


def _choices(place: re.Match[str]) -> dict[str, str]:
    """Return values of security.protocol. A client without SASL cannot tell whether another port has it."""
    protocol = (place["protocol"] or "plaintext").upper()
    plain = protocol.removeprefix("SASL_")
    if protocol == plain:
        return {"plain": plain, "with_tls": "SSL or SASL_SSL", "without_tls": "PLAINTEXT or SASL_PLAINTEXT"}
    return {"plain": plain, "with_tls": "SASL_SSL", "without_tls": "SASL_PLAINTEXT"}


def _unreachable(report: str, address: str, *, is_given: bool) -> str | None:
    found = _UNREACHABLE.search(report)
    if not found:
        return None
    why = "its host name is unknown" if found["unknown"] else (found["refused"] or "timed out").lower()
    if is_given:
        return f"{_AWAY} at {address} ({why}): start Kafka, or correct the address"
    return (
        f"{_NAMED} {address} as a broker's address, but it cannot be reached ({why}): start that broker,"
        " or correct its advertised.listeners"
    )
