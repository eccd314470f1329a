"""The table of parts, each with its command and its environment."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from compose.options import INT8, MODELS, Options
from compose.trained import OWN
from pipeline.cameras.links import SCHEMES, Kind
from pipeline.service.trim import trimmed

_IN, _OUT, _STATUS, _MEMBERS = "videocam", "videodisplay", "status", "members"
_LOGOUTS: Final = "logouts"
CAMERAS: Final = "cameras"
"""The topic that lists the cameras."""
_LABELS: Final = "tfserving/labels/imagenetLabels.json"

PARTITIONS: Final = 8
"""Partitions of the topics of frames, at least: as many as services create elsewhere (`PARTITIONS`)."""

_NICE: Final = 10  # of trainings: frames and their labels have priority
_PRODUCERS: Final = ("producer.__main__", *(f"producer.sources.{kind}" for kind in Kind))

# Decided by compose, or in conflict with what it decides: not taken from the user's environment.
_DECIDED: Final = {
    "VIDEOLINK",
    "VIDEODEVICE",
    "CAMERANAME",
    "CAMERASTOPIC",
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
    role: Literal["broker", "tfserving", "cameras", "producer", "consumer", "video", "training"]
    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables that compose sets, whatever the user has set."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Variables that compose sets unless the user has."""
    kafka: tuple[str, ...] = ()
    """Variables for the broker's address; a part that has any is started once the address is known."""
    port: int = 0
    """The local port that answers whether it is ready.

    It is 0 for the broker, which prints its address instead, and for what writes the cameras and ends.
    """
    preloads: tuple[str, ...] = ()
    """Modules that several parts have in common: they are imported once for all of these parts."""
    nice: int = 0
    """By how much others have priority: 0 for none, up to 19."""


def table(
    options: Options,
    ports: Iterator[int],
    folder: str = "",
    key: Mapping[str, str] = {},
    trained: str = "",
) -> list[Part]:
    """Return the parts in starting order; they take `most_ports` of the free `ports`, or fewer.

    The broker keeps records in the `folder`; the `key` to the cameras' links is a setting. The model server
    serves what the file `trained` names, if there is one.
    """
    common = {"LOGFORMAT": "text"}
    parts, grpc_ports = list[Part](), list[int]()
    if not options.kafka:
        # Our broker delays an empty answer for all of this time, and frames until the next one arrives.
        common["KAFKAFETCHWAIT"] = "5ms"
        parts.append(_broker(len(options.cameras), folder))
    urls = {"imagenet_1": options.model_url} if options.model_url else {}
    if not options.no_model and not urls:
        for model, (name, models) in _served(options).items():
            port, grpc_port = next(ports), next(ports)
            grpc_ports.append(grpc_port)
            urls[model] = f"http://127.0.0.1:{port}/v1/models/imagenet:predict"
            parts.append(_tfserving(name, models, port, grpc_port, trained if models == MODELS else ""))
    paced = {"FRAMEINTERVAL": "40ms", **common}
    parts.append(_given(options, {**common, **key}))
    # For a single producer, importing modules in another process saves nothing.
    preloads = _PRODUCERS if options.producers > 1 else ()
    for number in range(1, options.producers + 1):
        name = f"producer {number}" if options.producers > 1 else "producer"
        parts.append(_producer(name, next(ports), {**paced, **key}, preloads))
    parts.append(_consumer(urls, next(ports), common))
    parts.append(_video(options, next(ports), {**paced, **key}))
    pages = [options.port]
    if options.training_port:
        pages.append(options.training_port)
        parts.append(_training(options, next(ports), common, folder, is_served=bool(trained)))
    own = ",".join(f":{port}" for port in (*pages, *grpc_ports, *(each.port for each in parts)) if port)
    return [
        replace(part, settings={**part.settings, "OWNSERVICES": own}) if part.role == "producer" else part
        for part in parts
    ]


def most_ports(options: Options) -> int:
    """Return how many ports the parts may take: two per model server, one per other service."""
    return 2 * len(_served(options)) + options.producers + 3


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


def _broker(cameras: int, folder: str) -> Part:
    partitions = max(PARTITIONS, cameras)
    topics = {_IN: partitions, _OUT: partitions, _STATUS: 1, _MEMBERS: 1}
    options = [f"--topic={topic}:{number}" for topic, number in topics.items()]
    kept = [f"--keep={topic}:1" for topic in (_LOGOUTS, CAMERAS)]
    place = {"STATEFOLDER": folder} if folder else {}
    return Part("broker", "broker", _module("compose.broker", *options, *kept), defaults=place)


