"""`/deployments/`: trainings of configurations."""

from random import SystemRandom
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from training.api import described, shown
from training.api.answers import answer, refusal
from training.api.configurations import found
from training.api.deployment_fields import DeploymentFields
from training.api.parts import Parts, RowId
from training.api.sending import send_again
from training.chains import chain_of, chains
from training.control.datasources import as_sent
from training.database.tables import Configuration, Datasource, Deployment, Model, Result
from training.fields import LARGEST_NUMBER
from training.runners.runner import Run, RunnerError
from training.runs import as_json, kwargs, training_name, training_run

_FRAMEWORKS: Final = {"tf": "TensorFlow", "pth": "PyTorch"}
_ONE_EPOCH: Final = {"tf": "epochs=1", "pth": "max_epochs=1"}  # the arguments may be left out


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["deployments"])
    database = parts.database
    whole = (
        selectinload(Deployment.configuration),
        selectinload(Deployment.results).selectinload(Result.model),
    )

    @router.get("/deployments/", summary="All deployments", responses=described.listed(described.Deployment))
    def list_deployments() -> Response:
        with database.reading() as session:
            rows = session.scalars(select(Deployment).options(*whole).order_by(Deployment.id))
            return answer([shown.deployment(each) for each in rows])

    @router.post(
        "/deployments/",
        summary="Train a configuration",
        description="Starts one job per model, or per chain of distributed models. Fields of modes that do "
        "not exist yet are stored; asking for such a mode is refused.",
        status_code=201,
        responses=described.made(described.Deployment),
    )
    def add_deployment(sent: DeploymentFields) -> Response:
        return answer(deployed(parts, sent), 201)

    @router.get(
        "/deployments/{configuration}",
        summary="The deployments of a configuration",
        responses=described.listed(described.Deployment),
    )
    def list_deployments_of(configuration: RowId) -> Response:
        with database.reading() as session:
            found(session, configuration)
            rows = session.scalars(
                select(Deployment)
                .where(Deployment.configuration_id == configuration)
                .options(*whole)
                .order_by(Deployment.id)
            )
            return answer([shown.deployment(each) for each in rows])

    @router.delete("/deployments/{deployment}", summary="Delete a deployment", responses=described.DELETED)
    def delete_deployment(deployment: RowId) -> Response:
        with database.writing() as session:
            row = session.get(Deployment, deployment)
            if row is None:
                raise refusal(f"there is no deployment {deployment}")
            if row.results:
                raise refusal(f"deployment {deployment} has results: delete those first")
            session.delete(row)
        return answer({})

    return router


def deployed(parts: Parts, sent: DeploymentFields) -> dict[str, Any]:
    """Start a training; return it as the API shows it. Raises the refusal."""
    with parts.database.reading() as session:
        configuration = found(session, sent.configuration)
        given = _arguments(parts, configuration, sent)
        again = _datasource(session, sent.datasource)
        models = [(each.name, each.framework, each.imports, each.code) for each in configuration.ml_models]
    if sent.never_ends:
        _check_metric(parts, sent.monitoring_metric or "", models)
    if why := parts.files.why_full() or parts.library.why_full():
        raise refusal(why)
    with parts.database.writing() as session:
        row = _added(session, sent)
        jobs = {each[0].id: each for each in map(chain_of, row.results)}
        runs = [training_run(each, parts.places, *given[each[0].model.framework]) for each in jobs.values()]
        number, content = row.id, shown.deployment(row)
    try:
        _start(parts, runs)
        if again is not None:
            send_again(parts, {**again, "deployment": str(number)})
    except Exception:
        withdraw(parts, number)
        raise
    return content


def _arguments(
    parts: Parts, configuration: Configuration, sent: DeploymentFields
) -> dict[str, tuple[str, str]]:
    """Return each framework's arguments as JSON; raise the refusal for those that are wrong."""
    models = configuration.ml_models
    frameworks = {each.framework for each in models}
    if why := sent.why_not(frameworks, distributed=any(each.distributed for each in models)):
        raise refusal(why)
    _check_chains(models, sent)
    return {framework: arguments(parts, sent, framework) for framework in sorted(frameworks)}


def _check_metric(parts: Parts, metric: str, models: list[tuple[str, str, str, str]]) -> None:
    """Raise the refusal if a model does not have the metric whose improvement makes a result."""
    name = metric.removeprefix("val_")
    for model, framework, imports, code in models:
        try:
            known = parts.code.metrics(framework, imports, code)
        except ValueError as error:
            raise refusal(f"the code of model {model} does not give a model: {error}") from None
        if known is not None and name not in known:
            raise refusal(f"monitoring_metric={name!r}: the metrics of model {model} are {', '.join(known)}")


def arguments(parts: Parts, deployment: object, framework: str) -> tuple[str, str]:
    """Return a framework's arguments as JSON; raise the refusal for those that are wrong."""
    fit, val = kwargs(deployment, framework)
    try:
        return (
            as_json(parts.code.arguments(fit.strip() or _ONE_EPOCH[framework], framework, "fit")),
            as_json(parts.code.arguments(val, framework, "val")),
        )
    except ValueError as error:
        raise refusal(f"Some {_FRAMEWORKS[framework]} arguments are not valid: {error}") from None


def _check_chains(models: list[Model], sent: DeploymentFields) -> None:
    """Raise the refusal if a chain is not complete, or the deployment's fields do not fit it."""
    try:
        found = [each for each in chains(models) if each[0].distributed]
    except ValueError as error:
        raise refusal(str(error)) from None
    weights = sent.loss_weights
    for chain in found:
        if weights is not None and len(weights) != len(chain):
            names = ", ".join(each.name for each in chain)
            raise refusal(f"loss_weights: expected {len(chain)} numbers, for {names}; found {len(weights)}")
    if found and not all(name.strip() for name in (sent.optimizer, sent.loss, *sent.metrics.split(","))):
        raise refusal("optimizer, loss and metrics: expected names of Keras, metrics separated by commas")


def _datasource(session: Session, number: int | None) -> dict[str, Any] | None:
    if number is None:
        return None
    row = session.get(Datasource, number)
    if row is None:
        raise refusal(f"datasource={number}: there is no such datasource")
    return as_sent(row)


def _added(session: Session, sent: DeploymentFields) -> Deployment:
    configuration = found(session, sent.configuration)
    row = Deployment(configuration=configuration, **sent.model_dump(exclude={"configuration", "datasource"}))
    session.add(row)
    row.results = [
        Result(
            model=model, seed=sent.seed if sent.seed is not None else SystemRandom().randrange(LARGEST_NUMBER)
        )
        for model in configuration.ml_models
    ]
    session.flush()
    for chain in map(chain_of, row.results):
        for each in chain:
            each.seed = chain[0].seed  # one job trains all of them
    return row


def _start(parts: Parts, runs: list[Run]) -> None:
    try:
        for run in runs:
            parts.runner.start(run)
    except RunnerError as error:
        raise refusal(f"the training cannot be started: {error}") from None


def withdraw(parts: Parts, number: int) -> None:
    """Remove a deployment with its results and jobs."""
    with parts.database.writing() as session:
        row = session.get(Deployment, number)
        for result in row.results if row else ():
            parts.runner.forget(training_name(result.id))
            session.delete(result)
        session.flush()
        if row:
            session.delete(row)
