"""The life of a part: started, polled until it is ready, restarted when it ends."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Mapping
from functools import partial
from typing import Final, NoReturn

from compose import process, readiness
from compose.broker import ANNOUNCEMENT
from compose.console import Console
from compose.errors import PartError
from compose.forks import ForkServer
from compose.options import ROOT
from compose.parts import Part, environment
from compose.process import Child
from compose.readiness import Answer

_BAD_SETTINGS: Final = 2  # the exit status of a part that would fail the same way again
_MOST_RESTARTS: Final = 5
_FIRST_PAUSE: Final = 0.2  # s before a restart, doubled each time
_STEADY: Final = 60.0  # s of running after which earlier crashes are forgotten
_GRACE: Final = 8.0  # s that a part has to end
_BROKER_GRACE: Final = 1.0  # s that the broker has, after all others
_REPLACING: Final = 3.0  # s that a part has to end when it needs the broker's new address
_ASKING: Final = (0.1, 1.0)  # s between two polls, at first and at last


class BrokerAddress:
    """The address of the broker, empty while it is down."""

    def __init__(self, address: str = "") -> None:
        self._address = address
        self._changed = asyncio.Event()

    @property
    def address(self) -> str:
        """The address, or an empty text."""
        return self._address

    def change(self, address: str) -> None:
        """Set the address and wake up everything that waits for another one."""
        self._address = address
        self._changed.set()
        self._changed = asyncio.Event()

    async def other_than(self, address: str) -> str:
        """Wait until the address differs from the one given, and return it."""
        while self._address == address:
            await self._changed.wait()
        return self._address


class Job:
    """Keeps one part running; `kill` cuts short the time that it has to end.

    It is started once `after` is set, if that is given.
    """

    def __init__(
        self,
        part: Part,
        console: Console,
        broker: BrokerAddress,
        forks: ForkServer,
        *,
        kill: asyncio.Event,
        inherited: Mapping[str, str],
        after: asyncio.Event | None = None,
    ) -> None:
        self.part = part
        self.trouble: str | None = "not started yet"
        """Why the part is not ready; None when it is."""
        self.answered: float | None = None
        """When the running process first answered, ready or not."""
        self.cameras: dict[str, str] = {}
        """Why cameras of a producer do not deliver, by name."""
        self._console = console
        self._broker = broker
        self._forks = forks
        self._kill = kill
        self._inherited = inherited
        self._after = after
        self._last_line = ""
        self._was_done = False

    async def keep(self) -> NoReturn:
        """Run the part, again and again, until this is cancelled: then the process is ended.

        Raises `PartError` when the part cannot be kept running.
        """
        name, crashes = self.part.name, 0
        if self._after is not None:
            self.trouble = "is started after all others"
            await self._after.wait()
        while True:
            address = await self._broker.other_than("") if self.part.kafka else ""
            began = time.monotonic()
            status = await self._run(address)
            if status is None:
                continue
            if status == 0 and self.part.role == "cameras":
                self.trouble, self._was_done = None, True
                await self._broker.other_than(address)
                continue
            how = f"ended with {process.named(status)}"
            if self._last_line and status > 0:  # a signal says it all
                how += f": {self._last_line}"
            if status == _BAD_SETTINGS:
                raise PartError(f"{name} does not accept its settings: it {how}", _BAD_SETTINGS)
            crashes = 1 if time.monotonic() - began > _STEADY else crashes + 1
            if crashes > _MOST_RESTARTS:
                raise PartError(f"{name} keeps failing: after {_MOST_RESTARTS} restarts it {how}")
            pause = _FIRST_PAUSE * 2 ** (crashes - 1)
            again = f"restarting it in {pause:.1f} s ({crashes} of {_MOST_RESTARTS} times)"
            self._console.say(f"{name} {how}; {again}")
            await asyncio.sleep(pause)

    async def _run(self, address: str) -> int | None:
        """Run a process until it ends, or until the broker is no longer at `address`.

        Returns its exit status; None if the broker has moved: that does not count as a crash.
        """
        self.trouble, self._last_line = "is starting", ""
        variables = environment(self.part, address, self._inherited)
        if self.part.role == "cameras":
            variables["ISAGAIN"] = str(self._was_done)
        try:
            start = self._forks.start if self.part.preloads else partial(process.start, nice=self.part.nice)
            child: Child = await start(self.part.command, variables, ROOT)
        except OSError as error:
            raise PartError(f"{self.part.name} cannot be started: {error}") from None
        relaying = asyncio.create_task(self._relay(child))
        try:
            return await self._watch(child, address)
        finally:
            is_broker = self.part.role == "broker"
            await self._end(child, _BROKER_GRACE if is_broker else _GRACE)
            await relaying
            self.trouble, self.answered, self.cameras = "about to be restarted", None, {}
            if is_broker:
                self._broker.change("")

    async def _watch(self, child: Child, address: str) -> int | None:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(self._keep_asking())
            ended = group.create_task(child.wait())
            moved = group.create_task(self._broker_moved(address))
            await asyncio.wait({ended, moved}, return_when=asyncio.FIRST_COMPLETED)
            asking.cancel()
            moved.cancel()
            if ended.done():
                return ended.result()
            self.trouble = "needs the broker's new address"
            await self._end(child, _REPLACING)
        return None

    async def _broker_moved(self, address: str) -> None:
        if not self.part.kafka:
            await asyncio.Event().wait()  # makes no difference to this part
        await self._broker.other_than(address)

    async def _keep_asking(self) -> None:
        """Ask whether the part is ready, also once it has been: its camera may go away, for example."""
        began = time.monotonic()
        shortest, longest = _ASKING
        was_ready = False
        while True:
            with contextlib.suppress(OSError):
                answer = await self._ask()
                self.trouble, self.cameras = answer.trouble, answer.cameras
                self.answered = self.answered or time.monotonic()
            waited = time.monotonic() - began
            if self.trouble is None and not was_ready:
                was_ready = True
                self._console.say(f"{self.part.name} is ready after {waited:.1f} s")
            await asyncio.sleep(longest if was_ready else min(longest, max(shortest, waited / 20)))

    async def _ask(self) -> Answer:
        if self.part.role == "broker":  # it answers by printing its address
            await self._broker.other_than("")
            return Answer()
        if self.part.role == "cameras":  # it answers by ending
            return Answer("are being written to the topic")
        return await readiness.ask(self.part)

    async def _end(self, child: Child, grace: float) -> None:
        """Ask a process to end, and kill it once `grace` is over or the user is in a hurry."""
        process.send(child, signal.SIGTERM)
        ended = asyncio.create_task(child.wait())
        kill = asyncio.create_task(self._kill.wait())
        await asyncio.wait({ended, kill}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        kill.cancel()
        if not ended.done():
            self._console.say(f"{self.part.name} has not ended in time and is killed")
            process.send(child, signal.SIGKILL)
        await ended

    async def _relay(self, child: Child) -> None:
        async for line in process.lines(child):
            self._last_line = line
            self._console.show(self.part.name, line)
            if self.part.role == "broker" and line.startswith(ANNOUNCEMENT):
                self._broker.change(line.removeprefix(ANNOUNCEMENT))
