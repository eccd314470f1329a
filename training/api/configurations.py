"""`/configurations/`: sets of models that are trained together."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from training.api import described, shown
from training.api.answers import answer, refusal, unknown
from training.api.parts import Parts, RowId
from training.database.tables import Configuration, Model
from training.fields import Fields, Id, Name, Short, given

_MOST: int = 1_000  # models of a configuration


class ConfigurationFields(Fields):
    """A configuration, as a client sends it."""

    name: Name = Field(description="unique; at most 30 characters")
    description: Short = ""
    ml_models: Annotated[list[Id], Field(min_length=1, max_length=_MOST)] = Field(
        description="the ids of its models; those below a distributed model are added by themselves"
    )


class ConfigurationChanges(ConfigurationFields):
    """Some fields of a configuration."""

    name: Name = ""
    ml_models: Annotated[list[Id], Field(min_length=1, max_length=_MOST)] = Field([])


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["configurations"])
    database = parts.database

    @router.get(
        "/configurations/",
        summary="All configurations, newest first",
        responses=described.listed(described.Configuration),
    )
    def list_configurations() -> Response:
        with database.reading() as session:
            found = session.scalars(
                select(Configuration)
                .options(selectinload(Configuration.ml_models), selectinload(Configuration.deployments))
                .order_by(Configuration.time.desc(), Configuration.id.desc())
            )
            return answer([shown.configuration(each) for each in found])

    @router.post(
        "/configurations/",
        summary="Add a configuration",
        status_code=201,
        responses=described.made(described.Configuration),
    )
    def add_configuration(sent: ConfigurationFields) -> Response:
        with database.writing() as session:
            chosen = _chains(session, sent.ml_models)
            row = Configuration(name=sent.name, description=sent.description, ml_models=chosen)
            session.add(row)
            _flush(session, sent.name)
            return answer(shown.configuration(row), 201)

    @router.get(
        "/configurations/{configuration}",
        summary="A configuration",
        responses=described.one(described.Configuration),
    )
    def show_configuration(configuration: RowId) -> Response:
        with database.reading() as session:
            row = session.get(Configuration, configuration)
            if row is None:
                raise unknown("configuration", configuration)
            return answer(shown.configuration(row))

    def change(configuration: int, sent: ConfigurationFields, *, all_fields: bool) -> Response:
        with database.writing() as session:
            row = found(session, configuration)
            values = given(sent, all_fields=all_fields)
            if "ml_models" in values:
                values["ml_models"] = _chains(session, values["ml_models"])
            for name, value in values.items():
                setattr(row, name, value)
            _flush(session, row.name)
            return answer(shown.configuration(row))

    @router.put(
        "/configurations/{configuration}",
        summary="Replace a configuration",
        responses=described.changed(described.Configuration),
    )
    def replace_configuration(configuration: RowId, sent: ConfigurationFields) -> Response:
        return change(configuration, sent, all_fields=True)

    @router.patch(
        "/configurations/{configuration}",
        summary="Change fields of a configuration",
        responses=described.changed(described.Configuration),
    )
    def amend_configuration(configuration: RowId, sent: ConfigurationChanges) -> Response:
        return change(configuration, sent, all_fields=False)

    @router.delete(
        "/configurations/{configuration}", summary="Delete a configuration", responses=described.DELETED
    )
    def delete_configuration(configuration: RowId) -> Response:
        with database.writing() as session:
            row = found(session, configuration)
            if row.deployments:
                raise refusal(f"configuration {row.name} has deployments: delete those first")
            session.delete(row)
        return answer({})

    @router.get(
        "/frameworksInConfiguration/{configuration}",
        summary="The frameworks of a configuration's models",
        responses=described.value(["tf", "pth"]),
    )
    def list_frameworks(configuration: RowId) -> Response:
        with database.reading() as session:
            row = found(session, configuration)
            return answer(sorted({each.framework for each in row.ml_models}, reverse=True))

    @router.get(
        "/distributedConfiguration/{configuration}",
        summary="Whether a configuration has a distributed model",
        responses=described.value(False),
    )
    def is_distributed(configuration: RowId) -> Response:
        with database.reading() as session:
            row = found(session, configuration)
            return answer(any(each.distributed for each in row.ml_models))

    return router


def found(session: Session, configuration: int) -> Configuration:
    """Return a row; raise the refusal if there is none."""
    row = session.get(Configuration, configuration)
    if row is None:
        raise refusal(f"there is no configuration {configuration}")
    return row


def _chains(session: Session, ids: list[int]) -> list[Model]:
    """Return these models, and for each the chain of models below it."""
    chosen: dict[int, Model] = {}
    for number in ids:
        model = session.get(Model, number)
        if model is None:
            raise refusal(f"ml_models: there is no model {number}")
        below: Model | None = model
        while below is not None and below.id not in chosen:
            chosen[below.id] = below
            below = below.child
    return sorted(chosen.values(), key=lambda each: each.id)


def _flush(session: Session, name: str) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise refusal(f"name: there is a configuration {name} already") from None
