"""Questions and answers; the process is a thread of the test."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.code.program import CodeError
from training.code.supervise import StoppedError
from training.job.stream.session import QUESTIONS, Session

Note = Callable[[dict[str, Any]], None]


def echo(folder: Path) -> Callable[[Note, threading.Event], object]:
    """Return a process that answers each question with itself."""

    def work(note: Note, ending: threading.Event) -> None:
        with (folder / QUESTIONS).open() as questions:
            note({"state": "training"})
            note({"answer": {"number": 0}})
            while not ending.is_set():
                question = json.loads(questions.readline())
                if question.get("do") == "end":
                    return
                note({"answer": question})

    return work


def test_each_question_has_its_answer(tmp_path: Path) -> None:
    (tmp_path / QUESTIONS).write_text("left by a process that was killed")
    with Session(echo(tmp_path), tmp_path, threading.Event()) as session:
        assert session.hear() == {"number": 0}
        assert session.ask({"do": "fit", "number": 1}) == {"do": "fit", "number": 1}
        with pytest.raises(CodeError, match="ended its process"):
            session.ask({"do": "end"})


@pytest.mark.parametrize("error", [CodeError("line 3 of the code: x"), OSError("full"), StoppedError()])
def test_a_process_that_fails_has_its_reason(tmp_path: Path, error: Exception) -> None:
    def work(_: Note, __: threading.Event) -> None:
        raise error

    with Session(work, tmp_path, threading.Event()) as session, pytest.raises(type(error)):
        session.hear()


def test_waiting_ends_when_the_job_stops(tmp_path: Path) -> None:
    stop = threading.Event()

    def work(_: Note, ending: threading.Event) -> None:
        stop.set()
        assert ending.wait(10), "the process is ended with the session"

    with Session(work, tmp_path, stop) as session, pytest.raises(StoppedError):
        session.hear()


def test_a_process_that_answers_without_being_asked_is_ended(tmp_path: Path) -> None:
    def work(note: Note, _: threading.Event) -> None:
        while True:
            note({"answer": {}})

    with Session(work, tmp_path, threading.Event()) as session:
        session._thread.join(10)
        assert [session.hear() for _ in range(4)] == [{}] * 4
        with pytest.raises(CodeError, match="wrote into the report"):
            session.hear()
