"""Floods of messages that are no frames, or frames of invented cameras, next to real cameras."""

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from confluent_kafka import Producer
from websockets.sync.client import ClientConnection, connect

from pipeline.wire import picture
from tests.integration.conftest import Pipeline
from tests.parts import get, wait_for
from video.streams.socket import wire

JPEG: Final = picture.encode(np.full((48, 64, 3), 90, np.uint8), 85)
BAD: Final[list[tuple[bytes | None, bytes, list[tuple[str, bytes]]]]] = [
    (b"evil", b"", []),
    (b"evil", b"neither", []),
    (b"evil", JPEG[:-2], []),
    (b"\xff\xfe", JPEG, []),
    (b"n" * 5_000, JPEG, []),
    (b"evil", JPEG, [("seq", b"9" * 5_000)]),
    (b"evil", JPEG, [("other", b"")] * 40),
    (b"evil", b"{" + b"[" * 5_000, []),
    (b"evil", b'{"mat": "!AAA", "rows": 1, "cols": 1, "type": 16}', []),
    (b"evil", b'{"mat": "AAAA", "rows": 9999, "cols": 9999, "type": 16}', []),
    (b"evil", b'{"mat": [' + b"1," * 5_000 + b'1], "rows": 1, "cols": 1, "type": 16}', []),
    (b"evil", b'{"mat": "", "rows": ' + b"9" * 5_000 + b', "cols": 1, "type": 16}', []),
]
TOO_MUCH: Final = {
    "a long label": [{"model": "m", "results": [{"label": "x" * 201, "score": 1}], "seq": 1, "age_ms": 1}],
    "a long header": [{"model": "m", "results": [], "seq": 1, "age_ms": 1, "more": "x" * 900_000}],
    "a large number": [{"model": "m", "results": [], "seq": 10**300, "age_ms": 1}],
    "an endless box": [
        {
            "model": "m",
            "results": [{"label": "x", "score": 1, "box": [0, 0, 1, 1e300]}],
            "seq": 1,
            "age_ms": 1,
        }
    ],
}


class Page:
    """A browser's socket: all messages that have come, from the moment of opening."""

    def __init__(self, socket: ClientConnection) -> None:
        self.listed: list[dict[str, Any]] = []
        self._socket = socket

    def watch(self, camera: str) -> None:
        self._socket.send(json.dumps({"type": "watch", "cameras": {camera: 0}}))

    def until(self, seq: int, again: Callable[[], object] = int) -> None:
        """Read until the picture of that frame has come; call `again` each second."""
        shown, begun = -1, time.monotonic()
        due = begun + 1
        while shown != seq:
            now = time.monotonic()
            assert now < begun + 60, f"no picture of frame {seq}"
            if now >= due:
                due = now + 1
                again()
            message = self._socket.recv(timeout=30)
            if isinstance(message, str):
                self.listed = json.loads(message).get("cameras", self.listed)
                continue
            _, _, camera, number, shown, *_ = wire.PICTURE.unpack_from(message)
            self._socket.send(json.dumps({"type": "ack", "id": camera, "number": number}))

    def until_listed(self, condition: Callable[[dict[str, Any]], bool]) -> None:
        """Read until the list has a camera like that."""
        while not any(map(condition, self.listed)):
            message = self._socket.recv(timeout=30)
            if isinstance(message, str):
                self.listed = json.loads(message).get("cameras", self.listed)


@contextmanager
def opened(pipeline: Pipeline) -> Iterator[Page]:
    with connect(f"{pipeline.display}/ws".replace("http", "ws"), compression=None, proxy=None) as socket:
        yield Page(socket)


def frame(seq: int, **headers: bytes) -> list[tuple[str, str | bytes | None]]:
    return [("seq", b"%d" % seq), ("captured", b"%d" % time.time_ns()), *headers.items()]


def first_frame(pipeline: Pipeline, kafka: Producer, topic: str, camera: str) -> None:
    """Send frames of a camera until the page shows one."""

    def shown() -> bool:
        kafka.produce(topic, key=camera, value=JPEG, headers=frame(0))
        kafka.flush(5)
        return bool(pipeline.camera(camera))

    wait_for(shown, 60, f"camera {camera}")


def test_a_camera_stays_on_the_page_next_to_bad_messages_of_every_kind(pipeline: Pipeline) -> None:
    def send() -> None:
        kafka.produce(pipeline.topic_in, key="door", value=JPEG, headers=frame(seq))
        assert kafka.flush(30) == 0

    video, consumer = pipeline.video(), pipeline.consumer()
    kafka = Producer({"bootstrap.servers": pipeline.bootstrap})
    first_frame(pipeline, kafka, pipeline.topic_in, "door")

    with opened(pipeline) as page:
        page.watch("door")
        for seq in range(1, 41):
            for key, value, headers in BAD * 20:
                for topic in (pipeline.topic_in, pipeline.topic_out):
                    kafka.produce(topic, key=key, value=value, headers=list(headers))
                kafka.poll(0)
            send()
            page.until(seq, send)  # on a busy machine, a frame behind many bad messages is skipped with them

    for service in (consumer, video):
        assert service.metric("streamlens_poison_messages_total") > 1_000
        lines = [line for line in service.text.splitlines() if " skipped: " in line]
        assert 0 < len(lines) <= 8, "a line for each kind, and perhaps one in the next minute"
        assert "Traceback" not in service.text
        assert max(map(len, service.text.splitlines())) < 500
        assert service.ledger().keys() == {"door"}


