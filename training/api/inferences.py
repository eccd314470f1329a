"""`/inferences/`: trained models that predict what arrives on a topic."""

import json
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AfterValidator, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.service.values import Bootstrap, Topic
from training.api import described, shown
from training.api.answers import answer, refusal, unknown
from training.api.parts import Parts, RowId
from training.api.replicas import add_reports
from training.api.results import found as result_found
from training.control.datasources import Format
from training.database.moment import now
from training.database.tables import Datasource, Inference
from training.fields import Count, Fields, Id, JsonObject, Text
from training.inference import urls
from training.jobs import Places, inference_names, inference_runs
from training.runners.runner import RunnerError

_MOST_REPLICAS = 100


class InferenceFields(Fields):
    """An inference, as a client sends it."""

    model_result: Id | None = Field(None, description="the id of a finished result; the path's counts")
    replicas: int = Field(1, ge=1, le=_MOST_REPLICAS)
    input_format: Format
    input_config: JsonObject = Field(description="an object, or a JSON text with one")
    input_topic: Topic
    output_topic: Topic
    limit: float | None = Field(None, allow_inf_nan=False, description="for early exits")
    output_upper: Text | None = None
    token: str | None = Field(None, description="of another cluster; never stored")
    external_host: Text | None = None
    input_kafka_broker: Bootstrap | None = None
    output_kafka_broker: Bootstrap | None = None
    upper_kafka_broker: Text | None = None
    gpumem: Count = 0
    model_server: Annotated[str, AfterValidator(urls.model_server)] | None = Field(
        None,
        description="the model on TensorFlow Serving, such as http://tfserving:8501/v1/models/digits:predict;"
        " by default, each replica loads the result's model",
    )

    def columns(self) -> dict[str, Any]:
        """Return what is stored."""
        values = self.model_dump(exclude={"token", "model_result"})
        return {**values, "input_config": json.dumps(self.input_config), "model_result_id": self.model_result}

    def check(self, places: Places) -> None:
        """Raise the refusal if there cannot be such an inference."""
        if self.external_host or self.token:
            name = "external_host" if self.external_host else "token"
            raise refusal(f"{name}: inferences on other clusters do not exist in this version: leave it out")
        if self.limit is not None:
            raise refusal("limit: early exits, of distributed models, do not exist in this version")
        if why := _unreadable(self.input_format, self.input_config):
            raise refusal(f"input_config: {why}")
        for name in ("input", "output"):
            broker, topic = getattr(self, f"{name}_kafka_broker"), getattr(self, f"{name}_topic")
            if topic == places.control_topic and broker in (None, places.bootstrap):
                raise refusal(f"{name}_topic={topic!r}: expected another topic than the control topic")
        same_broker = self.input_kafka_broker == self.output_kafka_broker
        if self.input_topic == self.output_topic and same_broker:
            raise refusal("output_topic: expected another topic than input_topic, which it would read again")


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["inferences"])
    database = parts.database

    @router.get("/inferences/", summary="All inferences", responses=described.listed(described.Inference))
    def list_inferences() -> Response:
        with database.reading() as session:
            return answer(
                [shown.inference(each) for each in session.scalars(select(Inference).order_by(Inference.id))]
            )

    @router.post(
        "/inferences/",
        summary="Add a row without starting anything",
        description="Kafka-ML has this, too; use `/results/inference/{result}`.",
        status_code=201,
        responses=described.made(described.Inference),
    )
    def add_row(sent: InferenceFields) -> Response:
        sent.check(parts.places)
        with database.writing() as session:
            if sent.model_result is not None:
                result_found(session, sent.model_result)
            return answer(shown.inference(_added(session, sent)), 201)

    @router.get(
        "/inferences/{inference}", summary="An inference", responses=described.one(described.Inference)
    )
    def show_inference(inference: RowId) -> Response:
        with database.reading() as session:
            row = session.get(Inference, inference)
            if row is None:
                raise unknown("inference", inference)
            return answer(shown.inference(row))

    @router.put(
        "/inferences/{inference}",
        summary="Change the row of an inference that does not run",
        responses=described.changed(described.Inference),
    )
    def change(inference: RowId, sent: InferenceFields) -> Response:
        sent.check(parts.places)
        with database.writing() as session:
            row = _found(session, inference)
            if parts.runner.names() & {*inference_names(row)}:
                raise refusal(f"inference {inference} runs: stop it before you change it")
            if sent.model_result is not None:
                result_found(session, sent.model_result)
            for name, value in sent.columns().items():
                setattr(row, name, value)
            return answer(shown.inference(row))

    @router.delete("/inferences/{inference}", summary="Delete an inference", responses=described.DELETED)
    def delete(inference: RowId) -> Response:
        with database.writing() as session:
            row = _found(session, inference)
            if row.status != "stopped":
                raise refusal(f"inference {inference} runs: stop it before you delete it")
            names = inference_names(row)
            session.delete(row)
        for name in names:
            parts.runner.forget(name)
        return answer({})

    _add_runs(router, parts)
    add_reports(router, parts)
    return router


