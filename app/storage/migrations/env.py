"""Alembic runs this; app.storage.database hands it the connection, inside a transaction."""

from __future__ import annotations

from alembic import context

from app.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a column by copying its table
    transactional_ddl=True,
)
context.run_migrations()
