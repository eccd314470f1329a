"""A deployment as a client sends it, and the modes that do not exist yet."""

from typing import Annotated, Final, Literal

from pydantic import AliasChoices, Field

from training.federated.strategies import FAMILY
from training.fields import LARGEST_NUMBER, Count, Fields, Id, JsonObject, Positive, Rate, Short, Text
from training.placement import NodeSelector, Tolerations

_ABSENT: Final = {
    "incremental": "incremental training",
    "indefinite": "indefinite training",
    "unsupervised": "semi-supervised training",
    "blockchain": "training with a blockchain",
}
_NOT_FEDERATED: Final = ("incremental", "indefinite", "unsupervised", "blockchain")
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
    optimizer: Text = Field("adam", description="of distributed models, as the next three")
    learning_rate: Annotated[_Finite, Field(gt=0)] = 0.001
    loss: Text = "sparse_categorical_crossentropy"
    metrics: Text = Field("sparse_categorical_accuracy", description="separated by commas")
    incremental: bool = False
    indefinite: bool = False
    stream_timeout: int = Field(60_000, ge=-1, le=LARGEST_NUMBER, description="ms; -1: none")
    monitoring_metric: Text | None = None
    change: Literal["up", "down"] | None = None
    improvement: _Finite = 0.05
    unsupervised: bool = False
    unsupervised_rounds: Count = 5
    confidence: Rate = 0.9
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
        if self.federated and (why := self._why_not_federated(frameworks, distributed=distributed)):
            return why
        for name, mode in _ABSENT.items():
            if getattr(self, name):
                pytorch = "; for PyTorch models there is none at all" if "pth" in frameworks else ""
                return f"{name}: {mode} does not exist in this version{pytorch}: leave it false"
        if distributed:
            return "configuration: distributed training does not exist in this version: choose other models"
        return None

    def _why_not_federated(self, frameworks: set[str], *, distributed: bool) -> str | None:
        """Return why workers cannot train this, or None."""
        if self.agg_strategy == "FedOpt":
            return FAMILY
        others = [name for name in _NOT_FEDERATED if getattr(self, name)]
        if others:
            return f"federated: it does not combine with {others[0]}: leave one of them false"
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
