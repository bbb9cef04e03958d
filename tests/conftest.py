"""What every test may ask for: a migrated database, a clock that stands still, people.

`database` is SQLite. A test marked `both_databases` runs on PostgreSQL as well: in `tests/store`,
where the SQL is, each time, elsewhere in a thorough run. That is the server named by
ZHENXUE_TEST_POSTGRES_URL, else the one on 127.0.0.1:5432, else a throw-away one started from the
installed binaries; where there is none of these, or the variable says `none`, that half is skipped.
The end of the run names what was not tried for lack of something.
"""

from __future__ import annotations

import gc
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import settings as examples
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from starlette.routing import BaseRoute

from app import api, db, security
from app.db import Database
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.store import schema
from tests import rows
from tests.described import DescribedClient
from tests.in_process import asking_in_this_thread
from tests.machine import POSTGRESQL, lacks, not_tried
from tests.people import County, TestClock
from tests.postgres import Postgres, find_postgres
from tests.settled import assert_logs_hold_all

# The same examples in every run, however busy the machine is.
examples.register_profile("seeded", derandomize=True, deadline=None)
examples.load_profile("seeded")


def pytest_collection_finish() -> None:
    """What was imported and collected stays, so the garbage collector need not walk it again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    lines = not_tried([str(it.longrepr[2]) for it in skipped if isinstance(it.longrepr, tuple)])
    if lines:
        terminalreporter.section("not tried on this machine")
        for line in lines:
            terminalreporter.write_line(line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    both = metafunc.definition.get_closest_marker("both_databases")
    if both:
        sql = "store" in metafunc.definition.path.parts
        later = [] if sql else [pytest.mark.thorough]
        metafunc.parametrize("backend", ["sqlite", pytest.param("postgresql", marks=later)])


@pytest.fixture(scope="session", autouse=True)
def typed_rows() -> Iterator[None]:
    with rows.held_to_their_types():
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Passwords are hashed as always, at a thousandth of the cost. What production pays is held in
    tests/test_security.py, by a process that this does not reach."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(security, "_passwords", cheap)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_databases() -> Iterator[None]:
    """Databases of a kind share what statements compile to, and no commit waits for the disk: a
    process that is killed loses nothing by that, and nobody pulls the plug during a test."""
    kinds = (SQLiteDialect_pysqlite, PGDialect_psycopg)
    compiled: dict[str, Any] = {}
    create = db.create_engine  # type: ignore[attr-defined]

    def sharing(*arguments: Any, **options: Any) -> Engine:
        engine = create(*arguments, **options, query_cache_size=5_000)
        kind = engine.dialect.name
        engine._compiled_cache = compiled.setdefault(kind, engine._compiled_cache)
        if kind == "sqlite":  # at each checkout, since the service's own settings come at connect
            event.listen(engine, "checkout", lambda it, *_: it.execute("PRAGMA synchronous=OFF"))
        else:
            event.listen(engine, "connect", lambda it, _: it.execute("SET synchronous_commit=off"))
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "create_engine", sharing)
        for kind in kinds:  # dialects are part of the cache's keys
            patch.setattr(kind, "__eq__", lambda one, other: type(one) is type(other))
            patch.setattr(kind, "__hash__", lambda one: hash(type(one)))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Clients ask in the test's thread. Only a started application has another one, for its
    lifespan."""
    with start_blocking_portal() as portal, asking_in_this_thread():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TestClient, "portal", portal)
            yield


@pytest.fixture(scope="session", autouse=True)
def one_routing() -> Iterator[None]:
    """Applications share their routes, which know nothing of the services behind them: what FastAPI
    makes of them at an application's first request costs ten times as much as the request."""
    mount = api.include_routers
    made: list[BaseRoute] = []  # as the first application had them, before anything was added
    first: list[FastAPI] = []

    def sharing(app: FastAPI) -> None:
        if first:
            app.router.routes = list(made)
            app.openapi = first[0].openapi  # type: ignore[method-assign]
        else:
            mount(app)
            first.append(app)
            made.extend(app.router.routes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "include_routers", sharing)
        yield


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> Iterator[None]:
    """A failure is logged as the service does. What structlog does by itself, every local variable
    of every frame in a box, takes seconds."""
    processors = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors[:-1], renderer])
    yield
    structlog.reset_defaults()


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file. Tests work on copies."""
    path = tmp_path_factory.mktemp("schema") / "template.sqlite"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with find_postgres(tmp_path_factory) as server:
        if server is None:
            lacks(POSTGRESQL)
        server.make()
        yield server


@pytest.fixture
def database_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    if backend == "postgresql":
        with request.getfixturevalue("postgres").emptied() as url:
            yield url
        return
    path = tmp_path / "zhenxue.sqlite"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    yield f"sqlite:///{path}"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Nothing is purged by itself when a test's clock goes past the hour."""
    return Settings(database_url=database_url, data_dir=tmp_path, face_workers=0, purge_cron="")


@pytest.fixture
def clock() -> TestClock:
    """Stands still at 2026-03-02 09:00 in Shanghai until a test moves it."""
    return TestClock()


@pytest.fixture
def app(settings: Settings, clock: TestClock) -> FastAPI:
    return create_app(settings, clock)


@pytest.fixture
def services(app: FastAPI) -> Services:
    services: Services = app.state.services
    return services


@pytest.fixture
def database(services: Services) -> Iterator[Database]:
    yield services.database
    assert_logs_hold_all(services.database)
    services.database.close()


@pytest.fixture
def client(app: FastAPI, database: Database) -> Iterator[TestClient]:
    """The service over HTTP, with all its parts started; answers are held against its document."""
    with DescribedClient(app) as client:
        yield client


@pytest.fixture
def county(database: Database, clock: TestClock) -> County:
    """Two platforms with a key each: Huangchuan's, and another county's."""
    return County.found(database, clock)
