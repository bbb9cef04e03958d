"""Which of the six controls a class had: what is missing, what cannot be told, who is accused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.domain.catalogue.classes import pack_of
from app.domain.judging import conformity, conformity_trend
from app.services import Services
from app.simulation.environment import Setting
from app.simulation.scenarios import perform
from app.simulation.service import Controls
from app.store.scope import AccessScope
from tests.people import HUANGCHUAN, County, course, lesson, training_class
from tests.verdicts import class_row, control, sign_in, take_without_photos, validate

NO_POPUPS = Controls(popups=False, snapshots=1)


class Platform:
    """Plays scenarios into Huangchuan's platform and reads its conformity."""

    def __init__(
        self, client: TestClient, services: Services, county: County, folder: Path
    ) -> None:
        self.client, self.services, self.county, self.folder = client, services, county, folder
        self.database: Database = services.database

    def played(self, scenario_id: str, **setting: Any) -> dict[str, Any]:
        """Take the performance in, validate its class, and tell the class's verdict."""
        scene = perform(scenario_id, setting=Setting(**setting))
        take_without_photos(self.services, self.county, scene, self.folder)
        return self.validated()

    def validated(self) -> dict[str, Any]:
        klass = class_row(self.database, self.county, "class-demo")
        validate(self.services, klass.id)
        answer = self.get("/v1/classes/class-demo/eligibility")
        verdict: dict[str, Any] = answer["class"]
        return verdict

    def get(self, path: str, **headers: str) -> dict[str, Any]:
        answer = self.client.get(path, headers=headers or self.county.huang.headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def findings(self, rule: str) -> list[dict[str, Any]]:
        told = self.get(f"/v1/findings?rule={rule}")["findings"]
        return [it for it in told if it["learner_id"] is None]

    def review(self, finding: int, who: dict[str, str], decision: str = "uphold") -> str:
        answer = self.client.post(
            f"/v1/findings/{finding}/reviews",
            json={"decision": decision, "reason": "已核对平台日志与台账"},
            headers=who,
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["status"])


@pytest.fixture
def platform(client: TestClient, services: Services, county: County, tmp_path: Path) -> Platform:
    return Platform(client, services, county, tmp_path)


def codes(verdict: dict[str, Any]) -> list[str]:
    return [it["code"] for it in verdict["reasons"] if it["source"] == "popup_gap"]


def test_a_platform_with_its_own_popups_has_the_control(platform: Platform) -> None:
    verdict = platform.played("H41")
    told = control(verdict, "popup_gap")
    assert told["missing"] is False and told["configured"] == {"run_by": "platform"}
    assert told["observed"]["share"] == 1.0 and told["observed"]["shown"] >= 8
    assert platform.findings("popup_gap") == []


@pytest.mark.both_databases
def test_a_missing_popup_control_holds_the_class_until_two_persons_upheld_it(
    platform: Platform,
) -> None:
    verdict = platform.played("H01", controls="platform", platform_runs=NO_POPUPS)
    assert verdict["outcome"] == "pending"
    assert codes(verdict) == ["control_missing_awaits_reviewers"]
    (finding,) = platform.findings("popup_gap")
    assert (finding["fault"], finding["reach"]) == ("platform", "L3")
    assert finding["needs_two_reviewers"] and finding["session_id"] is None
    assert finding["clause"]["quote"] == "连续5分钟内无弹窗管控"
    assert "平台没有弹窗管控" in finding["sentence"]["zh"]

    zhao = sign_in(platform.services, "zhao", HUANGCHUAN)
    sun = sign_in(platform.services, "sun", HUANGCHUAN)
    assert platform.review(finding["id"], zhao) == "first_review"
    held = platform.get("/v1/classes/class-demo/eligibility")["class"]
    assert held["outcome"] == "pending"
    assert platform.review(finding["id"], sun) == "upheld"
    told = platform.get("/v1/classes/class-demo/eligibility")
    assert told["class"]["outcome"] == "not_acceptable" and told["class"]["curable"]
    assert codes(told["class"]) == ["control_missing"]
    assert not told["class"]["literal"]["curable"]
    for learner in told["learners"]:
        assert learner["outcome"] == "pending", "the hours of theirs wait for a first look"
        assert "class_not_acceptable" in str(learner["reasons"])


def test_two_persons_may_also_find_that_the_control_was_there(platform: Platform) -> None:
    platform.played("H01", controls="platform", platform_runs=NO_POPUPS)
    (finding,) = platform.findings("popup_gap")
    for name in ("zhao", "sun"):
        who = sign_in(platform.services, name, HUANGCHUAN)
        platform.review(finding["id"], who, "overturn")
    assert codes(platform.get("/v1/classes/class-demo/eligibility")["class"]) == []


def test_a_control_that_turns_up_takes_the_finding_away(platform: Platform) -> None:
    platform.played("H01", controls="platform", platform_runs=NO_POPUPS)
    later = Setting().start_ms + 3 * 86_400_000
    verdict = platform.played(
        "H01", controls="platform", platform_runs=Controls(), start_ms=later, label="later"
    )
    assert control(verdict, "popup_gap")["missing"] is False
    assert platform.findings("popup_gap") == []


def test_records_that_this_service_should_have_are_missing_and_not_the_control(
    platform: Platform,
) -> None:
    verdict = platform.played("H01", platform_runs=NO_POPUPS)
    told = control(verdict, "popup_gap")
    assert told["configured"] == {"run_by": "service"} and told["missing"] is None
    assert codes(verdict) == ["control_not_proven"] and verdict["outcome"] == "pending"
    assert platform.findings("popup_gap") == []


def test_a_class_nobody_studied_in_accuses_nobody(platform: Platform) -> None:
    scene = perform("H41")
    scene.evidence.clear()
    take_without_photos(platform.services, platform.county, scene, platform.folder)
    verdict = platform.validated()
    assert [it["missing"] for it in verdict["controls"] if it["kind"] == "control"] == [
        None,
        None,
        False,
        None,
    ]
    assert verdict["outcome"] == "pending"
    assert platform.get("/v1/findings")["findings"] == []


def test_a_short_sitting_owes_no_popup(platform: Platform) -> None:
    verdict = platform.played(
        "H01", controls="platform", platform_runs=NO_POPUPS, media_s=240.0, lessons=10
    )
    assert control(verdict, "popup_gap")["observed"]["of"] == 0
    assert control(verdict, "popup_gap")["missing"] is None


def test_a_professional_course_without_order_lacks_the_control(
    client: TestClient, county: County, database: Database
) -> None:
    two = [lesson("l1", 45, order=1), lesson("l2", 45, order=2)]
    for name, changes in (
        ("loose", {"sequential_lock": False, "lessons": two}),
        ("public", {"sequential_lock": False, "course_kind": "public", "lessons": two}),
        ("unknown", {"sequential_lock": False, "course_kind": None, "lessons": two}),
        ("single", {"sequential_lock": False, "lessons": two[:1]}),
    ):
        assert missing_order(client, county, database, name, **changes) is (
            name in ("loose", "unknown")
        )


def missing_order(
    client: TestClient, county: County, database: Database, name: str, **changes: Any
) -> bool | None:
    headers = county.huang.headers
    client.put(f"/v1/courses/{name}", json=course(name, **changes), headers=headers)
    opened = training_class(name, course_ids=[name])
    assert client.put(f"/v1/classes/{name}", json=opened, headers=headers).is_success
    klass = class_row(database, county, name)
    with database.read() as connection:
        found = conformity.of_class(connection, klass, pack_of(klass))
    return next(it.missing for it in found.body.controls if it.rule == "lesson_order")


def test_a_platform_reads_its_own_conformity_and_no_other(platform: Platform) -> None:
    platform.played("H01", controls="platform", platform_runs=NO_POPUPS)
    told = platform.get("/v1/platforms/huang-edu/conformity")
    (klass,) = told["classes"]
    assert klass["class_id"] == "class-demo" and klass["outcome"] == "pending"
    assert {it["rule"] for it in klass["controls"]} == {
        "fast_forward",
        "multi_window",
        "popup_gap",
        "face_liveness",
        "lesson_order",
        "photo_retention",
    }
    assert told["missing"]["popup_gap"] == ["class-demo"]
    assert klass["evidence"]["attested"] == klass["evidence"]["sittings"] == 1
    theirs = platform.client.get(
        "/v1/platforms/huang-edu/conformity", headers=platform.county.guang.headers
    )
    assert theirs.status_code == 404 and theirs.json()["code"] == "unknown_platform"
    empty = platform.get("/v1/platforms/guang-edu/conformity", **platform.county.guang.headers)
    assert empty["classes"] == []


def test_the_trend_adds_up_judged_classes_by_the_month_they_opened_in(platform: Platform) -> None:
    platform.played("H01", controls="platform", platform_runs=NO_POPUPS)
    told = platform.get("/v1/platforms/huang-edu/conformity")
    (month,) = told["trend"]
    opened = class_row(platform.database, platform.county, "class-demo").terms["starts_on"]
    assert month["month"] == opened[:7] and month["classes"] == 1
    popups = control(told["classes"][0], "popup_gap")["observed"]
    assert popups["of"] > 0
    assert month["controls"]["popup_gap"] == {
        "observed": popups["with"],
        "of": popups["of"],
        "share": 0.0,
        "classes_missing": 1,
    }
    assert month["evidence"]["complete_share"] == told["classes"][0]["evidence"]["complete_share"]
    violations = [it["violations"] for it in told["classes"][0]["faults"].values()]
    assert [it["violations"] for it in month["faults"].values()] == violations


def test_a_class_is_held_against_what_opened_before_it_and_not_against_itself(
    platform: Platform,
) -> None:
    platform.played("H01", controls="platform", platform_runs=NO_POPUPS)
    klass = class_row(platform.database, platform.county, "class-demo")
    opened = date.fromisoformat(klass.terms["starts_on"])
    scope = AccessScope(platform_id=klass.platform_id)
    with platform.database.read() as connection:
        itself = conformity_trend.before(connection, scope, klass.platform_id, opened)
        later = conformity_trend.before(
            connection, scope, klass.platform_id, opened + timedelta(days=1)
        )
        year = conformity_trend.before(
            connection, scope, klass.platform_id, opened + timedelta(days=367)
        )
    assert [it.classes for it in (itself, later, year)] == [0, 1, 0]
