"""The consumer's settings."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import NoDecode

from consumer.handlers import HANDLERS
from consumer.handlers.handler import Options
from pipeline.cameras.settings import CamerasTopicSettings
from pipeline.model_server.login import NO_LOGIN, Login
from pipeline.model_server.url import ModelUrl
from pipeline.service.masking import mask
from pipeline.service.settings import KafkaReads, KafkaWrites, explain
from pipeline.service.values import Address, Bootstrap, Duration, Topic, parse_json_map
from pipeline.wire.frame import Format

_Model = TypeVar("_Model", bound=BaseModel)
_NAME = re.compile(r"([a-z]+)(?:_(\d+))?", re.ASCII)


def handler_of(model: str) -> str:
    """Return the part of a model's name that selects its handler: `imagenet` in `imagenet_1`."""
    return model.partition("_")[0]


def order_of(model: str) -> tuple[int, str]:
    """Return a sort key: the number in a model's name, then the name."""
    return int(model.partition("_")[2] or 0), model


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model's address, the login for it, and the options of its handler."""

    url: ModelUrl
    login: Login
    options: Options


@dataclass(frozen=True, slots=True)
class LabelPlace:
    """A path or URL with labels, and the login for it."""

    place: str = field(repr=False)  # it may hold a password
    login: Login = NO_LOGIN


def _sources(models: object) -> dict[str, ModelSource]:
    """Return the models of a JSON object by name; each is a URL, or an object with `url` and options."""
    fields = parse_json_map(models)
    if not isinstance(fields, dict):
        raise ValueError('expected a JSON object, such as {"imagenet_1": "http://..."}')
    return {name: _source(name, value) for name, value in fields.items()}


def _source(name: str, value: object) -> ModelSource:
    if not _NAME.fullmatch(name) or handler_of(name) not in HANDLERS:
        known = ", ".join(f"{handler}_1" for handler in HANDLERS)
        raise ValueError(f"expected a handler and a number, such as {known}, found {name!r}")
    options = {"url": value} if isinstance(value, str) else value
    if not isinstance(options, dict) or not isinstance(options.get("url"), str):
        raise ValueError(f'{name}: expected a URL, or an object with one, such as {{"url": "http://..."}}')
    try:
        url = ModelUrl.parse(options["url"])
    except ValueError as error:
        raise ValueError(f"{name}: {error}, found {mask(options['url'])!r}") from None
    kind = HANDLERS[handler_of(name)].Options
    own = {key: value for key, value in options.items() if key != "url" and key not in Login.model_fields}
    return ModelSource(url, _login(name, options), _validated(name, kind, own))


def _label_places(labels: object) -> dict[str, LabelPlace]:
    """Return where labels are, by model; each is a path or URL, or an object with `url` and a login."""
    fields = parse_json_map(labels)
    if not isinstance(fields, dict):
        raise ValueError('expected a JSON object, such as {"imagenet_1": "imagenetLabels.json"}')
    return {name: _label_place(name, value) for name, value in fields.items()}


def _label_place(name: str, value: object) -> LabelPlace:
    options = {"url": value} if isinstance(value, str) else value
    if not isinstance(options, dict) or not isinstance(options.get("url"), str):
        raise ValueError(
            f'{name}: expected a path or URL, or an object with one, such as {{"url": "http://..."}}'
        )
    if unknown := sorted(options.keys() - {"url"} - Login.model_fields.keys()):
        known = ", ".join(("url", *Login.model_fields))
        raise ValueError(f"{name}: expected {known}, found {unknown[0]!r}")
    return LabelPlace(options["url"], _login(name, options))


def _login(name: str, options: dict[str, object]) -> Login:
    return _validated(name, Login, {key: options[key] for key in Login.model_fields if key in options})


def _validated(name: str, kind: type[_Model], options: dict[str, object]) -> _Model:
    try:
        return kind.model_validate(options)
    except ValidationError as error:
        raise ValueError(f"{name}: {_explained(error, kind)}") from None


def _explained(error: ValidationError, kind: type[BaseModel]) -> str:
    problem = error.errors()[0]
    option = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        known = ", ".join((*kind.model_fields, *Login.model_fields))
        return f"expected one of the options {known}, found {option!r}"
    if not option or kind is Login:  # whose values are secret
        return f"{option}: {explain(dict(problem))}".removeprefix(": ")
    return f"option {option}={problem['input']!r}: {explain(dict(problem))}"


class ConsumerSettings(KafkaReads, KafkaWrites, CamerasTopicSettings):
    """The consumer's environment variables."""

    topicnamein: Topic = Field("videocam", description="the topic to read")
    topicnameout: Topic = Field("videodisplay", description="the topic to publish to")
    topicnamepredictions: Topic | None = Field(None, description="a topic for the predictions alone, as JSON")
    kafkaportin: Bootstrap = Field(description="Kafka's address to read from, such as kf1-service:19091")
    kafkaportout: Bootstrap = Field(description="Kafka's address to publish to, such as kf1-service:19092")
    topicnamemembers: Topic = Field(
        "members", description="the topic on which the members of a group see each other"
    )
    groupname: str = Field("consumer", min_length=1, description="the group whose members share the cameras")
    modelurls: Annotated[dict[str, ModelSource], NoDecode, BeforeValidator(_sources)] = Field(
        {}, description='a JSON object, such as {"imagenet_1": "http://host:8501/v1/models/imagenet:predict"}'
    )
    labelurls: Annotated[dict[str, LabelPlace], NoDecode, BeforeValidator(_label_places)] = Field(
        {}, description='a JSON object of paths or URLs, such as {"imagenet_1": "imagenetLabels.json"}'
    )
    modeltimeout: Duration = Field(
        2, ge=0.01, le=10, description="how long a model may take to answer, 10ms to 10s"
    )
    maxbatch: int = Field(8, ge=1, le=64, description="most frames in one request, 1 to 64")
    inflight: int = Field(1, ge=1, le=16, description="requests to a model at a time, 1 to 16")
    forgetafter: Duration = Field(
        10, ge=0.1, le=3600, description="age at which an answer is no longer shown, 100ms to 1h"
    )
    jpegquality: int | None = Field(
        None,
        ge=1,
        le=100,
        description="JPEG quality of labelled frames, 1 to 100; by default the frames' own",
    )
    frameformat: Format = Field("jpeg", description="jpeg, or mat for the original system's message")
    modelstreams: bool = Field(
        True,
        description="false if frames that several models label need not carry what their labels cover; then"
        " they have no streams with one model's labels",
    )

    @property
    def services(self) -> tuple[Address, ...]:
        """Our own services, as far as this one knows them: Kafka, the model servers, and its `HEALTHPORT`."""
        kafka = ",".join((self.kafkaportin, self.kafkaportout)).split(",")
        models = [source.url.address for source in self.modelurls.values()]
        return (self.healthport, *map(Address.parse, kafka), *models)

    @model_validator(mode="after")
    def _labels_for_models(self) -> Self:
        for name in self.modelurls:
            if name not in self.labelurls:
                raise ValueError(f"LABELURLS has no entry for {name}, which MODELURLS names")
        return self
