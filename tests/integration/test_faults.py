"""When a part fails, the rest continues, and everything recovers without a restart."""

import ctypes
import signal
import socket
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from confluent_kafka import Producer

from compose.broker import Broker
from tests.integration.conftest import Pipeline, RtspCamera
from tests.parts import ModelServer, Process, free_port, wait_for

Frail = tuple[Pipeline, Process]


class UncertainBroker(Broker):
    """A broker that can go down, and come back at the same address with its messages."""

    def go_down(self) -> None:
        self._switch("rd_kafka_mock_broker_set_down")

    def come_back(self) -> None:
        self._switch("rd_kafka_mock_broker_set_up")

    def _switch(self, name: str) -> None:
        function = getattr(self._library, name)
        function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_int32), ctypes.c_int
        assert function(self._cluster, 1) == 0


def results(pipeline: Pipeline, camera: str) -> list[object]:
    """Return the results on the camera's newest frame."""
    return [r for p in pipeline.reported(camera)["predictions"] for r in p["results"]]


def test_a_camera_that_comes_back_is_shown_again(frail: Frail, rtsp_camera: RtspCamera, clips: Path) -> None:
    pipeline, _ = frail
    port = free_port()
    link = f"rtsp://user:secret@127.0.0.1:{port}/camera"
    pipeline.video(NOSIGNALAFTER="1s")
    pipeline.consumer()
    producer = pipeline.producer("door", link, FROZENAFTER="2s")
    pipeline.producer("other", clips / "bikes.mp4")

    with rtsp_camera(port) as camera:
        wait_for(lambda: pipeline.camera("door").get("seq", 0) > 25, 40, "the camera's picture")
        said, others = len(producer.text), pipeline.reported("other")["seq"]
        camera.kill()
        wait_for(
            lambda: pipeline.camera("door").get("state") == "no-signal", 20, "the lost signal to be reported"
        )
    assert pipeline.reported("other")["seq"] > others + 10, (
        "the other camera continues while this one is away"
    )
    others = pipeline.reported("other")["seq"]
    wait_for(lambda: pipeline.camera("other").get("seq", 0) > others + 25, 5, "the other camera to continue")
    wait_for(lambda: "; trying again in " in producer.text[said:], 20, "a line about the next attempt")
    assert "camera door: " in producer.text[said:]
    during = pipeline.reported("door")
    assert during["state"] == "no-signal"
    assert during["reason"]
    with rtsp_camera(port):
        wait_for(lambda: pipeline.camera("door").get("state") == "live", 60, "the picture to continue")
        wait_for(lambda: pipeline.camera("door").get("seq", 0) > during["seq"] + 25, 20, "more frames")

    assert "secret" not in producer.text
    assert "Traceback" not in producer.text


def test_a_frozen_camera_is_detected_and_opened_again(frail: Frail, rtsp_camera: RtspCamera) -> None:
    pipeline, _ = frail
    port = free_port()

    with rtsp_camera(port) as camera:
        producer = pipeline.producer("door", f"rtsp://127.0.0.1:{port}/camera", FROZENAFTER="1s").ready()
        camera.signal(signal.SIGSTOP)
        wait_for(lambda: "camera door: no data " in producer.text, 20, "the frozen camera to be detected")
        camera.signal(signal.SIGCONT)
        came = producer.ledger()["door"]["in"]
        wait_for(lambda: producer.ledger()["door"]["in"] > came + 25, 40, "new frames")


