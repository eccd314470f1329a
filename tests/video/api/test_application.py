"""How the API describes itself."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter

from pipeline import __version__
from pipeline.flow.ledger import Ledger
from tests.video.api.conftest import Api
from video.api import fields, models, status_models
from video.api.application import create_app
from video.api.routes import router
from video.cameras.camera import Limits
from video.cameras.cameras import Cameras
from video.cameras.history import History
from video.streams.clients import Clients

PATHS = {
    "/api/cameras",
    "/api/cameras/{camera}",
    "/api/events",
    "/api/events/{event}.jpg",
    "/api/labels",
    "/api/session",
    "/api/stream",
    "/api/streams",
    "/api/status",
    "post /api/cameras",
    "put /api/cameras/{camera}",
    "patch /api/cameras/{camera}",
    "delete /api/cameras/{camera}",
    "post /api/previews",
    "delete /api/previews/{preview}",
}
MODULES = (models, fields, status_models)
MODELS = [
    each
    for module in MODULES
    for name, each in vars(module).items()
    if isinstance(each, type) and each.__module__ == module.__name__ and name[0] != "_"
]


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The application with the API's routes."""
    app = create_app()
    app.include_router(router(Cameras(Limits(3, 5), Ledger()), History(), Clients(1, 1)))
    return app


def operations(app: FastAPI) -> dict[str, dict[str, Any]]:
    """Return the description of each path."""
    return {
        path if method == "get" else f"{method} {path}": operation
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }


def model_of(schema: dict[str, Any]) -> TypeAdapter[Any]:
    """Return the model that a schema names, or a list of it."""
    name = schema.get("items", schema)["$ref"].rpartition("/")[2]
    model: Any = next(getattr(module, name) for module in MODULES if hasattr(module, name))
    return TypeAdapter(list[model] if schema.get("type") == "array" else model)


def test_every_path_is_described(app: FastAPI) -> None:
    described = operations(app)

    assert set(described) == PATHS
    for operation in described.values():
        assert operation["summary"]
        assert operation["tags"]
        assert {"401", "403", "503"} <= set(operation["responses"])
        assert {"200", "201", "204"} & set(operation["responses"])
        assert all(parameter["description"] for parameter in operation.get("parameters", []))


def test_every_path_has_an_example(app: FastAPI) -> None:
    for path, operation in operations(app).items():
        good = [response for status, response in operation["responses"].items() if status in {"200", "201"}]
        contents = [each for response in good for each in response["content"].items()]

        assert contents or path.startswith("delete "), path
        assert all(kind == "image/jpeg" or content["example"] for kind, content in contents), path
        assert all(
            parameter["schema"].get("examples") or "default" in parameter["schema"]
            for parameter in operation.get("parameters", [])
        ), path


def test_every_example_fits_its_model(app: FastAPI) -> None:
    found = 0
    for operation in operations(app).values():
        for response in operation["responses"].values():
            content = response.get("content", {}).get("application/json", {})
            if example := content.get("example"):
                model_of(content["schema"]).validate_python(example)
                found += 1

    assert found >= 4 + len(PATHS)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_an_example_with_every_field(model: type[BaseModel]) -> None:
    (example,) = model.model_json_schema()["examples"]

    assert model.model_validate(example).model_dump(mode="json", exclude_unset=True) == example
    assert set(example) == set(model.model_fields)


def test_the_example_of_a_stream_is_what_a_stream_is(app: FastAPI) -> None:
    content = operations(app)["/api/events"]["responses"]["200"]["content"]
    first, missed, label, end = content["text/event-stream"]["example"].split("\n\n")

    assert first.startswith("retry: ")
    assert missed.startswith("event: missed\ndata: {")
    fields = dict(line.split(": ", 1) for line in label.splitlines())
    assert list(fields) == ["id", "event", "data"]
    assert models.LabelEvent.model_validate(json.loads(fields["data"])).id == fields["id"]
    assert end == ""


def test_it_describes_itself_and_has_no_page_that_needs_another_site(still: Api) -> None:
    description = still.json("/api/openapi.json")

    assert (description["info"]["title"], description["info"]["version"]) == ("Streamlens", __version__)
    assert set(description["paths"]) == {path.rpartition(" ")[2] for path in PATHS}
    assert set(description["components"]["securitySchemes"]) == {"token", "password", "session"}
    assert description["security"] == [{}, {"token": []}, {"password": []}, {"session": []}]
    assert still.get("/docs")[0] == still.get("/redoc")[0] == 404


def test_other_errors_are_json_too(still: Api) -> None:
    assert still.refusal("/api/none") == (404, "Not Found")
