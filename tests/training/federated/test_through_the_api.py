"""A federated training from its deployment to its version, through the API, a worker and a real Kafka."""

import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.parts import Process, Service, free_port, wait_for
from training.client import FederatedRawSink
from training.example.digits import digits

pytestmark = [pytest.mark.parts, pytest.mark.outside, pytest.mark.timeout(900)]

CODE = """\
model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Rescaling(1 / 16),
    keras.layers.Dense(32, "relu"),
    keras.layers.BatchNormalization(),
    keras.layers.Dense(10, "softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
"""


def test_a_deployment_is_trained_by_a_worker(kafka_bootstrap: str, tmp_path: Path) -> None:
    tag = uuid.uuid4().hex[:8]
    address = f"127.0.0.1:{free_port()}"
    settings = {
        "KAFKAPORT": kafka_bootstrap,
        "CONTROLTOPIC": f"control-{tag}",
        "DISPLAYPORT": address,
        "DATAFOLDER": str(tmp_path / "data"),
        "MODELSTORE": str(tmp_path / "models"),
        "STATEFOLDER": str(tmp_path / "state"),
        # Those of jobs, which the service passes on.
        "MODEL_LOGGER_TOPIC": f"models-{tag}",
        "FEDERATED_JOINING": "0s",
    }
    worker = {
        "DATA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "MODEL_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "DATA_CONTROL_TOPIC": f"own-{tag}",
        "MODEL_LOGGER_TOPIC": f"models-{tag}",
        "CLIENT": "ann",
        "CLIENTFOLDER": str(tmp_path / "clients"),
    }
    command = [sys.executable, "-m", "training.federated"]
    with (
        Service("training", settings, tmp_path) as service,
        Process(command, worker, tmp_path / "worker.log"),
        httpx.Client(base_url=f"http://{address}", timeout=120) as client,
    ):
        service.ready(60)

        def post(path: str, **fields: Any) -> Any:
            answer = client.post(path, json=fields)
            assert answer.status_code == 201, answer.text
            return answer.json()

        model = post("/models/", name=f"digits {tag}", code=CODE, framework="tf")["id"]
        configuration = post("/configurations/", name=f"all {tag}", ml_models=[model])["id"]
        made = post(
            "/deployments/",
            configuration=configuration,
            batch=32,
            tf_kwargs_fit="epochs=2",
            federated=True,
            agg_rounds=2,
            min_data=1000,
            agg_strategy="FedAdam",
            data_restriction={"owner": tag},
        )
        with FederatedRawSink(
            kafka_bootstrap,
            f"digits-{tag}",
            made["id"],
            validation_rate=0.2,
            control_topic=f"own-{tag}",
            dataset_restrictions={"owner": tag},
        ) as sink:
            for digit in digits():
                sink.send(np.frombuffer(digit.pixels, np.uint8), np.uint8(digit.label))

        def ended() -> Any:
            (found,) = client.get(f"/deployments/results/{made['id']}").json()
            return found if found["state"] in ("finished", "failed", "stopped") else None

        result = wait_for(ended, 400, "the training")
        log = client.get(f"/results/log/{result['id']}").json()["log"]
        versions = client.get(f"/versions/digits {tag}").json()

    assert result["state"] == "finished", (result["reason"], log)
    for kind in ("train_metrics", "val_metrics"):
        assert {name: len(values) for name, values in result[kind].items()} == {"loss": 2, "accuracy": 2}
    assert result["test_metrics"] is None
    (ann,) = result["progress"]["clients"]
    assert (ann["name"], ann["share"], ann["used"]) == ("ann", 1, 2)
    assert ann["num_data"] == int((1 - 0.2) * len(digits()))
    assert [each["state"] for each in versions] == ["candidate"]
