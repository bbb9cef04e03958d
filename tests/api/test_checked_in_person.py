"""A learner without a camera: not proven, until the institution checked in person and it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from app.services import Services
from app.simulation.scenarios import perform
from tests.people import HUANGCHUAN, County
from tests.verdicts import bodies, class_row, sign_in, take, validate

CLASS = "class-demo"


class Case:
    def __init__(self, client: TestClient, services: Services, county: County) -> None:
        self.client, self.services, self.county = client, services, county
        self.headers = county.huang.headers
        self.id = class_row(services.database, county, CLASS).id

    def hour(self) -> dict[str, Any]:
        """The latest verdict on the only class-hour that was studied, judged now."""
        validate(self.services, self.id)
        found = [body for kind, _, body in bodies(self.services.database) if kind == "class_hour"]
        told: dict[str, Any] = json.loads(found[-1])
        return told

    def checked(self, learner: str, number: int) -> int:
        """The institution's word, by its platform's key."""
        answer = self.client.post(
            f"/v1/classes/{CLASS}/acts",
            json={
                "kind": "checked_in_person",
                "learner_id": learner,
                "body": {
                    "class_hours": [number],
                    "checked_on": "2026-10-12",
                    "checked_by": "班主任周敏",
                },
                "reason": "摄像头损坏，当面核对身份证并全程看护学习",
                "document": "核验登记表2026-07",
            },
            headers=self.headers,
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["state"] == "awaits_approval"
        return int(answer.json()["id"])


def test_a_broken_camera_is_settled_by_a_check_in_person_that_the_authority_approved(
    client: TestClient, services: Services, county: County, tmp_path: Path
) -> None:
    take(services, county, perform("F22"), tmp_path)
    case = Case(client, services, county)
    first = case.hour()
    assert first["outcome"] == "not_proven"
    assert {it["outcome"] for it in first["findings"]} == {"not_proven"}
    learner, number = first["subject"]["learner_id"], first["subject"]["class_hour"]
    act = case.checked(learner, number)
    assert case.hour()["outcome"] == "not_proven", "the platform's word alone is not enough"
    zhao = sign_in(services, "zhao", HUANGCHUAN, "auditor")
    assert client.post(f"/v1/acts/{act}/approval", headers=zhao).status_code == 200
    settled = case.hour()
    assert settled["outcome"] == "valid" and settled["facts_sha256"] != first["facts_sha256"]
    words = {"reason": "登记表上不是本人签名"}
    revoked = client.post(f"/v1/acts/{act}/revocation", json=words, headers=zhao)
    assert revoked.status_code == 200, revoked.text
    assert case.hour()["outcome"] == "not_proven"
