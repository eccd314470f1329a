"""The training service: its memory when idle, and how long its longest list takes."""

import time
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.parts import Service, free_port, get, wait_for
from training.database.engine import connect
from training.database.migrate import migrate
from training.database.tables import Configuration, Deployment, Model, Result

MEMORY: Final = Figure("training service, memory when idle", "MB", most=150)
LIST: Final = Figure("training service, list of 1,000 results", "ms", most=50)

_RESULTS: Final = 1_000
_EPOCHS: Final = 10
_REQUESTS: Final = 20
_IDLE: Final = 10.0  # s


def measure(bootstrap: str, folder: Path) -> list[Measured]:
    """Return the figures of a service on SQLite."""
    data = folder / "data"
    data.mkdir()
    _fill(data)
    address = f"127.0.0.1:{free_port()}"
    environment = {"KAFKAPORT": bootstrap, "DATAFOLDER": str(data), "DISPLAYPORT": address}
    with Service("training", environment, folder) as service:
        service.ready()
        time.sleep(_IDLE)
        memory = service.rss()
        times = [_list(address) for _ in rounds("list of results")]
    return [
        MEMORY.alone([memory], f"resident memory {_IDLE:g} s after the start"),
        LIST.alone(times, f"median of {_REQUESTS} requests, metrics of {_EPOCHS} epochs each"),
    ]


def _fill(folder: Path) -> None:
    database = connect("", folder)
    migrate(database)
    curve = {name: [1 / (epoch + 1) for epoch in range(_EPOCHS)] for name in ("loss", "accuracy")}
    with database.writing() as session:
        model = Model(
            name="m", description="", imports="", code="model = 1", distributed=False, framework="tf"
        )
        configuration = Configuration(name="c", description="", ml_models=[model])
        session.add(configuration)
        session.flush()
        for _ in range(_RESULTS):
            deployment = Deployment(configuration_id=configuration.id, **_fields())
            deployment.results = [
                Result(
                    model_id=model.id,
                    status="finished",
                    state="finished",
                    train_metrics=curve,
                    val_metrics=curve,
                    test_metrics={name: values[-1:] for name, values in curve.items()},
                )
            ]
            session.add(deployment)
    database.close()


def _fields() -> dict[str, object]:
    from training.api.deployment_fields import DeploymentFields

    return DeploymentFields(configuration=1).model_dump(exclude={"configuration", "datasource"})


def _list(address: str) -> float:
    """Return the median time in ms of requests for all results."""
    url = f"http://{address}/results/"
    wait_for(lambda: len(get(url)) > _RESULTS, 10, "the results")
    times = list[float]()
    for _ in range(_REQUESTS):
        begun = time.perf_counter()
        get(url)
        times.append(1000 * (time.perf_counter() - begun))
    return median(times)
