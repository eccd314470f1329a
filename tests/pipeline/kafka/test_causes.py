import logging

import pytest
from confluent_kafka import KafkaError

from pipeline.kafka import causes
from pipeline.kafka.causes import Causes, connection_cause, topic_cause
from pipeline.service.logs import Seldom
from tests.clock import Clock

CLOSED = "Disconnected: connection closed by peer: receive 0 after POLLIN"
HANDSHAKE = (
    "SSL handshake failed: Disconnected: SSL connection closed by peer:"
    " connecting to a PLAINTEXT broker listener?"
)
REFUSED = (
    "k:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)"
)
AWAY = "Kafka does not answer at k:9092 (connection refused): start Kafka, or correct the address"
SET = "set security.protocol in KAFKACONFIG to"
LOGIN = "and set sasl.mechanism, sasl.username and sasl.password"


@pytest.fixture(autouse=True)
def _no_line_was_logged_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "_seldom", Seldom(causes.log))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the causes; it passes only when a test moves it on."""
    clock = Clock()
    monkeypatch.setattr(causes, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("report", "meaning"),
    [
        (REFUSED, AWAY),
        (
            "k:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: No route to host (after 3ms in"
            " state CONNECT)",
            "Kafka does not answer at k:9092 (no route to host): start Kafka, or correct the address",
        ),
        (
            "k:9092/bootstrap: Failed to resolve 'k:9092': Name or service not known (after 1ms in"
            " state CONNECT)",
            "Kafka does not answer at k:9092 (its host name is unknown): start Kafka, or correct the address",
        ),
        (
            "[::1]:9092/bootstrap: Connection setup timed out in state CONNECT (after 3001ms in"
            " state CONNECT)",
            "Kafka does not answer at [::1]:9092 (timed out): start Kafka, or correct the address",
        ),
        (
            "GroupCoordinator: b:1: Connect to ipv4#10.0.0.2:1 failed: Connection refused"
            " (after 0ms in state CONNECT, 1 identical error(s) suppressed)",
            "Kafka names b:1 as a broker's address, but it cannot be reached (connection refused):"
            " start that broker, or correct its advertised.listeners",
        ),
        (
            "given:9092/1: Connect to ipv4#10.0.0.2:9092 failed: Connection refused (after 0ms in"
            " state CONNECT)",
            "Kafka does not answer at given:9092 (connection refused): start Kafka, or correct the address",
        ),
        (
            f"k:9092/bootstrap: {CLOSED} (after 0ms in state APIVERSION_QUERY)",
            f"Kafka's port k:9092 closes connections without TLS: {SET} SSL or SASL_SSL",
        ),
        (
            f"sasl_plaintext://k:9092/bootstrap: {CLOSED} (after 0ms in state APIVERSION_QUERY)",
            f"Kafka's port k:9092 closes connections without TLS: {SET} SASL_SSL",
        ),
        (
            f"k:9092/bootstrap: {CLOSED} (after 300ms in state UP)",
            f"Kafka's port k:9092 requires SASL: {SET} SASL_PLAINTEXT, {LOGIN}",
        ),
        (
            "ssl://k:9092/bootstrap: Disconnected: SSL connection closed by peer (after 300ms in state UP)",
            f"Kafka's port k:9092 requires SASL: {SET} SASL_SSL, {LOGIN}",
        ),
        (
            f"ssl://k:9092/bootstrap: {HANDSHAKE} (after 3ms in state SSL_HANDSHAKE)",
            f"Kafka's port k:9092 does not use TLS: {SET} PLAINTEXT or SASL_PLAINTEXT",
        ),
        (
            f"sasl_ssl://k:9092/bootstrap: {HANDSHAKE} (after 3ms in state SSL_HANDSHAKE)",
            f"Kafka's port k:9092 does not use TLS: {SET} SASL_PLAINTEXT",
        ),
        (
            "ssl://k:9092/bootstrap: SSL handshake failed: error:0A00010B:SSL routines::wrong version number"
            " (after 0ms in state SSL_HANDSHAKE)",
            f"Kafka's port k:9092 does not use TLS: {SET} PLAINTEXT or SASL_PLAINTEXT",
        ),
        (
            "ssl://k:9092/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate"
            " verify failed: broker"
            " certificate could not be verified, verify that ssl.ca.location is correctly"
            " configured or root CA"
            " certificates are installed (install ca-certificates package) (after 13ms in state"
            " SSL_HANDSHAKE)",
            "the certificate of Kafka's port k:9092 is not trusted: set ssl.ca.location in KAFKACONFIG to the"
            " certificate of its authority, and use a host name that is in the certificate",
        ),
        (
            "ssl://k:9092/bootstrap: Receive failed: error:0A000412:SSL routines::ssl/tls alert bad"
            " certificate: SSL"
            " alert number 42 (after 0ms in state APIVERSION_QUERY)",
            "Kafka's port k:9092 does not accept this client's certificate, or requires one:"
            " set ssl.certificate.location and ssl.key.location in KAFKACONFIG",
        ),
        (
            "sasl_plaintext://k:9092/bootstrap: SASL authentication error: Authentication failed:"
            " Invalid username or"
            " password (after 302ms in state AUTH_REQ)",
            "Kafka's port k:9092 does not accept this user: correct sasl.username and sasl.password"
            " in KAFKACONFIG",
        ),
        (
            "sasl_plaintext://k:9092/bootstrap: SASL SCRAM-SHA-256 mechanism handshake failed:"
            " Broker: Unsupported SASL"
            " mechanism: broker's supported mechanisms: PLAIN,GSSAPI (after 300ms in state AUTH_HANDSHAKE)",
            "Kafka's port k:9092 does not offer this SASL mechanism:"
            " set sasl.mechanism in KAFKACONFIG to one of: PLAIN,GSSAPI",
        ),
        (
            "sasl_ssl://k:9092/bootstrap: SASL PLAIN mechanism handshake failed: Broker: Request"
            " not valid in current SASL"
            " state: broker's supported mechanisms:  (after 0ms in state AUTH_HANDSHAKE)",
            f"Kafka's port k:9092 does not use SASL: {SET} SSL",
        ),
        # A broker that ends, and one that has run for long.
        (f"k:9092/1: {CLOSED} (after 300ms in state UP)", None),
        (f"k:9092/bootstrap: {CLOSED} (after 30000ms in state UP)", None),
        (f"sasl_plaintext://k:9092/bootstrap: {CLOSED} (after 300ms in state UP)", None),
        ("1/1 brokers are down", None),
        ("k:9092/1: ApiVersionRequest failed: Local: Timed out (after 9ms in state APIVERSION_QUERY)", None),
    ],
)
def test_a_report_about_a_connection_means(report: str, meaning: str | None) -> None:
    assert connection_cause(report, {"given:9092"}) == meaning


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            "topic videocam does not exist, and Kafka does not create it: use kafka-topics.sh --create",
        ),
        (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            "Kafka does not permit this user to write topic videocam: allow WRITE and DESCRIBE with"
            " kafka-acls.sh,"
            " and CREATE if the topic does not exist",
        ),
        (
            KafkaError.MSG_SIZE_TOO_LARGE,
            "a frame is larger than topic videocam accepts: raise its max.message.bytes (or"
            " message.max.bytes of the"
            " brokers), or make the pictures smaller with JPEGQUALITY, IMAGESCALEX and IMAGESCALEY",
        ),
        (KafkaError.INVALID_REQUIRED_ACKS, "topic videocam: Broker: Invalid required acks value"),
    ],
)
def test_a_broker_refuses_a_request_about_a_topic(code: int, cause: str) -> None:
    assert topic_cause(KafkaError(code), "videocam", "write") == cause


def test_a_cause_lasts_until_it_is_no_longer_reported(clock: Clock) -> None:
    kafka = Causes("k:9092")
    timed_out = KafkaError(KafkaError._MSG_TIMED_OUT)
    assert kafka.of(timed_out, "videocam", "write") == "topic videocam: Kafka does not answer"

    kafka.note(KafkaError(KafkaError._TRANSPORT, REFUSED))

    assert kafka.of(timed_out, "videocam", "write") == kafka.why() == AWAY
    clock.now += 41
    assert kafka.why() is None


def test_while_kafka_is_away_the_addresses_that_it_has_named_are_not_blamed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kafka = Causes("k:9092")
    named = "b:1/1: Connect to ipv4#10.0.0.2:1 failed: Connection refused (after 0ms in state CONNECT)"
    kafka.note(KafkaError(KafkaError._TRANSPORT, REFUSED))

    kafka.note(KafkaError(KafkaError._TRANSPORT, named))
    during = kafka.why()
    kafka.answered()
    answered = kafka.why()
    kafka.note(KafkaError(KafkaError._TRANSPORT, named))
    kafka.answered()

    assert (during, answered) == (AWAY, None)
    assert (kafka.why() or "").startswith("Kafka names b:1 as a broker's address")
    assert caplog.messages == [AWAY, kafka.why()]


def test_a_brokers_answer_counts_for_more_than_a_cause() -> None:
    kafka = Causes("k:9092")
    kafka.note(KafkaError(KafkaError._TRANSPORT, REFUSED))

    said = kafka.of(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), "videocam", "read")

    assert said.startswith("topic videocam does not exist")


def test_a_cause_is_logged_once_for_all_clients(caplog: pytest.LogCaptureFixture) -> None:
    for kafka in (Causes("k:9092"), Causes("k:9092")):
        for _ in range(3):
            kafka.note(KafkaError(KafkaError._TRANSPORT, REFUSED))
            kafka.note(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))

    assert caplog.messages == [AWAY]


def test_what_is_not_understood_is_logged_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    kafka = Causes("k:9092")

    kafka.note(KafkaError(KafkaError._FATAL, "out of memory"))

    assert caplog.messages == ["Kafka: out of memory"]
    assert kafka.why() is None


def test_only_disconnections_are_taken_from_librdkafkas_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    kafka = Causes("k:9092")
    line = ("FAIL", "rdkafka#producer-1", f"[thrd:k:9092/bootstrap]: {REFUSED}")
    closed = f"[thrd:k:9092/bootstrap]: k:9092/bootstrap: {CLOSED} (after 0ms in state APIVERSION_QUERY)"

    kafka.log(logging.ERROR, "%s [%s] %s", *line)
    assert kafka.why() is None
    kafka.log(logging.INFO, "%s [%s] %s", "FAIL", "rdkafka#producer-1", closed)

    assert kafka.why() == f"Kafka's port k:9092 closes connections without TLS: {SET} SSL or SASL_SSL"
    assert caplog.messages == [kafka.why()]


def test_a_broker_that_closes_connections_after_it_has_answered_is_ending(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kafka = Causes("k:9092")
    kafka.answered()

    kafka.note(
        KafkaError(KafkaError._TRANSPORT, f"k:9092/bootstrap: {CLOSED} (after 0ms in state APIVERSION_QUERY)")
    )

    assert kafka.why() is None
    assert caplog.messages == []