def _served(options: Options) -> dict[str, tuple[str, str]]:
    """Return the server's name and the folder of its model, by the name that the consumer gives the model."""
    if not options.int8:
        return {"imagenet_1": ("tfserving", MODELS)}
    return {"imagenet_32": ("tfserving", MODELS), "imagenet_8": ("tfserving int8", INT8)}


def _tfserving(name: str, models: str, port: int, grpc_port: int, trained: str) -> Part:
    addresses = ("--host=127.0.0.1", f"--port={grpc_port}", f"--rest_api_port={port}")
    flags: tuple[str, ...] = ("--model_name=imagenet", f"--model_base_path={models}")
    if trained:
        flags = (f"--model_config_file={trained}", "--model_config_file_poll_wait_seconds=5")
    return Part(name, "tfserving", _module("tfserving.server", *addresses, *flags), port=port)


def _given(options: Options, defaults: Mapping[str, str]) -> Part:
    settings = {
        "CAMERASTOPIC": CAMERAS,
        "TOPICNAME": _IN,
        "TOPICNAMESTATUS": _STATUS,
        "GIVENCAMERAS": json.dumps({camera.name: camera.link for camera in options.cameras}),
        "ISDEMO": str(options.is_demo),
    }
    return Part("cameras", "cameras", _module("compose.given"), settings, defaults, kafka=("KAFKAPORT",))


def _producer(name: str, port: int, defaults: Mapping[str, str], preloads: tuple[str, ...]) -> Part:
    return Part(
        name,
        "producer",
        _module("producer"),
        settings={
            "CAMERASTOPIC": CAMERAS,
            # Whoever can write records may read this user's films here: the broker is on loopback only.
            "LINKSCHEMES": ",".join([*SCHEMES, Kind.DEVICE]),
            "TOPICNAME": _IN,
            "TOPICNAMEMEMBERS": _MEMBERS,
            "TOPICNAMESTATUS": _STATUS,
            "HEALTHPORT": f"127.0.0.1:{port}",
        },
        defaults=defaults,
        kafka=("KAFKAPORT",),
        port=port,
        preloads=preloads,
    )


def _consumer(urls: Mapping[str, str], port: int, defaults: Mapping[str, str]) -> Part:
    settings = {
        "CAMERASTOPIC": CAMERAS,
        "TOPICNAMEIN": _IN,
        "TOPICNAMEMEMBERS": _MEMBERS,
        "TOPICNAMEOUT": _OUT,
        "TOPICNAMESTATUS": _STATUS,
        "MODELURLS": json.dumps(urls),
        "LABELURLS": json.dumps(dict.fromkeys(urls, _LABELS)),
        "HEALTHPORT": f"127.0.0.1:{port}",
    }
    kafka = ("KAFKAPORTIN", "KAFKAPORTOUT")
    return Part("consumer", "consumer", _module("consumer"), settings, defaults, kafka, port)


def _video(options: Options, port: int, defaults: Mapping[str, str]) -> Part:
    settings = {
        "CAMERASTOPIC": CAMERAS,
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


def _training(
    options: Options, port: int, defaults: Mapping[str, str], folder: str, *, is_served: bool
) -> Part:
    settings = {
        "TOPICNAMESTATUS": _STATUS,
        "TOPICNAMELOGOUTS": _LOGOUTS,
        "DISPLAYPORT": f":{options.training_port}",
        "NODEPORT": f":{options.training_port}",
        "HEALTHPORT": f"127.0.0.1:{port}",
        # The user's is that of the page with the cameras.
        "ROOTPATH": "",
        "ENDRUNS": "true",
    }
    if options.users:
        settings["USERS"] = options.users
    if is_served:
        settings["BASEMODELS"] = json.dumps({name: str(place) for name, place in OWN.items()})
    kept = {"DATAFOLDER": f"{folder}/training", "MODELSTORE": f"{folder}/models"} if folder else {}
    return Part(
        "training",
        "training",
        _module("training"),
        settings,
        {**defaults, **kept},
        kafka=("KAFKAPORT",),
        port=port,
        nice=_NICE,
    )
