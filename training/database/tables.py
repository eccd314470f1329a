"""The tables. Their names and defaults are those of Kafka-ML's fields."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, MetaData, String, Table, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from training.database.moment import Moment, now

ACTIVE: Final = ("created", "deployed")
"""The statuses of a result whose job is still to come, or runs."""

# Ids are not used again: messages on the control topic may name those of deleted rows.
_NEVER_AGAIN: Final = {"sqlite_autoincrement": True}


class Tables(DeclarativeBase):
    """What all tables have in common."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, dict[str, Any]: JSON(none_as_null=True), str: Text}  # noqa: RUF012


CHOSEN: Final = Table(
    "configuration_models",
    Tables.metadata,
    Column("configuration_id", ForeignKey("configurations.id", ondelete="CASCADE"), primary_key=True),
    Column("model_id", ForeignKey("models.id", ondelete="RESTRICT"), primary_key=True, index=True),
)
"""Which models a configuration has."""


class Model(Tables):
    """A model's code."""

    __tablename__ = "models"
    __table_args__ = _NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30), unique=True)
    description: Mapped[str] = mapped_column(String(100))
    imports: Mapped[str]
    code: Mapped[str]
    distributed: Mapped[bool]
    father_id: Mapped[int | None] = mapped_column(ForeignKey("models.id", ondelete="SET NULL"), unique=True)
    framework: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    father: Mapped["Model | None"] = relationship(remote_side="Model.id", back_populates="child")
    child: Mapped["Model | None"] = relationship(back_populates="father", passive_deletes=True)


class Configuration(Tables):
    """A set of models that are trained together."""

    __tablename__ = "configurations"
    __table_args__ = _NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30), unique=True)
    description: Mapped[str] = mapped_column(String(100))
    time: Mapped[datetime] = mapped_column(default=now)

    ml_models: Mapped[list[Model]] = relationship(secondary=CHOSEN, order_by=Model.id)
    deployments: Mapped[list["Deployment"]] = relationship(
        back_populates="configuration", order_by="Deployment.id", passive_deletes="all"
    )


class Deployment(Tables):
    """A training of a configuration."""

    __tablename__ = "deployments"
    __table_args__ = _NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    configuration_id: Mapped[int] = mapped_column(ForeignKey("configurations.id"), index=True)
    time: Mapped[datetime] = mapped_column(default=now)
    batch: Mapped[int]
    tf_kwargs_fit: Mapped[str] = mapped_column(String(100))
    tf_kwargs_val: Mapped[str] = mapped_column(String(100))
    pth_kwargs_fit: Mapped[str] = mapped_column(String(100))
    pth_kwargs_val: Mapped[str] = mapped_column(String(100))
    conf_mat_settings: Mapped[bool]
    gpumem: Mapped[int]
    node_selector: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tolerations: Mapped[list[Any]] = mapped_column(JSON(none_as_null=True), default=list)
    optimizer: Mapped[str]
    learning_rate: Mapped[float]
    loss: Mapped[str]
    metrics: Mapped[str]
    incremental: Mapped[bool]
    indefinite: Mapped[bool]
    stream_timeout: Mapped[int]
    monitoring_metric: Mapped[str | None]
    change: Mapped[str | None]
    improvement: Mapped[float]
    unsupervised: Mapped[bool]
    unsupervised_rounds: Mapped[int]
    confidence: Mapped[float]
    federated: Mapped[bool]
    agg_rounds: Mapped[int]
    min_data: Mapped[int]
    agg_strategy: Mapped[str]
    data_restriction: Mapped[dict[str, Any]]
    blockchain: Mapped[bool]
    autoserve: Mapped[bool]
    random_split: Mapped[bool]
    seed: Mapped[int | None]

    configuration: Mapped[Configuration] = relationship(back_populates="deployments")
    results: Mapped[list["Result"]] = relationship(
        back_populates="deployment", order_by="Result.id", passive_deletes="all"
    )


class Result(Tables):
    """A model's training in a deployment. The trained model is a file."""

    __tablename__ = "results"
    __table_args__ = _NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployments.id"), index=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"), index=True)
    status: Mapped[str] = mapped_column(String(10), default="created")
    status_changed: Mapped[datetime] = mapped_column(default=now)
    train_metrics: Mapped[dict[str, Any] | None]
    val_metrics: Mapped[dict[str, Any] | None]
    test_metrics: Mapped[dict[str, Any] | None]
    confusion_matrix: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    training_time: Mapped[float | None]
    state: Mapped[str] = mapped_column(String(10), default="queued")
    reason: Mapped[str | None]
    progress: Mapped[dict[str, Any] | None]
    seed: Mapped[int | None]

    deployment: Mapped[Deployment] = relationship(back_populates="results")
    model: Mapped[Model] = relationship()

    def become(self, status: str, state: str, reason: str | None = None) -> None:
        """Change the status, with our own words for it."""
        if status != self.status:
            self.status, self.status_changed = status, now()
        self.state, self.reason = state, reason


class Datasource(Tables):
    """A control message: where a stream's data are."""

    __tablename__ = "datasources"
    __table_args__ = _NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    input_format: Mapped[str] = mapped_column(String(20))
    deployment: Mapped[str] = mapped_column(String(20), index=True)
    input_config: Mapped[str]
    description: Mapped[str]
    topic: Mapped[str]
    validation_rate: Mapped[float]
    test_rate: Mapped[float]
    total_msg: Mapped[int | None] = mapped_column(BigInteger)
    time: Mapped[datetime] = mapped_column(index=True)
    rest: Mapped[dict[str, Any]]
    source: Mapped[str | None] = mapped_column(String(300), index=True)


class Inference(Tables):
    """A trained model that predicts what arrives on a topic."""

    __tablename__ = "inferences"
    __table_args__ = _NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    model_result_id: Mapped[int | None] = mapped_column(
        ForeignKey("results.id", ondelete="SET NULL"), index=True
    )
    replicas: Mapped[int]
    input_format: Mapped[str] = mapped_column(String(20))
    input_config: Mapped[str]
    input_topic: Mapped[str]
    output_topic: Mapped[str]
    limit: Mapped[float | None] = mapped_column(Float)
    output_upper: Mapped[str | None]
    external_host: Mapped[str | None]
    input_kafka_broker: Mapped[str | None]
    output_kafka_broker: Mapped[str | None]
    upper_kafka_broker: Mapped[str | None]
    gpumem: Mapped[int]
    time: Mapped[datetime] = mapped_column(default=now)
    status: Mapped[str] = mapped_column(String(10), default="deployed")
    status_changed: Mapped[datetime] = mapped_column(default=now)
    reason: Mapped[str | None]
    model_server: Mapped[str | None]
    progress: Mapped[dict[str, Any] | None]
