"""`/example/`: handwritten digits, trained with one request, and some to predict with another."""

import json
import secrets
from random import SystemRandom
from typing import Any, Final

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.kafka import clients
from pipeline.kafka.topics import KEPT, Topic
from training.api import described
from training.api.answers import answer, refusal, unable
from training.api.deployment_fields import DeploymentFields
from training.api.deployments import deployed, withdraw
from training.api.parts import Parts
from training.api.sending import ask
from training.client import RawSink, SendError
from training.data.writing import Writer
from training.database.tables import Configuration, Inference, Model
from training.example.digits import CODE, FORMAT, digits
from training.fields import Fields, Id

TOPIC: Final = "example-digits"
_NAME: Final = "digits example"
_SHAPE: Final = (8, 8)
_HEADER: Final = "digit"
_RATE: Final = 0.1  # of the digits for validation, and as many for the test


class DigitsFields(Fields):
    """Which inference gets digits, and how many."""

    inference: Id = Field(description="an inference of RAW pictures of 8 by 8 pixels, uint8")
    count: int = Field(10, ge=1, le=100)


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["example"])

    @router.post(
        "/example/",
        summary="Train the example",
        description="Creates a model and a configuration, unless they are there, and a deployment, and sends "
        "the digits to Kafka.",
        status_code=201,
        responses=described.made(described.Deployment),
    )
    def train() -> Response:
        ask(parts.places.bootstrap, TOPIC, parts.kafkaconfig)
        with parts.database.writing() as session:
            configuration = _configuration(session)
        sent = DeploymentFields(
            configuration=configuration, batch=32, tf_kwargs_fit="epochs=20", conf_mat_settings=True
        )
        made = deployed(parts, sent)
        try:
            _send(parts, made["id"])
        except Exception as error:
            withdraw(parts, made["id"])
            if isinstance(error, SendError):
                raise unable(f"the digits could not be sent: {error}") from None
            raise
        return answer(made, 201)

    @router.post(
        "/example/predict",
        summary="Send digits to an inference",
        description="Each message, and so its prediction, has the header `digit` with the digit's id.",
        responses=described.value({"digits": [{"id": "5f3b9c2e81d04a67", "label": 7, "pixels": [0, 16]}]}),
    )
    def predict(sent: DigitsFields) -> Response:
        with parts.database.reading() as session:
            row = session.get(Inference, sent.inference)
            if row is None or row.status != "deployed":
                raise refusal(f"inference {sent.inference} not found or not running")
            if not takes_digits(row.input_format, row.input_config):
                raise refusal(f"inference {sent.inference}: expected one of RAW pictures, uint8 of 8 8")
            broker, topic = row.input_kafka_broker or parts.places.bootstrap, row.input_topic
        ask(broker, topic, parts.kafkaconfig)
        # Predictions come in another order than digits if a topic has several partitions.
        chosen = {secrets.token_hex(8): each for each in SystemRandom().sample(digits(), sent.count)}
        try:
            writer = Writer(broker, topic, parts.kafkaconfig)
            try:
                for number, each in chosen.items():
                    writer.write(each.pixels, bytes([each.label]), {_HEADER: number.encode()})
                writer.finish()
            finally:
                writer.close()
        except SendError as error:
            raise unable(f"the digits could not be sent: {error}") from None
        shown = [
            {"id": number, "label": each.label, "pixels": [*each.pixels]} for number, each in chosen.items()
        ]
        return answer({"digits": shown})

    return router


def takes_digits(input_format: str, input_config: str) -> bool:
    """Return whether an inference reads pictures like those of the example."""
    config: Any = json.loads(input_config)
    return input_format == "RAW" and all(config.get(name) == value for name, value in FORMAT.items())


def _configuration(session: Session) -> int:
    """Return the example's configuration, which is made if it is not there."""
    model = session.scalars(select(Model).where(Model.code == CODE, Model.imports == "")).first()
    if model is None:
        model = Model(
            name=_free(session, Model),
            description="handwritten digits of 8 by 8 pixels",
            imports="",
            code=CODE,
            distributed=False,
            framework="tf",
        )
        session.add(model)
    else:
        for each in session.scalars(select(Configuration).order_by(Configuration.id)):
            if each.ml_models == [model]:
                return each.id
    row = Configuration(
        name=_free(session, Configuration),
        description="the example of a first visit",
        ml_models=[model],
    )
    session.add(row)
    session.flush()
    return row.id


def _free(session: Session, kind: type[Model] | type[Configuration]) -> str:
    """Return a name that no row has."""
    taken = set(session.scalars(select(kind.name).where(kind.name.startswith(_NAME))))
    names = (_NAME, *(f"{_NAME} {number}" for number in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _send(parts: Parts, deployment: int) -> None:
    # Otherwise the broker may create a topic that soon forgets, and a training may wait for its turn.
    admin = clients.admin(parts.places.bootstrap, dict(parts.kafkaconfig))
    Topic(TOPIC, KEPT, lambda: admin).prepare(admin)
    with RawSink(
        parts.places.bootstrap,
        TOPIC,
        deployment,
        description="handwritten digits, the example",
        validation_rate=_RATE,
        test_rate=_RATE,
        control_topic=parts.places.control_topic,
        config=parts.kafkaconfig,
    ) as sink:
        for pixels, label in digits():
            sink.send(np.frombuffer(pixels, np.uint8).reshape(_SHAPE), np.uint8(label))
