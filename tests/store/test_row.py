"""A row is asked for by a protocol: what it lacks, or holds wrongly, does not pass unseen."""

from __future__ import annotations

from typing import Protocol

import msgspec
import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    create_engine,
    insert,
    literal,
    select,
)

from app.store.row import fetch, fetch_one, fetch_one_or_none, stream, typed

_QUERY = select(literal(7).label("id"), literal("张三").label("name"))


class Person(Protocol):
    id: int
    name: str


class Employed(Person, Protocol):
    employer: str


class Misjudged(Protocol):
    name: int


@pytest.fixture
def connection() -> Connection:
    return create_engine("sqlite://").connect()


def test_rows_come_by_their_names(connection: Connection) -> None:
    assert [(it.id, it.name) for it in fetch(connection, _QUERY, Person)] == [(7, "张三")]
    assert [it.name for it in stream(connection, _QUERY, Person)] == ["张三"]
    assert fetch_one(connection, _QUERY, Person).id == 7
    assert fetch_one_or_none(connection, _QUERY.where(literal(1) == 0), Person) is None


def test_a_query_that_lacks_a_column_is_told_so_even_when_it_finds_nothing(
    connection: Connection,
) -> None:
    with pytest.raises(TypeError, match="a query of Employed lacks employer"):
        fetch(connection, _QUERY.where(literal(1) == 0), Employed)


def test_tests_hold_rows_to_the_types_of_their_protocol(connection: Connection) -> None:
    with pytest.raises(AssertionError, match=r"Misjudged\.name is '张三'"):
        fetch(connection, _QUERY, Misjudged)


class Checked(msgspec.Struct):
    check: int
    limit: int


def test_columns_that_are_words_of_sql_come_by_their_names_too(connection: Connection) -> None:
    names = ("check", "limit")
    table = Table("photos", MetaData(), *(Column(it, Integer) for it in names))
    table.create(connection)
    connection.execute(insert(table).values(check=1, limit=2))
    inner = select(table).subquery()
    rows = connection.execute(select(*(inner.c[it] for it in names)))
    assert typed(rows, Checked) == [Checked(check=1, limit=2)]
