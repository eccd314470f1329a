"""Cameras as YAML: written by export, read by apply."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import Seal, is_sealed, new_key
from producer.cameras import document, fields
from producer.cameras.errors import CommandError
from tests.producer.cameras.conftest import Run

LINK = "rtsp://joe:hunter2@192.168.1.20/stream1"

Stored = Callable[[], dict[str, CameraRecord | RecordError]]


def is_usable(name: str) -> bool:
    try:
        name.encode()
        return fields.check_name(name) == name
    except (CommandError, UnicodeEncodeError):
        return False


names = st.text(min_size=1, max_size=20).filter(is_usable)
records = st.builds(
    CameraRecord,
    link=st.just(LINK),
    interval=st.none() | st.floats(0.001, 3600),
    scale=st.tuples(st.sampled_from([0.5, 1, 2]), st.sampled_from([0.25, 1.0])),
    rotate=st.sampled_from([0, 90, 180, 270]),
    models=st.none() | st.lists(st.text(max_size=10), max_size=3),
    paused=st.booleans(),
    group=st.text(max_size=20),
    partition=st.none() | st.integers(0, 8),
)


@given(st.dictionaries(names, records, max_size=3))
def test_what_is_written_is_read_again(cameras: dict[str, CameraRecord]) -> None:
    text = document.written(cameras, Seal(), has_key=False, links=True)

    found = {name: fields.record(entry.fields) for name, entry in document.read(text, "f").items()}

    assert found == cameras


@given(st.text())
def test_any_text_is_read_or_refused_in_lines_that_name_the_file(text: str) -> None:
    lines: list[str] = []
    try:
        document.read(text, "cameras.yml")
    except CommandError as error:
        lines += str(error).splitlines()

    assert all(line.startswith("cameras.yml") for line in lines)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("cameras:\n  door:\n    lnk: x", ["line 2, camera door: lnk: there is no such field; did you mean"]),
        (
            "cameras:\n  door: {link: '0', rotate: 45}\n  yard: {link: 'foo://'}",
            ["line 2, camera door: rotate", "line 3, camera yard: link"],
        ),
        ("cameras:\n  door: {link: '0'}\n  door: {link: '1'}", ["line 3, camera door: it is in the file"]),
        ("cameras:\n  door: {link: '0', link: '1'}", ["line 2, camera door: link: it is set twice"]),
        ("cameras:\n  door: {}", ["line 2, camera door: link: is missing"]),
        ("cameras:\n  door: rtsp://host/", ["line 2, camera door: expected fields"]),
        ("cameras:\n  [1]: {link: '0'}", ["cameras.yml, line 2: expected a camera's name"]),
        ("cameras:\n  door: {[link]: '0'}", ["line 2, camera door: expected the names of fields"]),
        ("cameras:\n  door: {link: true}", ["line 2, camera door: link: expected a text"]),
        ("cameras:\n  door: {link: '0', group: yes}", ["line 2, camera door: group: expected a text"]),
        ("cameras:\n  door: {link: '0', interval: -5s}", ["door: interval: expected a Go duration from 1ms"]),
        (
            "cameras:\n  door: {link: '0', scale: 0.5x1}",
            ["door: scale: expected a factor above 0, at most 8"],
        ),
        ("cameras:\n  door: {link: '0', weight: .nan}", ["door: weight: expected a number above 0"]),
        ("cameras:\n  door: {link: '0', partition: -1}", ["door: partition: expected a whole number from 0"]),
        ("cameras:\n  ..: {link: '0'}", ["line 2, camera ..: '..'"]),
        ("cameras: 7", ["line 1: expected names of cameras"]),
        ("door: {link: '0'}", ["expected a mapping with the single key cameras"]),
        ("- a", ["expected a mapping"]),
        ("", ["expected a mapping"]),
        ("cameras: [", ["expected YAML"]),
        ("cameras: " + 5000 * "[", ["nested too deeply"]),
        ("cameras:\n  door: {link: !!python/object:os.system x}", ["line 2, camera door: expected YAML"]),
        ("cameras:\n  door: &a {link: '0', models: [*a]}", ["line 2, camera door:"]),
    ],
)
def test_a_wrong_entry_is_named_with_its_place(text: str, places: list[str]) -> None:
    with pytest.raises(CommandError) as error:
        document.read(text, "cameras.yml")

    lines = str(error.value).splitlines()
    assert len(lines) == len(places)
    for line, place in zip(lines, places, strict=True):
        assert line.startswith("cameras.yml")
        assert place in line


def test_a_link_in_a_wrong_file_is_not_shown() -> None:
    with pytest.raises(CommandError) as error:
        document.read("cameras: {a: {link: 'rtsp://joe:hunter2@host/'}, b: rtsp://joe:hunter2@h/", "f")

    assert "hunter2" not in str(error.value)


def test_an_export_restores_the_cameras(
    run: Run, stored: Stored, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAMERASKEY", new_key())
    run("add", "door", LINK, "--interval", "40ms", "--group", "7")
    run("add", "yard", "rtsp://host/yard", "--paused")
    before = stored()
    file = tmp_path / "cameras.yml"

    assert run("export", str(file)).status == 0
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert os.listdir(tmp_path) == ["cameras.yml"]
    text = file.read_text()
    assert "hunter2" not in text
    assert "Links are encrypted" in text
    assert run("export").out.strip() == text.strip()
    assert run("apply", "-f", str(file)).out == "0 added, 0 changed, 0 removed, 2 unchanged\n"
    run("remove", "door", "yard")
    restored = run("apply", "-f", str(file))

    assert restored.out.splitlines()[-1] == "2 added, 0 changed, 0 removed, 0 unchanged"
    assert stored() == before
    clear = run("export", "--links")
    assert LINK in clear.out
    assert "WITH THEIR PASSWORDS" in clear.out
    assert "hunter2" not in clear.err
    assert run("apply", "-f", "-", stdin=clear.out).out == "0 added, 0 changed, 0 removed, 2 unchanged\n"


def test_without_a_key_passwords_are_masked_and_kept_when_applied(run: Run, stored: Stored) -> None:
    run("add", "door", LINK)
    text = run("export").out

    assert "rtsp://joe:***@192.168.1.20/stream1" in text
    assert "masked" in text
    ran = run("apply", "-f", "-", stdin=text.replace("link:", "rotate: 90\n    link:"))
    assert ran.out == "changed: door: rotate 0 → 90\n0 added, 1 changed, 0 removed, 0 unchanged\n"
    assert stored()["door"] == CameraRecord(link=LINK, rotate=90, partition=0)
    run("remove", "door")
    ran = run("apply", "-f", "-", stdin=text)
    assert (ran.status, ran.out) == (1, "")
    assert "line 6, camera door: link: its password is masked" in ran.err
    assert stored() == {}


def test_a_file_is_applied_and_others_are_pruned(run: Run, stored: Stored) -> None:
    for name in ("door", "old"):
        run("add", name, f"rtsp://host/{name}", "--group", "Yard")
    text = "cameras:\n  door: {link: 'rtsp://host/door'}\n  new: {link: 'rtsp://host/door', interval: 1s}\n"

    dry = run("apply", "-f", "-", "--prune", "--dry-run", stdin=text)

    assert dry.out.splitlines() == [
        "would be changed: door: group Yard → none",
        "would be added: new, partition 1",
        "would be removed: old",
        "dry run: 1 added, 1 changed, 1 removed, 0 unchanged",
    ]
    assert "new has the same link as door" in dry.err
    assert stored().keys() == {"door", "old"}
    ran = run("apply", "-f", "-", stdin=text)
    assert ran.out.splitlines()[-1].endswith("; 1 not in the file (--prune removes them)")
    assert stored().keys() == {"door", "new", "old"}
    assert run("apply", "-f", "-", "--prune", stdin=text).out.splitlines()[0] == "removed: old"
    assert run("apply", "-f", "-", "--prune", stdin="cameras:\n").status == 0
    assert stored() == {}


def test_nothing_is_written_if_one_entry_is_wrong(run: Run, stored: Stored) -> None:
    text = "cameras:\n  door: {link: '0'}\n  yard: {link: '0', rotate: 1}\n"

    ran = run("apply", "-f", "-", "--prune", stdin=text)

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("cameras: -, line 3, camera yard: rotate: ")
    assert stored() == {}


def test_a_partition_that_the_topic_does_not_have_is_warned_of(run: Run, stored: Stored) -> None:
    ran = run("apply", "-f", "-", stdin=f"cameras:\n  door: {{link: {LINK}, partition: 9}}\n")

    assert ran.status == 0
    assert "warning: -, line 2, camera door: partition: expected a number from 0 to 3" in ran.err
    assert stored()["door"] == CameraRecord(link=LINK, partition=9)


def test_a_link_that_is_too_long_when_encrypted_is_named_with_its_place(
    run: Run, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMERASKEY", new_key())

    ran = run("apply", "-f", "-", stdin=f"cameras:\n  door: {{link: {LINK}{'x' * 1900}}}\n")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("cameras: -, line 2, camera door: link: expected at most 2000 characters, also")
    assert stored() == {}


def test_links_that_do_not_decrypt_are_kept_and_warned_of(
    run: Run, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMERASKEY", new_key())
    run("add", "door", LINK)
    text = run("export").out
    monkeypatch.setenv("CAMERASKEY", new_key())

    ran = run("apply", "-f", "-", stdin=text.replace("  door", "  yard"))

    assert ran.status == 0
    assert (
        "warning: -, line 6, camera yard: its link does not decrypt with CAMERASKEY: add the key" in ran.err
    )
    assert all(isinstance(each, CameraRecord) and is_sealed(each.link) for each in stored().values())
    assert run("export", "--links").out.count("gAAAAA") == 2


def test_a_bad_record_is_left_out_of_an_export_and_replaced_by_a_file(run: Run, kafka: str) -> None:
    client = Producer({"bootstrap.servers": kafka, "log_level": 0})
    client.produce("cameras", b"nonsense", b"door")
    client.flush(10)

    ran = run("export")

    assert ran.status == 1
    assert "door is left out" in ran.err
    assert "could not be used" in run("apply", "-f", "-", stdin="cameras: {door: {link: '0'}}").out


@pytest.mark.parametrize("file", ["missing/cameras.yml", ".", "~nobody-here/cameras.yml"])
@pytest.mark.usefixtures("kafka")
def test_a_file_that_cannot_be_used_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.chdir(tmp_path)

    for ran in (run("apply", "-f", file), run("export", file)):
        assert ran.status == 1
        assert f"{file}: cannot be" in ran.err
