"""Sharing out the queue: views of one's own, who looks after what, many alike, and appeals."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from models import Appeal, AuditEntry, Finding, Review, TrainingClass
from tests.console.conftest import Clock, Desk
from tests.console.test_cases import one_case

NewDesk = Callable[[], Desk]
REPLY = "经复查，维持原决定，依据见时间轴。"


def post(desk: Desk, path: str, **form: Any) -> Any:
    csrf = desk.csrf("/console/findings")
    return desk.client.post(f"/console/{path}", data={"csrf": csrf, **form})


def light(desk: Desk, *findings: str, **changes: Any) -> list[int]:
    """Make findings of the county alike and light."""
    ids = [desk.county.findings[name] for name in findings]
    same = {
        "rule": "popup_gap",
        "reason": "many_expiries",
        "outcome": "review",
        "fault": "undetermined",
        "needs_two_reviewers": False,
    }
    with desk.services.database.write() as connection:
        connection.execute(update(Finding).where(Finding.id.in_(ids)).values(**same | changes))
    return ids


def offered(page: str, path: str, name: str) -> str:
    """The value of the button of this name in the form that goes there."""
    for form in page.split(path)[1:]:
        found = re.search(rf'name="assignee" value="(\d*)">\s*{name}', form)
        if found:
            return found[1]
    raise AssertionError(f"{name} is not offered")


def statuses(desk: Desk, ids: list[int]) -> list[str]:
    with desk.services.database.read() as connection:
        query = select(Finding.status).where(Finding.id.in_(ids)).order_by(Finding.id)
        return list(connection.execute(query).scalars())


def appeal(desk: Desk, finding: str) -> int:
    with desk.services.database.write() as connection:
        return connection.execute(
            insert(Appeal)
            .values(
                finding_id=desk.county.findings[finding],
                filed_by="platform:yunke",
                statement="当时停电，有村委会证明。",
                created_ms=desk.clock(),
            )
            .returning(Appeal.id)
        ).scalar_one()


class TestViews:
    def test_a_view_keeps_the_filters_and_is_ones_own(self, desk: Desk, new_desk: NewDesk) -> None:
        desk.sign_in("zhao")
        post(desk, "findings/views", name="弹窗待办", queue="rule=popup_gap&age=3&evil=1")
        page = desk.get("/console/findings")
        assert "弹窗待办" in page and "rule=popup_gap&amp;age=3" in page and "evil" not in page
        assert "弹窗待办" not in new_desk().sign_in("sun").get("/console/findings")

    def test_a_view_needs_a_name_and_can_be_dropped(self, desk: Desk) -> None:
        desk.sign_in("zhao")
        assert post(desk, "findings/views", name=" ", queue="").status_code == 422
        post(desk, "findings/views", name="一", queue="rule=popup_gap")
        post(desk, "findings/views/1/drop")
        assert "rule=popup_gap" not in desk.get("/console/findings").split("分工与申诉")[0]

    def test_nobody_drops_anothers_view(self, desk: Desk, new_desk: NewDesk) -> None:
        post(desk.sign_in("zhao"), "findings/views", name="一", queue="")
        assert post(new_desk().sign_in("sun"), "findings/views/1/drop").status_code == 404


class TestAssignment:
    def test_zhao_hands_a_finding_to_sun_who_finds_it_with_her(
        self, desk: Desk, new_desk: NewDesk
    ) -> None:
        desk.sign_in("zhao")
        finding = desk.county.findings["other:face_liveness"]
        known = re.search(r'value="(\d+)">孙丽<', desk.get("/console/findings"))
        assert known
        sun = known[1]
        answer = post(desk, "findings/many", act="assign", assignee=sun, finding=[finding])
        assert answer.status_code == 200
        hers = new_desk().sign_in("sun").get("/console/findings?assigned=me")
        assert f"/console/findings/{finding}?" in hers
        assert f"/console/findings/{finding}?" not in desk.get("/console/findings?assigned=me")
        with desk.services.database.read() as connection:
            query = select(AuditEntry.detail).where(AuditEntry.action == "finding.assigned")
            assert connection.execute(query).scalars().all() == [{"to": "sun"}]

    def test_nobody_is_given_what_lies_outside_their_counties(self, desk: Desk) -> None:
        desk.sign_in("zhao")
        finding = desk.county.findings["other:face_liveness"]
        for stranger in ("7", "10", "99"):  # Qian of another county, an administrator, nobody
            refused = post(
                desk, "findings/many", act="assign", assignee=stranger, finding=[finding]
            )
            assert refused.status_code == 422 and "无权处理" in refused.text

    def test_a_finding_of_another_county_cannot_be_taken(
        self, desk: Desk, new_desk: NewDesk
    ) -> None:
        qian = new_desk().sign_in("qian")
        finding = desk.county.findings["other:face_liveness"]
        assert post(qian, f"findings/{finding}/assign", assignee="3").status_code == 404

    def test_zhao_takes_a_finding_from_the_queue_and_puts_it_back(self, desk: Desk) -> None:
        path = f"findings/{desk.sign_in('zhao').county.findings['other:face_liveness']}/assign"
        zhao = offered(desk.get("/console/findings"), path, "领取")
        post(desk, path, assignee=zhao, back="/console/findings?order=old")
        mine = desk.get("/console/findings?assigned=me")
        nobody = offered(mine, path, "放回")
        assert nobody == ""
        post(desk, path, assignee=nobody)
        assert path not in desk.get("/console/findings?assigned=me")

    @pytest.mark.parametrize("on", ["a sitting", "a class"])
    def test_the_finding_says_who_looks_after_it_and_lets_one_change_that(
        self, desk: Desk, on: str
    ) -> None:
        finding = desk.county.findings["other:face_liveness"]
        if on == "a class":
            with desk.services.database.write() as connection:
                values = {"learner_id": None, "session_id": None}
                query = update(Finding).where(Finding.id == finding)
                connection.execute(query.values(**values))
        path, page = f"findings/{finding}/assign", f"/console/findings/{finding}"
        zhao = desk.sign_in("zhao").get(page)
        assert "尚无人负责" in zhao
        sun = re.search(r'<option value="(\d+)">孙丽</option>', zhao.split(path)[2])
        assert sun and "钱卫" not in zhao  # who decides in another county
        given = post(desk, path, assignee=sun[1], back=page).text
        assert "由孙丽负责" in given and "转由我负责" in given
        taken = post(desk, path, assignee=offered(zhao, path, "领取"), back=page).text
        assert "由您负责" in taken
        assert (
            "尚无人负责" in post(desk, path, assignee=offered(taken, path, "放回"), back=page).text
        )

    def test_who_only_looks_is_offered_nothing(self, desk: Desk) -> None:
        finding = desk.county.findings["fast:fast_forward"]
        page = desk.sign_in("feng").get(f"/console/findings/{finding}")
        assert "尚无人负责" in page and f"findings/{finding}/assign" not in page
        assert "/assign" not in desk.get("/console/findings")


class TestManyAtOnce:
    def test_light_ones_that_are_alike_are_decided_with_one_reason(self, desk: Desk) -> None:
        ids = light(desk, "gap:popup_gap", "other:face_liveness")
        answer = post(
            desk.sign_in("zhao"),
            "findings/many",
            act="decide",
            decision="overturn",
            reason="同一时段平台停机",
            finding=ids,
        )
        assert "已一并决定2条" in answer.text
        assert statuses(desk, ids) == ["overturned", "overturned"]
        assert sorted(desk.followed) == sorted(ids)
        with desk.services.database.read() as connection:
            assert len(connection.execute(select(Review)).all()) == 2

    @pytest.mark.parametrize(
        ("changes", "told"),
        [({"outcome": "violation"}, "逐条"), ({"needs_two_reviewers": True}, "逐条")],
    )
    def test_grave_ones_are_not(self, desk: Desk, changes: dict[str, Any], told: str) -> None:
        ids = light(desk, "gap:popup_gap", "other:face_liveness", **changes)
        form = {"act": "decide", "decision": "uphold", "reason": "一样的理由", "finding": ids}
        answer = post(desk.sign_in("zhao"), "findings/many", **form)
        assert answer.status_code == 422 and told in answer.text
        assert statuses(desk, ids) == ["open", "open"]

    def test_different_ones_are_not_and_what_was_typed_is_kept(self, desk: Desk) -> None:
        ids = light(desk, "gap:popup_gap", "other:face_liveness")
        light(desk, "gap:popup_gap", reason="another")
        form = {"act": "decide", "decision": "overturn", "reason": "停机那天", "finding": ids}
        answer = post(desk.sign_in("zhao"), "findings/many", **form)
        assert answer.status_code == 422 and "都相同" in answer.text and "停机那天" in answer.text
        assert statuses(desk, ids) == ["open", "open"]


class TestAppeals:
    def test_somebody_who_did_not_decide_answers_and_the_learner_is_told(
        self, desk: Desk, new_desk: NewDesk
    ) -> None:
        filed = appeal(desk, "gap:popup_gap")
        zhao, sun = desk.sign_in("zhao"), new_desk().sign_in("sun")
        zhao.decide("gap:popup_gap", "uphold")
        own = post(zhao, f"appeals/{filed}/reply", answer="dismissed", reply=REPLY)
        assert own.status_code == 409 and "未作过决定" in own.text
        waiting = "/console/findings?appeal=waiting&status=all"
        assert "弹窗" in sun.get(waiting).split("<tbody")[1]
        post(sun, f"appeals/{filed}/reply", answer="dismissed", reply=REPLY)
        finding = desk.county.findings["gap:popup_gap"]
        assert REPLY in sun.get(f"/console/findings/{finding}")
        again = post(sun, f"appeals/{filed}/reply", answer="dismissed", reply=REPLY)
        assert again.status_code == 409 and statuses(desk, [finding]) == ["upheld"]

    def test_a_case_that_is_opened_again_is_decided_by_others(
        self, desk: Desk, new_desk: NewDesk, clock: Clock
    ) -> None:
        finding = desk.county.findings["gap:popup_gap"]
        zhao, sun = desk.sign_in("zhao"), new_desk().sign_in("sun")
        zhao.decide("gap:popup_gap", "uphold")
        filed = appeal(desk, "gap:popup_gap")
        clock.now_ms += 60_000
        post(sun, f"appeals/{filed}/reply", answer="reopened", reply="证明属实，重新审理。")
        assert statuses(desk, [finding]) == ["open"]
        assert zhao.decide("gap:popup_gap", "uphold").status_code == 422
        clock.now_ms += 60_000
        sun.decide("gap:popup_gap", "overturn")
        assert statuses(desk, [finding]) == ["overturned"]

    @pytest.mark.parametrize("taken_back", ["undo", "correction"])
    def test_who_takes_a_decision_back_under_an_appeal_neither_answers_it_nor_decides_again(
        self, desk: Desk, new_desk: NewDesk, clock: Clock, taken_back: str
    ) -> None:
        case, (finding,) = one_case(desk, "gap:popup_gap")
        zhao, sun = desk.sign_in("zhao"), new_desk().sign_in("sun")
        zhao.decide("gap:popup_gap", "uphold")
        clock.now_ms += 60_000
        filed = appeal(desk, "gap:popup_gap")
        clock.now_ms += 60_000
        form = {"finding": finding, "reason": "我再想想"}
        post(zhao, f"cases/{case}/{taken_back}", **form)
        assert statuses(desk, [finding]) == ["open"]
        own = post(zhao, f"appeals/{filed}/reply", answer="dismissed", reply=REPLY)
        assert own.status_code == 409 and "未作过决定" in own.text
        zhao.decide("gap:popup_gap", "uphold")
        clock.now_ms += 60_000
        post(sun, f"appeals/{filed}/reply", answer="reopened", reply="证明属实，重新审理。")
        post(zhao, f"cases/{case}/{taken_back}", **form)
        assert statuses(desk, [finding]) == ["open"]
        assert zhao.decide("gap:popup_gap", "uphold").status_code == 422

    def test_an_appeal_of_another_county_does_not_exist(
        self, desk: Desk, new_desk: NewDesk
    ) -> None:
        filed = appeal(desk, "gap:popup_gap")
        qian = new_desk().sign_in("qian")
        answer = post(qian, f"appeals/{filed}/reply", answer="dismissed", reply=REPLY)
        assert answer.status_code == 404


def test_the_subsidy_at_stake_narrows_the_queue(desk: Desk) -> None:
    with desk.services.database.write() as connection:
        connection.execute(
            update(TrainingClass)
            .where(TrainingClass.external_id == "HC-2026-014")
            .values(terms={"teachers": 2, "subsidy_yuan": 1200})
        )
    desk.sign_in("zhao")
    assert "¥1,200" in desk.get("/console/findings?money=1000")
    assert "¥1,200" not in desk.get("/console/findings?money=10000")
