"""A photograph that was handed in anywhere before is told, and to nobody whose it was."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, insert, select

from app.domain.accounts.users import Role, User
from app.domain.faces import photo_viewing, retention
from app.jobs.face_worker import run_pending
from app.services import Services
from app.store.faces import retention as terms
from app.store.faces import snapshots as store
from app.vision.image import decode
from models import PhotoCode, PhotoCodeDue, Snapshot
from tests.api.test_sessions import found_school, opening, post
from tests.jobs.test_face_worker import LIN, WU, enrol, face, put
from tests.people import GUANGSHAN, HUANGCHUAN, County, TestClock, course, training_class
from tests.vision.test_reuse import before_another_wall, moved

GUO = {"learner_id": "guo", "name": "郭小草", "id_number": "000000198502070030"}
CONSENT = {"face": True, "at": "2026-02-20T10:00:00+08:00", "document": "consent-guo.pdf"}


def elsewhere(data: bytes) -> bytes:
    """The same photograph before another wall, moved by a hair and saved again."""
    picture = moved(before_another_wall(decode(data)), 1.5, 1.02, 6, -4)
    return cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()


@pytest.fixture
def sittings(client: TestClient, county: County, services: Services, clock: TestClock) -> County:
    """Lin has a sitting in Huangchuan, Guo one in Guangshan, on another platform."""
    found_school(client, county)
    post(client, county, opening(session_id="s1"))
    enrol(client, county, "lin", face(LIN, 4))
    put(client, county, "mine", face(LIN, 3))
    run_pending(services)
    theirs = county.guang.headers
    roster = {"learners": [GUO | {"real_name_verified": True, "consent": CONSENT}]}
    guangshan = training_class(institution="光山县示例培训学校", county=GUANGSHAN)
    for path, body in (
        ("/v1/courses/sewing", course()),
        ("/v1/classes/c1", guangshan),
        ("/v1/classes/c1/roster", roster),
    ):
        answer = client.put(path, json=body, headers=theirs)
        assert answer.status_code < 300, answer.text
    clock.advance(hours=1)
    opened = client.post("/v1/sessions", json=opening("guo", session_id="s9"), headers=theirs)
    assert opened.status_code == 201, opened.text
    return county


def theirs(client: TestClient, county: County, services: Services, data: bytes) -> Any:
    """Guo hands in a photo: how it was read."""
    answer = client.put(
        "/v1/sessions/s9/snapshots/p",
        content=data,
        params={"purpose": "random"},
        headers={**county.guang.headers, "content-type": "image/jpeg"},
    )
    assert answer.status_code == 202, answer.text
    run_pending(services)
    return newest(services)


def newest(services: Services) -> Any:
    with services.database.read() as connection:
        return connection.execute(select(Snapshot).order_by(Snapshot.id.desc())).first()


def auditor(*counties: str) -> User:
    return User(1, "zhao", "赵审", Role.AUDITOR, counties, None)


@pytest.mark.both_databases
def test_a_photo_of_another_county_before_another_wall_is_told_without_whose_it_is(
    client: TestClient, sittings: County, services: Services
) -> None:
    photo = theirs(client, sittings, services, elsewhere(face(LIN, 3)))
    copy = photo.reading["near_duplicate"]
    assert copy["residual"] <= 0.04
    assert copy["session_id"] is copy["snapshot_id"] is copy["learner_id"] is None
    with services.database.read() as connection:
        (told,) = store.copies(connection, [photo.session_id]).values()
        here = photo_viewing.comparison(
            connection, auditor(GUANGSHAN), photo_row(connection, photo)
        )
        both = auditor(GUANGSHAN, HUANGCHUAN)
        above = photo_viewing.comparison(connection, both, photo_row(connection, photo))
    assert told.session_id is told.snapshot_id is None
    assert here is not None and here.photo is None and not here.enrolled
    assert above is not None and above.photo.learner_name == "林小兰"


def photo_row(connection: Any, photo: Any) -> Any:
    return photo_viewing.photo(connection, auditor(GUANGSHAN), photo.id)


def test_the_photo_that_somebody_else_enrolled_is_told(
    client: TestClient, sittings: County, services: Services
) -> None:
    photo = theirs(client, sittings, services, elsewhere(face(LIN, 4)))
    assert photo.reading["near_duplicate"]["residual"] <= 0.04
    with services.database.read() as connection:
        beside = photo_viewing.comparison(
            connection, auditor(GUANGSHAN), photo_row(connection, photo)
        )
    assert beside is not None and beside.photo is None and beside.enrolled


@pytest.mark.parametrize("person", [LIN, WU])
def test_another_photo_of_the_same_or_another_face_is_not(
    client: TestClient, sittings: County, services: Services, person: int
) -> None:
    photo = theirs(client, sittings, services, face(person, 12, pose=0.12))
    assert photo.status == "done" and "near_duplicate" not in photo.reading


@pytest.mark.both_databases
def test_nothing_is_found_of_who_was_erased_or_whose_photo_was_removed(
    client: TestClient, sittings: County, services: Services, clock: TestClock
) -> None:
    with services.database.write() as connection:
        platform = sittings.huang.platform.id
        retention.erase_learner(
            connection, platform, "lin", reason="本人要求", actor="test", now_ms=clock()
        )
        assert connection.execute(select(PhotoCode.id)).all() == []
    photo = theirs(client, sittings, services, elsewhere(face(LIN, 3)))
    assert "near_duplicate" not in photo.reading
    with services.database.write() as connection:
        assert connection.execute(select(PhotoCode.snapshot_id)).scalars().all() == [photo.id]
        terms.removed(connection, [photo.id], clock())
        assert connection.execute(select(PhotoCode.id)).all() == []


@pytest.mark.both_databases
def test_photos_from_before_there_were_codes_are_found_once_they_are_read_again(
    client: TestClient, sittings: County, services: Services
) -> None:
    with services.database.write() as connection:
        old = connection.execute(select(PhotoCode.snapshot_id, PhotoCode.reference_photo_id)).all()
        connection.execute(delete(PhotoCode))
        connection.execute(insert(PhotoCodeDue), [dict(row._mapping) for row in old])
    assert len(old) == 2 and run_pending(services) == 2
    photo = theirs(client, sittings, services, elsewhere(face(LIN, 3)))
    assert "near_duplicate" in photo.reading
    with services.database.read() as connection:
        assert connection.execute(select(PhotoCodeDue.id)).all() == []
