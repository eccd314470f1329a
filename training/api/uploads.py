"""`/results/{id}`: what jobs fetch and send."""

import tempfile
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import select
from starlette.datastructures import FormData

from training.api import described, forms
from training.api.answers import answer, refusal
from training.api.parts import Parts, RowId
from training.api.results import found
from training.code.program import joined
from training.database.tables import Model, Result
from training.federated.clients import MOST_CLIENTS
from training.fields import Count, Fields, NotEmpty, Rate, Reason


class ClientProgress(Fields):
    """A client of a federated training."""

    name: NotEmpty
    num_data: Count = Field(description="its samples for training")
    share: Rate = Field(description="of the samples of all clients")
    state: Literal["joined", "training", "done", "late", "failed", "refused"]
    reason: Reason | None = None
    used: Count = Field(0, description="rounds that its weights were used in")


class Progress(forms.Figures):
    """How far a job is. Only `state` is required."""

    state: Literal["waiting", "reading", "training", "evaluating", "exporting", "failed"]
    reason: Reason | None = None
    epoch: Count | None = Field(None, description="epochs done, of `epochs`")
    epochs: Count | None = None
    step: Count | None = Field(None, description="steps of this epoch done, of `steps`")
    steps: Count | None = None
    round: Count | None = Field(None, description="rounds of a federated training done, of `agg_rounds`")
    agg_rounds: Count | None = None
    clients: list[ClientProgress] | None = Field(
        None, max_length=MOST_CLIENTS, description="the clients of a federated training"
    )
    left_s: float | None = Field(None, ge=0, description="estimated time left, in s")


def routes(parts: Parts) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["jobs"])
    database = parts.database

    @router.get(
        "/results/{result}",
        summary="The untrained model",
        description="For the job: a Keras file, or the code for PyTorch. The first request makes the result "
        "`deployed`.",
        response_class=Response,
        responses=described.file("application/model", "The compiled, untrained model"),
    )
    def fetch_untrained(result: RowId) -> Response:
        with database.writing() as session:
            row = found(session, result)
            if row.status == "created":
                row.state = "starting"  # the code may run for a while
            model = row.model
        is_torch = model.framework == "pth"
        content = joined(model.imports, model.code).encode() if is_torch else _built(parts, model)
        with database.writing() as session:
            row = found(session, result)
            if row.status == "created":
                row.become("deployed", "waiting")
        if is_torch:
            return Response(content, media_type="text/plain; charset=utf-8")
        headers = {"Content-Disposition": 'attachment; filename="model.h5"'}
        return Response(content, media_type="application/model", headers=headers)

    @router.post(
        "/results/{result}",
        summary="Upload a trained model",
        description="Multipart, from the job: `trained_model`, `data` (JSON: metrics) and, if there is one, "
        "`confussion_matrix` (a PNG). The result becomes `finished`.",
        responses=described.DONE,
        openapi_extra=forms.body(
            "multipart/form-data", forms.FILES | {"confussion_matrix": forms.FILES["trained_model"]}
        ),
    )
    async def upload(result: RowId, request: Request) -> Response:
        async with request.form(max_files=2, max_fields=10, max_part_size=forms.LARGEST_FIELD) as form:
            return await run_in_threadpool(_keep, parts, result, form)

    @router.post(
        "/results_metrics/{result}",
        summary="Report the metrics of all epochs so far",
        responses=described.DONE,
        openapi_extra=forms.body("application/x-www-form-urlencoded", {}),
    )
    async def report_metrics(result: RowId, request: Request) -> Response:
        async with request.form(max_part_size=forms.LARGEST_FIELD) as form:
            metrics = forms.metrics(form)
        return await run_in_threadpool(note_metrics, result, metrics)

    def note_metrics(result: int, metrics: forms.Metrics) -> Response:
        with database.writing() as session:
            row = found(session, result)
            if row.status == "stopped":
                raise refusal(f"result {result} was stopped")
            for name in metrics.model_fields_set & {"train_metrics", "val_metrics"}:
                setattr(row, name, forms.value(metrics, name))
        return answer({})

    @router.post("/results/{result}/progress", summary="Report how far a job is", responses=described.DONE)
    def report_progress(result: RowId, sent: Progress) -> Response:
        with database.writing() as session:
            row = found(session, result)
            if row.status == "stopped":
                raise refusal(f"result {result} was stopped")
            row.progress = sent.model_dump(exclude={"reason"}, exclude_none=True)
            if row.status == "finished":
                row.reason = sent.reason  # the model is there, but could not be exported
            elif sent.state == "failed":
                row.become("stopped", "failed", sent.reason or "the job has given no reason: see its log")
            else:
                row.state, row.reason = sent.state, sent.reason
        return answer({})

    return router


