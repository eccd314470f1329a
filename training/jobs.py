"""Trainings and inferences as runs: their variables, and what becomes of them."""

import json
import logging
import secrets
import string
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from training.database.engine import Database
from training.database.moment import now, shown
from training.database.tables import ACTIVE, Deployment, Inference, Result
from training.job_tokens import JobTokens, Kind
from training.runners.runner import Run, Runner, Waiting

log = logging.getLogger(__name__)

_STARTS: Final = 4  # of a job that is killed, or ends with an error that it does not report
_NAMED: Final = 3  # results that one waits for; of more, only the number is shown
_KWARGS: Final = {"tf": ("tf_kwargs_fit", "tf_kwargs_val"), "pth": ("pth_kwargs_fit", "pth_kwargs_val")}


@dataclass(frozen=True, slots=True)
class Places:
    """What jobs need to know of their surroundings.

    `age` is `CONTROLAGE`, in s; `certificate` is the file with the only one they accept, or empty.
    """

    bootstrap: str
    control_topic: str
    url: str
    age: float
    tokens: JobTokens = field(default_factory=JobTokens)
    certificate: str = ""

    def access(self, kind: Kind, result: int, inference: int = 0) -> dict[str, str]:
        """Return the variables with which the runs for a result reach the service."""
        certificate = {"RESULT_CERTIFICATE": self.certificate} if self.certificate else {}
        return {"RESULT_TOKEN": self.tokens.issue(kind, result, inference), **certificate}


def training_name(result: int) -> str:
    """Return the name of the run of a result."""
    return f"model-training-{result}"


def inference_names(inference: Inference) -> list[str]:
    """Return the names of the runs of an inference."""
    return [f"model-inference-{inference.id}-{number}" for number in range(inference.replicas)]


def training_run(result: Result, places: Places, kwargs_fit: str, kwargs_val: str) -> Run:
    """Return the run of a result; the arguments are JSON."""
    deployment = result.deployment
    oldest = deployment.time - timedelta(seconds=places.age)
    variables = {
        **_training_addresses(result, places),
        "RESULT_ID": str(result.id),
        "CONTROL_TOPIC": places.control_topic,
        "DEPLOYMENT_ID": str(deployment.id),
        "BATCH": str(deployment.batch),
        "KWARGS_FIT": kwargs_fit,
        "KWARGS_VAL": kwargs_val,
        "CONF_MAT_CONFIG": "true" if deployment.conf_mat_settings else "false",
        **_case(deployment),
        "UNSUPERVISED": str(deployment.unsupervised),
        "UNSUPERVISED_ROUNDS": str(deployment.unsupervised_rounds),
        "CONFIDENCE": str(deployment.confidence),
        # Kafka-ML's jobs have none of these.
        "CONTROL_SINCE": shown(oldest) or "",
        "FRAMEWORK": result.model.framework,
        "MODEL_NAME": result.model.name,
        "AUTOSERVE": "true" if deployment.autoserve else "false",
        "RANDOM_SPLIT": "true" if deployment.random_split else "false",
        "SEED": str(result.seed),
        **places.access("training", result.id),
    }
    return Run(
        training_name(result.id), "training.job", variables, gpus=deployment.gpumem, **_nodes(deployment)
    )


def _case(deployment: Deployment) -> dict[str, str]:
    """Return the kind of a training, and its variables."""
    if not deployment.federated:
        return {"CASE": "1"}
    return {
        "CASE": "5",
        "AGGREGATION_ROUNDS": str(deployment.agg_rounds),
        "MIN_DATA": str(deployment.min_data),
        "AGG_STRATEGY": deployment.agg_strategy,
        "DATA_RESTRICTION": json.dumps(deployment.data_restriction),
        "FEDERATED_STRING_ID": "".join(secrets.choice(string.ascii_letters) for _ in range(8)),
    }


def inference_runs(inference: Inference, places: Places, trained: Result) -> list[Run]:
    """Return the runs of an inference of a result, one per replica, on the nodes of its deployment."""
    variables = {
        **_inference_addresses(inference, places),
        "INPUT_FORMAT": inference.input_format,
        "INPUT_CONFIG": inference.input_config,
        "INPUT_TOPIC": inference.input_topic,
        "OUTPUT_TOPIC": inference.output_topic,
        # Kafka-ML names the group after the result, and two inferences of one share their input.
        "GROUP_ID": f"inf{inference.model_result_id}-{inference.id}",
        # Kafka-ML's inferences have none of these.
        "REPLICAS": str(inference.replicas),
        "FRAMEWORK": trained.model.framework,
        "MODELSERVER": inference.model_server or "",
        **places.access("inference", inference.model_result_id or 0, inference.id),
    }
    nodes = _nodes(trained.deployment)
    return [
        Run(name, "training.inference", variables, queues=False, gpus=inference.gpumem, **nodes)
        for name in inference_names(inference)
    ]


