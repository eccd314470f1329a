"""The command line, checked: what it names must exist, and the addresses it gives must answer."""

import argparse
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from compose import cameras, network
from compose.cameras import Camera
from compose.errors import OptionsError
from pipeline.service.masking import mask
from pipeline.service.values import Address

ROOT: Final = Path(__file__).parent.parent
MODELS: Final = "build/models/imagenet"
INT8: Final = f"{MODELS}_int8"
"""The same model with kernels of eight bits, for `--int8`."""

_PREDICT: Final = "/v1/models/imagenet:predict"
_DESCRIPTION: Final = (
    "Start the whole system on this machine, without Docker: broker, model server and services."
)
_EXAMPLES: Final = """\
examples:
  python -m compose
      a film clip as the camera, labelled, at http://127.0.0.1:30163/
  python -m compose --camera door=rtsp://192.168.1.20/stream1 --camera yard=yard.mp4
      a network camera, and a film
  python -m compose --cameras cameras.txt
      those in a file, such as door=rtsp://user:password@192.168.1.20/stream1: one per line
  python -m compose --no-model --port 8080
      only the video, without labels, on another port
  python -m compose --no-training
      without the service that trains models
  python -m compose --kafka kafka1:9092,kafka2:9092 --tfserving http://models:8501
      with a Kafka and a TensorFlow Serving that are already running
  python -m pipeline.users --file users.json add ann
  python -m compose --users users.json
      only for user ann, with a password

Settings of the services, such as FRAMEINTERVAL=100ms, JPEGQUALITY=70, TLSCERT=cert.pem or ROOTPATH=/cameras,
are taken from the environment.
Ctrl-C stops everything in order; a second Ctrl-C stops it immediately.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """A checked command line."""

    cameras: tuple[Camera, ...]
    port: int
    kafka: str
    """The bootstrap servers; empty for the embedded broker."""
    model_url: str = field(repr=False)
    """The model's URL; empty for the stand-in server, or without a model."""
    no_model: bool
    seconds: float | None
    users: str
    """The full path of the users file, or empty."""
    producers: int = 1
    """How many producers share the cameras."""
    is_demo: bool = False
    """Whether the cameras are only the film clip that stands in if there are no others."""
    int8: bool = False
    """Whether the model labels in two precisions, side by side."""
    training_port: int = 0
    """The port of the training service, or 0 without it."""


def read(arguments: Sequence[str]) -> Options:
    """Return the options; raise `OptionsError` if one is wrong or something that it names is missing."""
    found, rest = _parser().parse_known_args(arguments)
    if rest:
        raise OptionsError(f"unexpected: {' '.join(map(mask, rest))} (--help lists the options)")
    given = [*found.camera, *found.cameras, *cameras.from_environment(os.environ)]
    options = Options(
        cameras=cameras.check(given or [cameras.clip()]),
        port=found.port,
        kafka=found.kafka or "",
        model_url=found.tfserving or "",
        no_model=found.no_model,
        seconds=found.seconds,
        users=found.users or "",
        producers=found.producers,
        is_demo=not given,
        int8=found.int8,
        training_port=0 if found.no_training else found.training_port,
    )
    _check(options)
    return options


def _check(options: Options) -> None:
    network.check_port(options.port)
    if options.training_port:
        _check_training_port(options)
    if options.kafka:
        network.check_reachable("--kafka", [Address.parse(text) for text in options.kafka.split(",")])
    if options.model_url:
        url = urlsplit(options.model_url)
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        network.check_reachable("--tfserving", [Address(url.hostname or "", port)])
    elif not options.no_model and not _has_model(MODELS):
        raise OptionsError(
            f"no model in {MODELS}: build it with make install, or do without labels: --no-model"
        )
    if options.int8 and not _has_model(INT8):
        raise OptionsError(
            f"no model in {INT8}: build it with python -m tfserving.export {INT8} --precision int8"
        )


def _check_training_port(options: Options) -> None:
    if options.training_port == options.port:
        raise OptionsError(
            f"--port and --training-port are both {options.port}: choose another, or --no-training"
        )
    network.check_port(options.training_port, "--training-port", "leave it out: --no-training")


