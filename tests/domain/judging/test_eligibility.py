"""Who may be assessed, and what stands in the way: by class-hours, findings and lists."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.db import Database
from app.domain.judging import eligibility
from app.services import Services
from app.store.judging import enrolment_facts as store
from app.store.judging import verdicts
from models import TrainingClass
from tests.bodies import finding
from tests.people import HUANGCHUAN, LIN, WU, County, TestClock, course, training_class
from tests.verdicts import bodies, check, class_row, codes, forty, sign_in, studied


class School:
    """Class c1 with Lin and Wu, forty class-hours; `view()` is what the API tells."""

    def __init__(self, client: TestClient, county: County, clock: TestClock) -> None:
        self.client, self.county, self.clock = client, county, clock
        self.database: Database = client.app.state.services.database  # type: ignore[attr-defined]

    def studied(self, learner: str, **outcomes: Any) -> None:
        studied(self.database, self.county, self.clock, learner, **outcomes)

    def post(self, what: str, *items: dict[str, Any], class_id: str = "c1") -> None:
        answer = self.client.post(
            f"/v1/classes/{class_id}/{what}",
            json={"items": list(items)},
            headers=self.county.huang.headers,
        )
        assert answer.status_code == 200 and not answer.json()["rejected"], answer.text

    def assessed_before(self, class_id: str, official_class_no: str, *days: str) -> None:
        """Lin was in another class of these first and last days, and passed on 2026-02-20."""
        headers = self.county.huang.headers
        begins, ends = days
        named = training_class(
            class_id, official_class_no=official_class_no, starts_on=begins, ends_on=ends
        )
        self.client.put(f"/v1/classes/{class_id}", json=named, headers=headers)
        self.client.put(f"/v1/classes/{class_id}/roster", json={"learners": [LIN]}, headers=headers)
        when = {"learner_id": "lin", "held_on": "2026-02-20", "mode": "offline", "passed": True}
        self.post("assessments", when, class_id=class_id)

    def accept_leave(self) -> None:
        """The authority accepts every leave that waits."""
        services: Services = self.client.app.state.services  # type: ignore[attr-defined]
        zhao = sign_in(services, "zhao", HUANGCHUAN)
        for act in self.client.get("/v1/classes/c1/acts", headers=zhao).json()["acts"]:
            assert act["kind"] == "leave_approved"
            assert self.client.post(f"/v1/acts/{act['id']}/approval", headers=zhao).is_success

    def view(self) -> dict[str, Any]:
        answer = self.client.get("/v1/classes/c1/eligibility", headers=self.county.huang.headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def learner(self, name: str = "lin") -> dict[str, Any]:
        return next(it for it in self.view()["learners"] if it["learner_id"] == name)

    def conclude(self) -> int:
        klass = class_row(self.database, self.county)
        with self.database.write() as connection:
            return eligibility.conclude(connection, klass.id, self.clock()).stored

    def uphold(self, key: str) -> None:
        """One person upholds a finding that asks for no second."""
        services: Services = self.client.app.state.services  # type: ignore[attr-defined]
        with self.database.read() as connection:
            klass = class_row(self.database, self.county)
            found = verdicts.findings_by_key(connection, klass.id, [key])[key].id
        review = {"decision": "uphold", "reason": "已核对服务器记录"}
        zhao = sign_in(services, "zhao", HUANGCHUAN)
        answer = self.client.post(f"/v1/findings/{found}/reviews", json=review, headers=zhao)
        assert answer.json()["status"] == "upheld"

    def find(self, learner_id: str = "lin", **changes: Any) -> int:
        """Enter a finding on the learner, as a judgement would; its id."""
        klass = class_row(self.database, self.county)
        with self.database.write() as connection:
            enrolled = store.roster(connection, klass.id)
            person = next(it for it in enrolled if it.external_id == learner_id)
            said = {"outcome": "violation", "class_hour": 7} | changes
            row = verdicts.Entered(
                platform_id=klass.platform_id,
                class_id=klass.id,
                learner_id=person.learner_id,
                session_id=None,
                shadow=False,
                pack="huangchuan-2021-graded@1.0.0",
                body=finding(key=f"key-{learner_id}", **said),
            )
            verdicts.keep_findings(connection, klass.id, [row], [], [], None, self.clock())
            found = verdicts.findings_by_key(connection, klass.id, [row.body.key])
        return found[row.body.key].id


@pytest.fixture
def school(client: TestClient, county: County, clock: TestClock) -> School:
    forty(client, county)
    return School(client, county, clock)


@pytest.mark.both_databases
def test_lin_who_studied_forty_hours_honestly_is_eligible(school: School) -> None:
    school.studied("lin")
    lin = school.learner()
    assert lin["own"] == "eligible" and codes(lin) == []
    assert codes(lin["graded"]) == codes(lin["literal"]) == []
    assert lin["hours"]["valid"] == lin["hours"]["planned"] == 40
    assert check(lin, "B5")["found"] == "40" and check(lin, "B5")["result"] == "pass"


def test_one_voided_hour_makes_wu_ineligible_but_can_be_cured_until_the_cut_off(
    school: School,
) -> None:
    school.studied("wu", invalid=[7])
    school.find("wu")
    waiting = school.learner("wu")
    assert waiting["outcome"] == "pending" and "violation_in_review" in codes(waiting)
    school.uphold("key-wu")
    wu = school.learner("wu")
    assert wu["outcome"] == "ineligible" and wu["curable"]
    reason = wu["reasons"][0]
    assert reason["code"] == "hours_violation" and reason["class_hours"] == [7]
    assert reason["sentence"]["zh"] == "1个课时不符合规则，无效：第7课时。"
    # Planned for 20 April, to be applied for three days ahead.
    assert wu["cut_off"] == "2026-04-17" and reason["cure"]["until"] == "2026-04-17"
    assert reason["cure"]["how"] == "authority_approval"
    assert wu["next_window"] == {"first": "2026-08-01", "last": "2026-08-31"}
    assert not wu["cut_off_passed"]


def test_to_the_letter_the_same_hour_is_not_cured(school: School) -> None:
    school.studied("wu", invalid=[7])
    school.find("wu")
    wu = school.learner("wu")
    assert wu["literal"]["outcome"] == "pending"
    assert "violation_awaits_reviewers" in codes(wu["literal"])
    assert all(it["cure"]["how"] == "none" for it in wu["literal"]["reasons"][:2])
    assert wu["scale"] == "graded" and wu["reasons"] == wu["graded"]["reasons"]


def test_hours_nobody_studied_count_as_not_started(school: School) -> None:
    lin = school.learner()
    assert lin["hours"]["not_started"] == 40 and lin["hours"]["valid"] == 0
    assert codes(lin)[0] == "hours_not_studied"
    assert lin["reasons"][0]["class_hours"] == list(range(1, 41))


def test_what_is_not_proven_holds_the_verdict_and_accuses_nobody(school: School) -> None:
    school.studied("lin", not_proven=[3, 4])
    lin = school.learner()
    assert lin["outcome"] == "pending"
    assert codes(lin) == ["hours_not_proven", "class_hours_undecided"]
    assert "不符合规则" not in str(lin["reasons"]) and lin["hours"]["invalid"] == 0
    assert not any(reason["blocks"] for reason in lin["reasons"])


@pytest.mark.both_databases
def test_two_runs_of_one_day_write_the_same_bytes(school: School) -> None:
    school.studied("lin")
    school.studied("wu", invalid=[7])
    assert school.conclude() == 3
    before = bodies(school.database)
    school.clock.advance(hours=5)
    assert school.conclude() == 0
    assert bodies(school.database) == before


def test_a_later_day_moves_nothing_but_the_next_window(school: School) -> None:
    school.studied("lin")
    school.clock.advance(days=40)  # the class is over
    first = school.learner()
    school.clock.advance(days=3)
    assert school.conclude() == 0
    school.clock.advance(days=117)  # August has begun
    later = school.learner()
    assert later["next_window"]["first"] == "2026-08-01" and later["cut_off_passed"]
    school.clock.advance(days=31)  # nobody who applies now can be assessed in August
    assert school.learner()["next_window"]["first"] == "2026-12-01"
    moved = {"next_window", "judged_ms", "cut_off_passed"}
    assert {k: v for k, v in later.items() if k not in moved} == {
        k: v for k, v in first.items() if k not in moved
    }


def test_lists_that_come_later_are_followed_by_who_asks(school: School) -> None:
    school.studied("lin")
    assert check(school.learner(), "B24")["result"] == "not_applicable"
    leave = {"learner_id": "lin", "from_on": "2026-03-09", "to_on": "2026-03-10"}
    school.post("leave", leave | {"written": True, "approved": True, "made_up_on": "2026-03-20"})
    assert check(school.learner(), "B24")["result"] == "needs_authority"
    school.accept_leave()
    assert check(school.learner(), "B24")["result"] == "pass"


def test_hours_missed_on_approved_leave_are_told_apart(school: School) -> None:
    school.studied("lin", not_started=[39, 40])
    leave = {"learner_id": "lin", "from_on": "2026-03-09", "to_on": "2026-03-10"}
    school.post("leave", leave | {"written": True, "approved": True})
    assert "hours_on_leave" not in codes(school.learner()), "only the platform says so"
    school.accept_leave()
    lin = school.learner()
    assert codes(lin)[0] == "hours_on_leave" and lin["reasons"][0]["class_hours"] == [39, 40]
    assert lin["reasons"][0]["cure"]["how"] == "automatic"


def test_an_assessment_less_than_a_month_ago_bars_lin(school: School) -> None:
    school.studied("lin")
    school.post(
        "history",
        {
            "learner_id": "lin",
            "occupation": "保育师",
            "started_on": "2025-12-01",
            "assessed_on": "2026-02-10",
        },
    )
    lin = school.learner()
    assert lin["outcome"] == "ineligible" and not lin["curable"]
    assert check(lin, "B20")["next_on"] == "2026-03-11"


def test_a_class_on_another_platform_counts_and_is_not_named(
    school: School, client: TestClient, county: County
) -> None:
    theirs = county.guang.headers
    client.put("/v1/courses/sewing", json=course(), headers=theirs)
    earlier = training_class(
        "their-class", official_class_no=None, starts_on="2026-01-05", ends_on="2026-01-30"
    )
    client.put("/v1/classes/their-class", json=earlier, headers=theirs)
    client.put("/v1/classes/their-class/roster", json={"learners": [LIN]}, headers=theirs)
    school.studied("lin")
    lin = school.learner()
    assert check(lin, "D1")["found"] == "2"
    assert check(lin, "B20")["reason"] == "previous_not_assessed"
    assert "their-class" not in str(lin)
    assert check(lin, "B20")["result"] == "needs_authority", "it is their word alone"
    assert lin["outcome"] == "pending"
    when = {"learner_id": "lin", "held_on": "2026-02-20", "mode": "offline", "passed": True}
    client.post("/v1/classes/their-class/assessments", json={"items": [when]}, headers=theirs)
    lin = school.learner()
    assert check(lin, "B20")["reason"] == "assessed_too_recently"
    assert check(lin, "B20")["sentence"]["zh"].startswith("仅据其他平台报送")
    assert lin["outcome"] == "pending"
    assert check(school.learner("wu"), "D1")["found"] == "1"


@pytest.mark.parametrize("number", ["c1", "one-for-all"])
def test_no_training_is_hidden_behind_a_number_that_a_platform_gives_its_classes(
    school: School, number: str
) -> None:
    """Neither behind the id of the class itself, nor behind one number for all earlier ones."""
    school.assessed_before("first", number, "2026-01-05", "2026-01-09")
    school.assessed_before("second", number, "2026-01-12", "2026-01-16")
    school.studied("lin")
    lin = school.learner()
    assert (check(lin, "B20")["result"], check(lin, "B20")["found"]) == ("fail", "2026-02-20")
    assert check(lin, "D1")["found"] == "3"


def test_the_register_tells_no_other_day_of_what_was_assessed_here(school: School) -> None:
    school.assessed_before("old", "N-1", "2025-09-01", "2025-09-20")
    school.studied("lin")
    register = {"learner_id": "lin", "occupation": "保育师", "official_class_no": "N-1"}
    days = {"started_on": "2025-09-02", "assessed_on": "2025-10-20"}
    school.post("history", register | days)
    lin = school.learner()
    assert (check(lin, "B20")["result"], check(lin, "B20")["found"]) == ("fail", "2026-02-20")
    assert check(lin, "D1")["found"] == "1"


def test_nobody_can_look_up_a_person_without_an_id_number(
    school: School, client: TestClient, county: County
) -> None:
    stranger = {**WU, "learner_id": "stranger"}
    del stranger["id_number"]
    client.put("/v1/classes/c1/roster", json={"learners": [stranger]}, headers=county.huang.headers)
    school.studied("stranger")
    told = school.learner("stranger")
    assert told["outcome"] == "pending"
    assert check(told, "B20")["result"] == check(told, "D1")["result"] == "not_proven"


def test_a_suspicion_holds_the_verdict_until_somebody_decided(school: School) -> None:
    school.studied("lin")
    school.find(outcome="review", rule="forged_telemetry")
    assert codes(school.learner()) == ["finding_in_review"]


def test_a_statistic_holds_nobody(school: School) -> None:
    school.studied("lin")
    school.find(outcome="review", rule="forged_telemetry", evidence_class="C-")
    assert school.learner()["own"] == "eligible"


def test_the_literal_scale_asks_for_a_second_person(
    school: School, client: TestClient, county: County
) -> None:
    services = client.app.state.services  # type: ignore[attr-defined]
    school.studied("wu", invalid=[7])
    finding = school.find("wu")
    review = {"decision": "uphold", "reason": "已核对服务器记录"}
    zhao = sign_in(services, "zhao", HUANGCHUAN)
    first = client.post(f"/v1/findings/{finding}/reviews", json=review, headers=zhao)
    assert first.json()["status"] == "upheld"
    with school.database.write() as connection:
        connection.execute(update(TrainingClass).values(scale_chosen="literal"))
    school.conclude()
    assert school.learner("wu")["outcome"] == "pending"
    sun = sign_in(services, "sun", HUANGCHUAN)
    second = client.post(f"/v1/findings/{finding}/reviews", json=review, headers=sun)
    assert second.json()["status"] == "upheld" and second.json()["stage"] == "second"
    wu = school.learner("wu")
    assert wu["scale"] == "literal" and wu["outcome"] == "ineligible" and not wu["curable"]


def test_a_class_that_cannot_be_accepted_takes_its_learners_along(
    client: TestClient, county: County, clock: TestClock
) -> None:
    forty(client, county, assessment={"planned_on": "2026-05-20", "applied_on": "2026-05-01"})
    school = School(client, county, clock)
    school.studied("lin")
    assert school.view()["class"]["outcome"] == "pending", "the class still runs"
    clock.advance(days=40)
    told = school.view()
    assert told["class"]["outcome"] == "not_acceptable"
    assert check(told["class"], "C1")["next_on"] == "2026-08-01"
    lin = school.learner()
    assert (lin["own"], lin["outcome"]) == ("eligible", "ineligible")
    assert codes(lin) == ["class_not_acceptable"]


def test_one_person_under_two_accounts_of_earlier_data_counts_once_and_waits(
    school: School,
) -> None:
    """Rosters of earlier versions may hold what is refused at entry now."""
    school.studied("lin")
    before = school.view()
    with school.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE learners SET person_id = (SELECT person_id FROM learners WHERE external_id ="
            " 'lin') WHERE external_id = 'wu'"
        )
    after = school.view()
    persons = [check(it["class"], "B11")["found"] for it in (before, after)]
    assert [int(it) for it in persons] == [2, 1]
    for learner_id, other in (("lin", "wu"), ("wu", "lin")):
        learner = school.learner(learner_id)
        assert check(learner, "D17")["reason"] == "identity_shared"
        assert other in check(learner, "D17")["sentence"]["zh"]
    assert school.learner("lin")["outcome"] == "pending"
