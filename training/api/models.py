"""`/models/`: the code of models."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, selectinload

from training.api import described, shown
from training.api.answers import answer, refusal, unknown
from training.api.parts import Parts, RowId
from training.database.tables import CHOSEN, Model, Result
from training.fields import Fields, Id, Name, NotEmpty, Short, Text, given


class ModelFields(Fields):
    """A model, as a client sends it."""

    name: Name = Field(description="unique; at most 30 characters")
    description: Short = ""
    imports: Text = Field("", description="Python code that runs before `code`")
    code: NotEmpty = Field(description="Python code that sets the variable `model`")
    distributed: bool = Field(False, description="whether it is one layer of several; TensorFlow only")
    father: Id | None = Field(None, description="the model above it; kept only if it is distributed")
    framework: Literal["tf", "pth"] = Field(description="TensorFlow or PyTorch")


class ModelChanges(ModelFields):
    """Some fields of a model."""

    name: Name = ""
    code: NotEmpty = ""
    framework: Literal["tf", "pth"] = "tf"


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["models"])
    database = parts.database

    def listed(*conditions: ColumnElement[bool]) -> Response:
        with database.reading() as session:
            found = session.scalars(
                select(Model).where(*conditions).options(selectinload(Model.father)).order_by(Model.id)
            )
            return answer([shown.model(each) for each in found])

    @router.get("/models/", summary="All models", responses=described.listed(described.Model))
    def list_models() -> Response:
        return listed()

    @router.post(
        "/models/", summary="Add a model", status_code=201, responses=described.made(described.Model)
    )
    def add_model(sent: ModelFields) -> Response:
        with database.reading() as session:
            _check_name(session, sent.name)
        _run(parts, sent)
        with database.writing() as session:
            _check_name(session, sent.name)
            row = Model(**sent.model_dump(exclude={"father"}))
            row.father = _father(session, row, sent)
            session.add(row)
            _flush(session)
            return answer(shown.model(row), 201)

    @router.get(
        "/models/distributed", summary="Distributed models", responses=described.listed(described.Model)
    )
    def list_distributed() -> Response:
        return listed(Model.distributed.is_(True))

    @router.get(
        "/models/fathers", summary="Models without a father", responses=described.listed(described.Model)
    )
    def list_fathers() -> Response:
        return listed(Model.father_id.is_(None))

    @router.get(
        "/models/result/{result}", summary="The model of a result", responses=described.one(described.Model)
    )
    def show_model_of(result: RowId) -> Response:
        with database.reading() as session:
            row = session.get(Result, result)
            if row is None:
                raise unknown("result", result)
            return answer(shown.model(row.model))

    @router.get("/models/{model}", summary="A model", responses=described.one(described.Model))
    def show_model(model: RowId) -> Response:
        with database.reading() as session:
            row = session.get(Model, model)
            if row is None:
                raise unknown("model", model)
            return answer(shown.model(row))

    _add_changes(router, parts)
    return router


def _add_changes(router: APIRouter, parts: Parts) -> None:
    """Add the routes that change a model."""
    database = parts.database

    def change(model: int, sent: ModelFields, *, all_fields: bool) -> Response:
        values = given(sent, all_fields=all_fields)
        with database.reading() as session:
            before = session.get(Model, model)
            if before is None:
                raise refusal(f"there is no model {model}")
            kept = {name: getattr(before, name) for name in ModelFields.model_fields if name != "father"}
            whole = ModelFields.model_construct(**{**kept, "father": before.father_id, **values})
            _check_name(session, whole.name, model)
        if any(
            kept[name] != getattr(whole, name) for name in ("code", "imports", "framework", "distributed")
        ):
            _run(parts, whole)
        with database.writing() as session:
            row = session.get(Model, model)
            if row is None:
                raise refusal(f"there is no model {model}")
            _check_name(session, whole.name, model)
            row.father = _father(session, row, whole)
            for name, value in whole.model_dump(exclude={"father"}).items():
                setattr(row, name, value)
            _flush(session)
            return answer(shown.model(row))

    @router.put("/models/{model}", summary="Replace a model", responses=described.changed(described.Model))
    def replace_model(model: RowId, sent: ModelFields) -> Response:
        return change(model, sent, all_fields=True)

    @router.patch(
        "/models/{model}", summary="Change fields of a model", responses=described.changed(described.Model)
    )
    def amend_model(model: RowId, sent: ModelChanges) -> Response:
        return change(model, sent, all_fields=False)

    @router.delete("/models/{model}", summary="Delete a model", responses=described.DELETED)
    def delete_model(model: RowId) -> Response:
        with database.writing() as session:
            row = session.get(Model, model)
            if row is None:
                raise refusal(f"there is no model {model}")
            if session.scalar(select(exists().where(CHOSEN.c.model_id == model))):
                raise refusal(f"model {row.name} is used by a configuration: change or delete that first")
            if session.scalar(select(exists().where(Result.model_id == model))):
                raise refusal(f"model {row.name} has results: delete those first")
            session.delete(row)
        return answer({})


def _check_name(session: Session, name: str, own: int | None = None) -> None:
    """Raise the refusal if another model has this name; `own` is the id of the one that may have it."""
    if session.scalar(select(exists().where(Model.name == name, Model.id.is_distinct_from(own)))):
        raise refusal(f"name: there is a model {name} already")


def _run(parts: Parts, sent: ModelFields) -> None:
    if sent.distributed and sent.framework != "tf":
        raise refusal("distributed: only TensorFlow models can be distributed")
    try:
        parts.code.check(sent.framework, sent.imports, sent.code, distributed=sent.distributed)
    except ValueError as error:
        raise refusal(f"Information not valid: {error}") from None


def _father(session: Session, row: Model, sent: ModelFields) -> Model | None:
    """Return a model's father; raise the refusal if it cannot be that."""
    if not sent.distributed or sent.father is None:
        return None
    father = session.get(Model, sent.father)
    if father is None:
        raise refusal(f"father={sent.father}: there is no such model")
    if not father.distributed:
        raise refusal(f"father: expected a distributed model, and {father.name} is not")
    above: Model | None = father
    while above is not None:
        if above.id == row.id:
            raise refusal("father: a model cannot be its own father, nor that of one above it")
        above = above.father
    if father.child is not None and father.child.id != row.id:
        raise refusal(f"father: {father.name} is the father of another model already")
    return father


def _flush(session: Session) -> None:
    session.flush()
    session.expire_all()
