"""Rows as the API shows them: Kafka-ML's fields, and a few of ours at the end."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi.responses import Response
from pydantic_core import to_json
from sqlalchemy import Text, cast, select

from training.database.moment import now, shown
from training.database.tables import ACTIVE, Configuration, Deployment, Inference, Model, Result
from training.replicas import condition, summary

SETTINGS: Final = [
    "batch",
    "tf_kwargs_fit",
    "tf_kwargs_val",
    "pth_kwargs_fit",
    "pth_kwargs_val",
    "conf_mat_settings",
    "optimizer",
    "learning_rate",
    "loss",
    "metrics",
    "incremental",
    "indefinite",
    "stream_timeout",
    "monitoring_metric",
    "change",
    "improvement",
    "unsupervised",
    "unsupervised_rounds",
    "confidence",
    "federated",
    "agg_rounds",
    "min_data",
    "agg_strategy",
    "data_restriction",
    "blockchain",
    "autoserve",
    "random_split",
    "seed",
    "node_selector",
    "tolerations",
]
"""The fields of a deployment that a client chooses."""

_AS_TEXT: Final = ("train_metrics", "val_metrics", "test_metrics", "confusion_matrix", "progress")
_FIELDS: Final = (
    "id",
    "status",
    "status_changed",
    "deployment_id",
    "model_id",
    "training_time",
    "state",
    "reason",
    "seed",
)

RESULT_ROWS: Final = (
    select(
        *(getattr(Result, name) for name in _FIELDS),
        *(cast(getattr(Result, name), Text).label(name) for name in _AS_TEXT),
        Deployment.time,
        Model.name,
    )
    .join(Deployment, Result.deployment_id == Deployment.id)
    .join(Model, Result.model_id == Model.id)
    .order_by(Result.status_changed.desc(), Result.id.desc())
)
"""Selects what `result` shows."""


def brief(row: Model | Configuration | None) -> dict[str, Any] | None:
    """Return the id and the name of a row."""
    return None if row is None else {"id": row.id, "name": row.name}


def model(row: Model) -> dict[str, Any]:
    """Return a model."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "imports": row.imports,
        "code": row.code,
        "distributed": row.distributed,
        "father": brief(row.father),
        "framework": row.framework,
        "created_at": shown(row.created_at),
        "updated_at": shown(row.updated_at),
    }


def configuration(row: Configuration) -> dict[str, Any]:
    """Return a configuration."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "ml_models": [brief(each) for each in row.ml_models],
        "deployments": [{"id": each.id, "time": shown(each.time)} for each in row.deployments],
    }


def deployment(row: Deployment) -> dict[str, Any]:
    """Return a deployment."""
    return {
        "id": row.id,
        "configuration": brief(row.configuration),
        "results": [
            {
                "id": each.id,
                "status": each.status,
                "model": brief(each.model),
                "status_changed": shown(each.status_changed),
                "state": each.state,
            }
            for each in row.results
        ],
        "time": shown(row.time),
        **{name: getattr(row, name) for name in SETTINGS},
    }


def result(row: Any, training_time: object, queue: Mapping[int, dict[str, Any]]) -> bytes:
    """Return a result as JSON, given its row of `RESULT_ROWS`, and the `progress` of those that wait.

    Its metrics are JSON already: to read and write those of a thousand results takes twice as long as all
    the rest.
    """
    waits = queue.get(row.id) if row.status in ACTIVE else None
    head = {
        "id": row.id,
        "status": row.status,
        "status_changed": shown(row.status_changed),
        "deployment": {"id": row.deployment_id, "time": shown(row.time)},
        "model": {"id": row.model_id, "name": row.name},
        "training_time": training_time,
        "state": waits["state"] if waits else row.state,
        "reason": waits["reason"] if waits else row.reason,
        "seed": row.seed,
    }
    texts = {name: getattr(row, name) or "null" for name in _AS_TEXT}
    if waits:
        texts["progress"] = to_json(waits).decode()
    kept = ",".join(f'"{name}":{text}' for name, text in texts.items())
    return to_json(head)[:-1] + f",{kept}}}".encode()


def results(rows: Iterable[bytes]) -> Response:
    """Return the answer with a list of such results."""
    return Response(b"[" + b",".join(rows) + b"]", media_type="application/json")


def chart(row: Result) -> dict[str, Any]:
    """Return the curves of a result: each metric, followed by that of the validation."""
    curves = []
    for name, values in (row.train_metrics or {}).items():
        curves.append(_curve(name, values))
        if row.val_metrics and name in row.val_metrics:
            curves.append(_curve(f"{name}_val", row.val_metrics[name]))
    return {"metrics": curves, "conf_mat": row.confusion_matrix}


def inference(row: Inference) -> dict[str, Any]:
    """Return an inference. Credentials are not stored, so `token` is always null."""
    progress = summary(row.progress, now())
    state, reason = condition(row.status, row.replicas, progress)
    return {
        "id": row.id,
        "model_result": row.model_result_id,
        "replicas": row.replicas,
        "input_format": row.input_format,
        "input_config": row.input_config,
        "input_topic": row.input_topic,
        "output_topic": row.output_topic,
        "time": shown(row.time),
        "status": row.status,
        "status_changed": shown(row.status_changed),
        "limit": row.limit,
        "output_upper": row.output_upper,
        "token": None,
        "external_host": row.external_host,
        "input_kafka_broker": row.input_kafka_broker,
        "output_kafka_broker": row.output_kafka_broker,
        "upper_kafka_broker": row.upper_kafka_broker,
        "reason": row.reason or reason,
        "model_server": row.model_server,
        "state": state,
        "progress": progress,
    }


def _curve(name: str, values: list[Any]) -> dict[str, Any]:
    return {"name": name, "series": [{"value": value, "name": at} for at, value in enumerate(values, 1)]}
