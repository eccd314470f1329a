"""Commands that add, change and remove cameras."""

import json
from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import is_sealed, new_key
from pipeline.wire import figures
from pipeline.wire.figures import CameraFigures, Figures
from pipeline.wire.status import Status, Subject, encode_key, encode_value
from tests.producer.cameras.conftest import Run

LINK = "rtsp://joe:hunter2@192.168.1.20/stream1"

Stored = Callable[[], dict[str, CameraRecord | RecordError]]


def listed(run: Run) -> dict[str, dict[str, object]]:
    """Return the cameras that list prints, by name."""
    return {each["name"]: each for each in json.loads(run("list", "--json").out)}


def test_a_camera_is_added_listed_changed_and_removed(run: Run, stored: Stored) -> None:
    added = run(
        *("add", "door", LINK, "--interval", "40ms", "--scale", "0.5x0.25", "--rotate", "90"),
        *("--group", "Yard", "--model", "imagenet_1", "--model", "emonet_2", "--weight", "2"),
        *("--deadline", "1s", "--paused"),
    )

    assert (added.status, added.out) == (0, "added door, partition 0\n")
    assert stored()["door"] == CameraRecord(
        link=LINK,
        interval=0.04,
        scale=(0.5, 0.25),
        rotate=90,
        group="Yard",
        models=["imagenet_1", "emonet_2"],
        weight=2,
        deadline=1,
        paused=True,
        partition=0,
    )
    (head, row) = run("list").out.splitlines()
    assert head.split() == ["NAME", "STATE", "GROUP", "PARTITION", "LINK", "REASON"]
    assert row.split() == ["door", "paused", "Yard", "0", "rtsp://joe:***@192.168.1.20/stream1"]

    changed = run("set", "door", "--scale", "", "--model", "", "--no-paused", "--interval", "1.5s")
    assert changed.status == 0
    assert "interval 40ms → 1500ms" in changed.out
    assert "models imagenet_1, emonet_2 → all" in changed.out
    record = stored()["door"]
    assert isinstance(record, CameraRecord)
    assert (record.scale, record.models, record.paused, record.rotate) == ((1, 1), None, False, 90)
    assert run("set", "door", "--rotate", "90").out == "door is unchanged\n"

    assert run("remove", "door").out == "removed door\n"
    assert stored() == {}
    assert "lists no cameras" in run("list").err
    assert run("list", "--json").out == "[]\n"


def test_cameras_fill_the_partitions_evenly_and_keep_theirs(run: Run, stored: Stored) -> None:
    for name in "abcde":
        assert run("add", name, f"rtsp://host/{name}").status == 0
    run("remove", "b")
    run("add", "f", "rtsp://host/f")
    run("add", "c", "rtsp://host/c2", "--replace")
    run("set", "d", "--partition", "0")

    places = {name: record.partition for name, record in stored().items() if isinstance(record, CameraRecord)}
    assert places == {"a": 0, "c": 2, "d": 0, "e": 0, "f": 1}


