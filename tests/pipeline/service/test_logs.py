import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import pytest

from pipeline.service import logs
from pipeline.service.logs import Seldom
from tests.clock import START
from tests.parts import ROOT


class FakeTime:
    def __init__(self) -> None:
        self.now = START

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr(logs, "time", fake)
    return fake


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give the root logger back its handlers afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def seldom() -> Seldom:
    return Seldom(logging.getLogger("test"))


# Seldom


def test_a_kind_is_logged_once_a_minute_with_the_count_of_the_held_back(
    seldom: Seldom, time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    for second in range(0, 121, 10):
        time.now = START + second
        seldom.warning("bad", f"at {second}")

    assert caplog.messages == [
        "at 0",
        "at 60 (and 5 more of this kind since the last line)",
        "at 120 (and 5 more of this kind since the last line)",
    ]


@pytest.mark.usefixtures("time")
def test_a_text_is_made_only_for_a_line_that_is_logged(
    seldom: Seldom, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[str] = []

    def text() -> str:
        made.append("text")
        return "a text"

    for _ in range(3):
        seldom.warning("kind", text)

    assert caplog.messages == ["a text"]
    assert len(made) == 1


def test_kinds_do_not_hold_each_other_back(seldom: Seldom, caplog: pytest.LogCaptureFixture) -> None:
    for kind in ("bad", "worse", "bad", "worse", "worst"):
        seldom.warning(kind, kind)

    assert caplog.messages == ["bad", "worse", "worst"]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_lone_line_has_no_count(seldom: Seldom, time: FakeTime, caplog: pytest.LogCaptureFixture) -> None:
    seldom.warning("bad", "first")
    time.now += 61
    seldom.warning("bad", "second")

    assert caplog.messages == ["first", "second"]


def test_the_first_line_comes_also_right_after_the_machine_started(
    seldom: Seldom, time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    time.now = 0.1

    seldom.warning("bad", "first")

    assert caplog.messages == ["first"]


def test_a_percent_sign_in_the_text_does_no_harm(seldom: Seldom, caplog: pytest.LogCaptureFixture) -> None:
    seldom.warning("bad", "100 %s of it")

    assert caplog.messages == ["100 %s of it"]


def test_several_lines_of_a_kind_may_be_allowed(time: FakeTime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seldom = Seldom(logging.getLogger("test"), 2)

    for number in range(5):
        seldom.info("came", str(number))
    time.now += 61
    seldom.info("came", "5")

    assert caplog.messages == ["0", "1", "5 (and 3 more of this kind since the last line)"]
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_only_so_many_kinds_are_remembered(seldom: Seldom) -> None:
    for number in range(2_000):
        seldom.warning(f"kind {number}", "text")

    assert len(seldom._kinds) == 1_000


# Lines


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


@pytest.mark.usefixtures("root")
def test_json_lines_contain_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")

    logging.getLogger("producer.camera").warning("camera %s: \u201c%s\u201d\nand more", "front", 5)

    (line,) = lines(capsys)
    fields = json.loads(line)
    assert fields.pop("time")[10] == "T"
    assert fields == {
        "level": "warning",
        "logger": "producer.camera",
        "message": "camera front: \u201c5\u201d\nand more",
    }


@pytest.mark.usefixtures("root")
def test_a_traceback_stays_on_its_line_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")

    try:
        raise ValueError("a\nb")
    except ValueError:
        logging.getLogger("test").exception("failed")

    (line,) = lines(capsys)
    fields = json.loads(line)
    assert fields["message"] == "failed"
    assert fields["level"] == "error"
    assert fields["traceback"].startswith("Traceback")
    assert fields["traceback"].endswith("ValueError: a\nb")


@pytest.mark.usefixtures("root")
def test_text_lines_contain_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")

    logging.getLogger("test").info("started")

    (line,) = lines(capsys)
    assert line.endswith(" INFO    test: started")


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("level", "logged"),
    [("debug", "dbg inf wrn err"), ("info", "inf wrn err"), ("warning", "wrn err"), ("error", "err")],
)
def test_records_below_the_level_are_left_out(
    level: str, logged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(level, "json")

    log = logging.getLogger("test")
    log.debug("dbg")
    log.info("inf")
    log.warning("wrn")
    log.error("err")

    assert [json.loads(line)["message"] for line in lines(capsys)] == logged.split()


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("form", "terminal", "in_json"),
    [("auto", True, False), ("auto", False, True), ("text", False, False), ("json", True, True)],
)
def test_the_form_follows_the_setting_and_the_terminal(
    form: Literal["auto", "text", "json"],
    terminal: bool,
    in_json: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    logs.configure("info", form)

    logging.getLogger("test").info("started")

    (line,) = lines(capsys)
    assert line.startswith("{") == in_json


@pytest.mark.usefixtures("root")
def test_configuring_again_takes_the_place_of_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    logs.configure("info", "json")

    logging.getLogger("test").info("started")

    assert len(lines(capsys)) == 1


# Secrets


SAYS_SECRETS = """
import logging, threading, warnings
from pipeline.service import logs
from pipeline.service.masking import learn

learn('{"sasl.password": "hunter2-7"}')
logs.configure("debug", FORM)
logs.take_uncaught()

def fail():
    raise RuntimeError("in a thread: hunter2-7")

thread = threading.Thread(target=fail)
thread.start()
thread.join()
warnings.warn("as a warning: hunter2-7")
try:
    fail()
except RuntimeError:
    logging.getLogger().exception("with a traceback: %s", "hunter2-7")
raise ValueError("at last: hunter2-7")
"""


@pytest.mark.parts
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_way_to_the_log_lets_a_secret_through(form: str) -> None:
    code = SAYS_SECRETS.replace("FORM", repr(form))

    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    for said in ("in a thread: ***", "as a warning: ***", "with a traceback: ***", "at last: ***"):
        assert said in run.stderr
    assert run.stderr.count("Traceback") == 3
    assert "hunter2-7" not in run.stderr
