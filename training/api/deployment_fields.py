"""A deployment as a client sends it, and the modes that do not exist yet."""

from typing import Annotated, Final, Literal

from pydantic import AliasChoices, Field

from training.fields import LARGEST_NUMBER, Count, Fields, Id, JsonObject, Positive, Rate, Short, Text

_ABSENT: Final = {
    "incremental": "incremental training",
    "indefinite": "indefinite training",
    "unsupervised": "semi-supervised training",
    "federated": "federated training",
    "blockchain": "training with a blockchain",
}
_NOT_OF_CHAINS: Final = (*_ABSENT,)
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
    optimizer: Text = Field("adam", description="of distributed models, as the next four")
    learning_rate: Annotated[_Finite, Field(gt=0)] = 0.001
    loss: Text = "sparse_categorical_crossentropy"
    metrics: Text = Field("sparse_categorical_accuracy", description="separated by commas")
    loss_weights: Annotated[list[Annotated[_Finite, Field(ge=0)]], Field(max_length=1_000)] | None = Field(
        None, description="ours: of the losses of a chain's parts, lowest first; by default 1 each"
    )
    incremental: bool = False
    indefinite: bool = False
    stream_timeout: int = Field(60_000, ge=-1, le=LARGEST_NUMBER, description="ms; -1: none")
    monitoring_metric: Text | None = None
    change: Literal["up", "down"] | None = None
    improvement: _Finite = 0.05
    unsupervised: bool = False
    unsupervised_rounds: Count = 5
    confidence: Rate = 0.9
    federated: bool = False
    agg_rounds: Count = 15
    min_data: Count = 1000
    agg_strategy: Literal["FedAvg", "FedOpt", "FedAdagrad", "FedAdam", "FedYogi"] = Field(
        "FedAvg", validation_alias=AliasChoices("agg_strategy", "strategy")
    )
    data_restriction: JsonObject = Field({})
    blockchain: bool = False
    datasource: Id | None = Field(
        None, description="ours: the id of a datasource whose stream is sent again for this deployment"
    )
    autoserve: bool = Field(False, description="ours: whether TensorFlow Serving gets the model at once")
    random_split: bool = Field(False, description="ours: whether test and validation data are drawn randomly")
    seed: Count | None = Field(None, description="ours: of all that is random; by default a new one")

    def why_not(self, frameworks: set[str], *, distributed: bool) -> str | None:
        """Return why such a training does not exist, in one line, or None."""
        for name, mode in _ABSENT.items():
            if getattr(self, name):
                pytorch = "; for PyTorch models there is none at all" if "pth" in frameworks else ""
                return f"{name}: {mode} does not exist in this version{pytorch}: leave it false"
        if distributed and (name := next((each for each in _NOT_OF_CHAINS if getattr(self, each)), None)):
            return f"{name}: this mode does not exist for chains of models: leave it false"
        return None
