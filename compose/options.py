"""The command line: what it may say, and whether what it says can be had on this machine."""

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from compose import cameras, network
from compose.cameras import Camera
from compose.errors import OptionsError
from pipeline.service.settings import mask

ROOT: Final = Path(__file__).parent.parent
MODELS: Final = "build/models/imagenet"

_PREDICT: Final = "/v1/models/imagenet:predict"
_DESCRIPTION: Final = (
    "Start the whole system on this machine, without Docker: broker, model server and services."
)
_EXAMPLES: Final = """\
examples:
  python -m compose
      a film clip as the camera, labelled, at http://127.0.0.1:30163/
  python -m compose --camera door=rtsp://user:password@192.168.1.20/stream1 --camera yard=yard.mp4
      a camera on the network, and a film
  python -m compose --no-model --port 8080
      the video alone, somewhere else
  python -m compose --kafka kafka1:9092,kafka2:9092 --tfserving http://models:8501
      with a Kafka and a TensorFlow Serving that run already
  python -m video.users --file users.json add ann
  python -m compose --users users.json
      only for ann, who is asked for the password

Settings of the services, such as FRAMEINTERVAL=100ms, JPEGQUALITY=70, TLSCERT=cert.pem or ROOTPATH=/cameras,
are taken from the environment.
Ctrl-C ends everything, a second one at once.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be started."""

    cameras: tuple[Camera, ...]
    port: int
    kafka: str
    """The bootstrap servers; empty for the embedded broker."""
    model_url: str
    """Where to ask the model; empty for the stand-in server, or for none."""
    no_model: bool
    seconds: float | None
    users: str
    """The full path of the users file; empty where none is given."""


def read(arguments: Sequence[str]) -> Options:
    """Return the options, checked; raise `OptionsError` where one is wrong or what it names is not there."""
    found, rest = _parser().parse_known_args(arguments)
    if rest:
        raise OptionsError(f"unknown: {' '.join(map(mask, rest))} (--help lists the options)")
    options = Options(
        cameras=cameras.check(found.camera or [cameras.clip()]),
        port=found.port,
        kafka=found.kafka or "",
        model_url=found.tfserving or "",
        no_model=found.no_model,
        seconds=found.seconds,
        users=found.users or "",
    )
    _check(options)
    return options


def _check(options: Options) -> None:
    network.check_port(options.port)
    if options.kafka:
        hosts = [address.rpartition(":") for address in options.kafka.split(",")]
        network.check_reachable("--kafka", [(host, int(port)) for host, _, port in hosts])
    if options.model_url:
        url = urlsplit(options.model_url)
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        network.check_reachable("--tfserving", [(url.hostname or "", port)])
    elif not options.no_model and not any((ROOT / MODELS).glob("[0-9]*/saved_model.pb")):
        raise OptionsError(
            f"the model is missing in {MODELS}: make install makes it (or go without: --no-model)"
        )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m compose",
        allow_abbrev=False,
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    text = "a camera: URL, file, device or its number; may be repeated (default: the film clip bikes)"
    add("--camera", type=cameras.parse, action="append", metavar="NAME=VIDEOLINK", help=text)
    add("--port", type=_port, default=30163, help="where browsers find the video (default: 30163)")
    text = "a Kafka that runs already, several addresses with commas between (default: a broker of our own)"
    add("--kafka", type=_kafka, metavar="HOST:PORT", help=text)
    models = parser.add_mutually_exclusive_group()
    text = "a model server that runs already, http://host:8501 or a full ...:predict URL (default: our own)"
    models.add_argument("--tfserving", type=_tfserving, metavar="URL", help=text)
    models.add_argument("--no-model", action="store_true", help="video without labels")
    text = "ask for a login; python -m video.users makes the file (default: who reaches the port sees all)"
    add("--users", type=_users, metavar="FILE", help=text)
    add("--seconds", type=_seconds, metavar="N", help="stop by itself after that time")
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise OptionsError(message)


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or not 1 <= int(text) <= 65_535:
        raise OptionsError(f"--port {text!r}: a port from 1 to 65535 is wanted")
    return int(text)


def _users(text: str) -> str:
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise OptionsError(
            f"--users {text!r}: there is no such file; python -m video.users --file FILE add NAME makes one"
        )
    return str(path)


def _seconds(text: str) -> float:
    wrong = f"--seconds {text!r}: a number of seconds, 0 or more, is wanted"
    try:
        seconds = float(text)
    except ValueError:
        raise OptionsError(wrong) from None
    if not math.isfinite(seconds) or seconds < 0:
        raise OptionsError(wrong)
    return seconds


def _kafka(text: str) -> str:
    for address in text.split(","):
        host, _, port = address.rpartition(":")
        # As the services take it.
        if not re.fullmatch(r"[^\s,:]+", host) or not re.fullmatch(r"\d{1,5}", port, re.ASCII):
            raise OptionsError(f"--kafka {text!r}: HOST:PORT is wanted, several with commas between")
        if not 1 <= int(port) <= 65_535:
            raise OptionsError(f"--kafka {text!r}: a port is a number from 1 to 65535")
    return text


def _tfserving(text: str) -> str:
    wrong = (
        f"--tfserving {mask(text)!r}: a URL such as http://host:8501 or http://host:8501{_PREDICT} is wanted"
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
