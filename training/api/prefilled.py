"""`GET /results/inference/{result}`: the format of the messages that an inference of a result will get."""

import json
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from training.api import described
from training.api.answers import answer, refusal
from training.api.parts import Parts, RowId
from training.api.results import found as result_found
from training.database.tables import Datasource, Inference, Model


def add_prefill(router: APIRouter, parts: Parts) -> None:
    """Add the route."""
    database = parts.database

    @router.get(
        "/results/inference/{result}",
        summary="The format of a result's data, as far as it is known",
        description="For a model that is the upper model of another one: what that one sends.",
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
            found = (known.input_format, known.input_config) if known else ("", "")
            model, is_upper = row.model, row.model.child is not None
            session.expunge(model)
        if is_upper:
            found = ("RAW", json.dumps(_sent_up(parts, model)))
        return answer({"input_format": found[0], "input_config": found[1]})


def _sent_up(parts: Parts, model: Model) -> dict[str, Any]:
    """Return the format of what the part below a model sends: the model's own input, as numbers.

    Raises the refusal if the model's code fails.
    """
    try:
        summary = parts.code.check(model.framework, model.imports, model.code, distributed=model.distributed)
    except ValueError as error:
        raise refusal(f"the code of model {model.name} does not give a model: {error}") from None
    # Where the shape is not known, rows are flat, and the model shapes them.
    shape = summary.inputs[0][1:] if summary and summary.inputs else (None,)
    known = "-1" if shape.count(None) > 1 else " ".join("-1" if size is None else str(size) for size in shape)
    return {"data_type": "float32", "data_reshape": known}
