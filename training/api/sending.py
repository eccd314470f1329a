"""Sends a stream again: publishes a control message for data that are in Kafka already."""

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaException
from pydantic import ValidationError

from pipeline.kafka import clients
from pipeline.kafka.causes import Causes
from training.api.answers import line, refusal, unable
from training.api.parts import Parts
from training.control.datasources import DatasourceFields, completed, message_of
from training.control.publisher import PublishError, UnansweredError
from training.database.tables import Deployment

_PATIENCE: Final = 4.0  # s for Kafka to answer


def send_again(parts: Parts, sent: dict[str, Any]) -> None:
    """Publish a row of the list for another deployment; raise the refusal if that is not possible."""
    try:
        fields = DatasourceFields.model_validate(sent)
    except ValidationError as error:
        raise refusal(
            f"Deployment not valid: {'; '.join(line(dict(each)) for each in error.errors())}"
        ) from None
    number = int(fields.deployment)
    with parts.database.reading() as session:
        if number > 2**31 - 1 or session.get(Deployment, number) is None:
            raise refusal(f"Deployment not valid: there is no deployment {number}")
        fields = completed(session, fields)
        try:
            message = message_of(fields)
        except ValueError as error:
            raise refusal(f"Deployment not valid: {error}") from None
    try:
        parts.control.publish(*message)
    except UnansweredError as error:
        raise unable(f"the control message was not sent: {error}") from None
    except PublishError as error:
        raise refusal(f"the control message was not sent: {error}") from None


def ask(bootstrap: str, topic: str, config: Mapping[str, Any]) -> None:
    """Ask Kafka whether it is there, before anything is sent to the topic; raise a 503 if it is not."""
    causes = Causes(bootstrap)
    producer = clients.producer(bootstrap, "none", dict(config), causes)
    try:
        # All topics: asking for one that does not exist could create it, with other settings.
        producer.list_topics(timeout=_PATIENCE)
    except KafkaException as error:
        producer.poll(0)  # lets librdkafka report the cause
        raise unable(causes.of(error.args[0], topic, "write")) from None