def test_the_video_continues_without_the_model_server_and_labels_come_back(
    frail: Frail, model_folder: Path, clips: Path, tmp_path: Path
) -> None:
    pipeline, _ = frail
    port = free_port()
    pipeline.video(STALEAFTER="1s")
    consumer = pipeline.consumer(f"http://127.0.0.1:{port}/v1/models/imagenet:predict", FORGETAFTER="2s")
    pipeline.producer("bikes", clips / "bikes.mp4")
    wait_for(lambda: pipeline.camera("bikes").get("state") == "model-away", 30, "a picture without a label")

    with ModelServer(model_folder, port, tmp_path) as server:
        wait_for(lambda: results(pipeline, "bikes"), 30, "a label")
        wait_for(
            lambda: pipeline.camera("bikes").get("state") == "live", 10, "the fresh label to be reported"
        )
        server.signal(signal.SIGSTOP)
        wait_for(lambda: not results(pipeline, "bikes"), 20, "the hanging server's label to disappear")
        seq = pipeline.reported("bikes")["seq"]
        wait_for(
            lambda: pipeline.camera("bikes").get("seq", 0) > seq + 25, 5, "the picture to continue meanwhile"
        )
        server.signal(signal.SIGCONT)
        wait_for(lambda: results(pipeline, "bikes"), 20, "the label to come back")
        server.kill()
    wait_for(lambda: not results(pipeline, "bikes"), 20, "the dead server's label to disappear")
    with ModelServer(model_folder, port, tmp_path):
        wait_for(lambda: results(pipeline, "bikes"), 30, "the label to come back again")

    assert "Traceback" not in consumer.text


def test_a_model_that_answers_404_affects_neither_the_picture_nor_the_other_model(
    frail: Frail, model_server: ModelServer, clips: Path
) -> None:
    pipeline, _ = frail
    pipeline.video()
    consumer = pipeline.consumer(f"{model_server.base}/v1/models/missing:predict", model_server.url)
    pipeline.producer("phone", clips / "carphone_pristine.mp4")

    wait_for(lambda: results(pipeline, "phone"), 30, "an answer from the model that exists")
    wait_for(lambda: pipeline.camera("phone").get("seq", 0) > 50, 30, "frames")

    first, second = pipeline.reported("phone")["predictions"]
    assert (first["model"], first["results"], first["seq"]) == ("imagenet_1", [], None)
    assert (second["model"], second["results"][0]["label"]) == ("imagenet_2", "Windsor tie")
    lines = [line for line in consumer.text.splitlines() if "the server answered 404" in line]
    assert len([line for line in lines if "not ready" not in line]) == 1, "one per minute, not one per frame"
    assert consumer.metric('streamlens_model_requests_total{model="imagenet_1",outcome="http_404"}') >= 1


