"""The consumer's settings."""

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from consumer.handlers import HANDLERS
from pipeline.frame import Format
from pipeline.settings import Bootstrap, Duration, JsonMap, Settings, mask

_NAME = re.compile(r"([a-z]+)(?:_(\d+))?", re.ASCII)


def handler_of(model: str) -> str:
    """Return the handler's part of a model's name: `imagenet` of `imagenet_1`."""
    return model.partition("_")[0]


def order_of(model: str) -> tuple[int, str]:
    """Return what sorts models by the numbers in their names."""
    return int(model.partition("_")[2] or 0), model


def _check_models(urls: dict[str, str]) -> dict[str, str]:
    for name, url in urls.items():
        if not _NAME.fullmatch(name) or handler_of(name) not in HANDLERS:
            known = ", ".join(f"{handler}_1" for handler in HANDLERS)
            raise ValueError(f"{name!r} names no known handler and a number, such as {known}")
        if not _is_url(url):
            raise ValueError(
                f"{mask(url)!r} of {name} is no URL such as http://host:8501/v1/models/NAME:predict"
            )
    return urls


def _is_url(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"https?://[^/\s@]+/\S+", text) and urlsplit(text).port != 0)
    except ValueError:  # the port is no number, or too large a one
        return False


class ConsumerSettings(Settings):
    """What the consumer takes from the environment."""

    topicnamein: str = Field("videocam", min_length=1, description="the topic to read")
    topicnameout: str = Field("videodisplay", min_length=1, description="the topic to publish to")
    topicnamepredictions: str = Field(
        "", description="a topic for the predictions alone, as JSON; empty for none"
    )
    kafkaportin: Bootstrap = Field(description="Kafka's address to read from, such as kf1-service:19091")
    kafkaportout: Bootstrap = Field(description="Kafka's address to publish to, such as kf1-service:19092")
    groupname: str = Field("consumer", min_length=1, description="the group whose members share the cameras")
    modelurls: Annotated[JsonMap, AfterValidator(_check_models)] = Field(
        {}, description='a JSON object, such as {"imagenet_1": "http://host:8501/v1/models/imagenet:predict"}'
    )
    labelurls: JsonMap = Field(
        {}, description='a JSON object of paths or URLs, such as {"imagenet_1": "imagenetLabels.json"}'
    )
    modeltimeout: Duration = Field(
        2, ge=0.01, le=10, description="how long a model may take to answer, 10ms to 10s"
    )
    forgetafter: Duration = Field(
        10, ge=0.1, le=3600, description="age at which an answer is no longer shown, 100ms to 1h"
    )
    jpegquality: int = Field(85, ge=1, le=100, description="JPEG quality of labelled frames, 1 to 100")
    frameformat: Format = Field("jpeg", description="jpeg, or mat for the original system's message")
    maxcameras: int = Field(256, ge=1, le=10_000, description="cameras read at most, 1 to 10000")

    @model_validator(mode="after")
    def _labels_for_models(self) -> Self:
        for name in self.modelurls:
            if name not in self.labelurls:
                raise ValueError(f"LABELURLS has no entry for {name}, which MODELURLS names")
        return self
