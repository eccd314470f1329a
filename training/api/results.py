"""`/results/`: what has become of trainings, for people."""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from sqlalchemy.orm import Session

from training.api import described, shown
from training.api.answers import answer, refusal
from training.api.parts import Parts, RowId
from training.database.tables import ACTIVE, Deployment, Result
from training.jobs import queued, training_name

_PICTURE: Final = "confusion_mat.png"


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["results"])
    database, files = parts.database, parts.files

    @router.get(
        "/results/",
        summary="All results, the newest change first",
        responses=described.listed(described.Result),
    )
    def list_results() -> Response:
        with database.reading() as session:
            rows = session.execute(shown.RESULT_ROWS)
            return _listed(parts, ((row, row.training_time) for row in rows))

    @router.get(
        "/deployments/results/{deployment}",
        summary="The results of a deployment",
        responses=described.listed(described.Result),
    )
    def list_results_of(deployment: RowId) -> Response:
        with database.reading() as session:
            if session.get(Deployment, deployment) is None:
                raise refusal(f"there is no deployment {deployment}")
            rows = session.execute(shown.RESULT_ROWS.where(Result.deployment_id == deployment))
            # Only in this answer, Kafka-ML writes decimals as texts.
            return _listed(parts, ((row, _text(row.training_time)) for row in rows))

    @router.delete("/results/{result}", summary="Delete a result", responses=described.DELETED)
    def delete_result(result: RowId) -> Response:
        with database.writing() as session:
            row = found(session, result)
            if row.status == "deployed":
                raise refusal(f"result {result} is being trained: stop it before you delete it")
            session.delete(row)
        parts.runner.forget(training_name(result))
        files.delete(result)
        return answer({})

    @router.post("/results/stop/{result}", summary="Stop a training", responses=described.DONE)
    def stop_result(result: RowId) -> Response:
        with database.writing() as session:
            row = session.get(Result, result)
            if row is None or row.status not in ACTIVE:
                raise refusal(f"result {result} not found or not running")
            row.become("stopped", "stopped")
        parts.runner.stop(training_name(result))
        return answer({})

    @router.get(
        "/results/model/{result}",
        summary="The trained model",
        response_class=Response,
        responses=described.file("application/force-download", "The Keras file, or the state dict"),
    )
    def download_model(result: RowId) -> Response:
        with database.reading() as session:
            framework = found(session, result).model.framework
        place = files.model(result, framework)
        if place is None:
            raise refusal(f"result {result} has no trained model yet")
        path, name = place
        return FileResponse(
            path,
            media_type="application/force-download",
            filename=name,
            headers={"ML-Framework": framework, "Access-Control-Expose-Headers": "ML-Framework"},
        )

    @router.get(
        "/results/confusion_matrix/{result}",
        summary="The picture of the confusion matrix",
        response_class=Response,
        responses=described.file("application/image", "A PNG"),
    )
    def download_picture(result: RowId) -> Response:
        with database.reading() as session:
            matrix = found(session, result).confusion_matrix
        path = files.picture(result)
        if path is not None:
            return FileResponse(path, media_type="application/image", filename=_PICTURE)
        if not matrix:
            raise refusal(f"result {result} has no confusion matrix")
        # Who has sent the matrix has sent no picture.
        from training.job.picture import draw  # noqa: PLC0415  # it takes memory that few services need

        saved = {"Content-Disposition": f'attachment; filename="{_PICTURE}"'}
        return Response(draw(matrix), media_type="application/image", headers=saved)

    @router.get("/results/chart/{result}", summary="The curves", responses=described.changed(described.Chart))
    def show_chart(result: RowId) -> Response:
        with database.reading() as session:
            row = found(session, result)
            if not row.train_metrics:
                raise refusal(f"result {result} has no metrics yet")
            return answer(shown.chart(row))

    @router.get(
        "/results/log/{result}",
        summary="The end of what the job has written",
        responses=described.changed(described.Log),
    )
    def show_log(result: RowId) -> Response:
        with database.reading() as session:
            found(session, result)
        return answer({"log": parts.runner.log(training_name(result))})

    return router


def found(session: Session, result: int) -> Result:
    """Return a row; raise the refusal if there is none."""
    row = session.get(Result, result)
    if row is None:
        raise refusal(f"there is no result {result}")
    return row


def _listed(parts: Parts, rows: Iterable[tuple[Any, object]]) -> Response:
    """Return the answer with results, given the row of each and its training time."""
    queue = queued(parts.runner)
    return shown.results(shown.result(row, training_time, queue) for row, training_time in rows)


def _text(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.4f}"
