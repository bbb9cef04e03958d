"""The migrations make exactly the tables that the models declare, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from app.db import Database
from app.errors import NotReady
from app.services import Services
from app.store import schema
from models import Base, judgement


@pytest.mark.both_databases
def test_migrations_and_models_agree(database: Database) -> None:
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_upgrading_twice_does_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.sqlite")
    with pytest.raises(NotReady, match="zhenxue migrate"):
        schema.require_head(database)
    assert schema.upgrade(database) is True
    schema.require_head(database)
    assert schema.upgrade(database) is False
    database.close()


def test_a_failed_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/half.sqlite")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE webhooks (id INTEGER)"))  # in the migration's way
    with pytest.raises(Exception, match="webhooks"):
        schema.upgrade(database)
    with database.read() as connection:
        tables = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
        assert tables.all() == ["webhooks"]
    database.close()


def test_the_model_says_how_the_database_weighs_a_finding(services: Services) -> None:
    """Nothing compares what a column is computed by, so this does."""
    with services.database.read() as connection:
        made = text("SELECT sql FROM sqlite_master WHERE name = 'findings'")
        assert judgement.WEIGHT in str(connection.scalar(made))
