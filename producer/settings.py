"""The producer's settings."""

import ipaddress
import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from pipeline.cameras import links
from pipeline.cameras.schemes import ON_NETWORKS, Schemes
from pipeline.cameras.settings import CamerasSettings
from pipeline.service.settings import KafkaWrites
from pipeline.service.values import Address, Bootstrap, Duration, FrameInterval, Topic
from pipeline.wire.frame import UNNAMED, Format, is_name

INTERVAL: Final = 0.042
"""The default time between two frames, in s."""


def _check_name(name: str) -> str:
    if not is_name(name):  # readers would skip every frame
        raise ValueError("expected 1 to 200 printable characters")
    return name


def parse_link(link: str) -> str:
    """Return a link as its source takes it: the scheme in lower case, no spaces on the network.

    Raises `LinkError`.
    """
    links.kind_of(link)
    before, is_url, rest = link.partition("://")
    if not is_url:
        return link
    scheme = before.lower()
    # A server would take a space for the end of the address.
    if scheme.startswith(("http", "rtsp")):
        rest = rest.replace(" ", "%20")
    # The zone of a link-local address: [fe80::1%25eth0] as in RFC 6874, but [fe80::1%eth0] for FFmpeg.
    percent = "%25" if scheme.startswith("http") else "%"
    rest = re.sub(r"^([^/?#]*\[[0-9a-fA-F:.]+)%(?:25)?(?=[^]]+\])", rf"\1{percent}", rest)
    return f"{scheme}://{rest}"


def _parse_secret_link(secret: SecretStr) -> SecretStr:
    return SecretStr(parse_link(secret.get_secret_value()))


def _parse_hosts(text: object) -> frozenset[str]:
    if not isinstance(text, str):
        return frozenset(text)  # type: ignore[call-overload,no-any-return]  # the default
    hosts = frozenset(links.host_name(host.strip()) for host in text.split(",") if host.strip())
    for host in hosts:
        if not re.fullmatch(r"[^\s/:@?#\[\]]+", host) and not _is_ipv6(host):
            raise ValueError("expected names of hosts without scheme and port, such as nvr.local,192.168.1.9")
    return hosts


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _parse_services(text: object) -> tuple[Address, ...]:
    if not isinstance(text, str):
        return tuple(text)  # type: ignore[arg-type]  # the default
    try:
        return tuple(Address.parse(each.strip()) for each in text.split(",") if each.strip())
    except ValueError:
        raise ValueError("expected addresses with ports, such as :30163,tfserving:8501") from None


Hosts = Annotated[frozenset[str], NoDecode, BeforeValidator(_parse_hosts)]
"""Names or addresses of hosts, in lower case."""

Services = Annotated[tuple[Address, ...], NoDecode, BeforeValidator(_parse_services)]
"""Addresses of services. One without a host is at every address of this machine."""

Link = Annotated[SecretStr, AfterValidator(_parse_secret_link)]
"""A camera's URL, path or device. It may hold a password."""


class ProducerSettings(KafkaWrites, CamerasSettings):
    """The producer's settings, read from the environment."""

    videolink: Link = Field(
        SecretStr(""), description="an RTSP or HTTP URL, a video file, or a device such as /dev/video0"
    )
    videodevice: Link = Field(
        SecretStr(""), description="a device such as 0 or /dev/video0, used if VIDEOLINK is not set"
    )
    cameraname: Annotated[str, AfterValidator(_check_name)] = Field(
        UNNAMED, description="the camera's name, which becomes the key of its messages"
    )
    frameinterval: FrameInterval = Field(
        INTERVAL,
        description="time between two frames, such as 42ms; up to 1h, and 0 or less than 1ms means 1ms",
    )
    topicname: Topic = Field("videocam", description="the topic to publish to")
    kafkaport: Bootstrap = Field(description="the address of Kafka, such as kf1-service:19091")
    imagescalex: float = Field(1, gt=0, le=8, description="factor for the width, above 0, at most 8")
    imagescaley: float = Field(1, gt=0, le=8, description="factor for the height, above 0, at most 8")
    rotate: int = Field(0, description="degrees to turn the picture clockwise: 0, 90, 180 or 270")
    jpegquality: int | None = Field(
        None,
        ge=1,
        le=100,
        description="JPEG quality, 1 to 100; by default 85, and a camera's own JPEGs stay unchanged",
    )
    frameformat: Format = Field("jpeg", description="jpeg, or mat for the original system's format")
    redirecthosts: Hosts = Field(
        frozenset(), description="other hosts to which a camera may redirect, separated by commas"
    )
    ownservices: Services = Field(
        (), description="the addresses of other services of Streamlens, to which no camera may lead"
    )
    opentimeout: Duration = Field(
        20, ge=1, le=120, description="time that opening the camera may take, 1s to 120s"
    )
    frozenafter: Duration = Field(
        5,
        ge=0.5,
        le=600,
        description="least time without a new frame after which the camera is reopened, 500ms to 10m",
    )

    linkschemes: Schemes = Field(
        ON_NETWORKS,
        description="the schemes of links in CAMERASTOPIC that may be opened, such as rtsp,http,file,device",
    )
    demolink: Link = Field(
        SecretStr(""),
        description="a film that is added to CAMERASTOPIC, named like the file, while it lists no camera",
    )
    topicnamemembers: Topic = Field("members", description="the topic on which producers see each other")
    groupname: str = Field("producer", min_length=1, description="the group whose members share the cameras")

    @field_validator("rotate")
    @classmethod
    def _quarters(cls, degrees: int) -> int:
        if degrees not in (0, 90, 180, 270):
            raise ValueError("expected 0, 90, 180 or 270")
        return degrees

    @model_validator(mode="after")
    def _a_source(self) -> Self:
        if self.camerastopic is None and not self.source:
            raise ValueError(
                "set VIDEOLINK (an RTSP or HTTP URL, or a file), VIDEODEVICE (a device), or CAMERASTOPIC (the"
                " topic that lists the cameras)"
            )
        taken = {"TOPICNAME": self.topicname, "TOPICNAMESTATUS": self.topicnamestatus}
        taken["TOPICNAMEMEMBERS"] = self.topicnamemembers
        for name, topic in taken.items():
            if topic == self.camerastopic:
                raise ValueError(f"CAMERASTOPIC and {name} are both '{topic}': each needs a topic of its own")
        return self

    @property
    def services(self) -> tuple[Address, ...]:
        """Our own services, as far as this one knows them."""
        return (self.healthport, *map(Address.parse, self.kafkaport.split(",")), *self.ownservices)

    @property
    def source(self) -> str:
        """The URL, path or device to open. It may hold a password, so mask it before printing it."""
        return self.videolink.get_secret_value() or self.videodevice.get_secret_value()