def test_cameras_are_paused_and_resumed(run: Run, stored: Stored) -> None:
    for name in "ab":
        run("add", name, f"rtsp://host/{name}")

    assert run("pause", "a", "b", "a").out == "paused a\npaused b\n"
    assert run("resume", "a").out == "resumed a\n"
    assert run("resume", "a").out == "a is not paused\n"

    assert [record.paused for record in stored().values() if isinstance(record, CameraRecord)] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("add", "door", LINK), "there is a camera 'door' already"),
        (("add", "x", "foo://host/"), "link: expected a file, a device"),
        (("add", "x", "rtsp://joe:***@host/"), "masked"),
        (("add", "x", ""), "link: expected"),
        (("add", "x", "r" * 2001), "at most 2000 characters"),
        (("add", "x\n", LINK), "printable"),
        (("add", "", LINK), "1 to 200"),
        (("add", "..", LINK), "another name"),
        (("add", "a/../b", LINK), "another name"),
        (("add", " x", LINK), "without spaces"),
        (("add", "preview-0123456789abcdef", LINK), "previews"),
        (("add", "x", LINK, "--interval", "fast"), "interval: expected a Go duration"),
        (("add", "x", LINK, "--interval", "-5s"), "interval: expected a Go duration from 1ms to 1h"),
        (("set", "door", "--deadline", "-.5s"), "deadline: expected a Go duration from 1ms to 1h"),
        (("add", "x", LINK, "--weight", "-1"), "weight: expected a number above 0, at most 100"),
        (("add", "x", LINK, "--partition", "-1"), "partition: expected a whole number from 0"),
        (("add", "x", LINK, "--partition", "4"), "partition: expected a number from 0 to 3: the topic"),
        (("set", "door", "--partition", "99"), "the topic of the frames has no partition 99"),
        (("add", "x", LINK, "--group", "\udcff"), "group: expected text in UTF-8"),
        (("add", "x", LINK, "--model", "\udcff"), "expected text in UTF-8"),
        (("add", "x", LINK, "--model", "m" * 12_000), "expected a record of at most 10000 bytes"),
        (("add", "x", "rtsp:/joe:hunter2@host/"), "expected rtsp://HOST:PORT/PATH, found no ://"),
        (("add", "x", "onvif:/joe:hunter2@host/"), "onvif: expected onvif://USER:PASSWORD@HOST:PORT/PROFILE"),
        (("add", "x", "onvif://host:65536"), "with a port from 1 to 65535, found 65536"),
        (("add", "x", LINK, "--scale", "0"), "scale: expected a factor above 0, at most 8, or two"),
        (("add", "x", LINK, "--scale", "1x2x3"), "scale: "),
        (("add", "x", LINK, "--rotate", "45"), "rotate: expected 0, 90, 180 or 270"),
        (("set", "dor", "--rotate", "90"), "did you mean 'door'?"),
        (("set", "door"), "expected something to change"),
        (("remove", "door", "nope"), "no camera 'nope'"),
        (("pause", "nope"), "no camera 'nope'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(
    run: Run, stored: Stored, arguments: tuple[str, ...], text: str
) -> None:
    run("add", "door", LINK)
    before = stored()

    ran = run(*arguments)

    assert ran.status == 1
    assert ran.out == ""
    assert text in ran.err
    assert len(ran.err.splitlines()) == 1
    assert "hunter2" not in ran.err
    assert stored() == before


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("add", "x", LINK, "--group", "-x"), "--group: expected a value; one that begins with - is written"),
        (("apply", "-f"), "--file: expected a value"),
        (("check", LINK, "--seconds", "4s"), "--seconds: expected a number of seconds such as 4, found '4s'"),
        (("check", LINK, "--seconds"), "--seconds: expected a value"),
    ],
)
def test_a_wrong_command_line_is_said_in_one_line(run: Run, arguments: tuple[str, ...], text: str) -> None:
    ran = run(*arguments)

    assert (ran.status, ran.out) == (2, "")
    assert text in ran.err
    assert len(ran.err.splitlines()) == 1


