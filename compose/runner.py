"""All parts together: kept running until a signal, the time given, or a part that cannot go on."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

from compose import forks
from compose.console import Console
from compose.errors import PartError
from compose.forks import ForkServer
from compose.job import BrokerAddress, Job
from compose.options import ROOT
from compose.parts import Part
from compose.progress import Progress

_REPORTING: Final = 0.1  # s between two looks at the progress
_HELD_BACK: Final = 20.0  # s that the training service lets others start first, at most


class Interrupts:
    """The signals received so far: the first asks parts to end, a Ctrl-C after that kills them."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.kill = asyncio.Event()

    def listen(self) -> None:
        """Handle signals from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
                loop.add_signal_handler(number, self._note, number)

    def _note(self, number: int) -> None:
        if self.stop.is_set() and number == signal.SIGINT:
            self.kill.set()
        self.stop.set()


async def run(
    parts: Sequence[Part],
    console: Console,
    interrupts: Interrupts,
    *,
    kafka: str,
    ready: Callable[[str], None],
    page: str,
    seconds: float | None,
    links: Mapping[str, str] = {},
    trainable: Callable[[], None] = lambda: None,
) -> int:
    """Run the parts until a signal arrives or `seconds` have passed.

    `kafka` is the address of a broker that runs already; it is empty if one of the parts is the broker.
    `ready` is called once, when everything but the training service is ready, with the broker's address, and
    `trainable` when that is ready, too. `page` is the address of the page. `links` are those of the cameras
    that were given, by name and safe to print.

    Returns the exit status: 0, or if a part could not be kept running 1, or 2 if it was for its settings.
    """
    broker = BrokerAddress(kafka)
    server = ForkServer(console.say)
    # While it starts, it would cost the first label a second.
    started = asyncio.Event()
    asyncio.get_running_loop().call_later(_HELD_BACK, started.set)
    after = {"training": started}
    jobs = [
        Job(
            *(part, console, broker, server),
            kill=interrupts.kill,
            inherited=os.environ,
            after=after.get(part.role),
        )
        for part in parts
    ]

    def all_ready() -> None:
        started.set()
        ready(broker.address)

    progress = Progress(
        *(jobs, console, all_ready, time.monotonic(), page),
        links=links,
        trainable=trainable,
    )
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, interrupts.stop.set)
    failure: PartError | None = None
    try:
        await _preload(server, parts)
        # The inner group ends first: the broker goes when its clients have gone.
        async with asyncio.TaskGroup() as brokers, asyncio.TaskGroup() as others:
            for job in jobs:
                (brokers if job.part.role == "broker" else others).create_task(job.keep())
            others.create_task(_report(progress))
            try:
                await interrupts.stop.wait()
            finally:
                console.say("stopping")
            raise _Stop
    except* _Stop:
        pass
    except* PartError as errors:
        failure = _first(errors)
    finally:
        await server.close()
    console.say(str(failure or "stopped"))
    return failure.status if failure else 0


async def _preload(server: ForkServer, parts: Sequence[Part]) -> None:
    modules = dict.fromkeys(module for part in parts for module in part.preloads)
    if modules and forks.IS_SAFE:
        with contextlib.suppress(OSError):  # the parts are started by their commands then
            await server.open(modules, ROOT)


class _Stop(Exception):  # noqa: N818 # not an error
    """Ends the tasks of a TaskGroup."""


async def _report(progress: Progress) -> NoReturn:
    while True:
        progress.report(time.monotonic())
        await asyncio.sleep(_REPORTING)


def _first(error: PartError | BaseExceptionGroup[PartError]) -> PartError:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
