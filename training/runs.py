"""Trainings and inferences as runs: their names, and the variables that tell them what to do."""

import json
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from training.chains import chain_of
from training.database.moment import shown
from training.database.tables import Deployment, Inference, Result
from training.job_tokens import JobTokens, Kind
from training.runners.runner import Run

_ID: Final = 8  # letters in the names of a federated training's topics
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

    def access(
        self, kind: Kind, result: int, inference: int = 0, others: Sequence[int] = ()
    ) -> dict[str, str]:
        """Return the variables with which the runs for a result reach the service.

        `others` are the other results of its chain.
        """
        certificate = {"RESULT_CERTIFICATE": self.certificate} if self.certificate else {}
        return {"RESULT_TOKEN": self.tokens.issue(kind, result, inference, others), **certificate}


def training_name(result: int) -> str:
    """Return the name of the run of a result: of a chain, it is that of the lowest part."""
    return f"model-training-{result}"


def run_name(result: Result) -> str:
    """Return the name of the run that trains a result, alone or with its chain."""
    return training_name(chain_of(result)[0].id)


def inference_names(inference: Inference) -> list[str]:
    """Return the names of the runs of an inference."""
    return [f"model-inference-{inference.id}-{number}" for number in range(inference.replicas)]


def parsed(name: str) -> tuple[str, int]:
    """Return the kind of a run, `training` or `inference`, and the number of its result or inference."""
    kind, _, rest = name.removeprefix("model-").partition("-")
    return kind, int(rest.partition("-")[0])


def training_run(chain: Sequence[Result], places: Places, kwargs_fit: str, kwargs_val: str) -> Run:
    """Return the run of the results of a chain, lowest first, or of the only result of a single model.

    The arguments are JSON.
    """
    lowest, deployment = chain[0], chain[0].deployment
    oldest = deployment.time - timedelta(seconds=places.age)
    variables = {
        **training_addresses(chain, places),
        "RESULT_ID": str(lowest.id),
        "CONTROL_TOPIC": places.control_topic,
        "DEPLOYMENT_ID": str(deployment.id),
        "BATCH": str(deployment.batch),
        "KWARGS_FIT": kwargs_fit,
        "KWARGS_VAL": kwargs_val,
        "CONF_MAT_CONFIG": "true" if deployment.conf_mat_settings else "false",
        "UNSUPERVISED": str(deployment.unsupervised),
        "UNSUPERVISED_ROUNDS": str(deployment.unsupervised_rounds),
        "CONFIDENCE": str(deployment.confidence),
        # Kafka-ML's jobs have none of these.
        "CONTROL_SINCE": shown(oldest) or "",
        "FRAMEWORK": lowest.model.framework,
        "MODEL_NAME": lowest.model.name,
        "AUTOSERVE": "true" if deployment.autoserve else "false",
        "RANDOM_SPLIT": "true" if deployment.random_split else "false",
        "SEED": str(lowest.seed),
        **places.access("training", lowest.id, others=[each.id for each in chain[1:]]),
        **_case(chain),
    }
    return Run(
        training_name(lowest.id),
        "training.job",
        variables,
        gpus=deployment.gpumem,
        keeps=deployment.incremental,
        **_nodes(deployment),
    )


def training_addresses(chain: Sequence[Result], places: Places) -> dict[str, str]:
    """Return where a training reaches Kafka and the service."""
    urls = [f"{places.url}/results/{each.id}" for each in chain]
    return {
        "BOOTSTRAP_SERVERS": places.bootstrap,
        "RESULT_URL": _listed(urls) if chain[0].model.distributed else urls[0],
    }


def inference_runs(inference: Inference, places: Places, trained: Result) -> list[Run]:
    """Return the runs of an inference of a result, one per replica, on the nodes of its deployment."""
    variables = {
        **inference_addresses(inference, places),
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
        **({"DISTRIBUTED": "true"} if trained.model.distributed else {}),
        **_exit(inference),
        **places.access("inference", inference.model_result_id or 0, inference.id),
    }
    nodes = _nodes(trained.deployment)
    return [
        Run(name, "training.inference", variables, queues=False, gpus=inference.gpumem, **nodes)
        for name in inference_names(inference)
    ]


