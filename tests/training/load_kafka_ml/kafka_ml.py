"""A Kafka-ML's database, as Django makes it."""

import json
import sqlite3
from pathlib import Path
from typing import Any

RAW = json.dumps({"data_type": "uint8", "label_type": "uint8", "data_reshape": "28 28", "label_reshape": "1"})
TABLES = {
    "mlmodel": "name, description, imports, code, distributed, father_id, framework",
    "configuration": "name, description, time",
    "configuration_ml_models": "configuration_id, mlmodel_id",
    "deployment": "batch, tf_kwargs_fit, tf_kwargs_val, pth_kwargs_fit, pth_kwargs_val, conf_mat_settings,"
    " configuration_id, time, optimizer, learning_rate, loss, metrics, incremental, indefinite,"
    " stream_timeout, monitoring_metric, change, improvement",
    "trainingresult": "status, status_changed, deployment_id, model_id, train_metrics, val_metrics,"
    " test_metrics, confusion_matrix, training_time, trained_model, confusion_mat_img",
    "datasource": "input_format, deployment, input_config, description, topic, total_msg, validation_rate,"
    " test_rate, time",
    "inference": "status, status_changed, model_result_id, replicas, input_format, input_config, input_topic,"
    " output_topic, time, limit, output_upper, token, external_host, input_kafka_broker",
}
TIME = "2024-03-01 10:20:30.123456"


class KafkaMl:
    """The file, and rows that are put into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(path)
        for table, columns in TABLES.items():
            quoted = ", ".join(f'"{name.strip()}"' for name in columns.split(","))
            self._connection.execute(f"CREATE TABLE automl_{table} (id INTEGER PRIMARY KEY, {quoted})")

    def add(self, table: str, **values: Any) -> None:
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO automl_{table} ({names}) VALUES ({marks})", [*values.values()])
        self._connection.commit()

    def set(self, table: str, number: int, **values: Any) -> None:
        given = ", ".join(f'"{name}" = ?' for name in values)
        self._connection.execute(
            f"UPDATE automl_{table} SET {given} WHERE id = ?", [*values.values(), number]
        )
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()

    def fill(self) -> None:
        """Add a row of each kind, all in a finished training with id 7, and its trained model."""
        model = {"imports": "", "distributed": 0, "father_id": None, "framework": "tf"}
        self.add("mlmodel", id=7, name="digits", description="d", code="model = 1", **model)
        self.add("configuration", id=7, name="all", description="", time=TIME)
        self.add("configuration_ml_models", configuration_id=7, mlmodel_id=7)
        self.add(
            "deployment",
            id=7,
            batch=32,
            tf_kwargs_fit="epochs=5",
            tf_kwargs_val="",
            pth_kwargs_fit="",
            pth_kwargs_val="",
            conf_mat_settings=1,
            configuration_id=7,
            time=TIME,
            learning_rate=0.001,
            improvement=None,
        )
        self.add(
            "trainingresult",
            id=7,
            status="finished",
            status_changed=TIME,
            deployment_id=7,
            model_id=7,
            train_metrics='{"loss": [2.0, 1.0]}',
            val_metrics=None,
            test_metrics="{}",
            confusion_matrix="[[3, 1], [0, 4]]",
            training_time=12.5,
            trained_model="trained_models/7.h5",
            confusion_mat_img="trained_models/7.png",
        )
        self.add(
            "datasource",
            id=7,
            input_format="RAW",
            deployment="7",
            input_config=RAW,
            description="",
            topic="digits:0:0:100",
            total_msg=100,
            validation_rate=0.1,
            test_rate=0.1,
            time=TIME,
        )
        self.add(
            "inference",
            id=7,
            status="deployed",
            status_changed=TIME,
            model_result_id=7,
            replicas=2,
            input_format="RAW",
            input_config=RAW,
            input_topic="in",
            output_topic="out",
            time=TIME,
            output_upper="",
            token="secret",
            external_host="https://k8s:6443",
            input_kafka_broker="",
        )
        folder = self.path.parent / "trained_models"
        folder.mkdir(exist_ok=True)
        (folder / "7.h5").write_bytes(b"\x89HDF\r\n\x1a\ntrained")
        (folder / "7.png").write_bytes(b"\x89PNG\r\n\x1a\n")
