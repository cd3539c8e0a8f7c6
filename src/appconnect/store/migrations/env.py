"""Alembic's entry: migrations run on the connection that `migrate` hands over, in its transaction."""

from alembic import context

from appconnect.store import schema

context.configure(
    connection=context.config.attributes["connection"], target_metadata=schema.metadata, render_as_batch=True
)
context.run_migrations()