def inference_addresses(inference: Inference, places: Places) -> dict[str, str]:
    """Return where a replica reaches its Kafkas and the service."""
    upper = {"UPPER_BOOTSTRAP_SERVERS": inference.upper_kafka_broker or places.bootstrap}
    return {
        "INPUT_BOOTSTRAP_SERVERS": inference.input_kafka_broker or places.bootstrap,
        "OUTPUT_BOOTSTRAP_SERVERS": inference.output_kafka_broker or places.bootstrap,
        **(upper if _exit(inference) else {}),
        "MODEL_URL": f"{places.url}/results/model/{inference.model_result_id}",
        "MODEL_ARCH_URL": f"{places.url}/results/{inference.model_result_id}",
        "INFERENCE_URL": f"{places.url}/inferences/{inference.id}",
    }


def kwargs(deployment: object, framework: str) -> tuple[str, str]:
    """Return the texts of the arguments that apply to a framework."""
    fit, val = _KWARGS[framework]
    return getattr(deployment, fit), getattr(deployment, val)


def as_json(arguments: dict[str, object]) -> str:
    """Return arguments as jobs read them."""
    return json.dumps(arguments)


def _case(chain: Sequence[Result]) -> dict[str, str]:
    """Return the kind of a training, by Kafka-ML's numbers, and the variables of this kind."""
    deployment = chain[0].deployment
    if chain[0].model.distributed:
        return {"CASE": "3", **_of_chain(chain)}
    if deployment.incremental:
        return {"CASE": "2", **_of_stream(deployment)}
    if deployment.federated:
        return {"CASE": "5", **_of_federation(deployment)}
    return {"CASE": "1"}


def _of_chain(chain: Sequence[Result]) -> dict[str, str]:
    deployment = chain[0].deployment
    return {
        "RESULT_ID": _listed([each.id for each in chain]),
        "OPTIMIZER": deployment.optimizer,
        "LEARNING_RATE": str(deployment.learning_rate),
        "LOSS": deployment.loss,
        "METRICS": deployment.metrics,
        # Ours.
        "LOSS_WEIGHTS": json.dumps(deployment.loss_weights or [1.0] * len(chain)),
        "MODEL_NAME": _listed([each.model.name for each in chain]),
    }


def _of_stream(deployment: Deployment) -> dict[str, str]:
    return {
        "STREAM_SINCE": shown(deployment.time) or "",
        "STREAM_TIMEOUT": "-1" if deployment.indefinite else str(deployment.stream_timeout),
        "MONITORING_METRIC": deployment.monitoring_metric or "",
        **({"CHANGE": deployment.change} if deployment.change else {}),
        "IMPROVEMENT": str(deployment.improvement),
    }


def _of_federation(deployment: Deployment) -> dict[str, str]:
    return {
        "AGGREGATION_ROUNDS": str(deployment.agg_rounds),
        "MIN_DATA": str(deployment.min_data),
        "AGG_STRATEGY": deployment.agg_strategy,
        "DATA_RESTRICTION": json.dumps(deployment.data_restriction),
        "FEDERATED_STRING_ID": "".join(secrets.choice(string.ascii_letters) for _ in range(_ID)),
    }


def _exit(inference: Inference) -> dict[str, str]:
    """Return the variables of an inference whose unsure answers go to an upper model."""
    if inference.limit is None or not inference.output_upper:
        return {}
    return {
        "OUTPUT_UPPER": inference.output_upper,
        "LIMIT": str(inference.limit),
        # Ours.
        "UPPERAWAY": inference.upper_away,
    }


def _nodes(deployment: Deployment) -> dict[str, Any]:
    return {"node_selector": deployment.node_selector, "tolerations": deployment.tolerations}


def _listed(values: Sequence[str] | Sequence[int]) -> str:
    """Return a list as a literal of Python, as Kafka-ML writes it."""
    return repr([*values])