def test_what_is_too_much_is_left_out_of_its_frame_and_browsers_stay_connected(pipeline: Pipeline) -> None:
    video = pipeline.video()
    kafka = Producer({"bootstrap.servers": pipeline.bootstrap, "message.max.bytes": 10_000_000})
    first_frame(pipeline, kafka, pipeline.topic_out, "door")
    fine = b'[{"model": "m", "results": [{"label": "cat", "score": 1}], "seq": 1, "age_ms": 1}]'

    with opened(pipeline) as page:
        page.watch("door")
        for seq, said in enumerate((*TOO_MUCH.values(), None), start=1):
            header = fine if said is None else json.dumps(said).encode()
            kafka.produce(pipeline.topic_out, key="door", value=JPEG, headers=frame(seq, predictions=header))
            assert kafka.flush(30) == 0
            page.until(seq)
            page.until_listed(
                lambda camera, seq=seq, said=said: (
                    camera["seq"] == seq  # type: ignore[misc]
                    and [each["results"][0]["label"] for each in camera["predictions"]]
                    == ([] if said else ["cat"])
                )
            )

    assert video.metric('streamlens_frames_corrected_total{kind="bad_predictions"}') == len(TOO_MUCH)
    assert video.text.count("corrected: header predictions: ") == 1
    assert "Traceback" not in video.text


def test_a_frame_of_the_year_2250_holds_up_nothing(pipeline: Pipeline) -> None:
    video, consumer = pipeline.video(), pipeline.consumer()
    kafka = Producer({"bootstrap.servers": pipeline.bootstrap})
    first_frame(pipeline, kafka, pipeline.topic_in, "door")

    with opened(pipeline) as page:
        page.watch("door")
        for seq, captured in enumerate((8_836_000_000 * 10**9, 0, None), start=1):
            headers = frame(seq)
            if captured is not None:
                headers[1] = ("captured", b"%d" % captured)
            kafka.produce(pipeline.topic_in, key="door", value=JPEG, headers=headers)
            assert kafka.flush(30) == 0
            page.until(seq)

    assert consumer.metric('streamlens_frames_corrected_total{kind="bad_clock"}') == 2
    assert video.metric('streamlens_frames_corrected_total{kind="bad_clock"}') == 0


@contextmanager
def sending(kafka: Producer, topic: str, names: Iterator[str], pause: float) -> Iterator[None]:
    """Send frames with these names as long as the block runs."""
    stopping = threading.Event()

    def send() -> None:
        for seq, name in enumerate(names):
            if stopping.wait(pause):
                return
            kafka.produce(topic, key=name, value=JPEG, headers=frame(seq))
            kafka.poll(0)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def test_a_flood_of_invented_cameras_keeps_no_real_one_out(pipeline: Pipeline) -> None:
    services = (pipeline.video(MAXCAMERAS="20"), pipeline.consumer(MAXCAMERAS="20"))
    kafka = Producer({"bootstrap.servers": pipeline.bootstrap})
    invented = (f"x{number if number % 2 else number % 200}" for number in itertools.count())
    first_frame(pipeline, kafka, pipeline.topic_in, "door")

    with (
        sending(kafka, pipeline.topic_in, itertools.repeat("door"), 0.04),
        sending(kafka, pipeline.topic_in, invented, 0.001),
    ):
        wait_for(
            lambda: services[1].metric('streamlens_poison_messages_total{kind="too_many_cameras"}') > 1_000,
            60,
            "the flood",
        )
        with sending(kafka, pipeline.topic_in, itertools.repeat("yard"), 0.04):
            for camera in ("yard", "door"):
                seq = pipeline.camera(camera).get("seq", 0)
                wait_for(lambda: pipeline.camera(camera).get("seq", 0) > seq + 25, 60, f"frames of {camera}")  # noqa: B023
        listed = json.loads(get(f"{pipeline.display}/api/cameras"))

    assert {"door", "yard"} <= {camera["name"] for camera in listed}
    assert len(listed) <= 20
    for service in services:
        assert len(service.ledger()) <= 21
        names = set(re.findall(r'camera="([^"]*)"', get(f"{service.health}/metrics").decode()))
        assert len(names) <= 21
        assert len(service.text.splitlines()) < 300
        assert "camera door forgotten" not in service.text
        assert "Traceback" not in service.text
