"""Types of the values of settings: durations, addresses, topics, JSON objects."""

import json
import re
from fractions import Fraction
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

_SHORTEST_INTERVAL: Final = 0.001  # s between two frames
_ESCAPED_OBJECT: Final = re.compile(r'\{\s*\\"')
_LONGEST_TOPIC: Final = 249  # characters, Kafka's limit
_UNITS: Final = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),  # the micro sign
    "μs": Fraction(1, 10**6),  # the Greek letter
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}
_ADDRESS: Final = re.compile(
    r"(?:\[(?P<ipv6>[0-9a-fA-F:.]+(?:%[^][\s]+)?)\]|(?P<host>[^][\s:]*)):(?P<port>[0-9]{1,5})"
)
_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def parse_duration(text: object) -> object:
    """Return the seconds of a Go duration such as `42ms`, `1.5s` or `1h10m`; raise ValueError for other text.

    The syntax is that of Go's time.ParseDuration. Anything but a string passes unchanged.
    """
    if not isinstance(text, str):
        return text
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    parts = list(_PART.finditer(rest))
    if not parts or "".join(part[0] for part in parts) != rest:
        raise ValueError("expected a Go duration such as 42ms")
    try:
        return float(sign * sum(Fraction(part[1].rstrip(".")) * _UNITS[part[2]] for part in parts))
    except OverflowError:
        raise ValueError("the duration is too long") from None


def parse_json_map(text: object) -> object:
    """Return the dict of a JSON object; raise ValueError for other text. Anything else passes unchanged.

    Its quotes may all be escaped with backslashes, as for a shell.
    """
    if not isinstance(text, str):
        return text
    try:
        fields = json.loads(json.loads(f'"{text}"', strict=False) if _ESCAPED_OBJECT.match(text) else text)
        json.dumps(fields, ensure_ascii=False).encode()  # raises ValueError for half a surrogate pair
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a JSON object, found invalid JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError('expected a JSON object such as {"name": "value"}')
    return fields


EVERY_INTERFACE: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 # hosts to listen on
"""Hosts of an address that stand for all interfaces, when a service listens there."""


class Address(NamedTuple):
    """A host and a port. To listen on, an empty host means every interface, with IPv4 and IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the parts of `host:8080`, `[fd00::1]:8080` or `:8080`; raise ValueError for other text."""
        parts = _ADDRESS.fullmatch(text)
        if parts is None or int(parts["port"]) > 65_535:
            raise ValueError("expected a port such as :8080, or 127.0.0.1:8080, or [::1]:8080")
        return cls(parts["ipv6"] or parts["host"] or "", int(parts["port"]))


def parse_address(text: object) -> object:
    """Return the `Address` in a text such as `:8080`; raise ValueError for other text.

    Anything but a string passes unchanged.
    """
    return Address.parse(text) if isinstance(text, str) else text


def _parse_bootstrap(text: str) -> str:
    addresses = [address.strip() for address in text.split(",")]
    if not all(_is_host_and_port(address) for address in addresses):
        raise ValueError("expected host:port, or [fd00::1]:port, several separated by commas")
    return ",".join(addresses)


def _is_host_and_port(text: str) -> bool:
    try:
        return bool(Address.parse(text).host)
    except ValueError:
        return False


def check_topic(name: str) -> str:
    """Return the name of a topic; raise ValueError if Kafka does not allow it."""
    if name in (".", "..") or not re.fullmatch(rf"[a-zA-Z0-9._-]{{1,{_LONGEST_TOPIC}}}", name):
        raise ValueError(
            f"expected a topic's name: 1 to {_LONGEST_TOPIC} letters (a-z, A-Z), digits, '.', '_' and '-',"
            " but not '.' or '..'"
        )
    return name


Duration = Annotated[float, BeforeValidator(parse_duration)]
"""Seconds, given as a Go duration."""

FrameInterval = Annotated[
    Duration, Field(ge=0, le=3600), AfterValidator(lambda interval: max(interval, _SHORTEST_INTERVAL))
]
"""Seconds between two frames, at most an hour. Times below 1 ms, such as 0 for every frame, become 1 ms."""

JsonMap = Annotated[dict[str, str], NoDecode, BeforeValidator(parse_json_map)]
"""A map from names to strings, given as a JSON object."""

Port = Annotated[Address, NoDecode, BeforeValidator(parse_address)]
"""An address to listen on, given as `:8080`."""

Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]

Bootstrap = Annotated[str, AfterValidator(_parse_bootstrap)]
"""Kafka's address: `host:port`, or several separated by commas."""

Topic = Annotated[str, AfterValidator(check_topic)]
"""The name of a topic, as Kafka allows it."""
