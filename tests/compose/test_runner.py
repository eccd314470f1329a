"""What the runner does with parts that live, die and will not end: real processes, played by child.py."""

import os
import signal
import sys
import time

import psutil
import pytest

from tests.compose.conftest import Play, Runs
from tests.parts import wait_for

pytestmark = pytest.mark.parts


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_all_that_is_ready_is_told_and_standard_output_has_one_line(play: Play, runs: Runs) -> None:
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


def test_what_is_not_ready_is_told_with_its_reason_until_it_is(play: Play, runs: Runs) -> None:
    run = runs(play("late", name="slow"), play("late", "tfserving"))

    wait_for(
        lambda: "waiting for slow (no picture yet), tfserving (the model is LOADING)" in run.err, 20, "it"
    )
    assert not run.is_ready()
    (run.folder / "slow").touch()
    (run.folder / "tfserving").touch()
    wait_for(run.is_ready, 20, "both to be ready")


def test_a_part_that_dies_is_named_and_started_again(play: Play, runs: Runs) -> None:
    run = runs(play("once"))

    wait_for(run.is_ready, 20, "the second start")

    told = (
        "consumer ended with exit code 3: the first time fails; it is started again in 0.2 s (1 of 5 times)"
    )
    assert told in run.err
    assert len(run.starts("consumer")) == 2


def test_a_part_that_always_dies_ends_all_after_five_restarts(play: Play, runs: Runs) -> None:
    run = runs(play("7", name="weak"), play("ready", "video"))

    assert run.process.wait(40) == 1

    assert len(run.starts("weak")) == 6
    last = run.err.splitlines()[-1]
    assert "weak does not stay up" in last
    assert "exit code 7: cannot go on" in last
    assert gone(run.starts("video")[0][0])


def test_a_part_with_bad_settings_is_not_started_again(play: Play, runs: Runs) -> None:
    run = runs(play("2"))

    assert run.process.wait(20) == 1

    assert len(run.starts("consumer")) == 1
    assert run.err.splitlines()[-1].endswith("it ended with exit code 2: cannot go on")


def test_a_command_that_is_not_there_ends_all_with_a_line(play: Play, runs: Runs) -> None:
    part = play("ready")
    object.__setattr__(part, "command", ("/nowhere/at/all",))

    run = runs(part)

    assert run.process.wait(20) == 1
    assert "consumer cannot be started" in run.err.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_everything(play: Play, runs: Runs, number: signal.Signals) -> None:
    run = runs(play("ready"), play("broker", "video"))
    wait_for(run.is_ready, 20, "both to run")

    os.killpg(run.process.pid, number)

    assert run.process.wait(10) == 0
    assert "goodbye of ready" in run.err
    assert "goodbye of broker" in run.err


def test_it_stops_by_itself_when_its_time_is_over(play: Play, runs: Runs) -> None:
    run = runs(play("ready"), seconds=1.5)

    assert run.process.wait(20) == 0
    assert gone(run.starts("consumer")[0][0])


def test_a_stubborn_part_is_killed_within_ten_seconds(play: Play, runs: Runs) -> None:
    run = runs(play("stubborn"))
    wait_for(run.is_ready, 20, "it to be ready")

    run.process.terminate()

    assert run.process.wait(10) == 0
    assert "consumer has not ended and is killed" in run.err
    assert gone(run.starts("consumer")[0][0])


def test_a_second_ctrl_c_kills_at_once(play: Play, runs: Runs) -> None:
    run = runs(play("stubborn"))
    wait_for(run.is_ready, 20, "it to be ready")

    run.process.send_signal(signal.SIGINT)
    wait_for(lambda: "stopping" in run.err, 5, "it to begin to stop")
    begun = time.monotonic()
    run.process.send_signal(signal.SIGINT)

    assert run.process.wait(10) == 0
    assert time.monotonic() - begun < 5
    assert gone(run.starts("consumer")[0][0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_no_part_outlives_a_killed_runner(play: Play, runs: Runs) -> None:
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
    run.process.terminate()
    assert run.process.wait(10) == 0
