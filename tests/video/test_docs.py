"""What the READMEs say is so: their tables and examples."""

import json
import re
import struct
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from pipeline.access.login import Login
from pipeline.access.login_guard import Passwords
from pipeline.flow.ledger import Ledger
from pipeline.service.settings import Settings
from tests.parts import ROOT
from tests.video.test_settings import Configure
from video.api import models
from video.api.routes import router
from video.cameras.camera import Limits, State
from video.cameras.cameras import Cameras
from video.cameras.history import History
from video.http.routes import application
from video.settings import VideoSettings
from video.streams.clients import Clients
from video.streams.socket import wire

README = (ROOT / "video/README.md").read_text()
FOLDERS = ("docs", "pipeline", "producer", "consumer", "video", "tfserving", "zookeeper", "compose", "k8s")
PAGES = sorted([*ROOT.glob("*.md"), *(page for name in FOLDERS for page in (ROOT / name).rglob("*.md"))])
SOCKET = (ROOT / "video/streams/socket/README.md").read_text()


def blocks(language: str, text: str = README) -> list[str]:
    """Return the blocks of a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for name, block in found if name == language]


def rows(columns: int, text: str = README) -> list[list[str]]:
    """Return the rows of the tables with so many columns, without their heads."""
    lines = [line[1:-1].split("|") for line in text.splitlines() if line.startswith("| ")]
    found = [[cell.strip() for cell in cells] for cells in lines]
    return [cells for cells in found if len(cells) == columns and set(cells) != {"---"}]


def quoted(cell: str) -> list[str]:
    """Return what stands in a cell in quotes of code."""
    return re.findall(r"`([^`]*)`", cell)


def test_the_settings_have_their_names_and_defaults(configure: Configure) -> None:
    documented: dict[str, str] = {}
    for names, defaults, _ in rows(3):
        if re.fullmatch(r"`[A-Z]+`(, `[A-Z]+`)*", names):
            documented |= dict.fromkeys(quoted(names), (quoted(defaults) or [""])[0])

    configured = configure(KAFKAPORT="k:1", **{name: text for name, text in documented.items() if text})

    assert documented.keys() == {field.upper() for field in VideoSettings.model_fields}
    assert configured == configure(KAFKAPORT="k:1")
    elsewhere = Settings.model_fields.keys() | {"kafkaport"}
    for name, field in VideoSettings.model_fields.items():
        if name not in elsewhere:
            assert bool(documented[name.upper()]) == bool(
                field.default is not None and field.default not in ("", (), SecretStr(""))
            ), name


def test_the_commands_name_settings_only() -> None:
    named = set(re.findall(r"\b([A-Z]{3,})=", " ".join([*blocks("sh"), README])))

    assert named - {"TOKEN"} <= {field.upper() for field in VideoSettings.model_fields}


def paths(routes: list[BaseRoute]) -> set[str]:
    """Return the paths of routes, with their parameters' names alone."""
    found = {route.path for route in routes if isinstance(route, Route | Mount | WebSocketRoute)}
    return {re.sub(r":path\}", "}", path) for path in found}


def test_the_table_has_each_address_there_is() -> None:
    cameras = Cameras(Limits(1, 1), Ledger())
    clients = Clients(1, 1)
    app = application(cameras, clients, router(cameras, History(), clients), 1)
    there = paths([*app.router.routes, *Login(None, Passwords()).routes()])
    there |= app.openapi()["paths"].keys() - {"/page/{file}"}
    there.remove("/{stream}")  # every other WebSocket: an id, which the table has, or refused

    table = README.partition("| path | answer |")[2].partition("\n\n")[0]
    documented = {
        path for line in table.splitlines() for path in quoted(line.split(" | ")[0]) if path[:1] == "/"
    }

    assert documented == there


def test_the_api_s_table_has_each_address_and_each_parameter() -> None:
    cameras, clients = Cameras(Limits(1, 1), Ledger()), Clients(1, 1)
    described = application(cameras, clients, router(cameras, History(), clients), 1).openapi()["paths"]

    documented = {}
    for cell, _ in rows(2, README.partition("## API")[2]):
        for address in re.findall(r"(/[^` ]+)", cell):
            path, _, query = address.partition("?")
            documented[path] = set(re.findall(r"(\w+)=", query))

    assert documented.keys() == {path for path in described if path.startswith(("/api/", "/snapshot/"))}
    for path, parameters in documented.items():
        given = [each for method in described[path].values() for each in method.get("parameters", [])]
        assert parameters == {each["name"] for each in given if each["in"] == "query"}, path


def test_the_states_are_those_there_are() -> None:
    table = README.partition("| state |")[2].partition("\n\n")[0]

    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(get_args(State))


def test_the_api_s_example_is_an_event() -> None:
    (example,) = blocks("json")

    assert json.loads(example) == [models.LABEL_EVENT]


def test_the_layout_of_a_picture_is_as_documented() -> None:
    signs = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q"}
    table = [cells for cells in rows(3, SOCKET) if cells[0].isdecimal()]

    form = "!" + "".join(signs[kind] for _, kind, _ in table)

    assert form == wire.PICTURE.format
    ends = [struct.calcsize(form[: 1 + count]) for count in range(len(table) + 1)]
    assert [int(at) for at, _, _ in table] == ends[:-1]
    assert f"{ends[-1]} bytes, big-endian" in SOCKET


def anchors(page: Path) -> set[str]:
    """Return what a page's headings are named in links, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "path",
    [str(page.relative_to(ROOT)) for page in PAGES],
)
def test_links_lead_somewhere(path: str) -> None:
    page = ROOT / path

    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


@pytest.mark.parametrize(
    "folder",
    [
        *(f"video/{name}" for name in ("cameras", "streams", "http", "api")),
        *(f"video/streams/{name}" for name in ("mjpeg", "socket", "inferred")),
        "pipeline/access",
        "pipeline/http",
    ],
)
def test_the_table_of_modules_has_each_module(folder: str) -> None:
    page = (ROOT / folder / "README.md").read_text()

    listed = {name for cell, _ in rows(2, page) for name in quoted(cell) if name.endswith(".py")}

    assert listed == {path.name for path in (ROOT / folder).glob("[!_]*.py")}


def test_the_messages_that_are_shown_may_be_sent() -> None:
    sent = SOCKET.partition("## Messages from the browser")[2].partition("## ")[0]

    messages = [wire.parse(text) for cell, _ in rows(2, sent) for text in quoted(cell) if text[0] == "{"]

    assert messages == [wire.Watch({"door": 640, "yard": 0}), wire.Ack(3, 17), wire.Time(12345.6)]
