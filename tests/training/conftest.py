"""A training service in this process, on SQLite and on PostgreSQL, with stand-ins around it."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partialmethod
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.types import ASGIApp

from tests.postgresql import PostgreSQL
from tests.training.fakes import FakeCode, FakeConsumer, FakeControl, FakeRunner
from training.api.application import create_app, limited
from training.api.parts import Parts
from training.database.engine import Database, connect
from training.database.migrate import migrate
from training.database.tables import Tables
from training.files import Files
from training.jobs import Places
from training.versions.library import Library

CODE = "model = 1"
PLACES = Places("kafka:9092", "KAFKA_ML_CONTROL_TOPIC", "http://training:8080", 600.0)
RAW = {"data_type": "uint8", "label_type": "uint8", "data_reshape": "28 28", "label_reshape": "1"}


class Client:
    """Sends requests to an application in this process."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a request."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://training") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    patch = partialmethod(request, "PATCH")
    delete = partialmethod(request, "DELETE")


@dataclass(frozen=True, slots=True)
class Service:
    """The service: its client, and what surrounds it."""

    client: Client
    app: FastAPI
    database: Database
    code: FakeCode
    runner: FakeRunner
    control: FakeControl
    files: Files
    library: Library

    def get(self, path: str) -> Any:
        """Return the JSON of a 200."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def post(self, path: str, sent: Any = None, status: int = 201) -> Any:
        """Return the JSON of the answer to a POST."""
        answer = self.client.post(path, json=sent)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def unable(self, method: str, path: str, sent: Any = None) -> str:
        """Return the reason of a 503: a request that may be carried out later."""
        answer = self.client.request(method, path, json=sent)
        assert answer.status_code == 503, answer.text
        return str(answer.json()["detail"])

    def refused(self, method: str, path: str, sent: Any = None) -> str:
        """Return the reason of a 400: a JSON text of one line."""
        answer = self.client.request(method, path, json=sent)
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/json"
        reason = answer.json()
        assert isinstance(reason, str)
        assert reason == " ".join(reason.split()) != ""
        return reason

    def model(self, name: str = "digits", **fields: Any) -> int:
        """Add a model; return its id."""
        sent = {"name": name, "code": CODE, "framework": "tf", **fields}
        return int(self.post("/models/", sent)["id"])

    def configuration(self, *models: int, name: str = "all digits") -> int:
        """Add a configuration; return its id."""
        return int(self.post("/configurations/", {"name": name, "ml_models": [*models]})["id"])

    def deployment(self, configuration: int | None = None, **fields: Any) -> Any:
        """Add a deployment, of a new configuration by default; return it."""
        if configuration is None:
            configuration = self.configuration(self.model())
        sent = {"configuration": configuration, "tf_kwargs_fit": "epochs=5", **fields}
        return self.post("/deployments/", sent)

    def upload(self, result: int, data: str = "{}", **files: bytes) -> Any:
        """Upload a trained model; return the answer."""
        sent = {"trained_model": b"\x89HDF\r\n\x1a\ntrained", **files}
        return self.client.post(
            f"/results/{result}",
            data={"data": data},
            files={name: (name, content) for name, content in sent.items() if content},
        )

    def finished(self, **metrics: Any) -> int:
        """Train and finish a new result; return its id."""
        result = int(self.deployment()["results"][0]["id"])
        self.client.get(f"/results/{result}")
        assert self.upload(result, json.dumps(metrics)).status_code == 200
        return result


EACH_DATABASE: Final = ["sqlite", pytest.param("postgresql", marks=pytest.mark.outside)]
"""The parameters of a fixture that yields what `address` is given."""


def address(request: pytest.FixtureRequest) -> str:
    """Return the address of a new database of the kind that is the fixture's parameter."""
    if request.param == "sqlite":
        return ""
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.create()


@contextmanager
def made(url: str, folder: Path) -> Iterator[Service]:
    """Make a service in this process whose database is at `url`, or else in the folder."""
    database = connect(url, folder)
    migrate(database)
    code, runner, control, files = FakeCode(), FakeRunner(), FakeControl(), Files(folder / "results")
    library = Library(folder / "models", 5)
    parts = Parts(database, files, code, runner, control, PLACES, FakeConsumer, library)  # type: ignore[arg-type]
    app = create_app(parts)
    yield Service(Client(limited(app)), app, database, code, runner, control, files, library)
    database.close()


@pytest.fixture(scope="session", params=EACH_DATABASE)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, for all tests: to make an application takes a while."""
    with made(address(request), tmp_path_factory.mktemp("training")) as service:
        yield service


@pytest.fixture
def database(running: Service) -> Database:
    """A database without rows."""
    names = [table.name for table in reversed(Tables.metadata.sorted_tables)]
    with running.database.writing() as session:
        if running.database.engine.dialect.name == "sqlite":
            for name in [*names, "sqlite_sequence"]:
                session.execute(text(f"DELETE FROM {name}"))
        else:
            session.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY"))
    return running.database


@pytest.fixture
def service(running: Service, database: Database) -> Service:  # noqa: ARG001
    """The service without rows, and with new stand-ins."""
    for part in (running.code, running.runner, running.control):
        part.__init__()  # type: ignore[misc]
    shutil.rmtree(running.files.folder, ignore_errors=True)
    shutil.rmtree(running.library.folder, ignore_errors=True)
    return running
