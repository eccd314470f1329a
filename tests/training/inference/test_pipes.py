import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.inference import pipes, wire
from training.inference.pipes import ANSWERS, QUESTIONS, GoneError, Pipes

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


class Other:
    """The other ends of the pipes, which answer each question with the same bytes."""

    def __init__(self, folder: Path, answer: bytes) -> None:
        self.asked: Any = None

        def run() -> None:
            with (folder / QUESTIONS).open("rb") as questions, (folder / ANSWERS).open("wb") as answers:
                self.asked = wire.read(questions, 2**30)
                answers.write(answer)

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(10)


def packed(array: Any) -> bytes:
    head, data = wire.pack(np.asarray(array))
    return head + bytes(data)


def asked(folder: Path, answer: bytes, rows: Any = ROWS) -> tuple[Any, Any]:
    """Return what was answered, and what was asked."""
    with Pipes(folder, lambda: False) as ours:
        other = Other(folder, answer)
        try:
            return ours.ask(rows, 10), other.asked
        finally:
            other.join()


def test_a_question_and_its_answer(tmp_path: Path) -> None:
    answer, question = asked(tmp_path, packed([1.5, 2.5]))

    assert answer.tolist() == [1.5, 2.5]
    assert question.tolist() == ROWS.tolist()


def test_a_question_with_two_answers(tmp_path: Path) -> None:
    with Pipes(tmp_path, lambda: False) as ours:
        other = Other(tmp_path, packed([[1.5, 2.5]]) + packed([3]))
        found = ours.ask_both(ROWS, 10)
        other.join()

    assert [each if isinstance(each, str) else each.tolist() for each in found] == [[[1.5, 2.5]], [3]]


def test_a_refusal_stands_for_both_answers(tmp_path: Path) -> None:
    with Pipes(tmp_path, lambda: False) as ours:
        other = Other(tmp_path, wire.refusal("no"))
        assert ours.ask_both(ROWS, 10) == "no"
        other.join()


def test_more_than_a_pipe_holds(tmp_path: Path) -> None:
    rows = np.ones((3000, 1000), np.float32)

    answer, question = asked(tmp_path, packed(rows * 2), rows)

    assert (answer == 2).all()
    assert question.shape == (3000, 1000)


def test_a_reason_instead_of_an_answer(tmp_path: Path) -> None:
    assert asked(tmp_path, wire.refusal("no\nway"))[0] == "no way"


@pytest.mark.parametrize("answer", [b"\xff\xff\xff\xff", b"\2\0\0\0[]", b"\2\0\0\0{}"])
def test_what_is_not_an_answer(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(GoneError, match="the model's process has sent"):
        asked(tmp_path, answer)


def test_an_answer_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "_ANSWER_BYTES", 10)

    with pytest.raises(GoneError, match="expected at most 10 bytes"):
        asked(tmp_path, packed(ROWS))


def test_half_an_answer_is_given_up_when_the_process_has_ended(tmp_path: Path) -> None:
    is_over = threading.Event()
    with Pipes(tmp_path, is_over.is_set) as ours:
        other = Other(tmp_path, packed(ROWS)[:-1])
        threading.Timer(0.2, is_over.set).start()
        with pytest.raises(GoneError, match="the model's process has ended"):
            ours.ask(ROWS, 30)
        other.join()


def test_nobody_answers(tmp_path: Path) -> None:
    with Pipes(tmp_path, lambda: False) as ours, pytest.raises(GoneError, match="no answer in time"):
        ours.ask(ROWS, 0.05)


def test_nobody_reads_a_long_question(tmp_path: Path) -> None:
    with Pipes(tmp_path, lambda: False) as ours, pytest.raises(GoneError, match="no answer in time"):
        ours.ask(np.ones((3000, 1000), np.float32), 0.05)


def test_the_pipes_are_closed(tmp_path: Path) -> None:
    with Pipes(tmp_path, lambda: False) as ours:
        found = ours._answers
        os.fstat(found)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(found)
    with pytest.raises(GoneError, match="the model's process has ended"):
        ours.ask(ROWS, 1)