def _has_model(folder: str) -> bool:
    return any((ROOT / folder).glob("[0-9]*/saved_model.pb"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m compose",
        allow_abbrev=False,
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    text = (
        "a camera: URL, file, device or its number; repeatable; kept for later runs"
        " (default: those kept, or the film clip bikes)"
    )
    add("--camera", type=cameras.parse, action="append", default=[], metavar="NAME=VIDEOLINK", help=text)
    text = (
        "a file with a camera per line, NAME=VIDEOLINK: for links with passwords, which others can see here"
    )
    add("--cameras", type=cameras.listed, action="extend", default=[], metavar="FILE", help=text)
    text = "how many producers share the cameras (default: 1)"
    add("--producers", type=_producers, default=1, metavar="N", help=text)
    add("--port", type=_port, default=30163, help="the port of the page (default: 30163)")
    training = parser.add_mutually_exclusive_group()
    text = "the port of the training service (default: 30164)"
    training.add_argument("--training-port", type=_training_port, default=30164, metavar="PORT", help=text)
    training.add_argument("--no-training", action="store_true", help="no training service")
    text = "a Kafka that is already running; separate addresses with commas (default: an embedded broker)"
    add("--kafka", type=_kafka, metavar="HOST:PORT", help=text)
    models = parser.add_mutually_exclusive_group()
    text = "a running model server, http://host:8501 or a full ...:predict URL (default: the stand-in server)"
    models.add_argument("--tfserving", type=_tfserving, metavar="URL", help=text)
    models.add_argument("--no-model", action="store_true", help="video without labels")
    text = "label with the model in two precisions, float32 and int8, side by side"
    models.add_argument("--int8", action="store_true", help=text)
    text = "require a login; create the file with python -m pipeline.users (default: open to everyone)"
    add("--users", type=_users, metavar="FILE", help=text)
    add("--seconds", type=_seconds, metavar="N", help="stop after N seconds")
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise OptionsError(message)


def _is_port(text: str) -> bool:
    return re.fullmatch(r"\d{1,5}", text, re.ASCII) is not None and 1 <= int(text) <= 65_535


def _port(text: str, option: str = "--port") -> int:
    if not _is_port(text):
        raise OptionsError(f"{option} {text!r}: expected a port from 1 to 65535")
    return int(text)


def _training_port(text: str) -> int:
    return _port(text, "--training-port")


def _producers(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", text) or int(text) < 1:
        raise OptionsError(f"--producers {text!r}: expected a number from 1 to 99")
    return int(text)


def _users(text: str) -> str:
    path = os.path.abspath(os.path.expanduser(text))
    if not os.path.exists(path):
        raise OptionsError(
            f"--users {text!r}: no such file; create it with python -m pipeline.users --file FILE add NAME"
        )
    if not os.path.isfile(path):
        raise OptionsError(f"--users {text!r}: expected a file, found a directory or a device")
    return path


def _seconds(text: str) -> float:
    wrong = f"--seconds {text!r}: expected a number of seconds, 0 or more"
    try:
        seconds = float(text)
    except ValueError:
        raise OptionsError(wrong) from None
    if not math.isfinite(seconds) or seconds < 0:
        raise OptionsError(wrong)
    return seconds


def _kafka(text: str) -> str:
    try:
        addresses = [Address.parse(address) for address in text.split(",")]  # as the services read it
    except ValueError:
        addresses = []
    if not addresses or not all(address.host and address.port for address in addresses):
        raise OptionsError(f"--kafka {mask(text)!r}: expected HOST:PORT, or several separated by commas")
    return text


def _tfserving(text: str) -> str:
    wrong = (
        f"--tfserving {mask(text)!r}: expected a URL such as http://host:8501 or http://host:8501{_PREDICT}"
    )
    try:
        url = urlsplit(text)
        usable = url.scheme in {"http", "https"} and url.hostname and url.port != 0
    except ValueError:
        raise OptionsError(wrong) from None
    if not usable or url.query or url.fragment or re.search(r"\s", text):
        raise OptionsError(wrong)
    if url.path.endswith(":predict"):
        return text
    if "/v1/models" in url.path:
        raise OptionsError(wrong)
    return text.rstrip("/") + _PREDICT
