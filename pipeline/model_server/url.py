"""A model's URL, parsed once, when the settings are read."""

import re
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from pipeline.service.values import Address

_URL: Final = re.compile(r"(?P<scheme>(?i:https?|grpcs?))://(?P<host>[^/\s@]+)(?P<path>/\S+)")
_MODEL: Final = re.compile(
    r"/v1/models/(?P<name>[^/:?]+)(?:/versions/(?P<version>\d{1,18})|/labels/(?P<label>[^/:?]+))?(?::predict)?"
)
_EXPECTED: Final = (
    "expected a URL such as http://host:8501/v1/models/NAME:predict or grpc://host:8500/v1/models/NAME"
)

_NO_LOGIN: Final = (
    "expected a URL without a user and a password: set the options user and password (or password_file)"
    " beside url"
)


@dataclass(frozen=True, slots=True)
class ModelUrl:
    """The address of a model on a model server.

    The scheme is `http`, `https`, `grpc` or `grpcs`; `host` includes the port if the URL has one; `path` is
    what a REST request asks for. `name`, and `version` or `label`, are those in a path that has TensorFlow
    Serving's form. A gRPC URL always has it; over HTTP any other path works too, and then the name is empty.
    """

    scheme: str
    host: str
    path: str = field(repr=False)  # it may hold a token
    name: str = ""
    version: int | None = None
    label: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the parts of a URL; raise ValueError, without quoting it, if it is not a model's."""
        parts = _URL.fullmatch(text)
        if parts is None or not _has_valid_port(text):
            raise ValueError(_NO_LOGIN if "@" in text else _EXPECTED)
        scheme, host, path = parts["scheme"].lower(), parts["host"], parts["path"]
        model, is_grpc = _MODEL.fullmatch(path), scheme.startswith("grpc")
        if model is None:
            if is_grpc:
                raise ValueError(_EXPECTED)
            return cls(scheme, host, path)
        if not is_grpc and not path.endswith(":predict"):
            raise ValueError("expected :predict at the end of a URL of a model over HTTP")
        version = int(model["version"]) if model["version"] else None
        return cls(scheme, host, path, unquote(model["name"]), version, unquote(model["label"] or ""))

    @property
    def text(self) -> str:
        """The URL as it was written, with its scheme in lower case."""
        return f"{self.scheme}://{self.host}{self.path}"

    @property
    def address(self) -> Address:
        """The host and port."""
        parts = urlsplit(f"//{self.host}")
        return Address(parts.hostname or "", parts.port or (443 if self.scheme.endswith("s") else 80))


def _has_valid_port(text: str) -> bool:
    try:
        return urlsplit(text).port != 0
    except ValueError:  # not a number, or too large
        return False
