"""What the embedded broker keeps over a restart."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer

from compose import records as module
from compose.broker import Broker
from compose.records import KeptRecords, keep
from tests.parts import wait_for
from tests.topic import held, write


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, KeptRecords]]:
    """Run a broker with a topic that is kept; yield its address and the records."""
    with Broker({"logouts": 1}) as broker:
        records = KeptRecords(broker.bootstrap, "logouts", folder)
        yield broker.bootstrap, records
        records.close()


def follow(records: KeptRecords, until: Callable[[], object]) -> None:
    """Read and write until something holds."""

    def holds() -> object:
        records.step()
        return until()

    wait_for(holds, 30, "the records")


def kept(folder: Path) -> Mapping[str, str]:
    """Return the file's content."""
    content: dict[str, str] = json.loads((folder / "logouts.json").read_text())
    return content


def test_the_newest_record_of_each_key_is_there_after_each_restart(tmp_path: Path) -> None:
    with running(tmp_path) as (bootstrap, _):
        write(bootstrap, "logouts", (b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"c", b"4"))
    with running(tmp_path) as (bootstrap, _):
        assert held(bootstrap, "logouts") == [(b"b", b"2"), (b"a", b"3"), (b"c", b"4")]
        write(bootstrap, "logouts", (b"b", None), (b"d", b"5"), (b"a", b"6"), (b"x", None))
    with running(tmp_path) as (bootstrap, _):
        assert held(bootstrap, "logouts") == [(b"c", b"4"), (b"d", b"5"), (b"a", b"6")]
    with running(tmp_path) as (bootstrap, _):
        assert held(bootstrap, "logouts") == [(b"c", b"4"), (b"d", b"5"), (b"a", b"6")]


def test_any_bytes_are_kept(tmp_path: Path) -> None:
    written = [
        (bytes(range(256)), bytes(range(255, -1, -1))),
        ("Tür\ud83d".encode(errors="surrogatepass"), b""),
    ]
    with running(tmp_path) as (bootstrap, _):
        write(bootstrap, "logouts", *written)

    with running(tmp_path) as (bootstrap, _):
        assert held(bootstrap, "logouts") == written


def test_large_records_are_kept_and_those_without_a_key_are_not(tmp_path: Path) -> None:
    with running(tmp_path) as (bootstrap, _):
        producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 3_000_000})
        producer.produce("logouts", b"x" * 2_000_000, b"a")
        producer.produce("logouts", b"x")
        assert producer.flush(30) == 0

    with running(tmp_path) as (bootstrap, _):
        assert held(bootstrap, "logouts") == [(b"a", b"x" * 2_000_000)]


def test_a_broker_that_is_killed_has_written_what_it_had_read(tmp_path: Path) -> None:
    with Broker({"logouts": 1}) as broker:
        records = KeptRecords(broker.bootstrap, "logouts", tmp_path)
        write(broker.bootstrap, "logouts", (b"a", b"1"))
        follow(records, (tmp_path / "logouts.json").exists)

    assert kept(tmp_path) == {"a": "1"}


def test_what_was_being_written_in_a_crash_changes_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as (bootstrap, _):
        write(bootstrap, "logouts", (b"a", b"1"))
    (tmp_path / "logouts.new").write_text('{"a": "2", "b')

    with running(tmp_path) as (bootstrap, _):
        assert held(bootstrap, "logouts") == [(b"a", b"1")]
        write(bootstrap, "logouts", (b"a", b"3"))

    assert kept(tmp_path) == {"a": "3"}


def test_a_file_that_cannot_be_written_is_reported_and_written_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path) as (bootstrap, records):
        (tmp_path / "logouts.new").mkdir()
        write(bootstrap, "logouts", (b"a", b"1"))
        follow(records, lambda: caplog.messages)
        (tmp_path / "logouts.new").rmdir()

    assert kept(tmp_path) == {"a": "1"}
    assert caplog.messages == [f"{tmp_path}/logouts.json cannot be written: Is a directory"]


@pytest.mark.exceeds("compose.records._LARGEST")
def test_a_file_is_no_larger_than_what_a_broker_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_LARGEST", 5_000)
    names = [f"{number:04d}" for number in range(10)]

    with running(tmp_path) as (bootstrap, _):
        write(bootstrap, "logouts", *((name.encode(), b"x" * 996) for name in names))

    assert list(kept(tmp_path)) == names[5:]
    assert caplog.messages == ["topic logouts holds more than 5000 bytes: its oldest records are not kept"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"7", b'{"a": 1}', b'{"a": null}', b'{"a": "\\ud800"}', b"\xff", b"[" * 100_000],
)
def test_a_file_of_something_else_is_reported_and_left_as_it_is(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "logouts.json").write_bytes(content)

    assert keep("127.0.0.1:1", ["logouts"], tmp_path) == []

    (line,) = caplog.messages
    assert "what topic logouts holds is not kept" in line
    assert "logouts.json cannot be read" in line
    assert (tmp_path / "logouts.json").read_bytes() == content


def test_a_folder_that_cannot_be_used_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()

    assert keep("127.0.0.1:1", ["logouts"], tmp_path / "file") == []

    (line,) = caplog.messages
    assert f"STATEFOLDER='{tmp_path / 'file'}'" in line


def test_two_brokers_do_not_write_the_same_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(tmp_path):
        assert keep("127.0.0.1:1", ["logouts"], tmp_path) == []

    (line,) = caplog.messages
    assert "another broker uses it" in line


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = tmp_path / "state"
    with running(state) as (bootstrap, _):
        (tmp_path / "mine").write_text("precious")
        (state / "logouts.new").symlink_to(tmp_path / "mine")
        write(bootstrap, "logouts", (b"a", b"1"))

    assert (tmp_path / "mine").read_text() == "precious"
    assert len(caplog.messages) == 1
    assert (os.stat(state).st_mode & 0o777, os.stat(state / "logouts.lock").st_mode & 0o777) == (0o700, 0o600)
