"""Keys are exchanged under a running installation: everything still opens, nobody counts twice."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, func, insert, select

from app.domain.accounts import keyring, master_key
from app.domain.review import learner_link
from app.errors import Conflict
from app.jobs import audit_watch, backup, key_exchange
from app.jobs.restore import restore
from app.security import Suite, Unsealable
from app.services import Services, open_services
from app.settings import Settings
from app.store.accounts import audit, sealed, vault_keys
from app.store.catalogue import people
from app.vault import GROUPS, PURPOSES, Vault
from models import AuditEntry, InstallationFact, Learner, LearnerKey, Person
from tests.api.test_sessions import found_school, opening
from tests.people import LIN, WU, County, TestClock, training_class

both = pytest.mark.both_databases
NEXT = "the next master key, long enough for production"


def put(client: TestClient, headers: dict[str, str], path: str, body: dict[str, Any]) -> None:
    answer = client.put(path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text


def lived_in(client: TestClient, services: Services, county: County) -> None:
    """A school with a sitting under way, a face key and a webhook; a person known by the number
    alone, from a record of an earlier training."""
    found_school(client, county)
    headers = county.huang.headers
    assert client.post("/v1/sessions", json=opening(), headers=headers).status_code == 201
    hook = {"url": "https://example.org/hook", "events": ["finding.opened"]}
    assert client.post("/v1/webhooks", json=hook, headers=headers).status_code == 201
    told = {"id_number": "000000198003060049", "occupation": "缝纫工", "started_on": "2025-12-01"}
    answer = client.post("/v1/classes/c1/history", json=[told], headers=headers)
    assert answer.json()["accepted"] == 1, answer.text
    with services.database.write() as connection:
        wrapped = services.vault.new_learner_key()[1]
        values = {"learner_id": 1, "wrapped": wrapped, "created_ms": 0}
        if connection.scalar(select(func.count()).select_from(LearnerKey)) == 0:
            connection.execute(LearnerKey.__table__.insert().values(values))  # type: ignore[attr-defined]


def persons(services: Services) -> dict[int, bytes | None]:
    with services.database.read() as connection:
        rows = connection.execute(select(Person.id, Person.id_hash).order_by(Person.id))
        return {row.id: row.id_hash for row in rows}


def person_of(services: Services, account: str) -> int:
    with services.database.read() as connection:
        query = select(Learner.person_id).where(Learner.external_id == account)
        return connection.execute(query).scalar_one()


def values(services: Services) -> dict[str, list[bytes]]:
    """All that is sealed in the database, by purpose."""
    found: dict[str, list[bytes]] = {}
    with services.database.read() as connection:
        for purpose, places in sealed.PLACES.items():
            for place in places:
                rows = sealed.rows(connection, place, None, 1000)
                found.setdefault(purpose, []).extend(row.value for row in rows)
    return found


def at_another_platform(
    client: TestClient, county: County, klass: str, people: list[dict[str, Any]]
) -> None:
    headers = county.guang.headers
    course = {"title": "缝纫", "course_kind": "public", "sequential_lock": False}
    lesson = {"lesson_id": "l1", "order": 1, "title": "一", "media_seconds": 2400}
    put(client, headers, "/v1/courses/sewing", {**course, "lessons": [lesson]})
    put(client, headers, f"/v1/classes/{klass}", training_class())
    put(client, headers, f"/v1/classes/{klass}/roster", {"learners": people})


@both
def test_all_keys_are_exchanged_and_nobody_counts_twice(
    client: TestClient, services: Services, county: County, clock: TestClock
) -> None:
    lived_in(client, services, county)
    former = Vault(services.settings.master_key.get_secret_value())
    before, known = values(services), persons(services)
    assert all(before[it] for it in ("learner-key", "id-number", "session-seed", "webhook-secret"))

    key_exchange.exchange(services, keyring.ALL, "operator")
    at_another_platform(client, county, "g1", [{**LIN, "learner_id": "g-lin"}])
    assert person_of(services, "g-lin") == person_of(services, "lin"), "not hashed anew yet"

    left = key_exchange.resume(services, "operator", grace_ms=0)
    at_another_platform(client, county, "g1", [{**WU, "learner_id": "g-wu"}])
    assert person_of(services, "g-wu") == person_of(services, "wu"), "hashed anew by now"
    answer = client.put(
        "/v1/classes/c1/roster", json={"learners": [LIN, WU]}, headers=county.huang.headers
    )
    assert answer.status_code == 200 and not answer.json().get("rejected"), answer.text

    assert {it.purpose for it in left} <= {"enrolment-link", *GROUPS["pages"]}
    now = persons(services)
    assert now.keys() == known.keys()
    assert all(now[it] != known[it] for it in known), "also who is known by the number alone"
    for purpose, found in values(services).items():
        assert len(found) == len(before.get(purpose, ())) + 2 * (purpose == "id-number"), purpose
        for value in found if purpose != "id-number-hash" else ():
            services.vault.open(value, purpose)
            with pytest.raises(Unsealable):
                former.open(value, purpose)
    assert audit_watch.verify(services) == []
    clock.advance(hours=25)
    assert key_exchange.resume(services, "operator", grace_ms=0) == []


@both
def test_a_process_that_has_not_heard_of_the_exchange_enters_nobody_twice(
    client: TestClient, services: Services, county: County
) -> None:
    found_school(client, county)
    stale = services.vault.id_number_hash(LIN["id_number"])
    key_exchange.exchange(services, ["id-numbers"], "operator")
    key_exchange.resume(services, "operator", grace_ms=0)
    with pytest.raises(vault_keys.KeysMovedOn), services.database.write() as connection:
        people.ensure_person(connection, stale)
    fresh = services.vault.id_number_hash(LIN["id_number"])
    with services.database.write() as connection:
        assert people.ensure_person(connection, fresh) == person_of(services, "lin")


def test_an_exchange_that_was_cut_short_is_gone_on_with(
    client: TestClient, services: Services, county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(client, services, county)
    monkeypatch.setattr(keyring, "AT_ONCE", 1)
    key_exchange.exchange(services, ["id-numbers"], "operator")
    with services.database.write() as connection:
        place = keyring.places_of("id-number-hash")[0]
        keyring.step(connection, services.vault, "id-number-hash", place, services.blobs)
    half = persons(services)
    with pytest.raises(Conflict, match="id-number"):
        key_exchange.exchange(services, ["id-numbers"], "operator")
    assert key_exchange.resume(services, "operator", grace_ms=0) == []
    whole = persons(services)
    assert len(whole) > 2 and sum(half[it] == whole[it] for it in whole) == 1
    assert services.vault.id_number_hash(LIN["id_number"]) in whole.values()


def test_links_that_were_given_open_until_their_day_unless_they_are_ended(
    client: TestClient, services: Services, county: County
) -> None:
    found_school(client, county)

    def issued() -> str:
        with services.database.write() as connection:
            path = learner_link.issue(
                connection, services.vault, 1, 1, actor="t", days=60, now_ms=services.clock()
            ).path
        return path

    first = issued()
    key_exchange.exchange(services, ["links"], "operator")
    left = {it.purpose: it for it in key_exchange.resume(services, "operator", grace_ms=0)}
    assert left["learner-link"].waiting == "1 links that were given before"
    assert client.get(first).status_code == 200 and client.get(issued()).status_code == 200
    key_exchange.exchange(services, ["links"], "operator", at_once=True)
    assert client.get(first).status_code == 200, "an exchange before this one's"
    third = issued()
    assert client.get(third).status_code == 200


@both
def test_the_audit_log_holds_over_an_exchange_and_the_former_key_forges_nothing(
    services: Services, county: County
) -> None:
    audit_watch.write_head(services)
    former = services.vault.generations("audit-log")[0]
    key_exchange.exchange(services, ["audit"], "operator")
    with services.database.write() as connection:
        audit.append(connection, at_ms=1, actor="user:zhao", action="t", subject="s")
    assert audit_watch.verify(services) == [], "heads that the former key signed are still good"
    audit_watch.write_head(services)
    assert audit_watch.verify(services) == []
    for head in audit_watch.heads_in(audit_watch.folder_of(services)):
        head.unlink()
    with services.database.write() as connection:
        first = select(AuditEntry).where(AuditEntry.action == "keys.exchanged")
        cut = connection.execute(first).one()
        connection.execute(delete(AuditEntry).where(AuditEntry.id >= cut.id))
        last = connection.execute(select(AuditEntry.chain).order_by(AuditEntry.id.desc())).first()
        row = {"at_ms": 2, "actor": "user:wu", "action": "t", "subject": "s", "detail": {}}
        chain = audit.link(last.chain if last else audit.GENESIS, row)
        forged = {**row, "chain": chain, "seal": former.mac(chain)}
        connection.execute(insert(AuditEntry).values(forged))
    assert audit_watch.verify(services) != []


def with_key(settings: Settings, key: str, folder: Path | None = None) -> Settings:
    return Settings(
        database_url=settings.database_url if folder is None else "",
        data_dir=folder or settings.data_dir,
        face_workers=0,
        master_key=key,
    )


@both
def test_the_master_key_is_exchanged_under_a_running_service(
    client: TestClient,
    services: Services,
    county: County,
    clock: TestClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lived_in(client, services, county)
    former, known = services.vault.master.text, persons(services)
    file = tmp_path / "master.key"
    file.write_text(former)
    monkeypatch.setenv("ZHENXUE_MASTER_KEY_FILE", str(file))
    for _ in range(2):  # a command that died right after is simply run again
        with services.database.write() as connection:
            master_key.announce(connection, NEXT, actor="operator", now_ms=clock())
    for key in (former, NEXT):
        with open_services(with_key(services.settings, key), clock):
            pass
    key_exchange.look(services)
    assert services.vault.master.text == former, "its file still holds the former one"
    file.write_text(NEXT + "\n")
    key_exchange.look(services)
    assert services.vault.master.text == NEXT
    with services.database.write() as connection:
        master_key.settle(connection, actor="operator", now_ms=clock())
    at_another_platform(client, county, "g1", [{**LIN, "learner_id": "g-lin"}])
    assert persons(services) == known, "the keys themselves are what they were"
    with pytest.raises(master_key.WrongMasterKey):
        with open_services(with_key(services.settings, former), clock):
            pytest.fail("the former master key still opens it")
    with open_services(with_key(services.settings, NEXT), clock) as again:
        found = values(again)
        for purpose in ("id-number", "learner-key", "session-seed", "webhook-secret"):
            assert found[purpose] and all(again.vault.open(it, purpose) for it in found[purpose])
        assert audit_watch.verify(again) == []
    key_exchange.exchange(services, keyring.ALL, "operator")
    key_exchange.resume(services, "operator", grace_ms=0)
    assert client.get("/readyz").status_code == 200


def test_a_service_left_behind_with_the_former_master_key_says_that_it_is_not_ready(
    client: TestClient, services: Services, county: County, clock: TestClock
) -> None:
    lived_in(client, services, county)
    with services.database.write() as connection:
        master_key.announce(connection, NEXT, actor="operator", now_ms=clock())
    with open_services(with_key(services.settings, NEXT), clock) as other:
        with other.database.write() as connection:
            master_key.settle(connection, actor="operator", now_ms=clock())
    with pytest.raises(Exception, match="ZHENXUE_MASTER_KEY_FILE"):
        key_exchange.look(services)


def test_another_key_is_not_announced_twice_and_can_be_abandoned(
    services: Services, county: County, clock: TestClock
) -> None:
    services.require_master_key()
    with services.database.write() as connection:
        master_key.announce(connection, NEXT, actor="operator", now_ms=clock())
    with services.database.write() as connection:
        with pytest.raises(Conflict, match="abandon"):
            master_key.announce(connection, NEXT + "!", actor="operator", now_ms=clock())
        with pytest.raises(Conflict, match="master key"):
            keyring.begin(connection, keyring.ALL, actor="operator", now_ms=clock())
        with pytest.raises(Conflict):
            master_key.settle(connection, actor="operator", now_ms=clock())
        master_key.abandon(connection, actor="operator", now_ms=clock())
    with pytest.raises(master_key.WrongMasterKey):
        with open_services(with_key(services.settings, NEXT), clock):
            pytest.fail("what was abandoned opens it")


def test_a_backup_made_after_an_exchange_is_restored_by_the_master_key_alone(
    client: TestClient, services: Services, county: County, tmp_path: Path
) -> None:
    lived_in(client, services, county)
    key_exchange.exchange(services, keyring.ALL, "operator")
    made = backup.make(services, tmp_path / "backups")
    empty = with_key(services.settings, services.vault.master.text, tmp_path / "empty")
    told = restore(empty, Path(made.folder))
    assert told.whole
    again = Services.build(empty)
    assert persons(again) == persons(services)
    again.database.close()
    shutil.rmtree(tmp_path / "empty")
    with pytest.raises(backup.BadBackup, match="another master key"):
        restore(with_key(services.settings, NEXT, tmp_path / "empty"), Path(made.folder))


def test_where_national_algorithms_are_asked_for_everything_begins_with_them(
    settings: Settings, clock: TestClock, database: Any
) -> None:
    national = settings.model_copy(update={"crypto_suite": Suite.NATIONAL})
    with open_services(national, clock) as services:
        for purpose in PURPOSES:
            assert services.vault.generations(purpose)[0].suite is Suite.NATIONAL, purpose
        key, _ = services.vault.new_learner_key()
        assert len(key) == 16, "SM4"
        assert audit_watch.verify(services) == []
        secret = services.vault.seal(b"number", "id-number")
        with services.database.read() as connection:
            assert connection.execute(select(InstallationFact.name)).scalars().all()
    with open_services(settings, clock) as services:
        assert services.vault.open(secret, "id-number") == b"number"


def test_every_purpose_of_the_code_is_known_to_the_vault() -> None:
    with pytest.raises(LookupError, match="no purpose"):
        Vault("a key").seal(b"", "no-such-purpose")
