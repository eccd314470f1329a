import logging
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from pydantic import Field

from pipeline.service import startup
from pipeline.service.settings import Settings, SettingsError
from tests.parts import ROOT

Environment = Callable[..., None]


class Example(Settings):
    """A service's settings."""

    topicname: str = Field(description="a topic")
    imagescalex: float = Field(1, gt=0, description="a factor")


@pytest.fixture(autouse=True)
def _root() -> Iterator[None]:
    """Give the root logger back its handlers afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Set these variables, and of the settings no other."""
    for name in Example.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.mark.parametrize("status", [0, 1])
def test_the_status_is_that_of_the_service(environment: Environment, status: int) -> None:
    environment(TOPICNAME="videocam")
    served: list[str] = []

    def serve(settings: Example) -> int:
        served.append(settings.topicname)
        return status

    assert startup.run("example", Example, serve) == status
    assert served == ["videocam"]


def test_each_wrong_setting_has_a_line_and_nothing_is_served(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(IMAGESCALEX="0")
    served: list[Example] = []

    def serve(settings: Example) -> int:
        served.append(settings)
        return 0

    status = startup.run("example", Example, serve)

    assert status == 2
    assert served == []
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "example: TOPICNAME is not set (a topic)",
        "example: IMAGESCALEX='0': expected a value greater than 0 (a factor)",
    ]


def test_a_setting_that_turns_out_wrong_later_is_reported_the_same_way(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(TOPICNAME="videocam")

    def serve(_: Example) -> int:
        raise SettingsError("HEALTHPORT=':80': cannot listen there\nLABELURLS: away")

    assert startup.run("example", Example, serve) == 2
    assert capsys.readouterr().err.splitlines() == [
        "example: HEALTHPORT=':80': cannot listen there",
        "example: LABELURLS: away",
    ]


def test_a_misspelt_name_is_logged(environment: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    environment(TOPICNAME="videocam", TOPICNAMES="x", LOGFORMAT="text")

    assert startup.run("example", Example, lambda _: 0) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "WARNING example: TOPICNAMES is not a setting of this service" in line


def test_the_log_is_written_as_the_settings_say(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(TOPICNAME="videocam", LOGFORMAT="json", LOGLEVEL="warning")

    def serve(_: Example) -> int:
        logging.getLogger("example").info("left out")
        logging.getLogger("example").warning("written")
        return 0

    startup.run("example", Example, serve)

    (line,) = capsys.readouterr().err.splitlines()
    assert '"message": "written"' in line


@pytest.mark.parts
def test_an_error_before_the_log_is_set_up_is_printed_without_secrets() -> None:
    service = (
        "from pydantic import model_validator\n"
        "from pipeline.service import startup\n"
        "from pipeline.service.settings import Settings\n"
        "class Example(Settings):\n"
        "    @model_validator(mode='after')\n"
        "    def _fail(self):\n"
        "        raise RuntimeError(self.kafkaconfig['sasl.password'])\n"
        "startup.main('example', Example, lambda _: 0)\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", service],
        cwd=ROOT,
        env={"KAFKACONFIG": '{"sasl.password": "hunter2-"}'},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert "RuntimeError: ***" in run.stderr
    assert "hunter2" not in run.stdout + run.stderr
