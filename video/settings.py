"""The video server's settings."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from pipeline.service.settings import Address, Bootstrap, Duration, KafkaReads, Port
from video.access.rootpath import parse_rootpath


def parse_networks(text: object) -> object:
    """Return addresses and networks with commas between, tidied; raise ValueError for others."""
    if not isinstance(text, str) or not text:
        return text
    names = [name.strip() for name in text.split(",")]
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError as error:
            raise ValueError(f"{error}; addresses or networks are wanted, such as 10.0.0.0/8") from None
    return ",".join(names)


class VideoSettings(KafkaReads):
    """What the video server takes from the environment."""

    topicname: str = Field("videodisplay", min_length=1, description="the topic to show")
    kafkaport: Bootstrap = Field(description="Kafka's address, such as kf1-service:19092")
    groupname: str = Field("video", min_length=1, description="first part of the Kafka group's name")
    displayport: Port = Field(Address("", 8080), description="where pictures are served, such as :8080")
    nodeport: Port = Field(
        Address("", 30163), description="where browsers reach the server, only printed, such as :30163"
    )
    shareport: bool = Field(
        False, description="true where several processes listen on the same port; the system spreads clients"
    )
    frameinterval: Duration = Field(
        0.042, ge=0.001, le=3600, description="least time between two frames of a stream, 1ms to 1h"
    )
    nosignalafter: Duration = Field(
        2.5, ge=0.2, le=3600, description="time without a frame until a camera has no signal, 200ms to 1h"
    )
    staleafter: Duration = Field(
        5, ge=0.1, le=3600, description="age of an answer from which a label is stale, 100ms to 1h"
    )
    maxclients: int = Field(
        1000, ge=1, le=100_000, description="streams and sockets open at a time at most, 1 to 100000"
    )
    clienttimeout: Duration = Field(
        30, ge=1, le=3600, description="time for which a client may read nothing until it is closed, 1s to 1h"
    )
    maxevents: int = Field(
        500, ge=1, le=100_000, description="changes of labels kept for each camera, 1 to 100000"
    )
    snapshotmemory: int = Field(
        32, ge=0, le=100_000, description="MB of pictures kept with the changes of labels, 0 to 100000"
    )
    users: Path | None = Field(
        None, description="the file of the users (python -m video.users); without it all may see all"
    )
    sessionlength: Duration = Field(
        30 * 24 * 3600, ge=60, le=366 * 24 * 3600, description="how long a login holds, 1m to 8784h"
    )
    tlscert: Path | None = Field(None, description="the certificate's file (PEM), with TLSKEY, for https")
    tlskey: Path | None = Field(None, description="the file of the certificate's key (PEM)")
    rootpath: Annotated[str, BeforeValidator(parse_rootpath)] = Field(
        "", description="the path below which a proxy shows the page, such as /cameras"
    )
    trustedproxies: Annotated[str, BeforeValidator(parse_networks)] = Field(
        "", description="addresses or networks of proxies whose X-Forwarded-... headers are believed"
    )

    @model_validator(mode="after")
    def _a_certificate_has_a_key(self) -> Self:
        if (self.tlscert is None) != (self.tlskey is None):
            raise ValueError("TLSCERT and TLSKEY are only of use together")
        return self
