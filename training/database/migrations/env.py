"""Run by alembic: takes the steps on the connection that `migrate` has opened."""

from alembic import context

from training.database.tables import Tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Tables.metadata,
    render_as_batch=True,  # SQLite cannot change a column otherwise
)
context.run_migrations()
