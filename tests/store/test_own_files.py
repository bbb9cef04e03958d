"""What lies on the disk is its owner's to read."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import text

from app.db import Database
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
