"""The video server's settings."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from pipeline.access.embedding import parse_origin
from pipeline.access.hosts import parse_hosts
from pipeline.access.rootpath import parse_rootpath
from pipeline.access.write_token import check_token
from pipeline.cameras.schemes import Schemes
from pipeline.cameras.settings import CamerasSettings
from pipeline.service.settings import KafkaReads
from pipeline.service.values import Address, Bootstrap, Duration, FrameInterval, Port, Topic

_ORIGIN: Final = re.compile(
    r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?/?", re.ASCII | re.IGNORECASE
)
_EVERY_INTERFACE: Final = {"", "0.0.0.0", "::"}  # noqa: S104 # hosts to listen on


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


def parse_networks(text: object) -> object:
    """Return comma-separated addresses and networks without spaces; raise ValueError for anything else."""
    if not isinstance(text, str) or not text:
        return text
    names = [name.strip() for name in text.split(",")]
    for name in names:
        try:
            ipaddress.ip_network(name)
        except ValueError:
            raise ValueError(f"expected {_network_in(name)}, found {name!r}") from None
    return ",".join(names)


def _network_in(text: str) -> str:
    """Return what to write in place of a text that is not a network."""
    try:
        return f"the network {ipaddress.ip_network(text, strict=False)} or a single address"
    except ValueError:
        return "addresses or networks such as 10.0.0.0/8"


class VideoSettings(KafkaReads, CamerasSettings):
    """The settings of the video server, read from the environment."""

    topicname: Topic = Field("videodisplay", description="the topic with the frames to show")
    topicnamelogouts: Topic = Field(
        "logouts", description="the topic on which the servers with the same users file note logouts"
    )
    kafkaport: Bootstrap = Field(description="Kafka's address, such as kf1-service:19092")
    groupname: str = Field("video", min_length=1, description="the name of a group that is not formed")
    displayport: Port = Field(Address("", 8080), description="where the server listens, such as :8080")
    nodeport: Port = Field(
        Address("", 30163), description="where browsers reach the server, for the log only, such as :30163"
    )
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
    maxperaddress: int = Field(
        500, ge=1, le=100_000, description="most connections open from one address, 1 to 100000"
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
    users: Path | None = Field(
        None,
        description="the users file (see python -m video.users); without it, everyone sees every camera",
    )
    openwrites: bool = Field(
        False, description="true if everyone may change cameras as long as USERS is not set"
    )
    writetoken: Annotated[SecretStr, AfterValidator(check_token)] = Field(
        SecretStr(""),
        description="the token with which other machines may change cameras as long as USERS is not set; by"
        " default a new one at each start",
    )
    linkschemes: Schemes = Field(
        frozenset({"rtsp", "rtsps", "rtsp+udp", "http", "https"}),
        description="kinds of links that cameras may be given: schemes, file and device, separated by commas",
    )
    sessionlength: Duration = Field(
        30 * 24 * 3600, ge=60, le=366 * 24 * 3600, description="how long a login is valid, 1m to 8784h"
    )
    tlscert: Path | None = Field(None, description="the certificate file (PEM) for HTTPS; requires TLSKEY")
    tlskey: Path | None = Field(None, description="the file with the certificate's private key (PEM)")
    rootpath: Annotated[str, BeforeValidator(parse_rootpath)] = Field(
        "", description="the path under which a proxy publishes the page, such as /cameras"
    )
    trustedproxies: Annotated[str, BeforeValidator(parse_networks)] = Field(
        "", description="addresses or networks of proxies whose X-Forwarded-* headers are trusted"
    )

    allowedhosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_hosts)] = Field(
        (),
        description="names under which browsers may open the page without logins, such as cams.example or"
        " *.cams.example, separated by commas",
    )
    embedorigins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_origins)] = Field(
        (),
        description="sites whose pages may show and read pictures, such as"
        " https://dashboard.example:8123, separated by commas",
    )

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        page, health = self.displayport, self.healthport
        hosts = {page.host, health.host}
        if page.port == health.port != 0 and (len(hosts) == 1 or hosts & _EVERY_INTERFACE):
            raise ValueError(
                f"expected two different ports, found DISPLAYPORT='{page}' and HEALTHPORT='{health}'"
            )
        return self

    @model_validator(mode="after")
    def _a_certificate_has_a_key(self) -> Self:
        if (self.tlscert is None) != (self.tlskey is None):
            raise ValueError("expected both TLSCERT and TLSKEY, found only one of them")
        return self
