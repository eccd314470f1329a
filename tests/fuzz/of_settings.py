"""A service's settings, from any environment."""

import os
from collections.abc import Sequence
from typing import Final
from unittest import mock

from consumer.settings import ConsumerSettings
from pipeline.service.settings import Settings, SettingsError, load, strangers
from producer.settings import ProducerSettings
from video.settings import VideoSettings

_SERVICES: Final[Sequence[type[Settings]]] = (ProducerSettings, ConsumerSettings, VideoSettings)
_LONGEST_LINE: Final = 2000


def settings(data: bytes) -> None:
    """Start a service with an environment.

    The first byte chooses the service; the rest are `NAME=value`, each followed by a zero.
    """
    kind = _SERVICES[data[0] % len(_SERVICES) if data else 0]
    variables = dict(each.partition(b"=")[::2] for each in data[1:].split(b"\0"))
    environment = {
        name.decode("latin-1"): value.decode(errors="surrogateescape")
        for name, value in variables.items()
        if name
    }
    with mock.patch.dict(os.environ, environment, clear=True):
        try:
            repr(load(kind))
        except SettingsError as error:
            for line in str(error).splitlines():
                assert line.strip()
                assert len(line) < _LONGEST_LINE
        for line in strangers(kind):
            assert "\n" not in line


def environments() -> Sequence[bytes]:
    """Return valid environments of all services."""
    return [
        b"\0VIDEOLINK=rtsp://user:secret@[fd00::1]:554/live?x=1\0KAFKAPORT=kafka:9092,[::1]:9092"
        b"\0FRAMEINTERVAL=1m2.5ms\0CAMERANAME=door\0COMPRESSIONTYPE=zstd\0IMAGESCALEX=.5\0IMAGESCALEY=2"
        b"\0ROTATE=90\0JPEGQUALITY=80\0FRAMEFORMAT=mat\0REDIRECTHOSTS=nvr.local,192.168.1.9"
        b"\0OWNSERVICES=:30163,[::1]:8501\0OPENTIMEOUT=20s\0FROZENAFTER=5s\0LOGLEVEL=debug",
        b"\0VIDEODEVICE=/dev/video0\0KAFKAPORT=kafka:9092\0TOPICNAME=a-b_c.d\0LOGFORMAT=json"
        b"\0HEALTHPORT=:9000",
        b"\1KAFKAPORTIN=kafka:9092\0KAFKAPORTOUT=kafka:9092\0MAXBATCH=8"
        b'\0KAFKACONFIG={"sasl.password": "secret"}'
        b'\0MODELURLS={"imagenet_1": {"url": "http://host:8501/v1/models/imagenet:predict", "top": 3, '
        b'"token": "secret"}, "detect_2": "grpc://host:8500/v1/models/detect"}'
        b'\0LABELURLS={"imagenet_1": {"url": "http://host/labels", "user": "me", "password": "secret"}, '
        b'"detect_2": "labels.json"}',
        b"\2KAFKAPORT=kafka:9092\0DISPLAYPORT=127.0.0.1:8080\0NODEPORT=:30163\0FRAMEINTERVAL=42ms"
        b"\0CAMERATTL=24h\0MAXCAMERAS=16\0EMBEDORIGINS=https://dashboard.example:8123"
        b"\0TRUSTEDPROXIES=10.0.0.0/8,::1\0ROOTPATH=/cameras",
    ]
