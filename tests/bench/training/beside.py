"""The age of frames at the page while two trainings run on the same machine, as the service starts them."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psutil
from confluent_kafka import Producer

from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.stream import Viewer, watching
from tests.bench.system import CAMERA, running
from tests.bench.training.fitting import untrained
from tests.bench.training.model import BATCH, CONFIG, COUNT
from tests.bench.training.topics import fill, held
from tests.parts import wait_for
from tests.training.job.fakes import FakeService
from training.control.message import ControlMessage, compose
from training.data.ranges import Range
from training.runners.process import ProcessRunner
from training.runners.runner import Run

AGE: Final = Figure("video, age p99 next to two trainings", "ms", most=100)

_TRAININGS: Final = 2
_SECONDS: Final = 10.0
_SETTLE: Final = 2.0  # s
_LIMIT: Final = 300.0  # s until both trainings fit
_ENDLESS: Final = 1_000_000  # epochs


def measure(bootstrap: str, folder: Path, features: Any, labels: Any) -> list[Measured]:
    """Return the figure; the trainings are suspended in turns."""
    beside, alone = list[list[float]](), list[list[float]]()
    with (
        running() as system,
        watching(system.address, CAMERA) as viewer,
        _trainings(bootstrap, folder, features, labels) as processes,
    ):
        for _ in rounds("video next to trainings"):
            beside.append(_ages(viewer))
            for each in processes:
                each.suspend()
            alone.append(_ages(viewer))
            for each in processes:
                each.resume()
    frames = min(map(len, beside))
    about = f"the same without trainings; {len(beside)} rounds of at least {frames} frames"
    return [AGE.side_by_side([_p99(each) for each in beside], [_p99(each) for each in alone], about)]


@contextmanager
def _trainings(bootstrap: str, folder: Path, features: Any, labels: Any) -> Iterator[list[psutil.Process]]:
    """Run endless trainings; yield their processes once each has done an epoch."""
    tag = uuid4().hex[:8]
    topic, control = f"bench-data-{tag}", f"bench-control-{tag}"
    runner = ProcessRunner(folder / "runs", _TRAININGS, set(), lambda *_: False)
    with ExitStack() as stack:
        stack.enter_context(held(bootstrap, topic, control))
        fill(bootstrap, topic, features, labels)
        message = ControlMessage(3, (Range(topic, 0, 0, COUNT),), "RAW", CONFIG, 0, 0)
        key, value = compose(message)
        producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
        producer.produce(control, value, key)
        assert producer.flush(30) == 0
        fakes = []
        for number in range(_TRAININGS):
            fake = FakeService()
            stack.callback(fake.close)
            fake.model = untrained(folder)
            name = f"model-training-{number}"
            variables = {
                "BOOTSTRAP_SERVERS": bootstrap,
                "RESULT_URL": fake.url,
                "RESULT_ID": "7",
                "CONTROL_TOPIC": control,
                "DEPLOYMENT_ID": "3",
                "BATCH": str(BATCH),
                "KWARGS_FIT": json.dumps({"epochs": _ENDLESS}),
                "JOBFOLDER": str(folder / name),
                "LOGLEVEL": "warning",
            }
            runner.start(Run(name, "training.job", variables))
            stack.callback(runner.forget, name)
            fakes.append(fake)
        for number, fake in enumerate(fakes):
            log = runner.log(f"model-training-{number}")
            wait_for(lambda: fake.sent("/results_metrics/7"), _LIMIT, f"an epoch: {log}")  # noqa: B023
        jobs = [psutil.Process(child.pid) for child in runner._children.values()]
        yield [each for job in jobs for each in (job, *job.children(recursive=True))]


def _ages(viewer: Viewer) -> list[float]:
    """Return the ages in s of the frames of some seconds, in order."""
    time.sleep(_SETTLE)
    viewer.take()
    time.sleep(_SECONDS)
    found = viewer.take()
    assert found, "no frames"
    return found


def _p99(ages: list[float]) -> float:
    """Return the age in ms that one frame in a hundred exceeds."""
    return 1000 * ages[int(0.99 * len(ages))]