def _add_runs(router: APIRouter, parts: Parts) -> None:
    """Add the routes that start and stop inferences."""
    database = parts.database

    @router.get(
        "/results/inference/{result}",
        summary="The format of a result's data, as far as it is known",
        responses=described.changed(described.Prefilled),
    )
    def prefill(result: RowId) -> Response:
        with database.reading() as session:
            row = result_found(session, result)
            known: Inference | Datasource | None = session.scalars(
                select(Inference).where(Inference.model_result_id == result).order_by(Inference.id.desc())
            ).first()
            known = (
                known
                or session.scalars(
                    select(Datasource)
                    .where(Datasource.deployment == str(row.deployment_id))
                    .order_by(Datasource.time.desc(), Datasource.id.desc())
                ).first()
            )
            return answer(
                {
                    "input_format": known.input_format if known else "",
                    "input_config": known.input_config if known else "",
                }
            )

    @router.post(
        "/results/inference/{result}",
        summary="Start an inference",
        responses=described.changed(described.Inference),
    )
    def start(result: RowId, sent: InferenceFields) -> Response:
        sent.check(parts.places)
        with database.writing() as session:
            trained = result_found(session, result)
            if trained.status != "finished":
                raise refusal(f"result {result} is {trained.status}: only finished ones can predict")
            if sent.model_server and trained.model.framework != "tf":
                raise refusal("model_server: TensorFlow Serving has no PyTorch models: leave it out")
            row = _added(session, sent.model_copy(update={"model_result": result}))
            runs = inference_runs(row, parts.places, trained)
            number, content = row.id, shown.inference(row)
        try:
            for run in runs:
                parts.runner.start(run)
        except RunnerError as error:
            for run in runs:
                parts.runner.forget(run.name)
            with database.writing() as session:
                session.delete(_found(session, number))
            raise refusal(f"the inference cannot be started: {error}") from None
        return answer(content)

    @router.post("/inferences/{inference}", summary="Stop an inference", responses=described.DONE)
    def stop(inference: RowId) -> Response:
        with database.writing() as session:
            row = session.get(Inference, inference)
            if row is None or row.status != "deployed":
                raise refusal(f"Inference {inference} not found or not running")
            row.status, row.status_changed = "stopped", now()
            names = inference_names(row)
        for name in names:
            parts.runner.stop(name)
        return answer({})


def _added(session: Session, sent: InferenceFields) -> Inference:
    row = Inference(**sent.columns())
    session.add(row)
    session.flush()
    return row


def _found(session: Session, inference: int) -> Inference:
    row = session.get(Inference, inference)
    if row is None:
        raise refusal(f"there is no inference {inference}")
    return row


def _unreadable(input_format: str, input_config: dict[str, Any]) -> str | None:
    """Return why messages of such a format could not be read, in one line, or None."""
    # The formats need packages that take memory, and a service that only trains has no use for them.
    from training.inference.formats import column  # noqa: PLC0415

    try:
        column(input_format, input_config)
    except ValueError as error:
        return str(error)
    return None
