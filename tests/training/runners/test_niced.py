"""How much priority others have over a real job, its processes, and checks of code."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.service.niceness import LEAST
from tests.niceness import LOWEST, of_session, of_threads
from tests.parts import ROOT, embedded_broker, wait_for
from tests.training.job.fakes import FakeService
from tests.training.job.test_process import CODE, send
from training.code import Program, build
from training.code.confined import run
from training.code.folder import temporary_folder
from training.code.limits import Limits
from training.runners import niced
from training.runners.process import ProcessRunner
from training.runners.runner import Run

WAITER = "tests.training.runners.waiter"
LIMIT = 300.0  # s


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeService]:
    fake = FakeService()
    build(Program("tf", "", CODE), tmp_path / "untrained.h5")
    fake.model = (tmp_path / "untrained.h5").read_bytes()
    yield fake
    fake.close()


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[ProcessRunner]:
    found = ProcessRunner(tmp_path / "runs", 1, set(), lambda *_: False)
    yield found
    for name, child in found._children.copy().items():
        found.forget(name)
        child.wait()


def family(runner: ProcessRunner, name: str) -> list[psutil.Process]:
    """Return the process of a run, and those that it has started."""
    process = psutil.Process(runner._children[name].pid)
    return [process, *process.children(recursive=True)]


def test_a_module_runs_in_the_process_that_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = list[object]()
    monkeypatch.setattr(niced, "step_back", lambda: steps.append("back"))
    monkeypatch.setattr(os, "execv", lambda *command: steps.append(command))
    monkeypatch.setattr(sys, "argv", ["niced", "training.job"])

    niced.main()

    assert steps == ["back", (sys.executable, [sys.executable, "-m", "training.job"])]


@pytest.mark.parts
@pytest.mark.timeout(600)
def test_everything_has_priority_over_a_job_and_the_process_that_fits(
    runner: ProcessRunner, fake: FakeService, tmp_path: Path
) -> None:
    with embedded_broker(tmp_path) as (bootstrap, _):
        send(bootstrap, "digits", "control")
        variables = {
            "BOOTSTRAP_SERVERS": bootstrap,
            "RESULT_URL": fake.url,
            "RESULT_ID": "7",
            "CONTROL_TOPIC": "control",
            "DEPLOYMENT_ID": "3",
            "BATCH": "8",
            "KWARGS_FIT": json.dumps({"epochs": 100_000}),
            "JOBFOLDER": str(tmp_path / "jobs"),
        }
        runner.start(Run("model-training-7", "training.job", variables))
        wait_for(lambda: fake.sent("/results_metrics/7"), LIMIT, "the first epoch")
        job, restricted = family(runner, "model-training-7")

        assert of_threads(job.pid) == of_threads(restricted.pid) == {LOWEST}
        assert {of_session(job.pid), of_session(restricted.pid)} <= {LEAST, None}
        assert restricted.num_threads() > 1
        assert psutil.Process(restricted.pid).environ()["OMP_NUM_THREADS"] == str(
            len(os.sched_getaffinity(0))
        )


@pytest.mark.parts
def test_an_inference_is_as_nice_as_the_service(runner: ProcessRunner, tmp_path: Path) -> None:
    runner.start(Run("model-inference-1-0", WAITER, {"FOLDER": str(tmp_path)}, queues=False))
    wait_for((tmp_path / "started").exists, LIMIT, "the start")

    (process,) = family(runner, "model-inference-1-0")

    assert of_threads(process.pid) == of_threads(os.getpid())


@pytest.mark.parts
@pytest.mark.parametrize("nice", [0, 10])
def test_others_may_have_priority_over_code_that_is_checked(nice: int) -> None:
    code = "import os\nresult = [os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)]"
    with temporary_folder() as folder:
        found = run(
            "tests.training.code.plain",
            {"imports": "", "code": code},
            folder=folder,
            limits=Limits(time=60),
            read=[ROOT / "tests"],
            nice=nice,
        )

    ours = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
    assert tuple(found) == ((max(ours[0], 10), os.SCHED_BATCH) if nice else ours)
