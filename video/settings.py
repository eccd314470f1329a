"""The video server's settings."""

from pydantic import Field

from pipeline.settings import Address, Bootstrap, Duration, Port, Settings


class VideoSettings(Settings):
    """What the video server takes from the environment."""

    topicname: str = Field("videodisplay", min_length=1, description="the topic to show")
    kafkaport: Bootstrap = Field(description="Kafka's address, such as kf1-service:19092")
    groupname: str = Field("video", min_length=1, description="first part of the Kafka group's name")
    displayport: Port = Field(Address("", 8080), description="where pictures are served, such as :8080")
    nodeport: Port = Field(
        Address("", 30163), description="where browsers reach the server, only printed, such as :30163"
    )
    frameinterval: Duration = Field(
        0.042, ge=0.001, le=3600, description="least time between two frames of a stream, 1ms to 1h"
    )
    nosignalafter: Duration = Field(
        3, ge=0.2, le=3600, description="time without a frame until a camera has no signal, 200ms to 1h"
    )
    staleafter: Duration = Field(
        5, ge=0.1, le=3600, description="age of an answer from which a label is stale, 100ms to 1h"
    )
    maxcameras: int = Field(256, ge=1, le=10_000, description="cameras shown at most, 1 to 10000")
