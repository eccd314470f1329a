"""Parts kept running by the real runner, in this process: only the child processes are simulated."""

import asyncio
import io
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from compose import __main__ as command
from compose import job, process, readiness, runner
from compose.broker import ANNOUNCEMENT
from compose.console import Console
from compose.parts import Part
from compose.readiness import Answer
from compose.runner import Interrupts


class Child:
    """A child process: it runs until its script ends it, or a signal does."""

    def __init__(self, number: int, environment: dict[str, str], *, obeys: bool) -> None:
        self.number = number
        self.environment = environment
        self.signals: list[signal.Signals] = []
        self.stdout = asyncio.StreamReader()
        self._obeys = obeys
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def print(self, line: str) -> None:
        """Write a line."""
        self.stdout.feed_data(f"{line}\n".encode())

    def end(self, status: int) -> None:
        """End, unless it has."""
        if not self._status.done():
            self.stdout.feed_eof()
            self._status.set_result(status)

    def hear(self, number: signal.Signals) -> None:
        """Take a signal."""
        self.signals.append(number)
        if self._obeys or number == signal.SIGKILL:
            self.end(-number if number == signal.SIGKILL else 0)

    async def wait(self) -> int:
        """Return the exit status, once it has ended."""
        return await asyncio.shield(self._status)


