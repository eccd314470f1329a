"""Settings of services that people and programs open over HTTP: the port, TLS, users, proxies."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from pipeline.access.hosts import parse_hosts
from pipeline.access.rootpath import parse_rootpath
from pipeline.access.write_token import check_token
from pipeline.service.settings import Settings
from pipeline.service.values import EVERY_INTERFACE, Address, Bootstrap, Duration, Port, Topic


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


class AccessSettings(Settings):
    """The settings of a service that is opened over HTTP, besides its own."""

    kafkaport: Bootstrap = Field(description="Kafka's address, such as kf1-service:19092")
    topicnamelogouts: Topic = Field(
        "logouts", description="the topic on which the servers with the same users file note logouts"
    )
    displayport: Port = Field(Address("", 8080), description="where the server listens, such as :8080")
    nodeport: Port | None = Field(
        None,
        description="where browsers reach the server, for the log and the link only, such as :30163;"
        " by default DISPLAYPORT",
    )
    maxclients: int = Field(
        1000, ge=1, le=100_000, description="most clients at a time, with two connections each, 1 to 100000"
    )
    maxperaddress: int = Field(
        500, ge=1, le=100_000, description="most connections open from one address, 1 to 100000"
    )
    users: Path | None = Field(
        None, description="the users file (see python -m pipeline.users); without it, everyone sees all"
    )
    openwrites: bool = Field(
        False, description="true if everyone may make changes as long as USERS is not set"
    )
    writetoken: Annotated[SecretStr, AfterValidator(check_token)] = Field(
        SecretStr(""),
        description="the token with which other machines may make changes as long as USERS is not set; by"
        " default a new one at each start",
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

    @property
    def browser_port(self) -> int:
        """The port at which browsers reach the server."""
        return (self.nodeport or self.displayport).port

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        page, health = self.displayport, self.healthport
        hosts = {page.host, health.host}
        if page.port == health.port != 0 and (len(hosts) == 1 or hosts & EVERY_INTERFACE):
            raise ValueError(
                f"expected two different ports, found DISPLAYPORT='{page}' and HEALTHPORT='{health}'"
            )
        return self

    @model_validator(mode="after")
    def _a_certificate_has_a_key(self) -> Self:
        if (self.tlscert is None) != (self.tlskey is None):
            raise ValueError("expected both TLSCERT and TLSKEY, found only one of them")
        return self