def test_poison_messages_are_skipped_counted_and_logged_once(frail: Frail, clips: Path) -> None:
    pipeline, _ = frail
    video, consumer = pipeline.video(), pipeline.consumer()
    producer = pipeline.producer("bikes", clips / "bikes.mp4")
    wait_for(lambda: pipeline.camera("bikes").get("seq", 0) > 10, 30, "frames")
    picture = pipeline.snapshot("bikes")
    poison = [
        b"",
        b"neither",
        picture[: len(picture) // 2],
        b'{"mat": "AAAA", "rows": 2, "cols": 2, "channels": 3, "type": 16}',
        b'{"mat": "", "rows": -1, "cols": 99999999, "channels": 3, "type": 16}',
    ]
    poisoner = Producer({"bootstrap.servers": pipeline.bootstrap})
    for topic in (pipeline.topic_in, pipeline.topic_out):
        for value in poison * 20:
            poisoner.produce(topic, key=b"evil", value=value)
    assert poisoner.flush(10) == 0

    for service in (consumer, video):
        skipped = partial(service.metric, "streamlens_poison_messages_total")
        wait_for(lambda skipped=skipped: skipped() == 100, 20, "all 100 poison messages to be counted")  # type: ignore[misc]
        assert service.text.count("skipped") == 2, "one line for each kind"
    seq = pipeline.reported("bikes")["seq"]
    wait_for(lambda: pipeline.camera("bikes").get("seq", 0) > seq + 25, 10, "the picture to continue")
    assert producer.ledger().keys() == consumer.ledger().keys() == {"bikes"}


def test_a_frozen_broker_does_not_fill_memory_and_the_newest_frame_comes_first(
    frail: Frail, clips: Path
) -> None:
    pipeline, broker = frail
    video, consumer = pipeline.video(), pipeline.consumer()
    producer = pipeline.producer("bunny", clips / "bigbuckbunny.mp4")
    wait_for(lambda: pipeline.camera("bunny").get("seq", 0) > 50, 30, "frames")
    before = producer.rss()

    broker.signal(signal.SIGSTOP)
    wait_for(
        lambda: sum(producer.ledger()["bunny"]["dropped"].values()) > 200, 30, "200 frames to be dropped"
    )
    after = producer.rss()
    broker.signal(signal.SIGCONT)

    wait_for(lambda: pipeline.camera("bunny").get("state") == "live", 30, "the picture to move again")
    wait_for(lambda: pipeline.camera("bunny").get("age_ms", 1e9) < 500, 10, "the picture to be up to date")
    assert after < before + 60, "the queue is bounded"
    for service in (producer, consumer, video):
        assert service.stop() == 0


def test_kafka_can_go_down_and_come_back_without_restarting_a_service(clips: Path, tmp_path: Path) -> None:
    with UncertainBroker() as broker, ExitStack() as stack:
        pipeline = Pipeline(broker.bootstrap, tmp_path, stack.enter_context)
        video, consumer = pipeline.video(NOSIGNALAFTER="1s"), pipeline.consumer()
        producer = pipeline.producer("bikes", clips / "bikes.mp4")
        services = (producer, consumer, video)
        wait_for(lambda: pipeline.camera("bikes").get("seq", 0) > 25, 30, "frames")

        def lost() -> int:
            return int(producer.ledger()["bikes"]["dropped"].get("not_delivered", 0))

        broker.go_down()
        wait_for(
            lambda: pipeline.camera("bikes").get("state") == "broker-away",
            20,
            "the broker's absence to be reported",
        )
        before, came = lost(), producer.ledger()["bikes"]["in"]
        wait_for(lambda: lost() > before + 25, 20, "frames to be dropped")
        assert producer.ledger()["bikes"]["in"] > came + 25, "the camera is still read"
        seq = pipeline.reported("bikes")["seq"]
        broker.come_back()

        wait_for(lambda: pipeline.camera("bikes").get("state") == "live", 30, "the picture to continue")
        wait_for(lambda: pipeline.camera("bikes").get("seq", 0) > seq + 50, 20, "more frames")
        wait_for(
            lambda: pipeline.camera("bikes").get("age_ms", 1e9) < 500, 10, "the picture to be up to date"
        )
        assert not any(" stopped: " in service.text for service in services), (
            "no service has stopped meanwhile"
        )
        assert [service.stop() for service in services] == [0, 0, 0]
        assert not any("Traceback" in service.text for service in services)


def test_silent_clients_affect_neither_frames_nor_memory(frail: Frail, clips: Path) -> None:
    pipeline, _ = frail
    video = pipeline.video()
    pipeline.consumer()
    pipeline.producer("bunny", clips / "bigbuckbunny.mp4")
    wait_for(lambda: pipeline.camera("bunny").get("seq", 0) > 25, 30, "frames")
    before = video.rss()
    host, _, port = pipeline.display.removeprefix("http://").partition(":")

    silent = [socket.create_connection((host, int(port))) for _ in range(50)]
    for client in silent:
        client.sendall(b"GET /stream/bunny HTTP/1.1\r\nHost: localhost\r\n\r\n")
    seq = pipeline.reported("bunny")["seq"]
    wait_for(lambda: pipeline.camera("bunny").get("seq", 0) > seq + 100, 20, "100 more frames")

    assert pipeline.reported("bunny")["age_ms"] < 1000
    assert video.rss() < before + 40, "a silent client holds one frame at most"
    for client in silent:
        client.close()


def test_a_signal_ends_each_service_while_everything_else_is_down(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        pipeline = Pipeline(nowhere, tmp_path, stack.enter_context)
        services = [
            pipeline.producer("door", "rtsp://127.0.0.1:1/nothing"),
            pipeline.consumer(f"http://{nowhere}/v1/models/imagenet:predict"),
            pipeline.video(),
        ]
        for service in services:
            wait_for(lambda s=service: "started" in s.text, 20, "start")  # type: ignore[misc]

        statuses = [service.stop(10) for service in services]

    assert statuses == [0, 0, 0]
