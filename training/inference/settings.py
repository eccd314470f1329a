"""The settings of one replica of an inference: Kafka-ML's variables, and ours."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from pipeline.service.settings import Settings
from pipeline.service.values import Address, Bootstrap, Duration, Port, Topic, parse_json_map
from training.inference.formats import column
from training.inference.urls import model_server

_Json = Annotated[dict[str, Any], NoDecode, BeforeValidator(parse_json_map)]


class InferenceSettings(Settings):
    """The settings of a replica of an inference, read from the environment."""

    input_bootstrap_servers: Bootstrap = Field(
        description="the Kafka with the input topic, such as kf1-service:19092"
    )
    output_bootstrap_servers: Bootstrap = Field(
        description="the Kafka with the output topic, such as kf1-service:19092"
    )
    model_url: str = Field(
        pattern=r"^https?://\S+$",
        description="the trained model, such as http://training:8080/results/model/1",
    )
    model_arch_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="the code of a PyTorch model, such as http://training:8080/results/1",
    )
    result_token: SecretStr = Field(
        SecretStr(""), description="the token that the training service accepts for this inference"
    )
    result_certificate: Path | None = Field(
        None, description="the file with the only certificate to accept from the training service (PEM)"
    )
    input_format: str = Field(description="RAW, AVRO, JPEG, JSON or TELEGRAF_STR_JSON")
    input_config: _Json = Field(description="how values are encoded, as in a control message")
    input_topic: Topic = Field(description="the topic with what is to be predicted")
    output_topic: Topic = Field(description="the topic for the predictions")
    limit: float | None = Field(
        None,
        allow_inf_nan=False,
        description="answers whose largest number is below this go to the upper model; unset: none do",
    )
    output_upper: Topic | None = Field(None, description="the input topic of the upper model")
    upper_bootstrap_servers: Bootstrap | None = Field(
        None, description="the Kafka with the upper model's input topic, such as kf1-service:19092"
    )
    upperaway: Literal["wait", "leave"] = Field(
        "wait",
        description="while that Kafka is away, wait: messages wait; leave: they get this model's answer",
    )
    distributed: bool = Field(False, description="true: the model is a part of a chain")
    group_id: str = Field(min_length=1, description="the consumer group, which all replicas share")
    replicas: int = Field(
        1,
        ge=1,
        le=100,
        description="how many replicas there are: partitions of an input topic that is created",
    )
    framework: Literal["tf", "pth"] = Field("tf", description="tf or pth")
    inference_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="where to report, such as http://training:8080/inferences/1; unset: nowhere",
    )
    modelserver: Annotated[str, BeforeValidator(model_server)] = Field(
        "",
        description="the model on TensorFlow Serving, such as http://tfserving:8501/v1/models/digits:predict;"
        " unset: it runs in this process",
    )
    modeltimeout: Duration = Field(
        60, ge=1, le=3600, description="how long the model may take for a batch, 1s to 1h"
    )
    modelmemory: int = Field(
        0, ge=0, description="bytes of memory for a model in this process; 0: all there is"
    )
    batch: int = Field(512, ge=1, le=10_000, description="most messages that are predicted together")
    healthport: Port = Field(
        Address("127.0.0.1", 0), description="where health and metrics are served; by default a free port"
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.framework == "pth" and self.modelserver:
            raise ValueError("MODELSERVER: TensorFlow Serving has no PyTorch models: leave it unset")
        if self.framework == "pth" and not self.model_arch_url:
            raise ValueError("MODEL_ARCH_URL is not set (the code of the PyTorch model)")
        if (self.input_topic, self.input_bootstrap_servers) == (
            self.output_topic,
            self.output_bootstrap_servers,
        ):
            raise ValueError("OUTPUT_TOPIC: expected another topic than INPUT_TOPIC, its own input")
        if self.limit is not None:
            self._check_upper()
        try:
            column(self.input_format, self.input_config)
        except ValueError as error:
            raise ValueError(f"INPUT_FORMAT and INPUT_CONFIG: {error}") from None
        return self

    def _check_upper(self) -> None:
        if self.output_upper is None or self.upper_bootstrap_servers is None:
            raise ValueError("LIMIT: expected OUTPUT_UPPER and UPPER_BOOTSTRAP_SERVERS, too")
        if self.framework == "pth":
            raise ValueError("LIMIT: PyTorch models have no upper models: leave it unset")
        upper = (self.output_upper, self.upper_bootstrap_servers)
        if upper == (self.input_topic, self.input_bootstrap_servers):
            raise ValueError("OUTPUT_UPPER: expected another topic than INPUT_TOPIC, its own input")
