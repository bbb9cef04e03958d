"""Opening a class freezes what is taught in it; a roster says who is taught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.services import Services
from app.simulation.entities import invented_id_number
from tests.api.test_sessions import found_school
from tests.people import LIN, WU, County, course, lesson, training_class
from tests.waiting import eventually


@pytest.fixture
def huang(client: TestClient, county: County) -> TestClient:
    """Huangchuan's platform, with a course of three class-hours."""
    client.headers.update(county.huang.headers)
    assert client.put("/v1/courses/sewing", json=course()).status_code == 200
    return client


def learners(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"learner_id": f"p{n}", "name": f"学员{n}", "id_number": invented_id_number(n + 1)}
        for n in range(start, start + count)
    ]


@pytest.mark.both_databases
def test_opening_a_class_answers_with_the_plan(huang: TestClient) -> None:
    answer = huang.put("/v1/classes/c1", json=training_class())
    assert answer.status_code == 200, answer.text
    opened = answer.json()
    assert opened["courses"] == [{"course_id": "sewing", "version": 1}]
    assert opened["policy"]["id"] == "huangchuan-2021-graded"
    assert [hour["pieces"] for hour in opened["class_hours"]] == [
        [{"lesson_id": "l1", "start": 0, "end": 2700}],
        [{"lesson_id": "l2", "start": 0, "end": 2700}],
        [{"lesson_id": "l2", "start": 2700, "end": 5400}],
    ]
    assert [hour["number"] for hour in opened["class_hours"]] == [1, 2, 3]
    assert huang.put("/v1/classes/c1", json=training_class()).json() == opened
    assert huang.get("/v1/classes/c1").json() == opened


def test_class_hours_never_reach_across_courses(huang: TestClient) -> None:
    other = course("safety", [lesson("s1", 25, order=1), lesson("s2", 25, order=2)])
    huang.put("/v1/courses/safety", json=other)
    opened = huang.put(
        "/v1/classes/c1", json=training_class(course_ids=["sewing", "safety"])
    ).json()
    assert [hour["course_id"] for hour in opened["class_hours"]] == ["sewing"] * 3 + ["safety"]


def test_before_anybody_studied_a_class_follows_its_courses(huang: TestClient) -> None:
    huang.put("/v1/classes/c1", json=training_class())
    huang.put("/v1/courses/sewing", json=course(lessons=[lesson("l1", 45, order=1)]))
    assert huang.get("/v1/classes/c1").json()["class_hours_total"] == 3
    reopened = huang.put("/v1/classes/c1", json=training_class()).json()
    assert reopened["courses"][0]["version"] == 2
    assert reopened["class_hours_total"] == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"course_ids": ["nowhere"]}, "course_ids[0]"),
        ({"course_ids": []}, "course_ids"),
        ({"course_ids": ["sewing", "sewing"]}, "course_ids"),
        ({"course_ids": "sewing"}, "course_ids"),
        ({"policy_id": "huangchuan-1999"}, "huangchuan-1999"),
        ({"policy_id": 3}, "policy_id"),
        ({"starts_on": "2026-02-30"}, "starts_on"),
        ({"starts_on": "2026-3-2"}, "starts_on"),
        ({"starts_on": 1772409600}, "starts_on"),
        ({"starts_on": "1970-01-01"}, "starts_on"),
        ({"ends_on": "2100-01-01"}, "ends_on"),
        ({"ends_on": "2026-03-01"}, "ends_on"),
        ({"mode": "remote"}, "mode"),
        ({"controls": "nobody"}, "controls"),
        ({"teachers": -1}, "teachers"),
        ({"teachers": 1.5}, "teachers"),
        ({"institution": ""}, "institution"),
        ({"institution": "校" * 129}, "institution"),
        ({"occupation": None}, "occupation"),
        ({"applicant": {"type": "state", "name": "x"}}, "applicant.type"),
        ({"applicant": "x"}, "applicant"),
        ({"assessment": {"planned_on": "soon"}}, "assessment.planned_on"),
        ({"assessment": {"mode": "guess"}}, "assessment.mode"),
        ({"workplaces": 10**9}, "workplaces"),
        ({"practical_hours": -0.5}, "practical_hours"),
    ],
)
def test_a_wrong_class_is_refused_by_field(
    huang: TestClient, change: dict[str, Any], named: str
) -> None:
    answer = huang.put("/v1/classes/c1", json=training_class(**change))
    assert answer.status_code == 422
    assert named in answer.text
    assert huang.get("/v1/classes/c1").status_code == 404