def test_an_encrypted_link_that_is_too_long_says_so(
    run: Run, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMERASKEY", new_key())

    ran = run("add", "x", "rtsp://host/" + "x" * 1900)

    assert ran.status == 1
    assert "link: expected at most 2000 characters, also after it is encrypted" in ran.err
    assert stored() == {}


def test_names_may_hold_what_a_url_would_have_to_encode(run: Run, stored: Stored) -> None:
    name = "Hof/Süd #1? 🏠"

    assert run("add", name, LINK).status == 0
    assert name in stored()
    assert run("remove", name).status == 0
    assert stored() == {}


def test_a_link_is_read_from_standard_input_and_stored_encrypted(
    run: Run, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMERASKEY", new_key())

    ran = run("add", "door", "-", stdin=f"{LINK}\n")

    assert ran.status == 0
    record = stored()["door"]
    assert isinstance(record, CameraRecord)
    assert is_sealed(record.link)
    assert listed(run)["door"]["link"] == "rtsp://joe:***@192.168.1.20/stream1"
    monkeypatch.delenv("CAMERASKEY")
    shown = listed(run)["door"]
    assert shown["link"] == "(encrypted)"
    assert "set CAMERASKEY" in str(shown["reason"])


@pytest.mark.usefixtures("kafka")
def test_the_same_link_and_a_file_are_warned_of(run: Run) -> None:
    run("add", "door", LINK)

    assert "same link as door" in run("add", "yard", LINK).err
    assert "LINKSCHEMES there lists file" in run("add", "film", "film.mp4").err
    assert "warning" not in run("set", "door", "--link", "rtsp://host/other").err


def test_states_come_from_the_status_topic(run: Run, kafka: str) -> None:
    for name in ("door", "yard", "hall"):
        run("add", name, f"rtsp://host/{name}")
    client = Producer({"bootstrap.servers": kafka, "log_level": 0})

    def report(process: str, camera: str, state: str, reason: str | None = None) -> None:
        subject = Subject("producer", process, camera)
        status = Status(subject, state, reason, 1.0)  # type: ignore[arg-type]  # one of them
        client.produce("status", encode_value(status), encode_key(subject))

    report("a", "door", "live")
    report("a", "yard", "live")
    report("b", "yard", "no-signal", "nothing answers at this port of its host")
    report("b", "door", "stopped")
    client.produce("status", b"nonsense", b"producer/a/hall")
    client.produce("status", b"nonsense", b"?")
    client.flush(10)

    found = listed(run)

    assert found["door"]["state"] == "live"
    assert (found["yard"]["state"], found["yard"]["reason"]) == (
        "no-signal",
        "nothing answers at this port of its host",
    )
    assert found["hall"]["state"] == "never-seen"


def test_a_camera_that_no_video_server_has_seen_is_never_seen_as_on_the_page(run: Run, kafka: str) -> None:
    client = Producer({"bootstrap.servers": kafka, "log_level": 0})
    for name in ("door", "yard", "hall"):
        run("add", name, f"rtsp://host/{name}")
        subject = Subject("producer", "a", name)
        status = Status(subject, "live" if name == "hall" else "no-signal", "no answer within 5 s", 1.0)
        client.produce("status", encode_value(status), encode_key(subject))
    for service, name in (("video", "door"), ("consumer", "yard")):
        counted = Figures(service, f"host-{service}", 1.0, {name: CameraFigures(1.0, 1.0)})
        for key, value in figures.encode(counted):
            client.produce("status", value, key)
    client.flush(10)

    found = listed(run)

    assert {name: each["state"] for name, each in found.items()} == {
        "door": "no-signal",
        "yard": "never-seen",
        "hall": "live",
    }
    assert found["yard"]["reason"] == "no answer within 5 s"


def test_a_bad_record_is_listed_and_can_be_replaced_and_removed(run: Run, kafka: str) -> None:
    client = Producer({"bootstrap.servers": kafka, "log_level": 0})
    client.produce("cameras", b"nonsense", b"door")
    client.produce("cameras", b'{"link": "0", "until": 9999999999}', b"preview-0123456789abcdef")
    client.flush(10)

    assert list(listed(run)) == ["door"]
    assert listed(run)["door"]["state"] == "bad-record"
    assert "bad-record" in run("list").out
    assert "cannot be used" in run("set", "door", "--rotate", "90").err
    assert run("add", "door", LINK, "--replace").status == 0
    assert listed(run)["door"]["state"] == "never-seen"


@pytest.mark.usefixtures("kafka")
def test_a_topic_that_does_not_exist_is_created_when_a_camera_is_added(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMERASTOPIC", "others")
    monkeypatch.setenv("TOPICNAME", "frames")

    assert "lists no cameras" in run("list").err
    assert "topic frames does not exist yet" in run("add", "door", LINK).out
    assert list(listed(run)) == ["door"]


@pytest.mark.parametrize("arguments", [("list",), ("add", "door", LINK), ("export",), ("check", "door")])
def test_kafka_that_is_away_is_named_with_the_cause(
    run: Run, monkeypatch: pytest.MonkeyPatch, closed_port: int, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("KAFKAPORT", f"127.0.0.1:{closed_port}")

    ran = run(*arguments)

    assert ran.status == 1
    assert f"Kafka does not answer at 127.0.0.1:{closed_port}" in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "COMMAND"),
        (("nonsense",), "invalid choice"),
        (("add", "door"), "LINK"),
        (("list", "--nonsense"), "unrecognized"),
    ],
)
def test_a_wrong_command_line_is_named_with_status_2(run: Run, arguments: tuple[str, ...], text: str) -> None:
    ran = run(*arguments)

    assert ran.status == 2
    assert text in ran.err
    assert len(ran.err.splitlines()) == 1


def test_wrong_settings_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "KAFKAPORT is not set" in run("list").err
    monkeypatch.setenv("CAMERASKEY", "nonsense")
    monkeypatch.setenv("KAFKAPORT", "127.0.0.1:1")
    assert "expected Fernet keys" in run("list").err
    monkeypatch.delenv("CAMERASKEY")
    monkeypatch.setenv("CAMERASKEYFILE", "/dev/null")
    assert run("list").err.startswith(
        "cameras: CAMERASKEYFILE='/dev/null': expected a Fernet key, found none"
    )
    monkeypatch.setenv("FRAMEINTERVAL", "nonsense")
    assert run("list").status == 2


def test_keys_are_made_and_rotated(run: Run, stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "CAMERASKEY" in run("key", "--rotate").err
    old, new = (run("key").out.strip() for _ in range(2))
    run("add", "clear", LINK)
    monkeypatch.setenv("CAMERASKEY", old)
    run("add", "door", LINK)

    monkeypatch.setenv("CAMERASKEY", f"{new},{old}")
    assert run("key", "--rotate").out == "encrypted 2 links with the first key, 0 failed\n"
    monkeypatch.setenv("CAMERASKEY", new)

    assert {each["link"] for each in listed(run).values()} == {"rtsp://joe:***@192.168.1.20/stream1"}
    assert all(is_sealed(each.link) for each in stored().values() if isinstance(each, CameraRecord))
    monkeypatch.setenv("CAMERASKEY", old)
    ran = run("key", "--rotate")
    assert (ran.status, ran.out) == (1, "encrypted 0 links with the first key, 2 failed\n")
    assert "clear is left as it is" in ran.err
