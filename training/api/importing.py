"""`/deployments/import`: models that were trained elsewhere."""

from pathlib import Path
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from starlette.datastructures import FormData

from training.api import described, forms, shown
from training.api.answers import answer, refusal
from training.api.bodies import LARGEST_UPLOAD
from training.api.configurations import found as configuration_found
from training.api.deployment_fields import DeploymentFields
from training.api.parts import Parts
from training.api.results import found
from training.database.moment import now
from training.database.moment import shown as shown_time
from training.database.tables import Deployment, Result
from training.versions.copying import copy


class _Program(NamedTuple):
    framework: str
    imports: str
    code: str


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["deployments"])
    database = parts.database

    @router.post(
        "/deployments/import",
        summary="Import a trained model",
        description="Creates a deployment of a configuration with one model, with a finished result. The "
        "file is loaded first: it must take and give what that model does. TensorFlow's becomes a version.",
        status_code=201,
        responses=described.made(described.Deployment),
        openapi_extra=forms.body("multipart/form-data", forms.FILES | {"configuration": {"type": "integer"}}),
    )
    async def import_model(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=10, max_part_size=forms.LARGEST_FIELD) as form:
            return await run_in_threadpool(imported, form)

    def imported(form: FormData) -> Response:
        number, metrics = form.get("configuration"), forms.metrics(form, "metrics", ignores_others=False)
        if not isinstance(number, str) or not number.isascii() or not number.isdigit() or len(number) > 9:
            raise refusal("configuration: expected the id of a configuration")
        with database.reading() as session:
            models = configuration_found(session, int(number)).ml_models
            if len(models) != 1 or models[0].distributed:
                raise refusal("configuration: expected one with a single model that is not distributed")
            model = models[0]
            program = _Program(model.framework, model.imports, model.code)
        deployment, result = _imported(parts, int(number), model.id)
        facts = {"result": result, "deployment": deployment, "model": model.name}
        try:
            forms.keep_files(parts, result, program.framework, form)
            _check(parts, program, facts)
        except Exception:
            _withdraw(parts, deployment, result)
            raise
        with database.writing() as session:
            row = found(session, result)
            for name in metrics.model_fields_set - {"indefinite"}:
                setattr(row, name, forms.value(metrics, name))
            return answer(shown.deployment(row.deployment), 201)

    return router


def _imported(parts: Parts, configuration: int, model: int) -> tuple[int, int]:
    """Add a deployment with one result; return their ids."""
    fields = DeploymentFields(configuration=configuration).model_dump(exclude={"configuration", "datasource"})
    with parts.database.writing() as session:
        row = Deployment(configuration_id=configuration, **fields)
        row.results = [Result(model_id=model, status="finished", state="finished")]
        session.add(row)
        session.flush()
        return row.id, row.results[0].id


def _check(parts: Parts, program: _Program, facts: dict[str, Any]) -> None:
    """Raise the refusal unless the result's file is a trained model of the program; add its version."""
    kept = parts.files.model(facts["result"], program.framework)
    if kept is None:
        raise refusal("trained_model: the file is gone: try again")

    def keep(exported: Path) -> None:
        def fill(part: Path) -> dict[str, Any]:
            copy(exported, part, LARGEST_UPLOAD)
            return {"imports": program.imports, "code": program.code, "created": shown_time(now())}

        parts.library.add(facts["model"], fill, facts, is_served=False)

    try:
        parts.code.check_trained(program.framework, program.imports, program.code, file=kept[0], keep=keep)
    except ValueError as error:
        raise refusal(f"trained_model: {error}") from None


def _withdraw(parts: Parts, deployment: int, result: int) -> None:
    with parts.database.writing() as session:
        session.delete(found(session, result))
        session.flush()
        session.delete(session.get_one(Deployment, deployment))
    parts.files.delete(result)
