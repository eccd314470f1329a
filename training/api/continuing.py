"""`/results/continue/{id}`: an incremental training that was stopped goes on."""

from fastapi import APIRouter
from fastapi.responses import Response

from training.api import described
from training.api.answers import answer, refusal
from training.api.deployments import arguments
from training.api.parts import Parts, RowId
from training.api.results import found
from training.database.tables import Result
from training.runners.runner import Run, RunnerError
from training.runs import training_run


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["results"])
    database = parts.database

    @router.post(
        "/results/continue/{result}",
        summary="Continue an incremental training that was stopped",
        description="It goes on with the message after the last one that it was trained on.",
        responses=described.DONE,
    )
    def continue_result(result: RowId) -> Response:
        with database.writing() as session:
            row = found(session, result)
            run = _run(parts, row)
            row.become("deployed", "queued")
        try:
            parts.runner.start(run)
        except RunnerError as error:
            with database.writing() as session:
                found(session, result).become("stopped", "stopped")
            raise refusal(f"the training cannot be continued now: {error}") from None
        return answer({})

    return router


def _run(parts: Parts, row: Result) -> Run:
    """Return the run of a result; raise the refusal if it cannot be continued."""
    if not row.deployment.incremental:
        raise refusal(
            f"result {row.id}: only incremental trainings can be continued: create a new deployment"
        )
    if (row.status, row.state) != ("stopped", "stopped"):
        raise refusal(f"result {row.id} is {row.state}: only a training that was stopped can be continued")
    return training_run([row], parts.places, *arguments(parts, row.deployment, row.model.framework))
