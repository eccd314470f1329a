"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "configurations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("description", sa.String(length=100), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_configurations")),
        sa.UniqueConstraint("name", name=op.f("uq_configurations_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "datasources",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("input_format", sa.String(length=20), nullable=False),
        sa.Column("deployment", sa.String(length=20), nullable=False),
        sa.Column("input_config", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("validation_rate", sa.Double(), nullable=False),
        sa.Column("test_rate", sa.Double(), nullable=False),
        sa.Column("total_msg", sa.BigInteger(), nullable=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasources")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_datasources_deployment"), "datasources", ["deployment"])
    op.create_index(op.f("ix_datasources_source"), "datasources", ["source"])
    op.create_index(op.f("ix_datasources_time"), "datasources", ["time"])

    op.create_table(
        "models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("description", sa.String(length=100), nullable=False),
        sa.Column("imports", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("distributed", sa.Boolean(), nullable=False),
        sa.Column("father_id", sa.Integer(), nullable=True),
        sa.Column("framework", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["father_id"], ["models.id"], name=op.f("fk_models_father_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("father_id", name=op.f("uq_models_father_id")),
        sa.UniqueConstraint("name", name=op.f("uq_models_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "configuration_models",
        sa.Column("configuration_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["configurations.id"],
            name=op.f("fk_configuration_models_configuration_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_configuration_models_model_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("configuration_id", "model_id", name=op.f("pk_configuration_models")),
    )
    op.create_index(op.f("ix_configuration_models_model_id"), "configuration_models", ["model_id"])

    op.create_table(
        "deployments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("configuration_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("tf_kwargs_fit", sa.String(length=100), nullable=False),
        sa.Column("tf_kwargs_val", sa.String(length=100), nullable=False),
        sa.Column("pth_kwargs_fit", sa.String(length=100), nullable=False),
        sa.Column("pth_kwargs_val", sa.String(length=100), nullable=False),
        sa.Column("conf_mat_settings", sa.Boolean(), nullable=False),
        sa.Column("gpumem", sa.Integer(), nullable=False),
        sa.Column("optimizer", sa.Text(), nullable=False),
        sa.Column("learning_rate", sa.Double(), nullable=False),
        sa.Column("loss", sa.Text(), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.Column("incremental", sa.Boolean(), nullable=False),
        sa.Column("indefinite", sa.Boolean(), nullable=False),
        sa.Column("stream_timeout", sa.Integer(), nullable=False),
        sa.Column("monitoring_metric", sa.Text(), nullable=True),
        sa.Column("change", sa.Text(), nullable=True),
        sa.Column("improvement", sa.Double(), nullable=False),
        sa.Column("unsupervised", sa.Boolean(), nullable=False),
        sa.Column("unsupervised_rounds", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("federated", sa.Boolean(), nullable=False),
        sa.Column("agg_rounds", sa.Integer(), nullable=False),
        sa.Column("min_data", sa.Integer(), nullable=False),
        sa.Column("agg_strategy", sa.Text(), nullable=False),
        sa.Column("data_restriction", sa.JSON(), nullable=False),
        sa.Column("blockchain", sa.Boolean(), nullable=False),
        sa.Column("autoserve", sa.Boolean(), nullable=False),
        sa.Column("random_split", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["configuration_id"], ["configurations.id"], name=op.f("fk_deployments_configuration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_deployments_configuration_id"), "deployments", ["configuration_id"])

    op.create_table(
        "results",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("status_changed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("train_metrics", sa.JSON(), nullable=True),
        sa.Column("val_metrics", sa.JSON(), nullable=True),
        sa.Column("test_metrics", sa.JSON(), nullable=True),
        sa.Column("confusion_matrix", sa.JSON(), nullable=True),
        sa.Column("training_time", sa.Double(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=True),
        sa.Column("seed", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], name=op.f("fk_results_deployment_id")),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_results_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_results")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_results_deployment_id"), "results", ["deployment_id"])
    op.create_index(op.f("ix_results_model_id"), "results", ["model_id"])

    op.create_table(
        "inferences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_result_id", sa.Integer(), nullable=True),
        sa.Column("replicas", sa.Integer(), nullable=False),
        sa.Column("input_format", sa.String(length=20), nullable=False),
        sa.Column("input_config", sa.Text(), nullable=False),
        sa.Column("input_topic", sa.Text(), nullable=False),
        sa.Column("output_topic", sa.Text(), nullable=False),
        sa.Column("limit", sa.Float(), nullable=True),
        sa.Column("output_upper", sa.Text(), nullable=True),
        sa.Column("external_host", sa.Text(), nullable=True),
        sa.Column("input_kafka_broker", sa.Text(), nullable=True),
        sa.Column("output_kafka_broker", sa.Text(), nullable=True),
        sa.Column("upper_kafka_broker", sa.Text(), nullable=True),
        sa.Column("gpumem", sa.Integer(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("status_changed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("model_server", sa.Text(), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["model_result_id"],
            ["results.id"],
            name=op.f("fk_inferences_model_result_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inferences")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_inferences_model_result_id"), "inferences", ["model_result_id"])
