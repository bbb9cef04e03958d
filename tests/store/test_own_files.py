"""What lies on the disk is its owner's to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.db import Database
from app.outages import DatabaseAway
from app.services import Services


def test_a_database_is_made_for_its_owner_and_one_that_was_open_to_all_is_closed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "new" / "zhenxue.sqlite"
    for _ in range(2):
        database = Database(f"sqlite:///{file}")
        with database.write() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS t (a)"))
        assert file.parent.stat().st_mode & 0o777 == 0o700
        for it in file.parent.iterdir():
            assert it.stat().st_mode & 0o777 == 0o600, it
        database.close()
        file.chmod(0o644)


def test_the_data_folder_is_the_service_s_alone(client: TestClient, services: Services) -> None:
    assert services.settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_second_database_object_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    """Another process that comes and goes must not take the write-ahead log for its own."""
    url = f"sqlite:///{tmp_path / 'zhenxue.sqlite'}"
    running = Database(url)
    with running.write() as connection:
        connection.execute(text("CREATE TABLE told (n INTEGER)"))
        connection.execute(text("INSERT INTO told VALUES (1)"))
    other = Database(url)
    with other.read() as connection:
        connection.execute(text("SELECT 1"))
    other.close()
    passing = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM told')"
    subprocess.run(
        [sys.executable, "-c", passing, str(tmp_path / "zhenxue.sqlite")], check=True, timeout=30
    )
    assert (tmp_path / "zhenxue.sqlite-wal").exists()
    with running.write() as connection:
        connection.execute(text("INSERT INTO told VALUES (2)"))
    with running.read() as connection:
        assert connection.execute(text("SELECT sum(n) FROM told")).scalar_one() == 3
    running.close()


def test_a_file_that_was_moved_away_or_replaced_takes_nothing_until_it_is_back(
    tmp_path: Path,
) -> None:
    """Else all that is acknowledged meanwhile were gone with the next start."""
    file, away = tmp_path / "zhenxue.sqlite", tmp_path / "away.sqlite"
    database = Database(f"sqlite:///{file}")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE told (n INTEGER)"))
    file.rename(away)
    for another in (False, True):
        if another:
            file.write_bytes(away.read_bytes())
        with pytest.raises(DatabaseAway), database.write() as connection:
            connection.execute(text("INSERT INTO told VALUES (1)"))
        with pytest.raises(DatabaseAway), database.read():
            pass
    away.rename(file)
    with database.write() as connection:
        connection.execute(text("INSERT INTO told VALUES (2)"))
        assert connection.execute(text("SELECT n FROM told")).scalars().all() == [2]
    database.close()
