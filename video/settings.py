"""The video server's settings."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from pipeline.access.embedding import parse_origin
from pipeline.access.settings import AccessSettings
from pipeline.cameras.schemes import Schemes
from pipeline.cameras.settings import CamerasSettings
from pipeline.service.settings import KafkaReads
from pipeline.service.values import Duration, FrameInterval, Topic

_ORIGIN: Final = re.compile(
    r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?/?", re.ASCII | re.IGNORECASE
)


def parse_origins(text: object) -> object:
    """Return comma-separated origins as browsers write them; raise ValueError for anything else."""
    if not isinstance(text, str):
        return text
    found = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        if not _ORIGIN.fullmatch(name) or not (origin := parse_origin(name)):
            raise ValueError(
                f"expected origins such as https://dashboard.example:8123, without wildcards, found {name!r}"
            )
        found.append(origin)
    return tuple(found)


class VideoSettings(KafkaReads, CamerasSettings, AccessSettings):
    """The settings of the video server, read from the environment."""

    topicname: Topic = Field("videodisplay", description="the topic with the frames to show")
    groupname: str = Field("video", min_length=1, description="the name of a group that is not formed")
    shareport: bool = Field(
        False, description="true if several processes share the port; the system distributes the clients"
    )
    frameinterval: FrameInterval = Field(
        0.042,
        description="shortest time between two frames of a stream, up to 1h; 0 or less than 1ms means 1ms",
    )
    nosignalafter: Duration = Field(
        2.5,
        ge=0.2,
        le=3600,
        description="time without frames after which a camera has no signal, 200ms to 1h",
    )
    staleafter: Duration = Field(
        5, ge=0.1, le=3600, description="age above which a model's answer is stale, 100ms to 1h"
    )
    maxclients: int = Field(
        1000, ge=1, le=100_000, description="most streams and sockets open at a time, 1 to 100000"
    )
    clienttimeout: Duration = Field(
        30, ge=1, le=3600, description="time without reading after which a client is disconnected, 1s to 1h"
    )
    maxevents: int = Field(
        500, ge=1, le=100_000, description="most changes of labels kept per camera, 1 to 100000"
    )
    snapshotmemory: int = Field(
        32, ge=0, le=100_000, description="MB of pictures kept with the changes of labels, 0 to 100000"
    )
    linkschemes: Schemes = Field(
        frozenset({"rtsp", "rtsps", "rtsp+udp", "http", "https"}),
        description="kinds of links that cameras may be given: schemes, file and device, separated by commas",
    )
    embedorigins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_origins)] = Field(
        (),
        description="sites whose pages may show and read pictures, such as"
        " https://dashboard.example:8123, separated by commas",
    )
