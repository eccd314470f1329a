"""`/datasources/`: the control messages that have come, and sending a stream again."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import Response
from sqlalchemy import select

from training.api import described
from training.api.answers import answer
from training.api.parts import Parts
from training.api.sending import send_again
from training.control.datasources import DatasourceFields, as_sent, store
from training.database.tables import Datasource


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["datasources"])
    database = parts.database

    @router.get(
        "/datasources/",
        summary="All datasources, newest first",
        responses=described.listed(described.Datasource),
    )
    def list_datasources() -> Response:
        with database.reading() as session:
            rows = session.scalars(select(Datasource).order_by(Datasource.time.desc(), Datasource.id.desc()))
            return answer([as_sent(each) for each in rows])

    @router.post(
        "/datasources/",
        summary="Store a control message",
        description="For Kafka-ML's logger. The service reads the control topic itself; what it has stored "
        "already is not stored twice.",
        status_code=201,
        responses=described.made(described.Datasource),
    )
    def add_datasource(sent: DatasourceFields) -> Response:
        with database.writing() as session:
            return answer(as_sent(store(session, sent)), 201)

    @router.post(
        "/datasources/kafka",
        summary="Send a stream again",
        description="Publishes the control message of a row for another deployment. The data stay where they "
        "are; the row of the new message appears when it is read.",
        status_code=201,
        responses=described.made(dict),  # type: ignore[arg-type]
    )
    def send(
        sent: Annotated[dict[str, Any], Body(description="a row with another `deployment`")],
    ) -> Response:
        send_again(parts, sent)
        return answer({}, 201)

    return router
