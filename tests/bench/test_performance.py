"""docs/performance.md explains the threads that there are, and its commands show them."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, generate_latest

from pipeline.flow import ledger
from tests.bench.__main__ import KINDS
from tests.bench.threads import WORKERS
from tests.parts import ROOT

PAGE = (ROOT / "docs/performance.md").read_text()
BENCH, METRICS, SPY = PAGE.partition("```sh\n")[2].partition("```")[0].splitlines()

BUSY = """
import threading, time
def stamp():
    while True:
        sum(range(1000))
threading.Thread(target=stamp, name="label").start()
"""


@pytest.fixture
def busy() -> Iterator[int]:
    """The id of a process with a busy thread."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        time.sleep(0.5)
        yield process.pid
        process.kill()


def test_the_threads_that_are_measured_are_explained() -> None:
    explained = set(re.findall(r"^\| (`.+?`|\w+) \|", PAGE, re.MULTILINE))

    for threads in WORKERS.values():
        assert all({f"`{name}`", name} & explained or f"`{name}`, " in PAGE for name in threads)


def test_the_benchmarks_that_are_named_exist() -> None:
    (named,) = re.findall('ONLY="(.*?)"', BENCH)

    assert set(named.split()) <= set(KINDS)


def test_the_metric_that_is_looked_for_exists() -> None:
    ledger.Ledger().went("front", 0.01)
    (wanted,) = re.findall(r"grep (\w+)", METRICS)

    assert wanted in generate_latest(REGISTRY).decode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into other processes")
def test_the_profiler_tells_which_lines_take_the_time(busy: int, tmp_path: Path) -> None:
    sudo, _, *arguments = shlex.split(SPY, comments=True)
    assert sudo == "sudo"
    told = {"20": "1", "PID": str(busy), "profile.json": str(tmp_path / "profile.json")}
    spy = Path(sys.executable).with_name("py-spy")

    done = subprocess.run(
        [spy, *(told.get(word, word) for word in arguments)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    frames = json.loads((tmp_path / "profile.json").read_text())["shared"]["frames"]
    assert "stamp" in {frame["name"] for frame in frames}
