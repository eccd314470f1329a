"""Sends a stream again: publishes a control message for data that are in Kafka already."""

from typing import Any

from pydantic import ValidationError

from training.api.answers import line, refusal
from training.api.parts import Parts
from training.control.datasources import DatasourceFields, completed, message_of
from training.control.publisher import PublishError
from training.database.tables import Deployment


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
    except PublishError as error:
        raise refusal(f"the control message was not sent: {error}") from None
