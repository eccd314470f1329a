"""Chains of models: the weights of losses, and what happens while the upper Kafka is away."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Take the step."""
    op.add_column("deployments", sa.Column("loss_weights", sa.JSON(), nullable=True))
    op.add_column(
        "inferences",
        sa.Column("upper_away", sa.String(length=10), nullable=False, server_default="wait"),
    )
