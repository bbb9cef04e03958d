"""The tables that grow with every sitting for good, cut into ranges of a rising id by PostgreSQL's
own declarative partitioning.

An installation is cut when its operator asks for it (`cut`), while the service goes on. From then
on ranges are made ahead (`keep_ahead`). As a month begins, ids go on with the first one of the next
range, which is named after the month: so its bound is known before, no row is ever moved for it,
and no range holds sittings of two months. A range whose rows have been archived is dropped as a
whole (`drop_archived`): none is deleted by itself, and no vacuum is needed to give its place back
to the disk. What belongs to a range that is gone, or to one that nobody has made yet, lies in a
default partition, so that no row is ever refused. The models and every query stay as they are.

A unique key of a partitioned table holds the column that it is cut by. Controls and photos, cut by
their sitting, so have `id` as the primary key of each range; across ranges their sequence keeps it
unique. No foreign key can point to such an id: those that do go with the cut. Rows of the two
tables are deleted by the archive alone, so they would catch nothing but an error of this program.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import count
from typing import Any

import psycopg
from sqlalchemy import Connection, Row, text

from app.db import Database
from app.errors import BadInput, Conflict
from app.outages import DatabaseAway

TABLES = {
    "event_logs": "session_id",
    "verdicts": "id",
    "controls": "session_id",
    "snapshots": "session_id",
}
_NUMBERED = {  # by whose ids tables are cut
    "sessions": [it for it, key in TABLES.items() if key == "session_id"],
    "verdicts": ["verdicts"],
}
ARCHIVED = {  # what of these is in a file, by the table that says in which
    "event_logs": "archived_logs",
    "controls": "archived_ledgers",
    "snapshots": "archived_ledgers",
}
KEPT_SHARE = 10
AHEAD = 3  # ranges beyond the one that is written to
LEAST_ROWS = 1000
_TRIES, _WAIT_MS, _APART_S = 60, 200, 0.5
_CUT = "partitions"  # what one process does at a time
_LIMIT = "zhenxue_range"  # the check that a table is held to while it becomes a range
_BOUND = re.compile(r"FROM \((MINVALUE|'?\d+'?)\) TO \('?(\d+)'?\)")
_MONTH = re.compile(r"_(\d{4}_\d\d)(?:_\d+)?$")
_RANGES = text(
    "SELECT child.relname AS name, pg_get_expr(child.relpartbound, child.oid) AS bound,"
    " pg_total_relation_size(child.oid) AS size FROM pg_inherits"
    " JOIN pg_class AS child ON child.oid = inhrelid WHERE inhparent = to_regclass(:table)"
)
_KIND = text("SELECT relkind FROM pg_class WHERE oid = to_regclass(:table)")
_CONSTRAINTS = text(
    "SELECT conname AS name, pg_get_constraintdef(pg_constraint.oid) AS words,"
    " contype IN ('p', 'u') AND NOT attnum = ANY(conkey) AS of_each FROM pg_constraint"
    " JOIN pg_attribute ON attrelid = conrelid AND attname = :key"
    " WHERE conrelid = to_regclass(:table) ORDER BY contype DESC, conname"
)
_TIED = text(  # sittings first, as whoever writes does
    "SELECT name FROM (SELECT it::regclass::text AS name FROM pg_constraint,"
    " unnest(ARRAY[conrelid, confrelid]) AS it WHERE contype = 'f' AND conparentid = 0"
    " AND to_regclass(:table) IN (conrelid, confrelid) UNION SELECT :table) AS tied"
    " ORDER BY name <> 'sessions', name"
)
_POINTING = text(
    "SELECT conname AS name, conrelid::regclass::text AS by FROM pg_constraint"
    " WHERE contype = 'f' AND confrelid = to_regclass(:table) AND conparentid = 0"
)
_SEQUENCES = text(
    "SELECT attname AS column, pg_get_serial_sequence(:table, attname) AS name FROM pg_attribute"
    " WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped"
    " AND pg_get_serial_sequence(:table, attname) IS NOT NULL"
)
_INDEXES = text(
    "SELECT relname AS name, pg_get_indexdef(indexrelid) AS words FROM pg_index"
    " JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = to_regclass(:table)"
    " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)"
)


@dataclass(frozen=True, slots=True, order=True)
class KeyRange:
    """The rows of `lower <= key < upper`; `bytes` with indexes, as PostgreSQL tells."""

    lower: int
    upper: int
    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class PartitionedTable:
    table: str
    ranges: Sequence[KeyRange]  # rising
    outside: int  # rows in the default partition


def described(connection: Connection) -> list[PartitionedTable]:
    """The tables that are cut; none on SQLite."""
    return [
        PartitionedTable(table, _ranges(connection, table), _outside(connection, table))
        for table in TABLES
        if is_cut(connection, table)
    ]


def is_cut(connection: Connection, table: str) -> bool:
    """Whether a table is made of ranges; never on SQLite."""
    if connection.dialect.name != "postgresql":
        return False
    kind = connection.scalar(_KIND, {"table": table})
    return kind in ("p", b"p")


def cut(database: Database, rows: int) -> list[str]:
    """Make the tables that are not cut yet ranges of that many ids; their names.

    What a table holds becomes its first range as it lies, unmoved: it is looked through once while
    others write, then held for the moment that takes its name. What was interrupted is gone on
    with. Raises BadInput on SQLite and for a size below LEAST_ROWS; Conflict while another process
    does it; DatabaseAway where a long transaction keeps a table for seconds: call it again.
    """
    if database.sqlite:
        raise BadInput("not_postgresql", "SQLite has no partitions")
    if rows < LEAST_ROWS:
        raise BadInput("bad_rows", f"a range has at least {LEAST_ROWS} rows")
    with database.alone(_CUT) as mine:
        if not mine:
            raise Conflict("cut_running", "another process cuts tables just now")
        with database.read() as connection:
            whole = [it for it in TABLES if not is_cut(connection, it)]
        for table in whole:
            upper = _held(database, table, rows)
            _having(database, table, partial(_become_range, table=table, upper=upper, rows=rows))
        return whole


def keep_ahead(database: Database, today: date) -> None:
    """Make ranges ahead of the highest key; rows that came before their range was there move into
    it. In a month that has none yet, a range begins with the next id. A cut that nobody went on
    with is given up: the bound that it set would refuse rows one day. Does nothing where nothing
    is cut, or while it is being cut."""
    if database.sqlite:
        return
    with database.alone(_CUT) as mine:
        if not mine:
            return
        for table in TABLES:
            with database.read() as connection:
                if is_cut(connection, table):
                    last = _ranges(connection, table)[-1]
                    rows = last.upper - last.lower
                    work = partial(_extend, table=table, rows=rows)
                    due = last.upper <= _reached(connection, table) + AHEAD * rows
                else:
                    held = _constraints(connection, table, TABLES[table])
                    work = partial(_run, words=f"ALTER TABLE {table} DROP CONSTRAINT {_LIMIT}")
                    due = any(it.name == _LIMIT for it in held)
            if due:
                _having(database, table, work)

        for owner, tables in _NUMBERED.items():
            _keep_month(database, owner, tables, f"{today:%Y_%m}")


def _keep_month(database: Database, owner: str, tables: Sequence[str], month: str) -> None:
    with database.read() as connection:
        cut = [it for it in tables if is_cut(connection, it)]
        at = _next_id(connection, owner)
        written = [_range_of(connection, it, at) for it in cut]
    if any(it is not None and _month_of(it) != month for it in written):
        work = partial(_begin_month, owner=owner, tables=cut, month=month)
        _having(database, cut[0], work)


def _begin_month(connection: Connection, owner: str, tables: Sequence[str], month: str) -> None:
    """Have what is numbered from now on lie in ranges of that month alone."""
    at, late = _next_id(connection, owner), {}
    for table in tables:
        written = _range_of(connection, table, at)
        before = _range_of(connection, table, written.lower - 1) if written else None
        if written is None or _month_of(written) == month:
            continue
        if before is not None and _month_of(before) == month:  # more than one range holds
            _name_after(connection, table, written, month)
        else:
            late[table] = written
    if late:
        first = max(it.upper for it in late.values())
        told = {"name": f"{owner}_id_seq", "first": first}
        connection.execute(text("SELECT setval(:name, :first, false)"), told)
        for table in late:
            last = _ranges(connection, table)[-1]
            _extend(connection, table, last.upper - last.lower)
            begun = _range_of(connection, table, first)
            assert begun is not None
            _name_after(connection, table, begun, month)


def _name_after(connection: Connection, table: str, range_: KeyRange, month: str) -> None:
    if _month_of(range_) != month:
        taken = [it.name for it in _ranges(connection, table)]
        names = (f"{table}_{month}" + (f"_{n}" if n > 1 else "") for n in count(1))
        free = next(it for it in names if it not in taken)
        _run(connection, f"ALTER TABLE {range_.name} RENAME TO {free}")


def _month_of(range_: KeyRange) -> str | None:
    found = _MONTH.search(range_.name)
    return found[1] if found else None


def _range_of(connection: Connection, table: str, key: int) -> KeyRange | None:
    ranges = _ranges(connection, table)
    return next((it for it in ranges if it.lower <= key < it.upper), None)


def _next_id(connection: Connection, owner: str) -> int:
    sequence = f"SELECT last_value + is_called::int FROM {owner}_id_seq"  # noqa: S608
    return int(connection.scalar(text(sequence)) or 1)


def drop_archived(database: Database) -> list[str]:
    """Drop the ranges below the next key whose sittings are archived; their names. The rows of
    the others, where those are at most one in KEPT_SHARE, move out of the range."""
    gone: list[str] = []
    for table, archived in () if database.sqlite else ARCHIVED.items():
        with database.read() as connection:
            if not is_cut(connection, table):
                continue
            coming = _reached(connection, table) + 1
            old = [it for it in _ranges(connection, table)[:-1] if it.upper <= coming]
            due = [it for it in old if _may_go(connection, it, archived)]
            left = f"FROM {table}_rest WHERE session_id IN (SELECT session_id FROM {archived})"  # noqa: S608
            some = _exists(connection, left)
        for it in due:
            _having(database, table, partial(_drop, table=table, range_=it, gone=gone))
        if some:
            _having(database, table, partial(_run, words=f"DELETE {left}"))
    return gone


def _kept(range_: KeyRange, archived: str) -> str:
    """Sittings of a range that are in no file."""
    places = f"SELECT 1 FROM {archived} AS place WHERE place.session_id = it.id"  # noqa: S608
    within = f"it.id >= {range_.lower} AND it.id < {range_.upper}"
    return f"SELECT it.id FROM sessions AS it WHERE {within} AND NOT EXISTS ({places})"  # noqa: S608


def _may_go(connection: Connection, range_: KeyRange, archived: str) -> bool:
    own = f"EXISTS (SELECT 1 FROM {range_.name} AS row WHERE row.session_id = it.id)"  # noqa: S608
    kept = f"SELECT count(*) FROM ({_kept(range_, archived)} AND {own}) AS kept"  # noqa: S608
    within = f"session_id >= {range_.lower} AND session_id < {range_.upper}"
    gone = f"SELECT count(*) FROM {archived} WHERE {within}"  # noqa: S608
    staying, moved = connection.execute(text(f"SELECT ({kept}), ({gone})")).one()
    return bool(moved and staying * KEPT_SHARE <= staying + moved)


def _drop(connection: Connection, table: str, range_: KeyRange, gone: list[str]) -> None:
    name, archived = range_.name, ARCHIVED[table]
    if _may_go(connection, range_, archived):
        _run(connection, f"ALTER TABLE {table} DETACH PARTITION {name}")
        kept = f"SELECT * FROM {name} WHERE session_id IN ({_kept(range_, archived)})"  # noqa: S608
        _run(connection, f"INSERT INTO {table} {kept}")
        _run(connection, f"DROP TABLE {name}")
        gone.append(name)


def _held(database: Database, table: str, rows: int) -> int:
    """The bound below which all rows of a table lie, now and until it is a range of its own."""
    key = TABLES[table]
    with database.write() as connection:
        known = {it.name: it.words for it in _constraints(connection, table, key)}
        if _LIMIT in known:  # of a call that was interrupted
            upper = int(re.findall(r"\d+", known[_LIMIT])[0])
        else:
            upper = (_reached(connection, table) // rows + 2) * rows
            check = f"CHECK ({key} < {upper}) NOT VALID"
            _run(connection, f"ALTER TABLE {table} ADD CONSTRAINT {_LIMIT} {check}")
    with database.write() as connection:
        database.unbounded(connection)
        _run(connection, f"ALTER TABLE {table} VALIDATE CONSTRAINT {_LIMIT}")
    return upper


def _having(database: Database, table: str, work: Callable[[Connection], None]) -> None:
    """Do it while nobody else has the table, nor one that a foreign key ties to it.

    Who holds one table and waits for another may be in a deadlock: each try waits so short that the
    server has not yet looked for one, and so none who writes is undone for our sake.
    """
    for left in reversed(range(_TRIES)):
        try:
            with database.write() as connection:
                tied = connection.execute(_TIED, {"table": table}).scalars()
                _run(connection, f"SET LOCAL lock_timeout = '{_WAIT_MS}ms'")
                _run(connection, f"LOCK TABLE {', '.join(tied)} IN ACCESS EXCLUSIVE MODE")
                return work(connection)
        except DatabaseAway as error:
            cause = getattr(error.__cause__, "orig", None)
            if not left or not isinstance(cause, psycopg.errors.LockNotAvailable):
                raise
            time.sleep(_APART_S)


def _become_range(connection: Connection, table: str, upper: int, rows: int) -> None:
    """Put a partitioned table of the same columns, constraints and indexes in its place."""
    first = _name(table, upper)
    pointing = connection.execute(_POINTING, {"table": table}).all()
    constraints = _constraints(connection, table, TABLES[table])
    constraints = [it for it in constraints if it.name != _LIMIT]
    indexes = connection.execute(_INDEXES, {"table": table}).all()
    for it in pointing:
        _run(connection, f"ALTER TABLE {it.by} DROP CONSTRAINT {it.name}")
    _run(connection, f"ALTER TABLE {table} RENAME TO {first}")
    for it in constraints:
        _run(connection, f"ALTER TABLE {first} RENAME CONSTRAINT {it.name} TO {it.name}_{upper}")
    for it in indexes:
        _run(connection, f"ALTER INDEX {it.name} RENAME TO {it.name}_{upper}")
    like = f"LIKE {first} INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMMENTS"
    _run(connection, f"CREATE TABLE {table} ({like}) PARTITION BY RANGE ({TABLES[table]})")
    for it in constraints:
        if not it.of_each:
            _run(connection, f"ALTER TABLE {table} ADD CONSTRAINT {it.name} {it.words}")
    for it in indexes:
        _run(connection, it.words)
    for it in connection.execute(_SEQUENCES, {"table": first}).all():
        _run(connection, f"ALTER SEQUENCE {it.name} OWNED BY {table}.{it.column}")
    _attach(connection, table, first, "MINVALUE", upper)
    _run(connection, f"ALTER TABLE {first} DROP CONSTRAINT {_LIMIT}")
    _run(connection, f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")
    _add_keys_of_each(connection, table, first, f"{table}_rest")
    _extend(connection, table, rows)


def _extend(connection: Connection, table: str, rows: int) -> None:
    key = TABLES[table]
    upper, last = _ranges(connection, table)[-1].upper, _reached(connection, table) + AHEAD * rows
    while upper <= last:
        lower, upper = upper, upper + rows
        name, within = _name(table, upper), f"{key} >= {lower} AND {key} < {upper}"
        _run(connection, f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
        _add_keys_of_each(connection, table, f"{table}_rest", name)
        if _exists(connection, f"FROM {table}_rest"):
            going = f"DELETE FROM {table}_rest WHERE {within} RETURNING *"  # noqa: S608
            into = f"INSERT INTO {name} SELECT * FROM it"  # noqa: S608
            _run(connection, f"WITH it AS ({going}) {into}")
        _attach(connection, table, name, str(lower), upper)


def _add_keys_of_each(connection: Connection, table: str, like: str, name: str) -> None:
    """The keys that only a range can hold, as another range has them."""
    for it in _constraints(connection, like, TABLES[table]):
        if it.of_each:
            _run(connection, f"ALTER TABLE {name} ADD {it.words}")


def _attach(connection: Connection, table: str, name: str, lower: str, upper: int) -> None:
    bounds = f"FOR VALUES FROM ({lower}) TO ({upper})"
    _run(connection, f"ALTER TABLE {table} ATTACH PARTITION {name} {bounds}")


def _ranges(connection: Connection, table: str) -> list[KeyRange]:
    found = []
    for it in connection.execute(_RANGES, {"table": table}):
        bound = _BOUND.search(it.bound)
        if bound:
            lower = 0 if bound[1] == "MINVALUE" else int(bound[1].strip("'"))
            found.append(KeyRange(lower, int(bound[2]), it.name, it.size))
    return sorted(found)


def _outside(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f"SELECT count(*) FROM {table}_rest")) or 0)  # noqa: S608


def _highest(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f"SELECT max({TABLES[table]}) FROM {table}")) or 0)  # noqa: S608


def _reached(connection: Connection, table: str) -> int:
    """The highest key that a row may have by now: a sitting may open long before it has a row."""
    owner = next(it for it, tables in _NUMBERED.items() if table in tables)
    return max(_highest(connection, table), _next_id(connection, owner) - 1)


def _constraints(connection: Connection, name: str, key: str) -> Sequence[Row[Any]]:
    """`name`, `words`, and `of_each`: unique, but without the key that the table is cut by."""
    return connection.execute(_CONSTRAINTS, {"table": name, "key": key}).all()


def _exists(connection: Connection, rows: str) -> bool:
    return bool(connection.scalar(text(f"SELECT EXISTS (SELECT 1 {rows})")))


def _name(table: str, upper: int) -> str:
    return f"{table}_to_{upper}"


def _run(connection: Connection, words: str) -> None:
    """All names in it are of this module or of the database's catalogue."""
    connection.exec_driver_sql(words)
