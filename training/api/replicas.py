"""`/inferences/{id}/…`: what the replicas of an inference report and write."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from training.api import described
from training.api.answers import answer, refusal, unknown
from training.api.parts import Parts, RowId
from training.database.moment import now
from training.database.tables import Inference
from training.fields import Fields, Reason
from training.jobs import inference_names
from training.replicas import noted


class ReplicaFields(Fields):
    """How a replica of an inference does. `run` is different for each process."""

    run: str = Field(pattern=r"^[0-9a-zA-Z-]{1,40}$")
    state: Literal["ready", "not-ready", "stopped"]
    reason: str | None = Field(None, max_length=2000, description="what is missing, in one line")
    answered: int = Field(0, ge=0, le=2**53, description="messages since the process began")
    skipped: int = Field(0, ge=0, le=2**53, description="messages that could not be answered")
    skipped_why: Reason | None = Field(None, description="about the last of these")
    waiting: int | None = Field(None, ge=0, le=2**53, description="messages that wait in its partitions")
    health: str | None = Field(None, max_length=300, description="the address of its health and metrics")


def add_reports(router: APIRouter, parts: Parts) -> None:
    """Add the routes."""
    database = parts.database

    @router.post(
        "/inferences/{inference}/progress", summary="Report how a replica does", responses=described.DONE
    )
    def report(inference: RowId, sent: ReplicaFields) -> Response:
        with database.writing() as session:
            row = session.get(Inference, inference)
            if row is None or row.status != "deployed":
                raise refusal(f"inference {inference} was stopped, or does not exist")
            fields = sent.model_dump(exclude={"run"})
            row.progress = noted(row.progress, sent.run, fields, now())
        return answer({})

    @router.get(
        "/inferences/{inference}/log",
        summary="The end of what the replicas have written",
        responses=described.one(described.Log),
    )
    def show_log(inference: RowId) -> Response:
        with database.reading() as session:
            row = session.get(Inference, inference)
            if row is None:
                raise unknown("inference", inference)
            names = inference_names(row)
        logs = [(name, parts.runner.log(name)) for name in names]
        if len(logs) == 1:
            return answer({"log": logs[0][1]})
        return answer({"log": "\n".join(f"{name}:\n{text}" for name, text in logs)})