class World:
    """What the runner would find: `scripts` say what a part's process does once it is started."""

    def __init__(self) -> None:
        self.scripts: dict[str, Callable[[Child], None]] = {}
        self.stubborn: set[str] = set()
        self.children: dict[str, list[Child]] = {}
        self.reasons: dict[str, str | None] = {}
        self.printed = io.StringIO()
        self.ready = 0

    async def start(
        self, command: tuple[str, ...], environment: dict[str, str], _: object, *, nice: int
    ) -> Child:
        """Start a part's process."""
        assert nice == 0
        name = command[0]
        if name == "missing":
            raise FileNotFoundError("no such command")
        children = self.children.setdefault(name, [])
        child = Child(len(children), environment, obeys=name not in self.stubborn)
        children.append(child)
        asyncio.get_running_loop().call_soon(self.scripts.get(name, lambda _: None), child)
        return child

    async def ask(self, part: Part) -> Answer:
        """Return what a part says about itself."""
        return Answer(self.reasons.get(part.name))

    def run(self, *parts: Part, then: Callable[[Interrupts], Awaitable[None]], kafka: str = "k:1") -> int:
        """Run parts; `then` decides what happens meanwhile, and that it ends."""

        async def main() -> int:
            interrupts = Interrupts()
            console = Console(self.printed, [part.name for part in parts], colour=False)
            acting = asyncio.ensure_future(then(interrupts))
            status = await runner.run(
                parts, console, interrupts, kafka=kafka, ready=self._is_ready, page="here", seconds=None
            )
            acting.cancel()
            return status

        return asyncio.run(main())

    @property
    def text(self) -> str:
        """What compose has printed."""
        return self.printed.getvalue()

    def _is_ready(self, _: str) -> None:
        self.ready += 1


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which no time is lost."""
    world = World()
    monkeypatch.setattr(process, "start", world.start)
    monkeypatch.setattr(process, "send", lambda child, number: child.hear(number))
    monkeypatch.setattr(readiness, "ask", world.ask)
    monkeypatch.setattr(runner, "_REPORTING", 0.001)
    monkeypatch.setattr(job, "_ASKING", (0.001, 0.001))
    monkeypatch.setattr(job, "_FIRST_PAUSE", 0.0)
    return world


def part(name: str, role: Any = "consumer", *, kafka: tuple[str, ...] = ()) -> Part:
    return Part(name, role, (name,), kafka=kafka, port=1)


def once(condition: Callable[[], Any]) -> Callable[[Interrupts], Coroutine[Any, Any, None]]:
    """Return what stops the runner once a condition is met."""

    async def then(interrupts: Interrupts) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.001)
        interrupts.stop.set()

    return then


async def never(_: Interrupts) -> None:
    """Leave the runner alone."""


def test_ready_parts_are_announced_once_and_asked_to_end(world: World) -> None:
    status = world.run(part("one"), part("two"), then=once(lambda: world.ready))

    assert status == 0
    assert world.ready == 1
    assert world.children["one"][0].signals == [signal.SIGTERM]
    assert world.text.endswith("stopped\n")


def test_a_reason_is_shown_until_the_part_is_ready(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.progress._EVERY", 0.0)
    world.reasons["one"] = "no picture yet"

    def shown() -> bool:
        if "waiting for one (no picture yet)" in world.text:
            world.reasons.clear()
        return bool(world.ready)

    assert world.run(part("one"), then=once(shown)) == 0


def test_a_part_that_crashes_is_restarted_and_its_last_line_shown(world: World) -> None:
    def crash_once(child: Child) -> None:
        if child.number == 0:
            child.print("out of memory")
            child.end(3)

    world.scripts["one"] = crash_once

    assert world.run(part("one"), then=once(lambda: world.ready)) == 0

    assert len(world.children["one"]) == 2
    assert "one ended with exit code 3: out of memory; restarting" in world.text


@pytest.mark.parametrize(
    ("status", "starts", "result", "text"),
    [(3, 6, 1, "after 5 restarts"), (2, 1, 2, "does not accept its settings")],
)
def test_a_part_that_cannot_be_kept_running_ends_everything(
    world: World, status: int, starts: int, result: int, text: str
) -> None:
    world.scripts["one"] = lambda child: child.end(status)

    assert world.run(part("one"), part("two"), then=never) == result

    assert len(world.children["one"]) == starts
    assert text in world.text.splitlines()[-1]
    assert world.children["two"][0].signals == [signal.SIGTERM]


def test_a_command_that_cannot_be_started_ends_everything(world: World) -> None:
    assert world.run(part("missing"), then=never) == 1
    assert "missing cannot be started: no such command" in world.text


def test_a_part_that_does_not_end_in_time_is_killed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_GRACE", 0.01)
    world.stubborn.add("one")

    assert world.run(part("one"), then=once(lambda: world.ready)) == 0

    assert world.children["one"][0].signals == [signal.SIGTERM, signal.SIGKILL]


def test_clients_wait_for_the_broker_and_move_with_it(world: World) -> None:
    def tell(child: Child) -> None:
        child.print(f"{ANNOUNCEMENT}k:{child.number}")

    def moved() -> bool:
        if world.ready and len(world.children["broker"]) == 1:
            world.children["broker"][0].end(-9)
        return len(world.children.get("client", ())) == 2

    world.scripts["broker"] = tell
    parts = part("broker", "broker"), part("client", kafka=("KAFKAPORT",))

    assert world.run(*parts, then=once(moved), kafka="") == 0

    first, second = (child.environment["KAFKAPORT"] for child in world.children["client"])
    assert (first, second) == ("k:0", "k:1")


def test_the_cameras_are_written_once_for_each_broker(world: World) -> None:
    def tell(child: Child) -> None:
        child.print(f"{ANNOUNCEMENT}k:{child.number}")

    def moved() -> bool:
        written = world.children.get("cameras", ())
        if world.ready and len(world.children["broker"]) == 1:
            assert len(written) == 1
            world.children["broker"][0].end(-9)
        return len(written) == 2

    world.scripts |= {"broker": tell, "cameras": lambda child: child.end(0)}
    parts = part("broker", "broker"), part("cameras", "cameras", kafka=("KAFKAPORT",))

    assert world.run(*parts, then=once(moved), kafka="") == 0

    again = [child.environment["ISAGAIN"] for child in world.children["cameras"]]
    assert again == ["False", "True"]
    assert "cameras ended" not in world.text


def test_cameras_that_cannot_be_written_keep_everything_unready(world: World) -> None:
    world.scripts["cameras"] = lambda child: child.end(2)

    assert world.run(part("cameras", "cameras", kafka=("KAFKAPORT",)), then=never) == 2
    assert world.ready == 0


@pytest.mark.parametrize(
    ("numbers", "is_killed"),
    [([signal.SIGINT], False), ([signal.SIGTERM, signal.SIGINT], True), ([signal.SIGINT] * 2, True)],
)
def test_the_second_ctrl_c_is_for_users_in_a_hurry(numbers: list[signal.Signals], is_killed: bool) -> None:
    async def main() -> tuple[bool, bool]:
        interrupts = Interrupts()
        interrupts.listen()
        for number in numbers:
            signal.raise_signal(number)
            await asyncio.sleep(0.01)
        return interrupts.stop.is_set(), interrupts.kill.is_set()

    assert asyncio.run(main()) == (True, is_killed)


def test_options_that_are_wrong_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(command.main(["--camera", "door"])) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("compose: ")


def test_all_parts_are_started(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    started: list[str] = []

    async def run(parts: list[Part], *_: object, **__: object) -> int:
        started.extend(part.role for part in parts)
        return 0

    monkeypatch.setattr(runner, "run", run)

    assert asyncio.run(command.main(["--camera", "desk=0", "--no-model"])) == 0

    assert set(started) == {"broker", "cameras", "producer", "consumer", "video", "training"}
    assert "starting" in capsys.readouterr().err
