"""The settings of a job that trains a chain: lists in place of one result, and how all parts are trained."""

import ast
import json
import re
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from training.job.settings import JobSettings

_URL: Final = re.compile(r"https?://\S+/results/(\d+)")


def _listed(text: object) -> list[Any]:
    """Return the items of a list, lowest part first; raise ValueError if it is not a literal of Python."""
    try:
        found = ast.literal_eval(text) if isinstance(text, str) else text
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        found = None
    if not isinstance(found, list) or not found:
        raise ValueError("expected a list as Python writes it, with one item for each part, lowest first")
    return found


def _urls(text: str) -> str:
    for each in _listed(text):
        if not isinstance(each, str) or not _URL.fullmatch(each):
            raise ValueError(f"expected URLs such as http://training:8080/results/1, found {each!r}")
    return text


def _names(text: str) -> str:
    if not all(isinstance(each, str) and each for each in _listed(text)):
        raise ValueError("expected names of models")
    return text


def _weights(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        raise ValueError("expected numbers as JSON, such as [1, 0.5]") from None


_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ChainSettings(JobSettings):
    """The settings of the job of a chain. `result_id` is the number of the lowest part's result."""

    result_url: Annotated[str, AfterValidator(_urls)] = Field(
        description="the results, such as ['http://training:8080/results/2', 'http://training:8080/results/1']"
    )
    result_id: Annotated[int, BeforeValidator(lambda text: _listed(text)[0])] = Field(
        ge=1, description="the numbers of the results, such as [2, 1]"
    )
    model_name: Annotated[str, AfterValidator(_names)] = Field(
        description="the names of the models, such as ['edge', 'cloud']"
    )
    optimizer: str = Field("adam", description="the name of one of Keras' optimizers")
    learning_rate: float = Field(0.001, gt=0, allow_inf_nan=False, description="of the optimizer")
    loss: str = Field("sparse_categorical_crossentropy", description="the name of one of Keras' losses")
    metrics: str = Field(
        "sparse_categorical_accuracy", description="names of Keras' metrics, separated by commas"
    )
    loss_weights: Annotated[tuple[_Weight, ...], NoDecode, BeforeValidator(_weights)] = Field(
        (), description="of the parts' losses as JSON, such as [1, 0.5]; unset: 1 each"
    )

    @property
    def urls(self) -> list[str]:
        """Where the results are in the training service, lowest part first."""
        return _listed(self.result_url)

    @property
    def ids(self) -> list[int]:
        """The numbers of the results."""
        return [int(url.rsplit("/", 1)[1]) for url in self.urls]

    @property
    def names(self) -> list[str]:
        """The names of the models."""
        return _listed(self.model_name)

    @property
    def weights(self) -> list[float]:
        """The weights of the losses."""
        return [*self.loss_weights] or [1.0] * len(self.urls)

    @model_validator(mode="after")
    def _is_one_chain(self) -> Self:
        count = len(self.urls)
        for name, found in (("MODEL_NAME", self.names), ("LOSS_WEIGHTS", self.weights)):
            if len(found) != count:
                raise ValueError(f"{name}: expected {count} items, as RESULT_URL has, found {len(found)}")
        if self.unsupervised:
            raise ValueError("UNSUPERVISED: a chain is trained on labelled samples only: leave it False")
        if self.ids[0] != self.result_id:
            raise ValueError("RESULT_ID: expected the numbers in RESULT_URL, in the same order")
        return self