def test_lessons_of_two_courses_must_not_share_an_id(huang: TestClient) -> None:
    huang.put("/v1/courses/other", json=course("other"))
    answer = huang.put("/v1/classes/c1", json=training_class(course_ids=["sewing", "other"]))
    assert (answer.status_code, answer.json()["code"]) == (422, "ambiguous_lesson_id")


@pytest.mark.parametrize(
    ("lessons", "code"),
    [
        ([lesson("l1", 60, order=1, class_hours=2)], "lesson_too_short"),
        ([lesson("l1", 20, order=1)], "course_too_short"),
    ],
)
def test_a_course_without_class_hours_cannot_be_opened(
    huang: TestClient, lessons: list[dict[str, Any]], code: str
) -> None:
    huang.put("/v1/courses/sewing", json=course(lessons=lessons))
    answer = huang.put("/v1/classes/c1", json=training_class())
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_teachers_may_be_counted_or_named(huang: TestClient) -> None:
    opened = huang.put("/v1/classes/c1", json=training_class(teachers=["赵一", "钱二"])).json()
    assert (opened["teachers"], opened["teacher_names"]) == (2, ["赵一", "钱二"])


def test_another_platform_s_class_does_not_exist(huang: TestClient, county: County) -> None:
    huang.put("/v1/classes/c1", json=training_class())
    for method, path, body in (
        ("GET", "/v1/classes/c1", None),
        ("GET", "/v1/classes/c1/roster", None),
        ("PUT", "/v1/classes/c1/roster", {"learners": [LIN]}),
        ("POST", "/v1/classes/c1/leave", {"items": []}),
    ):
        answer = huang.request(method, path, json=body, headers=county.guang.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_class")


class TestRoster:
    @pytest.fixture(autouse=True)
    def _class(self, huang: TestClient) -> None:
        assert huang.put("/v1/classes/c1", json=training_class()).status_code == 200

    @pytest.mark.both_databases
    def test_lin_and_wu_are_enrolled_and_shown_masked(
        self, huang: TestClient, services: Services
    ) -> None:
        answer = huang.put("/v1/classes/c1/roster", json={"learners": [LIN, WU]})
        assert answer.status_code == 200, answer.text
        lin, wu = answer.json()["learners"]
        assert (lin["learner_id"], lin["id_number"]) == ("lin", "**************0022")
        assert wu["id_number"].endswith("003X")
        assert lin["consent"]["face"] is True
        assert huang.get("/v1/classes/c1/roster").json() == answer.json()
        again = huang.put("/v1/classes/c1/roster", json={"learners": [LIN, WU]})
        assert again.json() == answer.json()
        with services.database.read() as connection:
            stored = connection.exec_driver_sql("SELECT * FROM learners").all()
        assert str(LIN["id_number"]) not in repr(stored)

    def test_the_eighty_first_learner_is_refused_in_one_call(self, huang: TestClient) -> None:
        answer = huang.put("/v1/classes/c1/roster", json={"learners": learners(81)})
        assert (answer.status_code, answer.json()["code"]) == (422, "roster_too_large")
        assert (answer.json()["learners"], answer.json()["limit"]) == (81, 80)
        assert huang.get("/v1/classes/c1/roster").json()["enrolled"] == 0

    def test_the_eighty_first_learner_is_refused_over_several_calls(
        self, huang: TestClient
    ) -> None:
        first = huang.put("/v1/classes/c1/roster", json={"learners": learners(50)})
        assert first.status_code == 200, first.text
        assert huang.put("/v1/classes/c1/roster", json={"learners": learners(30, 50)}).is_success
        answer = huang.put("/v1/classes/c1/roster", json={"learners": learners(1, 80)})
        assert (answer.status_code, answer.json()["code"]) == (422, "roster_too_large")
        assert "80 are in it already" in answer.json()["detail"]
        assert huang.put("/v1/classes/c1/roster", json={"learners": learners(80)}).is_success

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"learner_id": None}, "learners[1].learner_id"),
            ({"name": ""}, "learners[1].name"),
            ({"name": ["x"]}, "learners[1].name"),
            ({"id_number": "12345"}, "learners[1].id_number"),
            ({"id_number": ""}, "learners[1].id_number"),
            ({"id_number": 110101199001011234}, "learners[1].id_number"),
            ({"id_number": "11010119900101123Y"}, "learners[1].id_number"),
            ({"real_name_verified": "yes"}, "learners[1].real_name_verified"),
            ({"consent": True}, "learners[1].consent"),
            ({"consent": {"face": True}}, "learners[1].consent"),
            ({"consent": {"face": 1, "at": 1772409600000}}, "learners[1].consent.face"),
            ({"consent": {"face": True, "at": 0}}, "learners[1].consent.at"),
            ({"consent": {"face": True, "at": "2100-01-01T00:00:00Z"}}, "learners[1].consent.at"),
        ],
    )
    def test_one_wrong_row_is_refused_by_name_and_spoils_no_other(
        self, huang: TestClient, change: dict[str, Any], field: str
    ) -> None:
        answer = huang.put("/v1/classes/c1/roster", json={"learners": [LIN, WU | change]})
        assert answer.status_code == 200
        (refused,) = answer.json()["rejected"]
        assert (refused["field"], refused["index"]) == (field, 1)
        named = "wu" if "name" in change else WU["name"]
        assert named in refused["detail"]
        assert str(WU["id_number"]) not in answer.text
        assert [it["learner_id"] for it in answer.json()["learners"]] == ["lin"]
        alone = huang.put("/v1/classes/c1/roster", json={"learners": [WU | change]})
        assert alone.status_code == 422
        assert alone.json()["errors"][0]["code"] == alone.json()["code"] == refused["code"]

    def test_one_learner_twice_is_taken_once(self, huang: TestClient) -> None:
        answer = huang.put("/v1/classes/c1/roster", json={"learners": [LIN, LIN]})
        assert answer.json()["enrolled"] == 1
        assert [it["code"] for it in answer.json()["rejected"]] == ["duplicate_learner"]

    def test_one_account_for_two_names_is_taken_for_neither(self, huang: TestClient) -> None:
        other = WU | {"learner_id": LIN["learner_id"]}
        answer = huang.put("/v1/classes/c1/roster", json={"learners": [LIN, other]})
        assert (answer.status_code, answer.json()["code"]) == (422, "duplicate_learner")
        assert "林小兰、吴大伟" in answer.json()["detail"]

    def test_accounts_of_one_id_number_on_two_platforms_are_one_person(
        self, huang: TestClient, county: County, services: Services
    ) -> None:
        lower = LIN | {"id_number": str(LIN["id_number"]).lower()}
        huang.put("/v1/classes/c1/roster", json={"learners": [lower]})
        later = training_class("c2", starts_on="2026-06-01", ends_on="2026-07-01", assessment=None)
        huang.put("/v1/classes/c2", json=later)
        second = LIN | {"learner_id": "lin-2"}
        huang.put("/v1/classes/c2/roster", json={"learners": [second]})
        headers = county.guang.headers
        huang.put("/v1/courses/sewing", json=course(), headers=headers)
        huang.put("/v1/classes/c1", json=training_class(), headers=headers)
        huang.put("/v1/classes/c1/roster", json={"learners": [LIN]}, headers=headers)
        with services.database.read() as connection:
            persons = connection.exec_driver_sql("SELECT person_id FROM learners").scalars().all()
        assert len(persons) == 3
        assert len(set(persons)) == 1

    def test_an_id_number_may_be_told_later(self, huang: TestClient) -> None:
        unknown = {key: it for key, it in LIN.items() if key != "id_number"}
        first = huang.put("/v1/classes/c1/roster", json={"learners": [unknown]}).json()
        assert first["learners"][0]["id_number"] is None
        second = huang.put("/v1/classes/c1/roster", json={"learners": [LIN]}).json()
        assert second["learners"][0]["id_number"].endswith("0022")
        third = huang.put("/v1/classes/c1/roster", json={"learners": [unknown]}).json()
        assert third == second

    def test_consent_is_kept_until_it_is_withdrawn(self, huang: TestClient) -> None:
        huang.put("/v1/classes/c1/roster", json={"learners": [LIN]})
        silent = {key: it for key, it in LIN.items() if key != "consent"}
        kept = huang.put("/v1/classes/c1/roster", json={"learners": [silent]}).json()
        assert kept["learners"][0]["consent"]["face"] is True
        no = LIN | {"consent": {"face": False}}
        withdrawn = huang.put("/v1/classes/c1/roster", json={"learners": [no]}).json()
        assert withdrawn["learners"][0]["consent"]["face"] is False

    def test_lin_may_learn_in_two_classes_of_two_courses(self, huang: TestClient) -> None:
        huang.put("/v1/courses/selling", json=course("selling"))
        huang.put("/v1/classes/c2", json=training_class("c2", course_ids=["selling"]))
        for class_id in ("c1", "c2"):
            answer = huang.put(f"/v1/classes/{class_id}/roster", json={"learners": [LIN]})
            assert answer.json()["enrolled"] == 1


