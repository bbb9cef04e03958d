"""Rows by many ids, bound as one value."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from app.db import Database
from app.store.among import among
from models import Person, Platform

pytestmark = pytest.mark.both_databases


def test_of_thousands_of_ids_those_that_are_there_are_found(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(Person), [{"id": 1001}, {"id": 1002}, {"id": 9_000_000_000}])
        wanted = [*range(1002, 5000), 9_000_000_000]
        found = connection.scalars(select(Person.id).where(among(connection, Person.id, wanted)))
        assert sorted(found) == [1002, 9_000_000_000]
        assert not list(
            connection.scalars(select(Person.id).where(among(connection, Person.id, [])))
        )


def test_words_are_found_as_they_are_written(database: Database) -> None:
    named = ['示例"平台\\', "b"]
    with database.write() as connection:
        connection.execute(
            insert(Platform),
            [{"slug": it, "name": it, "county": "c", "created_ms": 0} for it in [*named, "c"]],
        )
        found = connection.scalars(
            select(Platform.slug).where(among(connection, Platform.slug, {*named, "nobody's"}))
        )
        assert set(found) == set(named)
