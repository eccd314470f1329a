"""A running service forgets cameras that fall silent."""

import re
from pathlib import Path

import numpy as np
from confluent_kafka import Producer

from pipeline.wire import picture
from tests.parts import Service, embedded_broker, get, wait_for

JPEG = picture.encode(np.zeros((48, 64, 3), np.uint8), 85)


def test_a_silent_camera_leaves_the_ledger_and_the_metrics_of_the_consumer(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as (bootstrap, _):
        kafka = Producer({"bootstrap.servers": bootstrap})
        variables = {"KAFKAPORTIN": bootstrap, "KAFKAPORTOUT": bootstrap, "CAMERATTL": "1s"}
        with Service("consumer", variables, tmp_path) as consumer:

            def sent() -> bool:
                for camera in ("door", "yard"):
                    kafka.produce("videocam", key=camera, value=JPEG)
                kafka.flush(5)
                return consumer.ledger().keys() >= {"door", "yard"}

            def door_is_gone() -> bool:
                kafka.produce("videocam", key="yard", value=JPEG)
                kafka.flush(5)
                cameras = set(
                    re.findall(r'frames_in_total{camera="(\w+)"}', get(f"{consumer.health}/metrics").decode())
                )
                return cameras == {"yard"} and consumer.ledger().keys() == {"yard", ""}

            wait_for(lambda: "reading videocam" in consumer.text, 30, "the assignment")
            wait_for(sent, 30, "the first frames")
            wait_for(door_is_gone, 30, "the door to be forgotten")
            removed = consumer.ledger()[""]

    assert removed["in"] == removed["out"] > 0
    assert removed["pending"] == 0
