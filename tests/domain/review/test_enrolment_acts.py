"""A learner leaves, joins late, moves: recorded, dated, taken back; and the counts follow."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.accounts.users import Role, User
from app.domain.catalogue import roster_days
from app.domain.review import acts
from app.errors import NotAllowed
from app.services import Services
from app.simulation.entities import invented_id_number
from app.store.catalogue import catalogue
from app.store.review import inspections
from tests.api.test_sessions import found_school, opening, post
from tests.people import HUANGCHUAN, LIN, WU, County, TestClock, instant, training_class
from tests.verdicts import sign_in

FIRST = date(2026, 3, 2)


@pytest.fixture
def school(client: TestClient, county: County) -> County:
    """Lin and Wu in c1, and c2 of the same course with nobody."""
    found_school(client, county)
    answer = client.put("/v1/classes/c2", json=training_class("c2"), headers=county.huang.headers)
    assert answer.status_code < 300, answer.text
    return county


class Office:
    """What a platform does about its rosters, by its key."""

    def __init__(self, client: TestClient, county: County) -> None:
        self.client, self.headers = client, county.huang.headers

    def record(self, kind: str, learner: str = "lin", klass: str = "c1", **body: str) -> Any:
        said = {"kind": kind, "learner_id": learner, "body": body, "reason": "本人书面申请"}
        return self.client.post(f"/v1/classes/{klass}/acts", json=said, headers=self.headers)

    def take_back(self, act: int) -> Any:
        said = {"reason": "登记有误，本人仍在班"}
        return self.client.post(f"/v1/acts/{act}/revocation", json=said, headers=self.headers)

    def roster(self, klass: str = "c1") -> dict[str, tuple[str | None, str | None, str | None]]:
        told = self.client.get(f"/v1/classes/{klass}/roster", headers=self.headers).json()
        return {
            it["learner_id"]: (it["first_day"], it["last_day"], it["ended_by"])
            for it in told["learners"]
        }

    def away(self, learner: str, klass: str = "c1") -> list[tuple[str, str]]:
        told = self.client.get(f"/v1/classes/{klass}/roster", headers=self.headers).json()
        (mine,) = (it for it in told["learners"] if it["learner_id"] == learner)
        return [(it["first_day"], it["last_day"]) for it in mine["away"]]

    def put(self, *learners: dict[str, Any], klass: str = "c1") -> Any:
        url, said = f"/v1/classes/{klass}/roster", {"learners": list(learners)}
        return self.client.put(url, json=said, headers=self.headers)


@pytest.fixture
def office(client: TestClient, school: County) -> Office:
    return Office(client, school)


def code(answer: Any) -> str:
    return str(answer.json()["code"])


@pytest.mark.both_databases
def test_who_comes_back_studies_on_and_was_not_there_meanwhile(
    client: TestClient, school: County, clock: TestClock, office: Office, services: Services
) -> None:
    clock.now_ms = instant("2026-03-10 09:00")
    assert code(office.record("came_back", first_on="2026-03-10")) == "not_left"
    left = office.record("left_class", last_on="2026-03-05").json()
    assert code(office.record("came_back", first_on="2026-03-05")) == "outside_class_dates"
    assert code(office.record("came_back", first_on="2026-03-06")) == "never_away"
    back = office.record("came_back", first_on="2026-03-10")
    assert back.status_code == 201, back.text
    assert office.roster()["lin"] == (None, None, None)
    assert office.away("lin") == [("2026-03-06", "2026-03-09")]
    assert code(office.record("left_class", last_on="2026-03-08")) == "before_coming_back"
    assert code(office.take_back(left["id"])) == "came_back_since"
    with services.database.read() as connection:
        row = catalogue.class_of_platform(connection, school.huang.platform.id, "c1")
        assert row is not None
        there = [
            "lin" in inspections.members(connection, row.id, f"2026-03-{day:02}")
            for day in (5, 6, 9, 10)
        ]
    assert there == [True, False, False, True]
    clock.now_ms = instant("2026-03-09 09:00")
    refused = post(client, school, opening())
    assert refused.json()["ended"] == {"by": "left", "last_day": "2026-03-05"}
    clock.now_ms = instant("2026-03-10 09:00")
    assert post(client, school, opening()).status_code == 201
    assert code(office.take_back(back.json()["id"])) == "on_record_since"


def test_who_moved_may_move_back_and_takes_it_back(
    school: County, clock: TestClock, office: Office
) -> None:
    clock.now_ms = instant("2026-03-12 09:00")
    first = office.record("moved_class", last_on="2026-03-04", to_class="c2").json()
    again = office.record("moved_class", klass="c2", last_on="2026-03-08", to_class="c1")
    assert again.status_code == 201, again.text
    assert (office.roster()["lin"][2], office.roster("c2")["lin"][2]) == (None, "moved")
    assert office.away("lin") == [("2026-03-05", "2026-03-08")]
    assert code(office.take_back(first["id"])) == "came_back_since"
    assert office.take_back(again.json()["id"]).status_code == 200
    assert office.roster()["lin"] == (None, "2026-03-04", "moved")
    assert office.roster("c2")["lin"] == ("2026-03-05", None, None)
    assert office.take_back(first["id"]).status_code == 200
    assert office.roster()["lin"] == (None, None, None) and "lin" not in office.roster("c2")


@pytest.mark.both_databases
def test_who_left_opens_no_sitting_and_a_wrong_leaving_is_taken_back(
    client: TestClient, school: County, clock: TestClock, office: Office
) -> None:
    clock.now_ms = instant("2026-03-10 09:00")
    left = office.record("left_class", last_on="2026-03-09")
    assert (left.status_code, left.json()["state"]) == (201, "in_force")
    assert office.roster()["lin"] == (None, "2026-03-09", "left")
    refused = post(client, school, opening())
    assert (refused.status_code, code(refused)) == (409, "enrolment_ended")
    assert refused.json()["ended"] == {"by": "left", "last_day": "2026-03-09"}
    assert "2026年3月9日离班" in refused.json()["reason"]["zh"]
    assert client.get("/v1/classes/c1", headers=office.headers).json()["enrolled"] == 1

    assert office.take_back(left.json()["id"]).json()["state"] == "revoked"
    assert office.roster()["lin"] == (None, None, None)
    assert post(client, school, opening()).status_code == 201


def test_a_list_that_has_not_heard_of_it_puts_nobody_back(clock: TestClock, office: Office) -> None:
    clock.now_ms = instant("2026-03-10 09:00")
    office.record("left_class", last_on="2026-03-09")
    answer = office.put(LIN, WU)
    (row,) = answer.json()["rejected"]
    assert (row["name"], row["code"]) == ("林小兰", "enrolment_ended")
    assert "离班（在班最后一天2026-03-09）" in row["detail"]


def test_the_last_day_lies_neither_ahead_nor_before_what_is_on_record(
    client: TestClient, school: County, clock: TestClock, office: Office
) -> None:
    clock.now_ms = instant("2026-03-05 09:00")
    assert post(client, school, opening()).status_code == 201
    clock.now_ms = instant("2026-03-06 09:00")
    assert code(office.record("left_class", last_on="2026-03-07")) == "in_future"
    early = office.record("left_class", last_on="2026-03-04")
    assert code(early) == "on_record_after" and "2026-03-05" in early.json()["detail"]
    assert office.record("left_class", last_on="2026-03-05").status_code == 201
    assert code(office.record("left_class", last_on="2026-03-05")) == "ended_already"


def test_who_joins_late_begins_on_their_first_day(
    client: TestClient, school: County, clock: TestClock, office: Office
) -> None:
    assert office.record("joined_late", first_on="2026-03-09").status_code == 201
    clock.now_ms = instant("2026-03-08 09:00")
    refused = post(client, school, opening())
    assert (code(refused), refused.json()["counts"]["first_day"]) == (
        "outside_class_dates",
        "2026-03-09",
    )
    clock.now_ms = instant("2026-03-09 09:00")
    assert post(client, school, opening()).status_code == 201
    assert code(office.record("joined_late", first_on="2026-03-10")) == "on_record_before"
    assert code(office.record("joined_late", first_on="2026-05-01")) == "outside_class_dates"


def test_a_first_day_on_the_roster_is_a_recorded_act(client: TestClient, office: Office) -> None:
    late = {"learner_id": "sun", "name": "孙一", "id_number": invented_id_number(7)}
    answer = office.put(late | {"joined_on": "2026-03-09"})
    assert answer.status_code == 200, answer.text
    assert office.roster()["sun"] == ("2026-03-09", None, None)
    (act,) = client.get("/v1/classes/c1/acts", headers=office.headers).json()["acts"]
    assert (act["kind"], act["body"], act["state"]) == (
        "joined_late",
        {"first_on": "2026-03-09"},
        "in_force",
    )
    (again,) = office.put(late | {"joined_on": "2026-03-12"}).json()["errors"]
    assert again["code"] == "joined_already"


def test_a_learner_moves_to_another_class_of_the_course_and_back_if_that_was_wrong(
    client: TestClient, school: County, clock: TestClock, office: Office
) -> None:
    clock.now_ms = instant("2026-03-10 09:00")
    moved = office.record("moved_class", last_on="2026-03-09", to_class="c2")
    assert moved.status_code == 201, moved.text
    assert office.roster()["lin"] == (None, "2026-03-09", "moved")
    assert office.roster("c2")["lin"] == ("2026-03-10", None, None)
    assert code(post(client, school, opening())) == "enrolment_ended"
    assert office.take_back(moved.json()["id"]).status_code == 200
    assert office.roster()["lin"] == (None, None, None)
    assert office.roster("c2") == {}

    again = office.record("moved_class", last_on="2026-03-09", to_class="c2").json()
    assert post(client, school, opening(class_id="c2")).status_code == 201
    refused = office.take_back(again["id"])
    assert (refused.status_code, code(refused)) == (409, "on_record_since")


def test_nobody_is_in_two_classes_of_one_course_at_a_time(clock: TestClock, office: Office) -> None:
    (row,) = office.put(LIN, klass="c2").json()["errors"]
    assert row["code"] == "in_class_of_course" and "班级c1" in row["detail"]
    assert code(office.record("moved_class", last_on="2026-03-02", to_class="c9")) == (
        "unknown_class"
    )
    assert code(office.record("moved_class", last_on="2026-03-02", to_class="c1")) == "other_course"
    elsewhere = training_class("c3", institution="另一所示例学校")
    office.client.put("/v1/classes/c3", json=elsewhere, headers=office.headers)
    refused = office.record("moved_class", last_on="2026-03-02", to_class="c3")
    assert code(refused) == "other_institution"
    clock.now_ms = instant("2026-03-10 09:00")
    left = office.record("left_class", last_on="2026-03-09").json()
    late = LIN | {"joined_on": "2026-03-10"}
    assert office.put(late, klass="c2").status_code == 200
    refused = office.take_back(left["id"])
    assert (refused.status_code, code(refused)) == (409, "in_class_of_course")


def test_what_a_person_of_the_authority_recorded_no_key_takes_back(
    client: TestClient, school: County, services: Services, clock: TestClock, office: Office
) -> None:
    headers = sign_in(services, "zhao", HUANGCHUAN)
    said = {"kind": "left_class", "learner_id": "lin", "body": {"last_on": "2026-03-02"}}
    act = client.post(
        "/v1/classes/c1/acts",
        json=said | {"reason": "本人书面申请"},
        headers=headers,
    )
    assert act.status_code == 201, act.text
    refused = office.take_back(act.json()["id"])
    assert (refused.status_code, code(refused)) == (403, "people_only")


steps = st.lists(
    st.tuples(
        st.sampled_from(["left_class", "came_back", "joined_late", "moved_class", "back"]),
        st.sampled_from(["lin", "wu"]),
        st.sampled_from(["c1", "c2"]),
        st.integers(0, 12),
    ),
    min_size=1,
    max_size=10,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_counts_of_every_day_are_a_fold_over_the_acts_in_force(
    services: Services,
    school: County,
    clock: TestClock,
    office: Office,
    steps: list[tuple[str, str, str, int]],
) -> None:
    clock.now_ms = instant("2026-03-14 09:00")
    made: list[tuple[int, str]] = []
    for kind, learner, klass, offset in steps:
        on = (FIRST + timedelta(days=offset)).isoformat()
        if kind == "back":
            place = offset % len(made) if made else 0
            if made and office.take_back(made[place][0]).status_code == 200:
                made.pop(place)
            continue
        comes = kind in ("joined_late", "came_back")
        body = {"first_on": on} if comes else {"last_on": on}
        other = {"to_class": "c2" if klass == "c1" else "c1"} if kind == "moved_class" else {}
        answer = office.record(kind, learner, klass, **body, **other)
        if answer.status_code == 201:
            made.append((answer.json()["id"], klass))
        _agree(services, school, office)
    _agree(services, school, office)
    for act, _ in reversed(made):
        office.take_back(act)


def _agree(services: Services, school: County, office: Office) -> None:
    told = [
        it | {"class": klass}
        for klass in ("c1", "c2")
        for it in office.client.get(f"/v1/classes/{klass}/acts", headers=office.headers).json()[
            "acts"
        ]
        if it["state"] == "in_force"
    ]
    told.sort(key=lambda it: it["id"])
    days = [FIRST + timedelta(days=it) for it in range(16)]
    there = {who: _there([it for it in told if it["learner_id"] == who], days) for who in WHO}
    with services.database.read() as connection:
        for klass in ("c1", "c2"):
            row = catalogue.class_of_platform(connection, school.huang.platform.id, klass)
            assert row is not None
            stays = roster_days.of_class(connection, row)
            for day in days:
                folded = sum(day in there[who][klass] for who in WHO)
                assert roster_days.on_roster(stays, day) == folded, (klass, day, told)
                drawn = inspections.members(connection, row.id, day.isoformat())
                assert len(drawn) == folded, (klass, day, told)


WHO = ("lin", "wu")


def _there(acts: list[dict[str, Any]], days: list[date]) -> dict[str, set[date]]:
    """On which days one learner, who begins in c1, is in each class: what the acts say of them, one
    after the other."""
    found: dict[str, set[date]] = {"c1": set(days), "c2": set()}
    over: dict[str, date] = {}
    for it in acts:
        here, body = it["class"], it["body"]
        if "last_on" in body:
            over[here] = date.fromisoformat(body["last_on"]) + timedelta(days=1)
            found[here] -= {day for day in days if day >= over[here]}
        if it["kind"] == "joined_late":
            first = date.fromisoformat(body["first_on"])
            before = min(found[here], default=over.get(here, first))
            found[here] |= {day for day in days if first <= day < before}
            found[here] -= {day for day in days if day < first}
        elif "first_on" in body:
            into = body.get("to_class", here)
            came = {day for day in days if day >= date.fromisoformat(body["first_on"])}
            found[into] |= came
    return found


def test_a_schools_clerk_records_who_left_and_nothing_that_the_authority_decides(
    services: Services, school: County, clock: TestClock, office: Office
) -> None:
    clock.now_ms = instant("2026-03-10 09:00")
    clerk = User(9, "han", "韩梅", Role.SCHOOL, (), None, 1)
    entry: dict[str, Any] = {"actor": clerk.actor, "user": clerk, "now_ms": clock()}
    with services.database.write() as connection:
        row = catalogue.class_of_platform(connection, school.huang.platform.id, "c1")
        assert row is not None
        said: dict[str, Any] = {"learner": "lin", "reason": "本人书面申请", "document": ""}
        body = {"last_on": "2026-03-09"}
        vault = services.vault
        acts.record(connection, row, kind="left_class", body=body, vault=vault, **said, **entry)
        with pytest.raises(NotAllowed):
            window = {"answer_window_s": 120}
            acts.record(connection, row, kind="answer_time", body=window, **said, **entry)
    assert office.roster()["lin"][2] == "left"
