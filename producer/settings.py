"""The producer's settings."""

import os
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from pipeline.service.settings import Bootstrap, Duration, KafkaWrites
from pipeline.wire.frame import UNNAMED, Format, is_name


def _check_name(name: str) -> str:
    if not is_name(name):  # whoever reads the frames would skip them all
        raise ValueError("1 to 200 characters that can be printed are wanted")
    return name


class ProducerSettings(KafkaWrites):
    """What the producer takes from the environment."""

    videolink: SecretStr = Field(
        SecretStr(""), description="an RTSP or HTTP URL, a video file, or a device such as /dev/video0"
    )
    videodevice: str = Field("", description="a device such as 0 or /dev/video0, instead of VIDEOLINK")
    cameraname: Annotated[str, AfterValidator(_check_name)] = Field(
        UNNAMED, description="the name under which the frames travel"
    )
    frameinterval: Duration = Field(
        0.042, ge=0.001, le=3600, description="time between two frames, such as 42ms; 1ms to 1h"
    )
    topicname: str = Field("videocam", min_length=1, description="the topic to publish to")
    kafkaport: Bootstrap = Field(description="Kafka's address, such as kf1-service:19091")
    imagescalex: float = Field(1, gt=0, le=8, description="factor on the width, above 0 up to 8")
    imagescaley: float = Field(1, gt=0, le=8, description="factor on the height, above 0 up to 8")
    jpegquality: int | None = Field(
        None,
        ge=1,
        le=100,
        description="JPEG quality, 1 to 100; by default 85, and JPEGs of a camera stay as they came",
    )
    frameformat: Format = Field("jpeg", description="jpeg, or mat for the original system's message")
    frozenafter: Duration = Field(
        5,
        ge=0.5,
        le=15,
        description="time without a new frame until the camera is opened again, 500ms to 15s",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.videolink.get_secret_value()) == bool(self.videodevice):
            raise ValueError(
                "set one of VIDEOLINK (an RTSP or HTTP URL, or a file) and VIDEODEVICE (a device)"
            )
        return self

    @property
    def source(self) -> str:
        """The URL, path or device to open. It may hold a password: mask it before it is printed."""
        return self.videolink.get_secret_value() or self.videodevice

    @property
    def is_file(self) -> bool:
        """Whether the source is a file: it is read at our pace and from its beginning again at its end."""
        link = self.videolink.get_secret_value()
        # A camera that is not plugged in yet is a device, too.
        is_device = link.isdecimal() or (link.startswith("/dev/") and not os.path.isfile(link))
        return bool(link) and not is_device and ("://" not in link or link.startswith("file://"))
