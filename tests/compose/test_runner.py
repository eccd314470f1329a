"""Parts that run, crash, and refuse to end: real processes, played by child.py."""

import os
import signal
import subprocess
import sys

import pytest

from tests.compose.conftest import Play, Runs
from tests.parts import wait_for
from tests.processes import gone

pytestmark = pytest.mark.parts


def test_ready_parts_are_named_and_standard_output_has_one_line(play: Play, runs: Runs) -> None:
    run = runs(play("ready", "tfserving"), play("ready", "producer"), play("ready", "consumer"))

    wait_for(run.is_ready, 20, "all to be ready")
    run.process.terminate()

    assert run.process.wait(10) == 0
    assert run.out == "ready: here\n"
    for name in ("tfserving", "producer", "consumer"):
        assert f"{name} is ready after " in run.err
        assert f"{name:9} | out of ready\n" in run.err
        assert f"{name:9} | err of ready\n" in run.err
        assert f"{name:9} | goodbye of ready\n" in run.err
    assert run.err.endswith("compose   | stopped\n")


def test_the_training_service_is_started_after_all_others(play: Play, runs: Runs) -> None:
    run = runs(play("late", name="slow"), play("ready", "training"))

    waiting = "waiting for slow (no picture yet), training (is started after all others)"
    wait_for(lambda: waiting in run.err, 20, "the line")
    assert run.starts("training") == []
    (run.folder / "slow").touch()
    wait_for(lambda: "training is ready after " in run.err, 20, "the last one")
    assert run.out == "ready: here\n"


def test_parts_that_are_not_ready_are_named_with_their_reasons(play: Play, runs: Runs) -> None:
    run = runs(play("late", name="slow"), play("late", "tfserving"))

    waiting = "waiting for slow (no picture yet), tfserving (the model is LOADING)"
    wait_for(lambda: waiting in run.err, 20, "the line")
    assert not run.is_ready()
    (run.folder / "slow").touch()
    (run.folder / "tfserving").touch()
    wait_for(run.is_ready, 20, "both to be ready")


def test_a_part_that_crashes_is_named_and_restarted(play: Play, runs: Runs) -> None:
    run = runs(play("once"))

    wait_for(run.is_ready, 20, "the second start")

    assert "consumer ended with exit code 3: the first time fails; restarting it in 0.2 s" in run.err
    assert len(run.starts("consumer")) == 2


def test_everything_stops_when_a_part_crashes_after_five_restarts(play: Play, runs: Runs) -> None:
    run = runs(play("7", name="weak"), play("ready", "video"), _FIRST_PAUSE=0.02)

    assert run.process.wait(40) == 1

    assert len(run.starts("weak")) == 6
    last = run.err.splitlines()[-1]
    assert "weak keeps failing" in last
    assert "exit code 7: cannot go on" in last
    assert gone(run.starts("video")[0][0])


def test_everything_stops_when_a_part_does_not_accept_its_settings(play: Play, runs: Runs) -> None:
    run = runs(play("2"))

    assert run.process.wait(20) == 2

    assert len(run.starts("consumer")) == 1
    last = run.err.splitlines()[-1]
    assert "settings" in last
    assert "exit code 2: cannot go on" in last


def test_a_command_that_does_not_exist_is_one_line(play: Play, runs: Runs) -> None:
    part = play("ready")
    object.__setattr__(part, "command", ("/nowhere/at/all",))

    run = runs(part)

    assert run.process.wait(20) == 1
    assert "consumer cannot be started" in run.err.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_stop_everything(play: Play, runs: Runs, number: signal.Signals) -> None:
    run = runs(play("ready"), play("broker", "video"))
    wait_for(run.is_ready, 20, "both to run")

    os.killpg(run.process.pid, number)

    assert run.process.wait(10) == 0
    assert "goodbye of ready" in run.err
    assert "goodbye of broker" in run.err


INTERRUPTED = """
import importlib.abc, os, runpy, signal, sys

class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "compose.options":
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupt())
runpy.run_module("compose", run_name="__main__", alter_sys=True)
"""


def test_ctrl_c_during_the_imports_ends_it_without_a_word() -> None:
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=False
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_it_stops_when_its_time_is_over(play: Play, runs: Runs) -> None:
    run = runs(play("ready"), seconds=1)

    assert run.process.wait(20) == 0
    assert all(gone(pid) for pid, _ in run.starts("consumer"))


def test_a_stubborn_part_is_killed(play: Play, runs: Runs) -> None:
    run = runs(play("stubborn"), _GRACE=0.5)
    wait_for(run.is_ready, 20, "it to be ready")

    run.process.terminate()

    assert run.process.wait(10) == 0
    assert "consumer has not ended in time and is killed" in run.err
    assert gone(run.starts("consumer")[0][0])


def test_a_second_ctrl_c_kills_at_once(play: Play, runs: Runs) -> None:
    run = runs(play("stubborn"), _GRACE=60)
    wait_for(run.is_ready, 20, "it to be ready")

    run.process.send_signal(signal.SIGINT)
    wait_for(lambda: "stopping" in run.err, 5, "it to begin to stop")
    run.process.send_signal(signal.SIGINT)

    assert run.process.wait(20) == 0
    assert gone(run.starts("consumer")[0][0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_no_part_outlives_compose_when_it_is_killed(play: Play, runs: Runs) -> None:
    run = runs(play("stubborn"), play("ready", "video"))
    wait_for(run.is_ready, 20, "both to be ready")

    run.process.kill()

    pids = [run.starts(name)[0][0] for name in ("consumer", "video")]
    wait_for(lambda: all(map(gone, pids)), 5, "both to end")


def test_clients_wait_for_the_broker_and_get_the_new_address_when_it_is_back(play: Play, runs: Runs) -> None:
    client = play("ready", kafka=("KAFKAPORT",))
    bystander = play("ready", "tfserving")
    run = runs(play("broker", "broker"), client, bystander, kafka="")
    wait_for(run.is_ready, 20, "all to be ready")
    (broker, _), (_, address) = run.starts("broker")[0], run.starts("consumer")[0]
    assert address == f"127.0.0.1:{broker}"

    os.kill(broker, signal.SIGKILL)
    wait_for(lambda: run.err.count("consumer is ready") == 2, 20, "the client to be back")

    assert run.starts("consumer")[1][1] == f"127.0.0.1:{run.starts('broker')[1][0]}"
    assert "broker ended with SIGKILL" in run.err
    assert "consumer ended" not in run.err
    assert len(run.starts("tfserving")) == 1
    assert run.out == "ready: here\n"


def test_the_broker_ends_after_its_clients(play: Play, runs: Runs) -> None:
    run = runs(play("broker", "broker"), play("ready", kafka=("KAFKAPORT",)), kafka="")
    wait_for(run.is_ready, 20, "both to be ready")

    run.process.terminate()

    assert run.process.wait(10) == 0
    assert run.err.index("goodbye of ready") < run.err.index("goodbye of broker")
