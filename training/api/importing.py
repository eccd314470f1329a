"""`/deployments/import`: models that were trained elsewhere."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from starlette.datastructures import FormData

from training.api import described, forms, shown
from training.api.answers import answer, refusal
from training.api.configurations import found as configuration_found
from training.api.deployment_fields import DeploymentFields
from training.api.parts import Parts
from training.api.results import found
from training.database.tables import Deployment, Result


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["deployments"])
    database = parts.database

    @router.post(
        "/deployments/import",
        summary="Import a trained model",
        description="Creates a deployment of a configuration with one model, with a finished result.",
        status_code=201,
        responses=described.made(described.Deployment),
        openapi_extra=forms.body("multipart/form-data", forms.FILES | {"configuration": {"type": "integer"}}),
    )
    async def import_model(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=10, max_part_size=forms.LARGEST_FIELD) as form:
            return await run_in_threadpool(imported, form)

    def imported(form: FormData) -> Response:
        number, metrics = form.get("configuration"), forms.metrics(form, "metrics")
        if not isinstance(number, str) or not number.isascii() or not number.isdigit() or len(number) > 9:
            raise refusal("configuration: expected the id of a configuration")
        with database.reading() as session:
            models = configuration_found(session, int(number)).ml_models
            if len(models) != 1 or models[0].distributed:
                raise refusal("configuration: expected one with a single model that is not distributed")
            model, framework = models[0].id, models[0].framework
        deployment, result = _imported(parts, int(number), model)
        try:
            forms.keep_files(parts, result, framework, form)
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


def _withdraw(parts: Parts, deployment: int, result: int) -> None:
    with parts.database.writing() as session:
        session.delete(found(session, result))
        session.flush()
        session.delete(session.get_one(Deployment, deployment))
    parts.files.delete(result)
