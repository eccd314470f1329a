"""The table of parts, each with its command and its environment."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from compose.cameras import Camera
from compose.options import MODELS, Options
from pipeline.cameras.links import Kind
from pipeline.service.trim import trimmed

_IN, _OUT, _STATUS, _MEMBERS = "videocam", "videodisplay", "status", "members"
_LOGOUTS: Final = "logouts"
_LABELS: Final = "tfserving/labels/imagenetLabels.json"

_PRODUCERS: Final = ("producer.__main__", *(f"producer.sources.{kind}" for kind in Kind))

# Decided by compose, or in conflict with what it decides: not taken from the user's environment.
_DECIDED: Final = {
    "VIDEOLINK",
    "VIDEODEVICE",
    "CAMERANAME",
    "MODELURLS",
    "LABELURLS",
    "DISPLAYPORT",
    "NODEPORT",
    "HEALTHPORT",
    "TOPICNAME",
    "TOPICNAMEIN",
    "TOPICNAMEOUT",
    "TOPICNAMESTATUS",
    "TOPICNAMEMEMBERS",
    "TOPICNAMELOGOUTS",
    "KAFKAPORT",
    "KAFKAPORTIN",
    "KAFKAPORTOUT",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A process to keep running."""

    name: str
    role: Literal["broker", "tfserving", "producer", "consumer", "video"]
    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables that compose sets, whatever the user has set."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Variables that compose sets unless the user has."""
    kafka: tuple[str, ...] = ()
    """Variables for the broker's address; a part that has any is started once the address is known."""
    port: int = 0
    """The local port that answers whether it is ready; 0 for the broker, which prints its address instead."""
    source: str = ""
    """A producer's VIDEOLINK, safe to print."""
    preloads: tuple[str, ...] = ()
    """Modules that several parts have in common: they are imported once for all of these parts."""


def table(options: Options, ports: Iterator[int]) -> list[Part]:
    """Return the parts in starting order; each takes up to two of the free `ports`."""
    common = {"LOGFORMAT": "text"}
    parts, grpc_ports = list[Part](), list[int]()
    if not options.kafka:
        # Our broker delays an empty answer for all of this time, and frames until the next one arrives.
        common["KAFKAFETCHWAIT"] = "5ms"
        parts.append(_broker(len(options.cameras)))
    model_url = options.model_url
    if not options.no_model and not model_url:
        port, *grpc_ports = next(ports), next(ports)
        model_url = f"http://127.0.0.1:{port}/v1/models/imagenet:predict"
        parts.append(_tfserving(port, *grpc_ports))
    paced = {"FRAMEINTERVAL": "40ms", **common}
    # For a single producer, importing modules in another process saves nothing.
    preloads = _PRODUCERS if len(options.cameras) > 1 else ()
    parts += [_producer(camera, next(ports), paced, preloads) for camera in options.cameras]
    parts.append(_consumer(model_url, next(ports), common))
    parts.append(_video(options, next(ports), paced))
    own = ",".join(f":{port}" for port in (options.port, *grpc_ports, *(each.port for each in parts)) if port)
    return [
        replace(part, settings={**part.settings, "OWNSERVICES": own}) if part.role == "producer" else part
        for part in parts
    ]


def page_address(port: int, inherited: Mapping[str, str]) -> str:
    """Return the page's address for browsers on this machine, given the user's environment."""
    cert, root = (trimmed(inherited.get(name, "")) for name in ("TLSCERT", "ROOTPATH"))
    return f"{'https' if cert else 'http'}://127.0.0.1:{port}{root.removesuffix('/')}/"


def environment(part: Part, bootstrap: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return a part's complete environment, given the broker's address and the user's environment."""
    # The services also read lower-case names.
    decided = _DECIDED | part.settings.keys()
    kept = {name: value for name, value in inherited.items() if name.upper() not in decided}
    defaults = {name: value for name, value in part.defaults.items() if not trimmed(kept.get(name, ""))}
    addresses = dict.fromkeys(part.kafka, bootstrap)
    return {**kept, "PYTHONUNBUFFERED": "1", **defaults, **part.settings, **addresses}


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


def _broker(cameras: int) -> Part:
    partitions = max(4, cameras)
    topics = {_IN: partitions, _OUT: partitions, _STATUS: 1, _MEMBERS: 1}
    options = [f"--topic={topic}:{number}" for topic, number in topics.items()]
    return Part("broker", "broker", _module("compose.broker", *options, f"--keep={_LOGOUTS}:1"))


def _tfserving(port: int, grpc_port: int) -> Part:
    addresses = ("--host=127.0.0.1", f"--port={grpc_port}", f"--rest_api_port={port}")
    flags = (*addresses, "--model_name=imagenet", f"--model_base_path={MODELS}")
    return Part("tfserving", "tfserving", _module("tfserving.server", *flags), port=port)


def _producer(camera: Camera, port: int, defaults: Mapping[str, str], preloads: tuple[str, ...]) -> Part:
    return Part(
        f"producer {camera.name}",
        "producer",
        _module("producer"),
        settings={
            "VIDEOLINK": camera.link,
            "CAMERANAME": camera.name,
            "TOPICNAME": _IN,
            "TOPICNAMESTATUS": _STATUS,
            "HEALTHPORT": f"127.0.0.1:{port}",
        },
        defaults=defaults,
        kafka=("KAFKAPORT",),
        port=port,
        source=camera.shown,
        preloads=preloads,
    )


def _consumer(model_url: str, port: int, defaults: Mapping[str, str]) -> Part:
    settings = {
        "TOPICNAMEIN": _IN,
        "TOPICNAMEMEMBERS": _MEMBERS,
        "TOPICNAMEOUT": _OUT,
        "TOPICNAMESTATUS": _STATUS,
        "MODELURLS": json.dumps({"imagenet_1": model_url} if model_url else {}),
        "LABELURLS": json.dumps({"imagenet_1": _LABELS} if model_url else {}),
        "HEALTHPORT": f"127.0.0.1:{port}",
    }
    kafka = ("KAFKAPORTIN", "KAFKAPORTOUT")
    return Part("consumer", "consumer", _module("consumer"), settings, defaults, kafka, port)


def _video(options: Options, port: int, defaults: Mapping[str, str]) -> Part:
    settings = {
        "TOPICNAME": _OUT,
        "TOPICNAMESTATUS": _STATUS,
        "TOPICNAMELOGOUTS": _LOGOUTS,
        "DISPLAYPORT": f":{options.port}",
        "NODEPORT": f":{options.port}",
        "HEALTHPORT": f"127.0.0.1:{port}",
    }
    if options.users:
        settings["USERS"] = options.users
    return Part("video", "video", _module("video"), settings, defaults, ("KAFKAPORT",), port)
