"""The states that belong to a checkpoint, whenever a job was killed."""

from dataclasses import replace
from pathlib import Path

import pytest

from training.control.message import ControlMessage
from training.job.stream.ledger import Ledger
from training.job.stream.state import Kept, State

MESSAGE = ControlMessage(3, (), "RAW", {"data_type": "uint8"}, 0.2, stream="digits", incremental=True)
FIRST = State(1, {0: 5}, Ledger().added(4, {"value": 1}))
SECOND = State(2, {0: 9}, Ledger().added(8, {"value": 1}), 0.5, is_settled=False)


def kept(folder: Path, identity: str = "this job") -> Kept:
    return Kept(folder, identity)


def loaded(folder: Path) -> Kept:
    found = kept(folder)
    assert found.load()
    return found


def test_a_restarted_job_finds_the_state_of_its_checkpoint(tmp_path: Path) -> None:
    before = kept(tmp_path)
    before.begin(MESSAGE)
    before.note(FIRST, SECOND)

    found = loaded(tmp_path)

    assert found.message == MESSAGE
    assert (found.after(1), found.after(2), found.after(3)) == (FIRST, SECOND, None)
    assert found.after(0) == State(), "the checkpoint is lost: the model has learnt nothing"


def test_where_partitions_begin_is_kept(tmp_path: Path) -> None:
    before = kept(tmp_path)
    before.begin(MESSAGE)
    before.found(0, 3)
    before.note(FIRST)
    before.found(1, 7)

    found = loaded(tmp_path)

    assert found.after(0) == State(positions={0: 3, 1: 7}) == found.start
    assert found.after(1) == replace(FIRST, positions={0: 5, 1: 7})


def test_messages_that_were_only_dropped_are_not_read_again(tmp_path: Path) -> None:
    before = kept(tmp_path)
    before.begin(MESSAGE)
    dropped = State(0, {0: 2}, Ledger().added(0, {"value": 2}))
    before.note(dropped)

    assert loaded(tmp_path).after(0) == dropped


@pytest.mark.parametrize("text", ["", "{", "[]", '{"states": []}', '{"states": [{}]}'])
def test_what_is_broken_is_not_used(tmp_path: Path, text: str) -> None:
    (tmp_path / "stream.json").write_text(text)

    assert not kept(tmp_path).load()


def test_nothing_or_that_of_another_job_is_not_used(tmp_path: Path) -> None:
    assert not kept(tmp_path).load()
    kept(tmp_path).begin(MESSAGE)
    assert not kept(tmp_path, "another job").load()


def test_a_state_belongs_to_a_control_message(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="control message"):
        kept(tmp_path).note(FIRST)