def _training_addresses(result: Result, places: Places) -> dict[str, str]:
    return {"BOOTSTRAP_SERVERS": places.bootstrap, "RESULT_URL": f"{places.url}/results/{result.id}"}


def _inference_addresses(inference: Inference, places: Places) -> dict[str, str]:
    return {
        "INPUT_BOOTSTRAP_SERVERS": inference.input_kafka_broker or places.bootstrap,
        "OUTPUT_BOOTSTRAP_SERVERS": inference.output_kafka_broker or places.bootstrap,
        "MODEL_URL": f"{places.url}/results/model/{inference.model_result_id}",
        "MODEL_ARCH_URL": f"{places.url}/results/{inference.model_result_id}",
        "INFERENCE_URL": f"{places.url}/inferences/{inference.id}",
    }


def _nodes(deployment: Deployment) -> dict[str, Any]:
    return {"node_selector": deployment.node_selector, "tolerations": deployment.tolerations}


def queued(runner: Runner) -> dict[int, dict[str, Any]]:
    """Return the results that wait for their turn: the id → its `progress`, with its place and the reason."""
    return {
        _parsed(each.name)[1]: {"state": "queued", "place": place, "reason": _reason(each)}
        for place, each in enumerate(runner.waiting(), 1)
    }


def _reason(waiting: Waiting) -> str:
    results = [str(_parsed(name)[1]) for name in waiting.behind]
    if not results:
        return waiting.why
    if len(results) > _NAMED:
        return f"waits for one of {len(results)} results that are trained ({waiting.why})"
    return f"waits for result {' or '.join(results)} ({waiting.why})"


def kwargs(deployment: object, framework: str) -> tuple[str, str]:
    """Return the texts of the arguments that apply to a framework."""
    fit, val = _KWARGS[framework]
    return getattr(deployment, fit), getattr(deployment, val)


class Outcome:
    """Decides what becomes of runs that have ended by themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ended(self, name: str, status: int | None, starts: int) -> bool:
        """Return whether to start a run again; if not, write down that it has failed."""
        kind, number = _parsed(name)
        try:
            return self._training(number, status, starts) if kind == "training" else self._inference(number)
        except DBAPIError:
            log.warning("%s has ended, but the database does not answer: starting it again", name)
            return True

    def _training(self, number: int, status: int | None, starts: int) -> bool:
        with self._database.writing() as session:
            result = session.get(Result, number)
            if result is None or result.status not in ACTIVE:
                return False
            if status != 0 and starts < _STARTS:
                log.warning("the job of result %d has ended (%s): starting it again", number, _how(status))
                return True
            times = f" {starts} times" if starts > 1 else ""
            result.become(
                "stopped", "failed", f"the job ended{times} without a result ({_how(status)}): see its log"
            )
            return False

    def _inference(self, number: int) -> bool:
        with self._database.reading() as session:
            status = session.scalar(select(Inference.status).where(Inference.id == number))
        return status == "deployed"


def recover(database: Database, runner: Runner, places: Places) -> None:
    """Note the failure of results whose runs are lost, such as with their folder, and stop all other runs.

    Those that go on learn where Kafka and the service are now.
    """
    names = runner.names()
    with database.writing() as session:
        for result in session.scalars(select(Result).where(Result.status.in_(ACTIVE))):
            runner.renew(training_name(result.id), _training_addresses(result, places))
            if training_name(result.id) not in names:
                result.become("stopped", "failed", "the service was restarted, and found nothing of its job")
                log.warning("result %d: %s", result.id, result.reason)
        for inference in session.scalars(select(Inference).where(Inference.status == "deployed")):
            for name in inference_names(inference):
                runner.renew(name, _inference_addresses(inference, places))
            if inference.model_result_id is not None and not {*inference_names(inference)} & names:
                inference.status, inference.status_changed = "stopped", now()
                inference.reason = "the service was restarted, and found nothing of its runs"
        unwanted = [name for name in sorted(names) if not _is_wanted(session, name)]
    for name in unwanted:
        log.warning("%s should not run any more: stopping it", name)
        runner.stop(name)


def _is_wanted(session: Session, name: str) -> bool:
    """Return whether a run should go on: its result may be finished, and the job about to end."""
    kind, number = _parsed(name)
    if kind == "training":
        result = session.get(Result, number)
        return result is not None and result.status != "stopped"
    inference = session.get(Inference, number)
    return inference is not None and inference.status == "deployed"


def _parsed(name: str) -> tuple[str, int]:
    """Return the kind of a run, and the number of its result or inference."""
    kind, _, rest = name.removeprefix("model-").partition("-")
    return kind, int(rest.partition("-")[0])


def as_json(arguments: dict[str, object]) -> str:
    """Return arguments as jobs read them."""
    return json.dumps(arguments)


def _how(status: int | None) -> str:
    if status is None:
        return "its exit status is not known"
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"
