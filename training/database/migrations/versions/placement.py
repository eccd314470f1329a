"""Deployments say on which nodes of a cluster they run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Take the step."""
    op.add_column(
        "deployments", sa.Column("node_selector", sa.JSON(), nullable=False, server_default=sa.text("'{}'"))
    )
    op.add_column(
        "deployments", sa.Column("tolerations", sa.JSON(), nullable=False, server_default=sa.text("'[]'"))
    )
