"""A learner enrols five different photos by a link; whoever else has it can do little."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.domain.faces.enrolment_steps import Step
from app.http import enrolment_ring
from app.services import Services
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from models import AuditEntry, Learner
from tests.api.test_sessions import found_school
from tests.people import County, TestClock

LIN, WU = PORTRAIT_SEEDS[:2]  # artificial people
AS_ASKED: dict[Step, dict[str, Any]] = {
    Step.STRAIGHT: {"noise_seed": 1},
    Step.LEFT: {"noise_seed": 2, "pose": 0.3},
    Step.RIGHT: {"noise_seed": 3, "pose": -0.3},
    Step.NEARER: {"noise_seed": 4},
    Step.OTHER_LIGHT: {"noise_seed": 5, "light": 0.7},
}


def taken(step: Step, person: int = LIN) -> bytes:
    photo = portrait(person, **AS_ASKED[step])
    return nearer(photo) if step is Step.NEARER else photo


def nearer(photo: bytes, times: float = 1.3) -> bytes:
    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, times)
    return jpeg(cv2.warpAffine(picture, matrix, (width, height)), 90)


def jpeg(picture: Any, quality: int) -> bytes:
    encoded: bytes = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    return encoded


@pytest.fixture
def school(client: TestClient, county: County) -> None:
    found_school(client, county)


@pytest.fixture
def link(client: TestClient, county: County, school: None) -> dict[str, Any]:
    return ask(client, county)


def ask(client: TestClient, county: County, learner: str = "lin") -> dict[str, Any]:
    path = f"/v1/learners/{learner}/enrolment"
    answer = client.post(path, headers=county.huang.headers)
    assert answer.status_code == 201, answer.text
    given: dict[str, Any] = answer.json()
    return given


def hand_in(
    client: TestClient,
    token: str,
    photo: bytes,
    step: Step | None = None,
    learner: str = "lin",
    **query: Any,
) -> Any:
    if step is not None:
        query["step"] = str(step)
    return client.put(
        f"/v1/learners/{learner}/reference-photo",
        content=photo,
        params=query,
        headers={"authorization": f"Bearer {token}", "content-type": "image/jpeg"},
    )


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [reason["code"] for reason in answer.json()["reasons"]]


def test_a_learner_enrols_five_different_photos(client: TestClient, link: dict[str, Any]) -> None:
    token = link["token"]
    for count, step in enumerate(Step, 1):
        report = hand_in(client, token, taken(step), step)
        assert report.status_code == 200, (step, report.text)
        body = report.json()
        assert (body["photos"], body["photos_wanted"]) == (count, 5)
        assert body["confidence"] == ("normal" if count == 5 else "low")
        assert body["quality"]["step"] == step
    told = client.get(
        "/v1/learners/lin/enrolment", headers={"authorization": f"Bearer {token}"}
    ).json()
    assert told["photos"] == 5 and all(it["enrolled"] for it in told["steps"])
    assert told["expires_at_ms"] == link["expires_at_ms"]
    more = hand_in(client, token, portrait(LIN, noise_seed=77))
    assert (more.status_code, more.json()["code"]) == (409, "enrolment_complete")


def test_a_photo_of_24_megapixels_is_scaled_and_a_larger_file_is_told_its_limit(
    client: TestClient, county: County, link: dict[str, Any]
) -> None:
    small = cv2.imdecode(np.frombuffer(taken(Step.STRAIGHT), np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    grain = np.random.default_rng(1).integers(-8, 8, (4000, 6000, 3), np.int16)
    large = np.clip(cv2.resize(small, (6000, 4000)).astype(np.int16) + grain, 0, 255)
    photo = jpeg(large.astype(np.uint8), 95)
    assert 4 * 2**20 < len(photo) < 20 * 2**20

    def put(data: bytes) -> Any:
        path = "/v1/learners/lin/reference-photo"
        headers = county.huang.headers | {"content-type": "image/jpeg"}
        return client.put(path, content=data, headers=headers)

    answer = put(photo)
    assert answer.status_code == 200, answer.text
    refused = put(photo + bytes(20 * 2**20 + 1 - len(photo)))
    assert refused.status_code == 413 and "20MB" in refused.json()["reason"]["zh"], refused.text


def test_the_address_keeps_the_token_from_every_server_and_log(link: dict[str, Any]) -> None:
    address = urlsplit(link["url"])
    assert link["token"] not in address.path + address.query
    assert parse_qs(address.fragment) == {"learner": ["lin"], "token": [link["token"]]}


def test_the_link_is_over_after_half_an_hour(
    client: TestClient, link: dict[str, Any], clock: TestClock
) -> None:
    clock.advance(minutes=30, seconds=-1)
    assert hand_in(client, link["token"], taken(Step.STRAIGHT)).status_code == 200
    clock.advance(seconds=1)
    late = hand_in(client, link["token"], taken(Step.LEFT), Step.LEFT)
    assert (late.status_code, late.json()["code"]) == (401, "enrolment_over")


def test_the_link_is_of_one_learner_and_of_nothing_else(
    client: TestClient, link: dict[str, Any]
) -> None:
    token = link["token"]
    for other in ("wu", "nobody"):
        refused = hand_in(client, token, taken(Step.STRAIGHT), learner=other)
        assert (refused.status_code, refused.json()["code"]) == (401, "enrolment_over")
    headers = {"authorization": f"Bearer {token}"}
    assert client.get("/v1/classes/c1/roster", headers=headers).status_code == 401
    assert client.post("/v1/learners/lin/enrolment", headers=headers).status_code == 401
    replaced = hand_in(client, token, taken(Step.STRAIGHT), replace="true")
    assert replaced.status_code == 403


@pytest.mark.parametrize("place", [2, 12, -1])
def test_a_token_that_was_altered_opens_nothing(
    client: TestClient, link: dict[str, Any], place: int
) -> None:
    token = list(link["token"])
    token[place] = "2" if token[place] == "1" else "1"
    assert hand_in(client, "".join(token), taken(Step.STRAIGHT)).status_code == 401


def test_without_consent_there_is_no_link_and_no_photo(
    client: TestClient, county: County, services: Services, link: dict[str, Any]
) -> None:
    with services.database.write() as connection:
        connection.execute(update(Learner).values(face_consent=False))
    asked = client.post("/v1/learners/lin/enrolment", headers=county.huang.headers)
    given = hand_in(client, link["token"], taken(Step.STRAIGHT))
    for answer in (asked, given):
        assert (answer.status_code, answer.json()["code"]) == (403, "no_face_consent")


def test_one_link_cannot_keep_the_readers_busy(
    client: TestClient, link: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"authorization": f"Bearer {link['token']}"}
    for _ in range(enrolment_ring.REQUESTS_A_MINUTE):
        assert client.get("/v1/learners/lin/enrolment", headers=headers).status_code == 200
    assert client.get("/v1/learners/lin/enrolment", headers=headers).status_code == 429


def test_who_asked_for_a_link_stands_in_the_audit_log(
    link: dict[str, Any], services: Services
) -> None:
    with services.database.read() as connection:
        (entry,) = connection.execute(
            select(AuditEntry).where(AuditEntry.action == "enrolment.link_issued")
        )
    assert entry.actor.startswith("key:") and entry.detail == {"minutes": 30}
    assert link["token"] not in repr(entry)


# ------------------------------------------------------------------ different photos


@pytest.mark.parametrize("change", ["none", "re-encoded", "smaller", "brighter", "mirrored"])
def test_the_same_picture_again_is_no_other_photo(
    client: TestClient, link: dict[str, Any], change: str
) -> None:
    photo = taken(Step.STRAIGHT)
    hand_in(client, link["token"], photo, Step.STRAIGHT)
    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    again = {
        "none": photo,
        "re-encoded": jpeg(picture, 70),
        "smaller": jpeg(cv2.resize(picture, None, fx=0.9, fy=0.9), 90),
        "brighter": jpeg(np.clip(picture * 1.2, 0, 255).astype(np.uint8), 90),
        "mirrored": jpeg(picture[:, ::-1], 90),
    }[change]
    for step in (Step.OTHER_LIGHT, None):
        answer = hand_in(client, link["token"], again, step)
        if change == "none" and step is None:  # said twice: nothing new, and no harm
            assert answer.json()["photos"] == 1
        else:
            assert "same_photograph" in codes(answer)


@pytest.mark.parametrize(
    ("step", "photo", "code"),
    [
        (Step.LEFT, {"pose": 0.0}, "not_turned_left"),
        (Step.RIGHT, {"pose": 0.0}, "not_turned_right"),
        (Step.LEFT, {"pose": -0.4}, "turned_other_way"),
        (Step.LEFT, {"pose": 0.8}, "turned_too_far"),
        (Step.NEARER, {"pose": 0.0}, "not_nearer"),
        (Step.OTHER_LIGHT, {"noise_seed": 3}, "same_light"),
        (Step.STRAIGHT, {"pose": 0.5}, "turned_away"),
        (Step.STRAIGHT, {"noise_seed": 0, "eyes_open": 0.0}, "eyes_covered"),
        (Step.STRAIGHT, {"light": 0.3}, "too_dark"),
    ],
)
def test_a_step_says_what_it_still_lacks(
    client: TestClient, link: dict[str, Any], step: Step, photo: dict[str, Any], code: str
) -> None:
    hand_in(client, link["token"], taken(Step.STRAIGHT), Step.STRAIGHT)
    answer = hand_in(client, link["token"], portrait(LIN, **{"noise_seed": 9, **photo}), step)
    assert code in codes(answer)
    assert all(reason["zh"] and reason["en"] for reason in answer.json()["reasons"])


def test_somebody_else_cannot_add_a_face_by_the_learners_link(
    client: TestClient, county: County, link: dict[str, Any]
) -> None:
    hand_in(client, link["token"], taken(Step.STRAIGHT), Step.STRAIGHT)
    other = hand_in(client, link["token"], taken(Step.LEFT, WU), Step.LEFT)
    assert codes(other) == ["unlike_enrolled"]
    assert ask(client, county)["photos"] == 1


def test_who_cannot_turn_the_head_enrols_fewer_with_lower_confidence(
    client: TestClient, link: dict[str, Any]
) -> None:
    for step in (Step.STRAIGHT, Step.NEARER, Step.OTHER_LIGHT):
        report = hand_in(client, link["token"], taken(step), step).json()
    assert (report["photos"], report["confidence"]) == (3, "low")
    assert "5张" in report["advice"]
