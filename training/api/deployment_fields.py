"""A deployment as a client sends it, and which modes exist, alone and together."""

from typing import Annotated, Final, Literal

from pydantic import AliasChoices, Field

from training.federated.strategies import FAMILY
from training.fields import LARGEST_NUMBER, Count, Fields, Id, JsonObject, Positive, Rate, Short, Text
from training.placement import NodeSelector, Tolerations

_MODES: Final = ("incremental", "indefinite", "unsupervised", "federated", "blockchain")
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class DeploymentFields(Fields):
    """A deployment, as a client sends it."""

    configuration: Id = Field(description="the configuration's id")
    batch: Positive = Field(1, description="samples of a step")
    tf_kwargs_fit: Short = Field(
        "", description="arguments of the training, such as epochs=5; by default epochs=1"
    )
    tf_kwargs_val: Short = Field("", description="arguments of the evaluation")
    pth_kwargs_fit: Short = Field(
        "", description="for PyTorch, such as max_epochs=5; by default max_epochs=1"
    )
    pth_kwargs_val: Short = ""
    conf_mat_settings: bool = Field(False, description="whether to make a confusion matrix from the test")
    gpumem: Count = Field(
        0,
        validation_alias=AliasChoices("gpus", "gpumem"),
        description="GPUs of each job, on Kubernetes; ours: also as `gpus`",
    )
    node_selector: NodeSelector = Field(
        {}, description='ours: labels of the nodes that its pods may run on, such as {"disk": "ssd"}'
    )
    tolerations: Tolerations = Field(
        [], description="ours: taints of nodes that its pods tolerate, as Kubernetes writes them"
    )
    optimizer: Text = Field("adam", description="of distributed models, as the next four")
    learning_rate: Annotated[_Finite, Field(gt=0)] = 0.001
    loss: Text = "sparse_categorical_crossentropy"
    metrics: Text = Field("sparse_categorical_accuracy", description="separated by commas")
    loss_weights: Annotated[list[Annotated[_Finite, Field(ge=0)]], Field(max_length=1_000)] | None = Field(
        None, description="ours: of the losses of a chain's parts, lowest first; by default 1 each"
    )
    incremental: bool = Field(False, description="whether to train on messages of a topic as they arrive")
    indefinite: bool = Field(False, description="incremental: whether it goes on until it is stopped")
    stream_timeout: int = Field(
        60_000,
        ge=-1,
        le=LARGEST_NUMBER,
        description="incremental: ms without messages after which it ends; -1: it is indefinite",
    )
    monitoring_metric: Text | None = Field(
        None, description="indefinite: the validation's metric that makes a new result, such as accuracy"
    )
    change: Literal["up", "down"] | None = Field(None, description="indefinite: how that metric improves")
    improvement: _Finite = Field(0.05, description="indefinite: by how much, for a new result")
    unsupervised: bool = Field(False, description="whether to train on unlabelled samples, too")
    unsupervised_rounds: Count = Field(5, description="most rounds with unlabelled samples")
    confidence: Rate = Field(0.9, description="least probability of a label that the model gives a sample")
    federated: bool = Field(False, description="whether workers train where the data are")
    agg_rounds: Count = Field(15, description="rounds of a federated training, as the next three")
    min_data: Count = Field(1000, description="messages that a client must have at least")
    agg_strategy: Literal["FedAvg", "FedOpt", "FedAdagrad", "FedAdam", "FedYogi"] = Field(
        "FedAvg", validation_alias=AliasChoices("agg_strategy", "strategy")
    )
    data_restriction: JsonObject = Field({}, description="what the restrictions of the data must equal")
    blockchain: bool = False
    datasource: Id | None = Field(
        None, description="ours: the id of a datasource whose stream is sent again for this deployment"
    )
    autoserve: bool = Field(False, description="ours: whether TensorFlow Serving gets the model at once")
    random_split: bool = Field(False, description="ours: whether test and validation data are drawn randomly")
    seed: Count | None = Field(None, description="ours: of all that is random; by default a new one")

    def why_not(self, frameworks: set[str], *, distributed: bool) -> str | None:
        """Return why such a training does not exist, in one line, or None."""
        if self.federated:
            return self._why_not_federated(frameworks, distributed=distributed)
        if self.blockchain:
            return "blockchain: training with a blockchain does not exist in this version: leave it false"
        if distributed and (mode := self._mode()):
            return f"{mode}: this mode does not exist for chains of models: leave it false"
        return self._why_not_streams()

    def _why_not_streams(self) -> str | None:
        """Return what is wrong with the fields of incremental training, or None."""
        if not self.incremental:
            return (
                "indefinite: only incremental training is: set incremental, too" if self.indefinite else None
            )
        if self.stream_timeout == 0:
            return (
                "stream_timeout=0: expected ms without messages after which the training ends, or -1: never"
            )
        if self.never_ends and not self.monitoring_metric:
            return (
                "monitoring_metric: an indefinite training makes a result when this metric of its validation"
                " improves: expected its name, such as accuracy"
            )
        if self.never_ends and self.change is None:
            return "change: expected up or down, the way in which monitoring_metric improves"
        if self.never_ends and self.improvement < 0:
            return f"improvement={self.improvement:g}: expected 0 or more"
        return None

    def _why_not_federated(self, frameworks: set[str], *, distributed: bool) -> str | None:
        """Return why workers cannot train this, or None."""
        if self.agg_strategy == "FedOpt":
            return FAMILY
        if other := self._mode("federated"):
            return f"federated: it does not combine with {other}: leave one of them false"
        if distributed:
            return "federated: it does not combine with distributed models: choose other models"
        if "pth" in frameworks:
            return (
                "federated: the data are matched by the shape of the model's input, which PyTorch models do"
                " not say: choose TensorFlow models"
            )
        if self.datasource is not None:
            return "datasource: a federated training takes the data of its clients: leave it out"
        return None if self.agg_rounds else "agg_rounds=0: expected at least 1 for federated training"

    @property
    def never_ends(self) -> bool:
        """Whether an incremental training goes on until it is stopped."""
        return self.incremental and (self.indefinite or self.stream_timeout < 0)

    def _mode(self, besides: str = "") -> str | None:
        """Return the first mode that is asked for, `besides` one of them, or None."""
        return next((name for name in _MODES if name != besides and getattr(self, name)), None)