def test_a_platform_hands_its_learner_a_link_and_no_other_platform_can(
    client: TestClient, county: County
) -> None:
    found_school(client, county)
    mine, theirs = county.huang.headers, county.guang.headers
    answer = client.post("/v1/classes/c1/learners/lin/link", headers=mine)
    assert answer.status_code == 201
    path = answer.json()["url"].partition("://")[2].partition("/")[2]
    assert "您的学习记录" in client.get(f"/{path}").text
    assert client.post("/v1/classes/c1/learners/lin/link", headers=theirs).status_code == 404
    assert client.post("/v1/classes/c1/learners/nobody/link", headers=mine).status_code == 404


def test_a_link_leads_to_the_service_whatever_host_was_asked(
    client: TestClient, county: County, services: Services
) -> None:
    found_school(client, county)
    services.settings.public_url = "https://zhenxue.example/"
    asked = county.huang.headers | {"host": "evil.example"}
    answer = client.post("/v1/classes/c1/learners/lin/link", headers=asked)
    assert answer.json()["url"].startswith("https://zhenxue.example/my/")


def test_a_class_of_another_place_has_class_hours_of_its_length(huang: TestClient) -> None:
    lessons = [lesson(f"s{n}", 30, order=n) for n in (1, 2, 3)]
    huang.put("/v1/courses/safety", json=course("safety", lessons))
    opened = {
        pack: huang.put(
            f"/v1/classes/{pack}", json=training_class(course_ids=["safety"], policy_id=pack)
        ).json()
        for pack in ("aq-8011-2023", "jiangxi-2024-special", "huangchuan-2021-graded")
    }
    assert [it["class_hours_total"] for it in opened.values()] == [3, 3, 1]
    assert opened["aq-8011-2023"]["policy"]["term"]["covers_class"] is True


