"""The consumer's settings."""

import re
from dataclasses import dataclass
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import NoDecode

from consumer.handlers import HANDLERS
from consumer.handlers.handler import Options
from consumer.model_server.client import GRPC_URL
from pipeline.service.settings import (
    Bootstrap,
    Duration,
    JsonMap,
    KafkaReads,
    KafkaWrites,
    mask,
    parse_json_map,
)
from pipeline.wire.frame import Format

_NAME = re.compile(r"([a-z]+)(?:_(\d+))?", re.ASCII)


def handler_of(model: str) -> str:
    """Return the handler's part of a model's name: `imagenet` of `imagenet_1`."""
    return model.partition("_")[0]


def order_of(model: str) -> tuple[int, str]:
    """Return what sorts models by the numbers in their names."""
    return int(model.partition("_")[2] or 0), model


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model is asked, and what is set for its handler."""

    url: str
    options: Options


def _sources(models: object) -> dict[str, ModelSource]:
    """Return the model of each name in a JSON object: a URL, or an object with `url` and options."""
    fields = parse_json_map(models)
    if not isinstance(fields, dict):
        raise ValueError("a JSON object is wanted")
    return {name: _source(name, value) for name, value in fields.items()}


def _source(name: str, value: object) -> ModelSource:
    if not _NAME.fullmatch(name) or handler_of(name) not in HANDLERS:
        known = ", ".join(f"{handler}_1" for handler in HANDLERS)
        raise ValueError(f"{name!r} names no known handler and a number, such as {known}")
    options = {"url": value} if isinstance(value, str) else value
    if not isinstance(options, dict) or not isinstance(options.get("url"), str):
        raise ValueError(f'{name} has neither a URL nor an object with one, such as {{"url": "http://..."}}')
    url = options["url"]
    if not _is_url(url):
        raise ValueError(
            f"{mask(url)!r} of {name} is no URL such as http://host:8501/v1/models/NAME:predict"
            " or grpc://host:8500/v1/models/NAME"
        )
    try:
        kind = HANDLERS[handler_of(name)].Options
        return ModelSource(url, kind.model_validate({key: options[key] for key in options if key != "url"}))
    except ValidationError as error:
        raise ValueError(f"{name}: {_explained(error, kind)}") from None


def _explained(error: ValidationError, kind: type[Options]) -> str:
    problem = error.errors()[0]
    option = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        return f"{option!r} is none of its options, which are {', '.join(kind.model_fields)}"
    return f"option {option}={problem['input']!r}: {problem['msg']}"


def _is_url(text: str) -> bool:
    try:
        port = urlsplit(text).port
    except ValueError:  # it is no number, or too large a one
        return False
    return port != 0 and bool(re.fullmatch(r"https?://[^/\s@]+/\S+", text) or GRPC_URL.fullmatch(text))


class ConsumerSettings(KafkaReads, KafkaWrites):
    """What the consumer takes from the environment."""

    topicnamein: str = Field("videocam", min_length=1, description="the topic to read")
    topicnameout: str = Field("videodisplay", min_length=1, description="the topic to publish to")
    topicnamepredictions: str = Field(
        "", description="a topic for the predictions alone, as JSON; empty for none"
    )
    kafkaportin: Bootstrap = Field(description="Kafka's address to read from, such as kf1-service:19091")
    kafkaportout: Bootstrap = Field(description="Kafka's address to publish to, such as kf1-service:19092")
    groupname: str = Field("consumer", min_length=1, description="the group whose members share the cameras")
    modelurls: Annotated[dict[str, ModelSource], NoDecode, BeforeValidator(_sources)] = Field(
        {}, description='a JSON object, such as {"imagenet_1": "http://host:8501/v1/models/imagenet:predict"}'
    )
    labelurls: JsonMap = Field(
        {}, description='a JSON object of paths or URLs, such as {"imagenet_1": "imagenetLabels.json"}'
    )
    modeltimeout: Duration = Field(
        2, ge=0.01, le=10, description="how long a model may take to answer, 10ms to 10s"
    )
    maxbatch: int = Field(8, ge=1, le=64, description="frames asked about in one request at most, 1 to 64")
    inflight: int = Field(1, ge=1, le=16, description="requests to a model at a time, 1 to 16")
    forgetafter: Duration = Field(
        10, ge=0.1, le=3600, description="age at which an answer is no longer shown, 100ms to 1h"
    )
    jpegquality: int | None = Field(
        None, ge=1, le=100, description="JPEG quality of labelled frames, 1 to 100; as they came by default"
    )
    frameformat: Format = Field("jpeg", description="jpeg, or mat for the original system's message")

    @model_validator(mode="after")
    def _labels_for_models(self) -> Self:
        for name in self.modelurls:
            if name not in self.labelurls:
                raise ValueError(f"LABELURLS has no entry for {name}, which MODELURLS names")
        return self
