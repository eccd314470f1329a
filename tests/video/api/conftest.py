"""What the API's tests share: the API alone, served over real HTTP."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.access.roles import Role
from pipeline.access.visitor import VISITOR
from pipeline.flow.ledger import Ledger
from pipeline.http.connections import Connections
from pipeline.http.protocol import HttpProtocol
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction, Result
from tests.parts import wait_for
from tests.video.fakes import Browser, a_frame
from video.api.application import create_app
from video.api.routes import router
from video.cameras.camera import Limits
from video.cameras.cameras import Cameras
from video.cameras.history import History
from video.cameras.processes import Processes
from video.streams.clients import Clients


def labelled(label: str | None, camera: str = "door", seq: int = 1) -> Frame:
    """Return a frame with a label of the model imagenet_1, or with its missing answer."""
    results = () if label is None else (Result(label, 0.93456),)
    return a_frame(seq, camera=camera, predictions=(Prediction("imagenet_1", results),))


class Guest:
    """A visitor whose rights a test can change."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.hidden: set[str] = set()
        self.let_in = True
        self.roles: tuple[Role, ...] = ("viewer",)

    def lacks(self, role: Role) -> str | None:
        """Tell what helps a guest without a role."""
        return None if role in self.roles else f"ask for the role {role}"

    def may_see(self, camera: str) -> bool:
        """Tell whether a camera is not hidden."""
        return camera not in self.hidden

    def welcome(self) -> bool:
        """Tell whether the visitor is let in."""
        return self.let_in


class EventSource:
    """A reader of server-sent events."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.answer = answer

    def block(self) -> dict[str, str]:
        """Return the fields of the next block; a comment is a field without a name; none at the end."""
        fields = {}
        while line := self.answer.readline().decode().removesuffix("\n"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        return fields

    def event(self) -> Any:
        """Return the data of the next label event."""
        block = self.block()
        data = json.loads(block["data"])
        assert (block["event"], block["id"]) == ("label", data["id"])
        return data

    def close(self) -> None:
        """Go."""
        self.answer.close()


class Api(Browser):
    """The API in this process: to be shown frames, and asked."""

    def __init__(self, clients: Clients, history: History, root: str = "") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        super().__init__(self._listener.getsockname()[1])
        self.guest = Guest()
        self.history = history
        self.clients = clients
        self.cameras = Cameras(Limits(no_signal_after=3, stale_after=5), Ledger())
        self.cameras.subscribe(history)
        self.processes = Processes("me")
        app = create_app()
        app.include_router(router(self.cameras, self.history, self.clients, processes=self.processes))
        self._loop = asyncio.new_event_loop()
        config = uvicorn.Config(
            self._welcoming(app),
            http=cast("type[asyncio.Protocol]", partial(HttpProtocol, Connections(1000, 1000))),
            ws="none",
            lifespan="off",
            log_config=None,
            root_path=root,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="api", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        wait_for(lambda: self._server.started, 20, "the API")

    def stop(self) -> None:
        """End."""
        self.on_loop(self.history.close)
        self.on_loop(self.cameras.close)
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._listener.close()

    def on_loop(self, call: Callable[[], object]) -> None:
        """Call on the event loop, and wait until that is done."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(call)
        self._loop.call_soon_threadsafe(done.set)
        assert done.wait(20)

    def show(self, *frames: Frame) -> None:
        """Put up frames, one after the other."""
        for frame in frames:
            self.cameras.offer(frame.camera, frame)
            self.on_loop(lambda: None)

    def flicker(self, rounds: int, label: str) -> None:
        """Let a label change a hundred times before a stream can take note, so many times."""
        frames = [labelled(f"{number} {label}") for number in range(100)]

        def change() -> None:
            for frame in frames:
                self.history.note(frame)

        for _ in range(rounds):
            self.on_loop(change)

    def label(self, label: str | None, camera: str = "door", seq: int = 1) -> None:
        """Put up a frame with a label of a model, or with its missing answer."""
        self.show(labelled(label, camera, seq))

    def json(self, path: str) -> Any:
        """Return the body of a 200."""
        status, body = self.get(path)
        assert status == 200, body
        return json.loads(body)

    def refusal(self, path: str, **headers: str) -> tuple[int, str]:
        """Return the status and the one line of an error."""
        with self.ask(path, **headers) as answer:
            assert answer.headers["content-type"] == "application/json"
            (detail,) = json.loads(answer.read()).values()
        assert len(detail.splitlines()) == 1
        return answer.status, detail

    def listen(self, path: str = "/api/events", **headers: str) -> EventSource:
        """Return a source of events, once it has begun."""
        answer = self.ask(path, **headers)
        assert answer.status == 200
        return EventSource(answer)

    def _welcoming(self, app: ASGIApp) -> ASGIApp:
        async def welcome(scope: Scope, receive: Receive, send: Send) -> None:
            scope[VISITOR] = self.guest
            await app(scope, receive, send)

        return welcome

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.cameras.open()
        self.history.open()
        await self._server.serve(sockets=[self._listener.dup()])


@pytest.fixture(scope="module")
def still() -> Iterator[Api]:
    """An API for several tests, which listen to no events."""
    api = Api(Clients(100, 30), History())
    api.start()
    yield api
    api.stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., Api]]:
    """Return what starts an API; it ends with the test."""
    started = []

    def serve(clients: Clients | None = None, history: History | None = None, root: str = "") -> Api:
        api = Api(Clients(100, 30) if clients is None else clients, history or History(), root)
        api.start()
        started.append(api)
        return api

    yield serve
    for api in started:
        api.stop()


@pytest.fixture
def api(serve: Callable[..., Api]) -> Api:
    """The API, without any camera yet."""
    return serve()