def _keep(parts: Parts, result: int, form: FormData) -> Response:
    """Store an upload; raise the refusal if that is not possible, and leave nothing of it then."""
    metrics = forms.metrics(form)
    with parts.database.reading() as session:
        row = found(session, result)
        _check_runs(row)
        framework = row.model.framework
    if metrics.indefinite and (known := _known(parts, result, metrics.progress)):
        return answer({"result": known})
    number = _continued(parts, result) if metrics.indefinite else result
    try:
        forms.keep_files(parts, number, framework, form)
        with parts.database.writing() as session:
            row = found(session, number)
            _check_runs(row)  # it may have been stopped while its files were written
            for name in metrics.model_fields_set - {"indefinite", "progress"}:
                setattr(row, name, forms.value(metrics, name))
            if metrics.progress is not None:
                row.progress = metrics.progress.model_dump(exclude_none=True)
            row.become("finished", "finished")
    except HTTPException:
        _withdraw(parts, number, added=number != result)
        raise
    return answer({"result": number} if metrics.indefinite else {})


def _check_runs(row: Result) -> None:
    if row.status == "stopped":
        raise refusal(f"result {row.id} was stopped: what its job sends is not kept")


def _built(parts: Parts, model: Model) -> bytes:
    """Return the untrained model's file; raise the refusal if the code does not give a model."""
    with tempfile.TemporaryDirectory(prefix="streamlens-") as folder:
        file = Path(folder, "model.h5")
        try:
            parts.code.build(
                model.framework, model.imports, model.code, distributed=model.distributed, file=file
            )
        except ValueError as error:
            raise refusal(f"the code of model {model.name} does not give a model: {error}") from None
        return file.read_bytes()


def _withdraw(parts: Parts, result: int, *, added: bool) -> None:
    """Delete what a refused upload has left: the row if it was `added`, and files that belong to no model."""
    with parts.database.writing() as session:
        row = session.get(Result, result)
        if row is not None and added:
            session.delete(row)
        is_kept = row is not None and row.status == "finished"
    if not is_kept:
        parts.files.delete(result)


def _known(parts: Parts, result: int, progress: forms.Figures | None) -> int | None:
    """Return the result that an indefinite training has added after as many mini-batches, if there is one.

    A job that was killed before it heard the answer sends the same again.
    """
    if progress is None or progress.mini_batches is None:
        return None
    with parts.database.reading() as session:
        row = found(session, result)
        others = select(Result).where(
            Result.deployment_id == row.deployment_id,
            Result.model_id == row.model_id,
            Result.status == "finished",
        )
        for other in session.scalars(others):
            if (other.progress or {}).get("mini_batches") == progress.mini_batches:
                return other.id
    return None


def _continued(parts: Parts, result: int) -> int:
    """Return a new result of the same training: an indefinite one goes on after each upload."""
    with parts.database.writing() as session:
        before = found(session, result)
        row = Result(deployment_id=before.deployment_id, model_id=before.model_id, seed=before.seed)
        session.add(row)
        session.flush()
        return row.id