def test_a_class_by_a_pack_whose_file_is_wrong_is_refused_by_the_pack(
    huang: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "packs"
    shelf.mkdir()
    (shelf / "xinxian-2026@1.0.0.toml").write_text("schema = 1\n", "utf-8")
    monkeypatch.setenv("ZHENXUE_PACKS_DIR", str(shelf))
    answer = huang.put("/v1/classes/c1", json=training_class(policy_id="xinxian-2026"))
    assert answer.status_code == 422, answer.text
    told = answer.json()
    assert (told["code"], told["field"]) == ("bad_pack", "policy_id")
    assert "xinxian-2026" in told["detail"]
    assert huang.put("/v1/classes/c1", json=training_class()).is_success


def test_hours_in_person_of_another_place_are_held_against_its_minutes(huang: TestClient) -> None:
    lessons = [lesson(f"s{n}", 30, order=n) for n in (1, 2, 3)]
    huang.put("/v1/courses/safety", json=course("safety", lessons))
    terms = training_class(course_ids=["safety"], policy_id="aq-8011-2023", mode="blended")
    del terms["class_id"]
    planned = terms | {"plan_hours": 13, "practical_hours": 0}
    assert huang.put("/v1/classes/safety", json=planned).is_success
    assert huang.put("/v1/classes/safety/roster", json={"learners": [LIN, WU]}).is_success

    def attends(learner: str, minutes: float) -> None:
        taught = {"held_on": planned["starts_on"], "hours": 4, "practical": False}
        item = taught | {"learner_id": learner, "minutes": minutes}
        answer = huang.post("/v1/classes/safety/offline-attendance", json={"items": [item]})
        assert answer.json()["accepted"] == 1, answer.text

    attends("lin", 180)
    attends("wu", 179)
    assert huang.post("/v1/classes/safety/validate").is_success

    def judged() -> dict[str, dict[str, str]]:
        told = huang.get("/v1/classes/safety/eligibility").json()
        return {
            it["learner_id"]: {check["check"]: check["result"] for check in it["checks"]}
            for it in told.get("learners", [])
        }

    assert eventually(lambda: set(judged()) == {"lin", "wu"})
    assert {who: (it["E1"], it["E2"]) for who, it in judged().items()} == {
        "lin": ("pass", "pass"),
        "wu": ("pass", "fail"),
    }
