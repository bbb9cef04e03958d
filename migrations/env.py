"""Alembic's way in: on the connection of app.store.schema, or on the settings' database."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from models import Base


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("migrations run on a database; there is no --sql mode")

given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    from app.db import Database
    from app.settings import Settings

    database = Database(Settings().resolved_database_url)
    with database.write() as connection:
        migrate(connection)
    database.close()
