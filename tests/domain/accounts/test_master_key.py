"""A master key that is not the database's starts nothing; the one that is goes on unasked."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, insert, select, update

from app.domain.accounts import master_key
from app.domain.accounts.master_key import WrongMasterKey
from app.main import create_app
from app.services import Services, open_services
from app.settings import Settings
from models import InstallationFact, Learner, LearnerKey
from tests.api.test_sessions import found_school
from tests.people import County, TestClock

both = pytest.mark.both_databases
OTHER = "another master key, long enough for production"

pytestmark = pytest.mark.usefixtures("database")


def with_key(settings: Settings, key: str) -> Settings:
    return Settings(
        database_url=settings.database_url,
        data_dir=settings.data_dir,
        face_workers=0,
        master_key=key,
    )


@both
def test_only_the_key_that_the_database_was_begun_with_starts(
    settings: Settings, services: Services, clock: TestClock
) -> None:
    with open_services(settings, clock):
        pass
    with open_services(settings, clock):
        pass
    other = with_key(settings, OTHER)
    with pytest.raises(WrongMasterKey, match="ZHENXUE_MASTER_KEY"), open_services(other, clock):
        pytest.fail("a command went on with a wrong key")
    app = create_app(other, clock)
    with pytest.raises(WrongMasterKey), TestClient(app):
        pytest.fail("the service started with a wrong key")
    app.state.services.database.close()


@both
def test_of_services_that_start_together_on_a_new_database_the_first_sets_the_key(
    settings: Settings, services: Services, clock: TestClock
) -> None:
    with services.database.write() as connection:
        connection.execute(delete(InstallationFact))

    def start(own: Settings) -> None:
        with open_services(own, clock):
            pass

    with ThreadPoolExecutor(2) as others:
        with services.database.write() as connection:
            master_key.take_over(connection, services.vault, 0)
            same = others.submit(start, settings)
            wrong = others.submit(start, with_key(settings, OTHER))
            time.sleep(0.3)  # so that they have looked, and found no key
        same.result()
        with pytest.raises(WrongMasterKey):
            wrong.result()


def test_an_installation_of_an_earlier_version_keeps_its_key_and_takes_no_other(
    client: TestClient, county: County, settings: Settings, services: Services
) -> None:
    """It has no sealed word yet; what it encrypted tells."""
    found_school(client, county)
    _, wrapped = services.vault.new_learner_key()
    with services.database.write() as connection:
        connection.execute(delete(InstallationFact))
        learner_id = connection.execute(select(Learner.id)).scalars().all()[0]
        connection.execute(delete(LearnerKey))
        connection.execute(
            insert(LearnerKey).values(learner_id=learner_id, wrapped=wrapped, created_ms=0)
        )
        with pytest.raises(WrongMasterKey):
            other = Services.build(with_key(settings, OTHER))
            master_key.require(connection, other.vault.master)
        other.database.close()
        assert not master_key.require(connection, services.vault.master)
        master_key.take_over(connection, services.vault, 0)
        assert master_key.require(connection, services.vault.master)
        connection.execute(update(LearnerKey).values(wrapped=None))
